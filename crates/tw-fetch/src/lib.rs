//! Downloads the media of Twilio Video recordings.
//!
//! `recording` is what a record says, `template` and `folder` where its file goes,
//! `part` the file on its way, `twilio` who is asked, `download` one recording from
//! start to end. Here each recording gets its file once, whoever asks for it.
//!
//! Encrypted recordings: `private_key` opens the `envelope`, whose key is for the
//! `decryption`. Those in the user's own bucket: `external` is the user's command,
//! `object` what it is told, `from_bucket` one recording from start to end.

mod cli;
mod decryption;
mod download;
mod envelope;
mod expected;
mod external;
mod folder;
mod from_bucket;
mod object;
mod part;
mod private_key;
mod recording;
mod template;
mod twilio;

use std::cell::Cell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use tw_core::http::is_sid;
use tw_core::progress::Progress;
use tw_core::record::json;
use tw_core::{ErrorKind, Failure, Record, Status, filter, input};

pub use cli::Cli;
use download::Download;
pub use external::External;
use folder::Folder;
use private_key::PrivateKeys;
pub use template::Template;
use twilio::Twilio;

/// Fetches what the records name.
///
/// # Errors
/// For wrong set-up (flags, keys, a folder that can't be made), and when
/// stdin can't be read or stdout is closed or full.
pub fn run(cli: Cli) -> anyhow::Result<Status> {
    cli.files.iter().try_for_each(|file| is_no_sid(file))?;
    let keys = PrivateKeys::read(&cli.private_key)?;
    if let Some(external) = &cli.external {
        external.require()?;
    }
    let twilio = Arc::new(Twilio::new(cli.http)?);
    let bytes = Arc::new(Progress::bytes());
    let fetcher = Fetcher {
        twilio: Arc::clone(&twilio),
        keys,
        external: cli.external,
        folder: Folder::open(&cli.dir)?,
        template: cli.name,
        bytes: Arc::clone(&bytes),
        claims: Mutex::default(),
    };
    let files = Arc::new(Progress::beside(&bytes, "files"));
    let announced = Arc::clone(&bytes);
    let counted = Arc::clone(&bytes);
    let lines = input::lines(&cli.files)
        .inspect(move |line| counted.grow(line.as_ref().map_or(0, recording::announced_on)));
    let status = filter::run_reading(
        lines,
        cli.jobs.into(),
        &cli.common,
        &files,
        move |line| recording::read(&twilio, line, |record| announced.grow(recording::announced(record))),
        move |record| fetcher.serve(record),
    );
    bytes.finish();
    status
}

/// Makes sure that a file's name is not a recording's SID in its place.
fn is_no_sid(file: &Path) -> anyhow::Result<()> {
    match file.to_str() {
        Some(sid) if is_sid("RT", sid) && !file.exists() => {
            bail!("there is no file {sid}; a recording's SID comes on stdin: echo {sid} | tw-fetch")
        }
        _ => Ok(()),
    }
}

struct Fetcher {
    twilio: Arc<Twilio>,
    keys: PrivateKeys,
    external: Option<External>,
    folder: Folder,
    template: Template,
    /// Bytes that came, of those that the input's records announce.
    bytes: Arc<Progress>,
    /// Who has which file: the first recording to claim it.
    claims: Mutex<HashMap<PathBuf, Arc<Claim>>>,
}

/// A file of this run.
struct Claim {
    sid: String,
    /// Its length in bytes, or why it isn't there, and of which record that is said; set by
    /// whoever comes first, awaited by the others.
    result: Mutex<Option<(Result<u64, Failure>, Record)>>,
}

impl Fetcher {
    /// Fetches one recording and adds `path` and `bytes`.
    fn serve(&self, record: &mut Record) -> Result<(), Failure> {
        let received = Cell::new(0);
        let result = self.file(record, &received);
        // What was there already, or doesn't come, needn't be waited for.
        self.bytes.shrink(recording::announced(record).saturating_sub(received.get()));
        let (path, bytes) = result?;
        record.set(&[("path", Some(json(&path)?)), ("bytes", Some(bytes.to_string()))]);
        Ok(())
    }

    /// The recording's file and its length in bytes, fetched if need be.
    fn file(&self, record: &Record, received: &Cell<u64>) -> Result<(PathBuf, u64), Failure> {
        let sid = recording::sid(record)?;
        let relative = self.template.path(record)?;
        let path = self.folder.join(&relative);
        let claim = self.claim(&path, &sid);
        if claim.sid != sid {
            return Err(Failure::new(
                ErrorKind::Io,
                format!("{} is {}'s file: put {{sid}} into --name", path.display(), claim.sid),
            ));
        }
        let fetch = || {
            self.folder.make_parents(&relative)?;
            let download = Download {
                twilio: &self.twilio,
                keys: &self.keys,
                external: self.external.as_ref(),
                progress: &self.bytes,
                received,
                record,
                sid: &sid,
                target: &path,
                unique: self.template.is_unique(&relative, &sid),
            };
            download.run()
        };
        let mut known = claim.result.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match &*known {
            Some((Ok(bytes), _)) => *bytes,
            // The same words fail again; another record of it may say more.
            Some((Err(failure), of)) if of.as_str() == record.as_str() => return Err(failure.clone()),
            _ => known.insert((fetch(), record.clone())).0.clone()?,
        };
        Ok((path, bytes))
    }

    fn claim(&self, path: &Path, sid: &str) -> Arc<Claim> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let claim = claims.entry(path.to_owned());
        Arc::clone(claim.or_insert_with(|| Arc::new(Claim { sid: sid.into(), result: Mutex::default() })))
    }
}
