//! One recording's media, from Twilio into its file.
//!
//! Encrypted media is decrypted as it comes; media in the user's own bucket is
//! fetched by `from_bucket`.

use std::cell::Cell;
use std::path::Path;

use jiff::Timestamp;
use tw_core::http::{self, Client, HttpError, MediaAddress, Side, StatusError};
use tw_core::progress::Progress;
use tw_core::{ErrorKind, Failure, Record, messages};
use url::Url;

use crate::envelope::{self, Envelope, HEADER_PREFIX};
use crate::expected::{self, Expected, wrong_length};
use crate::external::External;
use crate::folder::{Present, present};
use crate::part::PartFile;
use crate::private_key::PrivateKeys;
use crate::recording;
use crate::twilio::Twilio;

/// So often media that isn't there is asked for again, if the recording has just ended: with
/// the usual pauses about ten seconds, which Twilio may need after a participant has left.
const TRIES_FOR_MISSING: u32 = 3;
/// So often an address that has expired is replaced by a new one.
const NEW_ADDRESSES: u32 = 3;
/// A try that brought so many bytes was worth it: the count of tries begins anew.
const PROGRESS: u64 = 1 << 20;

/// One recording to be fetched.
pub(crate) struct Download<'a> {
    pub(crate) twilio: &'a Twilio,
    /// Open encrypted recordings.
    pub(crate) keys: &'a PrivateKeys,
    /// Fetches from the user's own bucket.
    pub(crate) external: Option<&'a External>,
    /// Bytes that came, for people to see.
    pub(crate) progress: &'a Progress,
    /// The same, of this recording alone.
    pub(crate) received: &'a Cell<u64>,
    pub(crate) record: &'a Record,
    pub(crate) sid: &'a str,
    /// The final name.
    pub(crate) target: &'a Path,
    /// Whether no other recording can have this name.
    pub(crate) unique: bool,
}

/// Where the media is to be had.
enum Source<'a> {
    /// At this address of the API.
    Twilio(&'a Client, Url),
    /// At this one in the user's own bucket, by this program.
    Bucket(&'a External, String),
}

/// Media that has been asked for.
struct Coming {
    body: http::Download,
    /// What opens it, if it is encrypted.
    envelope: Option<Envelope>,
    /// Its length in bytes as it is stored, if anybody says so.
    stored: Option<u64>,
}

/// Why one try failed.
pub(crate) enum Trouble {
    /// With Twilio or the storage: another try may do better.
    Http(HttpError),
    /// With an answer that doesn't fit what is there already: maybe it wasn't Twilio's.
    Doubtful(Failure),
    /// With the disk, or for good.
    Final(Failure),
    /// For good, and what has come is worth nothing.
    Worthless(Failure),
}

impl From<HttpError> for Trouble {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Http(error) => error.into(),
            Trouble::Doubtful(failure) | Trouble::Final(failure) | Trouble::Worthless(failure) => failure,
        }
    }
}

