//! What comes with encrypted media, in the storage's answer: the content key,
//! itself encrypted, the initialization vector, and the length.
//!
//! It is how the S3 encryption clients write an object's envelope into its
//! metadata; Twilio's "Encrypting your Stored Media" names the headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tw_core::{ErrorKind, Failure};

use crate::decryption::{BLOCK, Decryption, stored_length};
use crate::expected::Expected;
use crate::private_key::{ContentKey, PrivateKeys};

/// Object metadata as HTTP headers have this in front.
pub(crate) const HEADER_PREFIX: &str = "x-amz-meta-";
const KEY: &str = "x-amz-key";
const IV: &str = "x-amz-iv";
const LENGTH: &str = "x-amz-unencrypted-content-length";

/// An envelope that could be opened.
pub(crate) struct Envelope {
    content_key: ContentKey,
    iv: [u8; BLOCK],
    /// Length of the decrypted media in bytes, where it is said.
    pub(crate) length: Option<u64>,
}

impl Envelope {
    /// Opens the envelope that an object's metadata holds; `None` for media that
    /// isn't encrypted. `about` is what is said of metadata by name, without the
    /// prefix of headers; `key_sid` the recording's `encryption_key`.
    ///
    /// # Errors
    /// When the metadata is damaged, or no key opens it.
    pub(crate) fn open(
        about: impl Fn(&str) -> Option<String>,
        keys: &PrivateKeys,
        key_sid: Option<&str>,
    ) -> Result<Option<Self>, Failure> {
        let failed = |message: String| Err(Failure::new(ErrorKind::Media, message));
        let Some(key) = about(KEY) else {
            return match key_sid {
                None => Ok(None),
                Some(sid) => failed(format!(
                    "its media is encrypted (encryption_key {sid}), but came without the content key \
                     ({HEADER_PREFIX}{KEY}): is a proxy in between? else ask Twilio"
                )),
            };
        };
        if keys.is_empty() {
            return Err(locked(key_sid));
        }
        let Some(iv) = about(IV) else {
            return failed(format!("its media is encrypted, but came without {HEADER_PREFIX}{IV}"));
        };
        let Some(iv) = decode(&iv).and_then(|iv| <[u8; BLOCK]>::try_from(iv).ok()) else {
            return failed(format!("{HEADER_PREFIX}{IV} is {iv:?}: no {BLOCK} bytes in base64"));
        };
        let length = match about(LENGTH) {
            None => None,
            Some(text) => match text.trim().parse() {
                Ok(length) => Some(length),
                Err(_) => return failed(format!("{HEADER_PREFIX}{LENGTH} is {text:?}: no number of bytes")),
            },
        };
        let Some(key) = decode(&key) else {
            return failed(format!("{HEADER_PREFIX}{KEY} is no base64: ask Twilio"));
        };
        match keys.open(&key) {
            Some(content_key) => Ok(Some(Self { content_key, iv, length })),
            None => failed(format!(
                "{} doesn't open it: its media was encrypted for {}; give that one's private key with --private-key",
                keys.names(),
                key_sid.map_or("another public key".into(), |sid| format!(
                    "the public key {sid} (encryption_key)"
                )),
            )),
        }
    }

    /// Decrypts from the beginning on.
    pub(crate) fn decryption(&self) -> Decryption {
        Decryption::new(&self.content_key, &self.iv)
    }

    /// Decrypts what is stored from one block before the place to go on at.
    pub(crate) fn decryption_from_block_before(&self) -> Decryption {
        self.decryption().without_first_block()
    }

    /// Length of the media as it is stored, in bytes, where it is known before it
    /// has come: `total` is what the storage announces.
    ///
    /// # Errors
    /// When what is said of lengths can't all be true.
    pub(crate) fn stored_length(
        &self,
        total: Option<u64>,
        expected: Expected,
    ) -> Result<Option<u64>, Failure> {
        let Some(length) = self.length else { return Ok(total) };
        expected.encrypted().check(length)?;
        let stored = stored_length(length);
        match total {
            Some(total) if total != stored => Err(Failure::new(
                ErrorKind::Media,
                format!(
                    "its media has {total} bytes, encrypted, which can't be the {length} that \
                     {HEADER_PREFIX}{LENGTH} says: tell Twilio"
                ),
            )),
            _ => Ok(Some(stored)),
        }
    }

    /// Compares the decrypted media's length with what was said of it.
    ///
    /// # Errors
    /// When it has another one.
    pub(crate) fn check(&self, bytes: u64, expected: Expected) -> Result<(), Failure> {
        match self.length {
            Some(length) if length != bytes => Err(Failure::new(
                ErrorKind::Media,
                format!(
                    "its media has {bytes} bytes, decrypted, but {HEADER_PREFIX}{LENGTH} says {length}: tell Twilio"
                ),
            )),
            _ => expected.encrypted().check(bytes),
        }
    }
}

/// Why encrypted media isn't fetched without a key.
pub(crate) fn locked(key_sid: Option<&str>) -> Failure {
    let sid = key_sid.map(|sid| format!(" (encryption_key {sid})")).unwrap_or_default();
    Failure::new(
        ErrorKind::Media,
        format!("its media is encrypted{sid}: give your RSA private key with --private-key FILE"),
    )
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok()
}
