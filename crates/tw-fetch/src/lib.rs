//! Downloads the media of Twilio Video recordings.
//!
//! `recording` is what a record says, `template` and `folder` where its file goes,
//! `part` the file on its way, `download` one recording from start to end. Here
//! each recording gets its file once, whoever asks for it.

mod cli;
mod download;
mod folder;
mod part;
mod recording;
mod template;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::anyhow;
use tw_core::http::Client;
use tw_core::progress::Progress;
use tw_core::record::json;
use tw_core::{ErrorKind, Failure, Record, Status, filter, input};

pub use cli::Cli;
use download::Download;
use folder::Folder;
pub use template::Template;

/// Fetches what the records name.
///
/// # Errors
/// For wrong set-up (flags, credentials, a folder that can't be made), and when
/// stdin can't be read or stdout is closed or full.
pub fn run(cli: Cli) -> anyhow::Result<Status> {
    let client = Arc::new(cli.http.client()?);
    let bytes = Arc::new(Progress::bytes());
    let fetcher = Fetcher {
        client: Arc::clone(&client),
        folder: Folder::open(&cli.dir)?,
        template: cli.name,
        bytes: Arc::clone(&bytes),
        claims: Mutex::default(),
    };
    let files = Arc::new(Progress::new(Some(0), "{pos} of {len} files"));
    let reader = Arc::clone(&client);
    let status = filter::run_reading(
        input::lines(&cli.files),
        cli.jobs.into(),
        &cli.common,
        &files,
        move |line| recording::read(&reader, line),
        move |record| fetcher.serve(record),
    );
    bytes.finish();
    let status = status?;
    match client.unauthorized() {
        // Wrong set-up, not one recording's trouble.
        Some(refusal) => Err(anyhow!("{refusal}")),
        None => Ok(status),
    }
}

struct Fetcher {
    client: Arc<Client>,
    folder: Folder,
    template: Template,
    bytes: Arc<Progress>,
    /// Who has which file: the first recording to claim it.
    claims: Mutex<HashMap<PathBuf, Arc<Claim>>>,
}

/// A file of this run.
struct Claim {
    sid: String,
    /// Its length in bytes, or why it isn't there; set by whoever comes first,
    /// awaited by the others.
    result: OnceLock<Result<u64, Failure>>,
}

impl Fetcher {
    /// Fetches one recording and adds `path` and `bytes`.
    fn serve(&self, record: &mut Record) -> Result<(), Failure> {
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
        let bytes = claim.result.get_or_init(|| self.fetch(record, &sid, &relative, &path)).clone()?;
        record.set(&[("path", Some(json(&path)?)), ("bytes", Some(bytes.to_string()))]);
        Ok(())
    }

    fn claim(&self, path: &Path, sid: &str) -> Arc<Claim> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let claim = claims.entry(path.to_owned());
        Arc::clone(claim.or_insert_with(|| Arc::new(Claim { sid: sid.into(), result: OnceLock::new() })))
    }

    fn fetch(&self, record: &Record, sid: &str, relative: &Path, path: &Path) -> Result<u64, Failure> {
        self.folder.make_parents(relative)?;
        let unique = self.template.is_unique();
        Download { client: &self.client, progress: &self.bytes, record, sid, target: path, unique }.run()
    }
}
