//! The storage host's answers: the media, whole or from a place on.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::answer::{Answer, Body, expired};
use crate::fault::Fault;
use crate::log::Request;
use crate::recording::Media;
use crate::sid::fnv1a;
use crate::world::World;

/// Answers a request to the storage host.
pub(crate) fn answer(world: &mut World, request: &Request, fault: Option<&Fault>) -> Answer {
    if request.authorized() {
        return Answer::storage_error(
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed; only the signature query string parameter or the Authorization header should be specified",
        );
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Answer::storage_error(405, "MethodNotAllowed", "Method not allowed");
    }
    let rt = request.path().rsplit('/').next().unwrap_or_default();
    if !world.signature_holds(request, rt) {
        return expired();
    }
    if let Some(Fault::OtherMedia(bytes)) = fault {
        world.replace_media(rt, bytes);
    }
    let Some(recording) = world.recording(rt) else {
        return missing();
    };
    let media = world.replaced_media(rt).unwrap_or(recording.media());
    let Some((length, etag)) = about(media) else {
        return missing();
    };
    let range = request
        .header("range")
        .filter(|_| request.header("if-range").is_none_or(|wanted| wanted == etag))
        .and_then(|text| Range::parse(text, length));
    let (status, from, to) = match range {
        None => (200, 0, length),
        Some(Range::Part { from, to }) => (206, from, to),
        Some(Range::Outside) => {
            return Answer::storage_error(416, "InvalidRange", "The requested range is not satisfiable")
                .header("Content-Range", &format!("bytes */{length}"));
        }
    };
    let Ok(body) = open(media, from, to) else {
        return missing();
    };
    let content_type = match recording.kind() {
        crate::Kind::Audio => "audio/x-matroska",
        _ => "video/x-matroska",
    };
    let mut answer =
        Answer::new(status, content_type, Vec::new()).header("ETag", &etag).header("Accept-Ranges", "bytes");
    if status == 206 {
        let span = format!("bytes {from}-{}/{length}", to - 1);
        answer = answer.header("Content-Range", &span);
    }
    for (name, value) in recording.media_headers() {
        answer = answer.header(name, value);
    }
    answer.body = body;
    answer
}

fn missing() -> Answer {
    Answer::storage_error(404, "NoSuchKey", "The specified key does not exist.")
}

/// Length in bytes, and the entity tag.
fn about(media: &Media) -> Option<(u64, String)> {
    match media {
        Media::None => None,
        Media::Bytes(bytes) => {
            Some((bytes.len() as u64, format!("\"{:016x}\"", fnv1a(bytes.iter().copied()))))
        }
        Media::File(path) => {
            let about = path.metadata().ok()?;
            let stamp = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos();
            Some((about.len(), format!("\"{:x}-{stamp:x}\"", about.len())))
        }
    }
}

/// The bytes from `from` up to, but not with, `to`.
fn open(media: &Media, from: u64, to: u64) -> std::io::Result<Body> {
    let length = to - from;
    let bytes: Box<dyn Read + Send> = match media {
        Media::None => Box::new(std::io::empty()),
        Media::Bytes(bytes) => {
            let mut bytes = Cursor::new(Arc::clone(bytes));
            bytes.set_position(from);
            Box::new(bytes)
        }
        Media::File(path) => {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(from))?;
            Box::new(file)
        }
    };
    Ok(Body { length, bytes })
}

/// What a `Range` header asks for (RFC 9110, 14.1.2); only single ranges, as S3.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    Part { from: u64, to: u64 },
    Outside,
}

impl Range {
    /// `None` for what is no range of bytes: it is passed over.
    fn parse(text: &str, length: u64) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let (from, to) = match (first, last) {
            ("", last) => (length.saturating_sub(last.parse().ok()?), length),
            (first, "") => (first.parse().ok()?, length),
            (first, last) => {
                let last: u64 = last.parse().ok()?;
                (first.parse().ok()?, length.min(last.saturating_add(1)))
            }
        };
        Some(if from < to { Self::Part { from, to } } else { Self::Outside })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let part = |from, to| Some(Range::Part { from, to });
        assert_eq!(Range::parse("bytes=0-", 10), part(0, 10));
        assert_eq!(Range::parse("bytes=4-", 10), part(4, 10));
        assert_eq!(Range::parse("bytes=4-5", 10), part(4, 6));
        assert_eq!(Range::parse("bytes=4-99", 10), part(4, 10));
        assert_eq!(Range::parse("bytes=-3", 10), part(7, 10));
        assert_eq!(Range::parse("bytes=10-", 10), Some(Range::Outside));
        assert_eq!(Range::parse("bytes=a-b", 10), None);
        assert_eq!(Range::parse("lines=1-2", 10), None);
    }
}