impl Download<'_> {
    /// Makes sure that the file is there, whole. Gives its length in bytes.
    ///
    /// # Errors
    /// A [`Failure`] that says why it isn't; then nothing stands under its name
    /// that wasn't there before.
    pub(crate) fn run(&self) -> Result<u64, Failure> {
        let expected = Expected::of(self.record)?;
        if let Some(bytes) = self.there(expected)? {
            return Ok(bytes);
        }
        recording::check(self.record)?;
        let source = self.source()?;
        let mut part = PartFile::open(self.target, self.sid)?;
        // Another run may have finished it while we waited for the lock.
        if let Some(bytes) = self.there(expected)? {
            part.discard();
            return Ok(bytes);
        }
        let (client, media) = match source {
            Source::Twilio(client, media) => (client, media),
            Source::Bucket(external, location) => {
                return self.fetch_with(external, &location, part, expected);
            }
        };
        if let Err(trouble) = self.fetch(client, &media, &mut part, expected) {
            if matches!(trouble, Trouble::Worthless(_)) || part.length() == 0 {
                part.discard();
            }
            return Err(trouble.into());
        }
        let bytes = part.length();
        part.finish(self.target)?;
        Ok(bytes)
    }

    /// Where the media is to be had, and whether it can be opened.
    fn source(&self) -> Result<Source<'_>, Failure> {
        let location = recording::external_location(self.record);
        if location.is_some() && self.external.is_none() {
            return Err(Failure::new(
                ErrorKind::Media,
                "its media is in a bucket of your own (media_external_location): name a program that \
                 gets it from there with --external, see tw-fetch --help",
            ));
        }
        let key_sid = recording::encryption_key(self.record);
        if key_sid.is_some() && self.keys.is_empty() {
            return Err(envelope::locked(key_sid.as_deref()));
        }
        if let (Some(external), Some(location)) = (self.external, location) {
            return Ok(Source::Bucket(external, location));
        }
        let client = self.twilio.client()?;
        Ok(Source::Twilio(client, recording::media(client, self.record, self.sid)?))
    }

    /// The length of the file, if it is there and whole.
    fn there(&self, expected: Expected) -> Result<Option<u64>, Failure> {
        let Present::File(bytes) = present(self.target)? else { return Ok(None) };
        // Of a name that others may have, the size alone says whose it is.
        let told_apart = self.unique || expected.size.is_some();
        if told_apart && expected.is_met_by(self.target, bytes) {
            return Ok(Some(bytes));
        }
        let target = self.target.display();
        if self.unique {
            messages::verbose(format_args!("{target} has {bytes} bytes, not what it should: fetched anew"));
            return Ok(None);
        }
        Err(Failure::new(
            ErrorKind::Io,
            format!(
                "{target} is there already, of {bytes} bytes, and may be another recording's: \
                 put {{sid}} into --name, or move it away"
            ),
        ))
    }

    /// Tries until the part is whole, or there is no use.
    fn fetch(
        &self,
        client: &Client,
        media: &Url,
        part: &mut PartFile,
        expected: Expected,
    ) -> Result<(), Trouble> {
        // It wasn't looked at yet if the last run was killed just then, and a power cut may have left zeros.
        if part.is_whole() && expected.fits(part.length()) && part.is_matroska() {
            return Ok(());
        }
        let what = format!("media of {}", self.sid);
        let mut attempts = client.policy().attempts();
        let tries_for_missing =
            if recording::has_just_ended(self.record, Timestamp::now()) { TRIES_FOR_MISSING } else { 0 };
        let mut address = None;
        let (mut expired, mut missing) = (0, 0);
        // Where nothing can be gone on with, to begin anew and come half as far is no progress.
        let mut farthest = part.length();
        loop {
            let error = match self.attempt(client, media, &mut address, part, expected) {
                Err(Trouble::Http(error)) => error,
                Err(Trouble::Doubtful(failure)) => {
                    let error = HttpError::Network { what: failure.message.clone(), transient: true };
                    if !attempts.pause(&what, &error) {
                        return Err(Trouble::Final(failure));
                    }
                    address = None;
                    continue;
                }
                result => return result,
            };
            if part.length() >= farthest.saturating_add(PROGRESS) {
                attempts = client.policy().attempts();
                (expired, missing) = (0, 0);
            }
            farthest = farthest.max(part.length());
            match (error.status(), &error) {
                (_, HttpError::Status(status)) if has_expired(status) => {
                    expired += 1;
                    if expired > NEW_ADDRESSES {
                        return Err(error.into());
                    }
                    messages::verbose(format_args!("{what}: {error}; asking for a new address"));
                    address = None;
                }
                (Some(404), _) => {
                    missing += 1;
                    if missing > tries_for_missing || !attempts.pause(&what, &error) {
                        let (failure, for_good) = recording::without_media(client, self.sid, &error);
                        return Err(match for_good {
                            true => Trouble::Worthless(failure),
                            false => Trouble::Final(failure),
                        });
                    }
                    address = None;
                }
                _ if error.is_transient() && attempts.pause(&what, &error) => {}
                _ => return Err(error.into()),
            }
        }
    }

    fn attempt(
        &self,
        client: &Client,
        media: &Url,
        address: &mut Option<MediaAddress>,
        part: &mut PartFile,
        expected: Expected,
    ) -> Result<(), Trouble> {
        let address = match address {
            Some(address) => address,
            None => address.insert(client.media_address(media)?),
        };
        let coming = self.open(client, address, part, expected)?;
        let Coming { body, envelope, .. } = &coming;
        if body.start == 0 {
            let total = envelope.as_ref().map_or(body.total, |envelope| envelope.length);
            part.begin(self.sid, body.etag.as_deref(), total, envelope.is_some()).map_err(Trouble::Final)?;
        } else {
            messages::verbose(format_args!("media of {}: going on after {} bytes", self.sid, body.start));
        }
        self.receive(coming, part, expected)?;
        if part.length() == 0 {
            return Err(Trouble::Worthless(Failure::new(ErrorKind::Media, "its media is empty")));
        }
        // Where its length tells nothing, anything could have come.
        if expected.size.is_none() && !part.is_matroska() {
            let what = "what came as its media is no Matroska: is a proxy in between?";
            return Err(Trouble::Worthless(Failure::new(ErrorKind::Media, what)));
        }
        Ok(())
    }

    /// Opens the media, from the end of the part on if that is part of it.
    fn open(
        &self,
        client: &Client,
        address: &MediaAddress,
        part: &mut PartFile,
        expected: Expected,
    ) -> Result<Coming, Trouble> {
        let resume = part.resume().map_err(Trouble::Final)?;
        let mut body = client.open(address, resume.as_ref())?;
        let mut envelope = self.envelope(&body)?;
        if body.start > 0 && (envelope.is_some() != part.is_decrypted() || !part.is_of(body.total)) {
            // What is there was made of these bytes in another way, or of others after all.
            body = client.open(address, None)?;
            envelope = self.envelope(&body)?;
        }
        let stored = match &envelope {
            Some(envelope) => envelope.stored_length(body.total, expected),
            None => expected.stored_length(body.total),
        }
        .map_err(|failure| match resume {
            Some(_) => Trouble::Doubtful(failure),
            None => Trouble::Worthless(failure),
        })?;
        if stored.is_none() && !body.has_end {
            let why = "nobody says how long its media is, so that it can't be told whether all of it came: \
                       list it again, for its size";
            return Err(Trouble::Final(Failure::new(ErrorKind::Media, why)));
        }
        Ok(Coming { body, envelope, stored })
    }

    /// Puts all that comes into the part, and makes sure that it was all.
    fn receive(&self, coming: Coming, part: &mut PartFile, expected: Expected) -> Result<(), Trouble> {
        let Coming { mut body, envelope, stored } = coming;
        let mut decryption = envelope.as_ref().map(|envelope| match body.start {
            0 => envelope.decryption(),
            _ => envelope.decryption_from_block_before(),
        });
        let mut arrived = body.start;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = body.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            match &mut decryption {
                Some(decryption) => append_decrypted(part, &decryption.push(&buffer[..read]))?,
                None => part.append(&buffer[..read]).map_err(Trouble::Final)?,
            }
            arrived += read as u64;
            self.received.update(|bytes| bytes + read as u64);
            self.progress.advance(read as u64);
            if let Some(stored) = stored.filter(|stored| arrived > *stored) {
                return Err(Trouble::Worthless(too_long(arrived, stored, expected)));
            }
        }
        if let Some(stored) = stored.filter(|stored| arrived < *stored) {
            return Err(Trouble::Http(HttpError::Network {
                what: format!("the media broke off after {arrived} of {stored} bytes"),
                transient: true,
            }));
        }
        if let Some((decryption, envelope)) = decryption.zip(envelope) {
            append_decrypted(part, &decryption.finish().map_err(Trouble::Worthless)?)?;
            envelope.check(part.length(), expected).map_err(Trouble::Worthless)?;
        }
        Ok(())
    }

    /// What comes with encrypted media, opened.
    fn envelope(&self, body: &http::Download) -> Result<Option<Envelope>, Trouble> {
        let about = |name: &str| body.header(&format!("{HEADER_PREFIX}{name}"));
        let key_sid = recording::encryption_key(self.record);
        Envelope::open(about, self.keys, key_sid.as_deref()).map_err(Trouble::Final)
    }
}

/// More came than there should be.
fn too_long(arrived: u64, stored: u64, expected: Expected) -> Failure {
    let more = format!("has more than {arrived} bytes");
    match expected.size {
        Some(size) if size == stored => wrong_length(&more, size),
        _ => {
            let what = format!("its media {more}, but its storage announced {stored}");
            Failure::new(ErrorKind::Media, what)
        }
    }
}

/// Whether an address is refused for its age: by S3's words, of its signature or of the session that
/// signed it.
fn has_expired(error: &StatusError) -> bool {
    error.side == Side::Storage
        && (error.status == 403 || error.status == 400 && error.said.starts_with("ExpiredToken"))
}

/// Appends decrypted media, if it is any.
pub(crate) fn append_decrypted(part: &mut PartFile, bytes: &[u8]) -> Result<(), Trouble> {
    if part.length() == 0 && !bytes.is_empty() {
        expected::check_beginning(bytes).map_err(Trouble::Worthless)?;
    }
    part.append(bytes).map_err(Trouble::Final)
}
