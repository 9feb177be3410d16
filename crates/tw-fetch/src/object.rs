//! Where an object is: `media_external_location`, as tools for buckets name it.

use percent_encoding::percent_decode_str;
use tw_core::{ErrorKind, Failure};
use url::Url;

/// An object in the user's own bucket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its address, as the record has it.
    pub(crate) url: String,
    /// The bucket's name.
    pub(crate) bucket: String,
    /// The object's name in the bucket.
    pub(crate) key: String,
}

impl Object {
    /// Reads an address: `https://BUCKET.s3.REGION.amazonaws.com/KEY` and the older
    /// spellings of "Virtual hosting of general purpose buckets" (Amazon S3 User
    /// Guide), `https://HOST/BUCKET/KEY` on any other host, or `s3://BUCKET/KEY`.
    ///
    /// # Errors
    /// When it is no such address: a record must not lead a tool to local files.
    pub(crate) fn parse(location: &str) -> Result<Self, Failure> {
        let refused = |why: &str| {
            Failure::new(ErrorKind::Refused, format!("media_external_location is {location:?}: {why}"))
        };
        let url = Url::parse(location).map_err(|e| refused(&e.to_string()))?;
        if !matches!(url.scheme(), "https" | "http" | "s3") {
            return Err(refused("not https"));
        }
        let host = url.host_str().ok_or_else(|| refused("no host"))?;
        let path = percent_decode_str(url.path()).decode_utf8().map_err(|_| refused("not UTF-8"))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let bucket = match url.scheme() {
            "s3" => Some(host),
            _ => bucket_in_host(host),
        };
        let (bucket, key) = match bucket {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        Ok(Self { url: location.into(), bucket: bucket.into(), key: key.into() })
    }
}

/// The bucket that Amazon's host names; `None` where the path begins with it.
fn bucket_in_host(host: &str) -> Option<&str> {
    let rest = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
    // Buckets may have dots in their names: the endpoint begins at the last s3.
    let endpoint =
        rest.rfind(".s3").filter(|at| matches!(rest.as_bytes().get(at + 3), None | Some(b'.' | b'-')))?;
    Some(&rest[..endpoint])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_found_in_every_spelling() {
        for (location, bucket, key) in [
            ("https://mine.s3.eu-west-1.amazonaws.com/video/RT1.mka", "mine", "video/RT1.mka"),
            ("https://mine.s3-eu-west-1.amazonaws.com/RT1.mka", "mine", "RT1.mka"),
            ("https://mine.s3.amazonaws.com/a/b/RT%201+2.mka", "mine", "a/b/RT 1+2.mka"),
            ("https://my.own.s3.dualstack.us-east-1.amazonaws.com/RT1", "my.own", "RT1"),
            ("https://mine.s3.cn-north-1.amazonaws.com.cn/RT1", "mine", "RT1"),
            ("https://s3.eu-west-1.amazonaws.com/mine/video/RT1.mka", "mine", "video/RT1.mka"),
            ("https://s3-eu-west-1.amazonaws.com/mine/RT1.mka", "mine", "RT1.mka"),
            ("http://127.0.0.1:9000/mine/video/RT1.mka", "mine", "video/RT1.mka"),
            ("s3://mine/video/RT1.mka", "mine", "video/RT1.mka"),
        ] {
            let object = Object::parse(location).unwrap();
            assert_eq!((object.bucket.as_str(), object.key.as_str()), (bucket, key), "{location}");
            assert_eq!(object.url, location);
        }
    }

    #[test]
    fn no_other_address_will_do() {
        for location in ["", "RT1.mka", "/etc/passwd", "file:///etc/passwd", "-o", "ftp://h/x", "https://"] {
            assert_eq!(Object::parse(location).unwrap_err().kind, ErrorKind::Refused, "{location}");
        }
    }
}
