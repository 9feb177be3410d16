//! One recording's media, from Twilio into its file.

use std::cell::Cell;
use std::path::Path;

use tw_core::http::{Client, HttpError, MediaAddress, Side};
use tw_core::progress::Progress;
use tw_core::{ErrorKind, Failure, Record, messages};
use url::Url;

use crate::folder::{Present, present};
use crate::part::PartFile;
use crate::recording;

/// So often media that isn't there is asked for again: with the usual pauses about
/// ten seconds, which Twilio may need after a participant has left.
const TRIES_FOR_MISSING: u32 = 3;
/// So often an address that has expired is replaced by a new one.
const NEW_ADDRESSES: u32 = 3;
/// A try that brought so many bytes was worth it: the count of tries begins anew.
const PROGRESS: u64 = 1 << 20;

/// One recording to be fetched.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a Client,
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

/// Why one try failed.
enum Trouble {
    /// With Twilio or the storage: another try may do better.
    Http(HttpError),
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

impl Download<'_> {
    /// Makes sure that the file is there, whole. Gives its length in bytes.
    ///
    /// # Errors
    /// A [`Failure`] that says why it isn't; then nothing stands under its name
    /// that wasn't there before.
    pub(crate) fn run(&self) -> Result<u64, Failure> {
        let size = recording::size(self.record)?;
        if let Some(bytes) = self.there(size)? {
            return Ok(bytes);
        }
        recording::check(self.record)?;
        let media = recording::media(self.client, self.record, self.sid)?;
        let mut part = PartFile::open(self.target, self.sid)?;
        // Another run may have finished it while we waited for the lock.
        if let Some(bytes) = self.there(size)? {
            part.discard();
            return Ok(bytes);
        }
        if let Err(trouble) = self.fetch(&mut part, &media, size) {
            let (failure, worthless) = match trouble {
                Trouble::Worthless(failure) => (failure, true),
                Trouble::Final(failure) => (failure, false),
                Trouble::Http(error) => (error.into(), false),
            };
            if worthless || part.length() == 0 {
                part.discard();
            }
            return Err(failure);
        }
        let bytes = part.length();
        part.finish(self.target)?;
        Ok(bytes)
    }

    /// The length of the file, if it is there and whole.
    fn there(&self, size: Option<u64>) -> Result<Option<u64>, Failure> {
        let Present::File(bytes) = present(self.target)? else { return Ok(None) };
        match size {
            Some(size) if size == bytes => Ok(Some(bytes)),
            // Files have their names only when they are whole.
            None if bytes > 0 => Ok(Some(bytes)),
            _ if self.unique => {
                messages::verbose(format_args!(
                    "{} has {bytes} bytes, not what it should: fetched anew",
                    self.target.display()
                ));
                Ok(None)
            }
            _ => {
                let target = self.target.display();
                Err(Failure::new(
                    ErrorKind::Io,
                    format!(
                        "{target} is there already, of {bytes} bytes, and may be another recording's: \
                         put {{sid}} into --name, or move it away"
                    ),
                ))
            }
        }
    }

    /// Tries until the part is whole, or there is no use.
    fn fetch(&self, part: &mut PartFile, media: &Url, size: Option<u64>) -> Result<(), Trouble> {
        if part.is_whole() && size.is_none_or(|size| size == part.length()) {
            return Ok(());
        }
        let what = format!("media of {}", self.sid);
        let mut attempts = self.client.policy().attempts();
        let mut address = None;
        let (mut expired, mut missing) = (0, 0);
        loop {
            let before = part.length();
            let error = match self.attempt(part, media, &mut address, size) {
                Err(Trouble::Http(error)) => error,
                result => return result,
            };
            if part.length() >= before.saturating_add(PROGRESS) {
                attempts = self.client.policy().attempts();
            }
            match (error.status(), &error) {
                (Some(403), HttpError::Status(status)) if status.side == Side::Storage => {
                    expired += 1;
                    if expired > NEW_ADDRESSES {
                        return Err(error.into());
                    }
                    messages::verbose(format_args!("{what}: {error}; asking for a new address"));
                    address = None;
                }
                (Some(404), _) => {
                    missing += 1;
                    if missing > TRIES_FOR_MISSING || !attempts.pause(&what, &error) {
                        let failure = recording::without_media(self.client, self.sid, &error);
                        return Err(Trouble::Worthless(failure));
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
        part: &mut PartFile,
        media: &Url,
        address: &mut Option<MediaAddress>,
        size: Option<u64>,
    ) -> Result<(), Trouble> {
        let address = match address {
            Some(address) => address,
            None => address.insert(self.client.media_address(media)?),
        };
        let resume = part.resume();
        let mut body = self.client.open(address, resume.as_ref())?;
        if let (Some(total), Some(size)) = (body.total, size)
            && total != size
        {
            return Err(Trouble::Worthless(wrong_length(&format!("would have {total} bytes"), size)));
        }
        if body.start == 0 {
            part.begin(self.sid, body.etag.as_deref(), body.total).map_err(Trouble::Final)?;
        } else {
            messages::verbose(format_args!("media of {}: going on after {} bytes", self.sid, body.start));
        }
        let expected = body.total.or(size);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = body.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            part.append(&buffer[..read]).map_err(Trouble::Final)?;
            self.received.update(|bytes| bytes + read as u64);
            self.progress.advance(read as u64);
            if let Some(expected) = expected.filter(|expected| part.length() > *expected) {
                let more = format!("has more than {} bytes", part.length());
                return Err(Trouble::Worthless(wrong_length(&more, expected)));
            }
        }
        match expected {
            Some(expected) if part.length() < expected => Err(Trouble::Http(HttpError::Network {
                what: format!("the media broke off after {} of {expected} bytes", part.length()),
                transient: true,
            })),
            _ if part.length() == 0 => {
                let failure = Failure::new(ErrorKind::Media, "its media is empty");
                Err(Trouble::Worthless(failure))
            }
            _ => Ok(()),
        }
    }
}

fn wrong_length(what: &str, size: u64) -> Failure {
    let message = format!("its media {what}, but Twilio's size is {size}: list it again, or tell Twilio");
    Failure::new(ErrorKind::Media, message)
}
