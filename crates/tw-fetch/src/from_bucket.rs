//! One recording's media, from the user's own bucket into its file.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tw_core::signals::Scratch;
use tw_core::{ErrorKind, Failure};

use crate::download::{Download, append_decrypted};
use crate::envelope::{Envelope, HEADER_PREFIX};
use crate::expected::{Expected, is_matroska};
use crate::external::External;
use crate::folder::{Present, present};
use crate::object::Object;
use crate::part::PartFile;
use crate::recording;

impl Download<'_> {
    /// Lets the user's program fetch the object beside the final name, checks it,
    /// decrypts it if need be, and gives it its name. `part` is the lock on that,
    /// and where decrypted media goes.
    pub(crate) fn fetch_with(
        &self,
        external: &External,
        location: &str,
        mut part: PartFile,
        expected: Expected,
    ) -> Result<u64, Failure> {
        let result = self.fetched(external, location, &mut part, expected);
        match result {
            Ok(Some(bytes)) => {
                part.discard();
                Ok(bytes)
            }
            Ok(None) => {
                let bytes = part.length();
                part.finish(self.target)?;
                Ok(bytes)
            }
            Err(failure) => {
                part.discard();
                Err(failure)
            }
        }
    }

    /// The length of the file that has its name now; `None` when it is in the part.
    fn fetched(
        &self,
        external: &External,
        location: &str,
        part: &mut PartFile,
        expected: Expected,
    ) -> Result<Option<u64>, Failure> {
        let object = Object::parse(location)?;
        let name = self.target.file_name().unwrap_or_default().to_string_lossy();
        let stored = Scratch::new(self.target.with_file_name(format!(".{name}.stored")));
        // A run that was killed may have left one, and programs go on with what they find.
        take_away(stored.path())?;
        let said = external.run(self.record, &object, stored.path())?;
        let there = present(stored.path()).inspect_err(|_| {
            let _ = take_away(stored.path());
        })?;
        let Present::File(bytes) = there else {
            let message = "--external: it ended well, but there is no file: does it write to {path}?";
            return Err(Failure::new(ErrorKind::External, message));
        };
        let key_sid = recording::encryption_key(self.record);
        let about = |name: &str| metadata(&said, name);
        if key_sid.is_some() && about("x-amz-key").is_none() {
            return Err(Failure::new(
                ErrorKind::Media,
                "its media is encrypted, and its key is in the object's metadata, which --external's program \
                 doesn't print: use one that does, such as \
                 aws s3api get-object --bucket {bucket} --key {key} {path}",
            ));
        }
        if let Some(envelope) = Envelope::open(about, self.keys, key_sid.as_deref())? {
            envelope.stored_length(Some(bytes), expected)?;
            decrypt(stored.path(), &envelope, part, self.sid)?;
            envelope.check(part.length(), expected)?;
            return Ok(None);
        }
        expected.check(bytes)?;
        if expected.size.is_none() && !is_matroska(stored.path()) {
            let what =
                "--external: what it fetched is no Matroska: does it fetch the media, and say when it can't?";
            return Err(Failure::new(ErrorKind::External, what));
        }
        // As all recordings: for their owner alone.
        fs::set_permissions(stored.path(), Permissions::from_mode(0o600))
            // Its bytes before its name, as in `part`.
            .and_then(|()| File::open(stored.path())?.sync_data())
            .and_then(|()| stored.persist(self.target))
            .map_err(|e| Failure::io(format!("cannot make {}", self.target.display()), &e))?;
        Ok(Some(bytes))
    }
}

/// Removes what a program has made, be it a folder.
fn take_away(path: &Path) -> Result<(), Failure> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
    match if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Failure::io(format!("cannot remove {}", path.display()), &e))
        }
        _ => Ok(()),
    }
}

/// Decrypts a file into the part.
fn decrypt(stored: &Path, envelope: &Envelope, part: &mut PartFile, sid: &str) -> Result<(), Failure> {
    let failed = |e: &io::Error| Failure::io(format!("cannot read {}", stored.display()), e);
    part.begin(sid, None, None, true)?;
    let mut file = File::open(stored).map_err(|e| failed(&e))?;
    let mut decryption = envelope.decryption();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(|e| failed(&e))?;
        if read == 0 {
            break;
        }
        append_decrypted(part, &decryption.push(&buffer[..read]))?;
    }
    Ok(append_decrypted(part, &decryption.finish()?)?)
}

/// What a program printed of an object's metadata: as `aws s3api get-object` does
/// it (JSON with a field `Metadata`), or as the answer's headers (`curl -D -`).
fn metadata(said: &str, name: &str) -> Option<String> {
    let is = |found: &str| found.eq_ignore_ascii_case(name);
    if let Ok(Value::Object(answer)) = serde_json::from_str(said) {
        let metadata = answer.get("Metadata")?.as_object()?;
        return metadata.iter().find(|(found, _)| is(found))?.1.as_str().map(str::to_owned);
    }
    said.lines().find_map(|line| {
        let (header, value) = line.split_once(':')?;
        let prefix = header.get(..HEADER_PREFIX.len())?;
        (prefix.eq_ignore_ascii_case(HEADER_PREFIX) && is(&header[HEADER_PREFIX.len()..]))
            .then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_found_in_json_and_in_headers() {
        let json = r#"{"ContentLength":3,"Metadata":{"x-amz-iv":"abc="}}"#;
        assert_eq!(metadata(json, "x-amz-iv").as_deref(), Some("abc="));
        assert_eq!(metadata(json, "x-amz-key"), None);
        let headers = "HTTP/1.1 200 OK\r\nX-Amz-Meta-X-Amz-Iv:  abc=\r\nETag: \"x\"\r\n\r\n";
        assert_eq!(metadata(headers, "x-amz-iv").as_deref(), Some("abc="));
        assert_eq!(metadata(headers, "x-amz-key"), None);
        assert_eq!(metadata("Completed 1 MiB: é", "x-amz-key"), None);
    }
}
