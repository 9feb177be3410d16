//! The one place that the credentials go to, and where media may come from.

use std::fmt;

use anyhow::bail;
use url::{Host, Url};

use super::HttpError;

/// Scheme, host and port of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Twilio's own.
    pub const TWILIO: &'static str = "https://video.twilio.com";

    /// Reads a base URL.
    ///
    /// # Errors
    /// When it is no URL, holds credentials, a query or a path, or is not https.
    /// Plain http is for loopback addresses, which nobody else can listen to.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        // Before all else: what is wrong with the rest is said with the text.
        if text.contains('@') {
            bail!("the base URL holds a user or password: credentials come from the environment only");
        }
        let Ok(url) = Url::parse(text.trim()) else {
            bail!(
                "the base URL {text:?} is none: it should be a scheme and a host, such as {}",
                Self::TWILIO
            );
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => bail!("the base URL {text} is not https: plain http is for loopback addresses only"),
        }
        if url.host().is_none() || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            bail!("the base URL {text} should be a scheme and a host, such as {}", Self::TWILIO);
        }
        Ok(Self(url))
    }

    /// An address of the API: path segments, and a query.
    pub fn join(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// An address that an answer or a record names, if the credentials may go there.
    ///
    /// # Errors
    /// [`HttpError::Refused`] when it has another scheme, host or port.
    pub fn own(&self, text: &str) -> Result<Url, HttpError> {
        // Old answers name a path alone.
        let url = self
            .0
            .join(text)
            .map_err(|e| HttpError::Refused(format!("an address that is none ({e}) was given")))?;
        if url.origin() == self.0.origin() && url.username().is_empty() && url.password().is_none() {
            return Ok(url);
        }
        Err(HttpError::Refused(format!(
            "{} is not on {self}: the credentials stay there (--base-url names another host)",
            shown(&url)
        )))
    }

    /// An address of the storage host, to which no credentials go; `from` is
    /// where it was named, for an address that is relative.
    ///
    /// # Errors
    /// [`HttpError::Refused`] when it is not https. With a base URL on loopback,
    /// http to loopback will do.
    pub fn storage(&self, from: &Url, text: &str) -> Result<Url, HttpError> {
        let url =
            from.join(text).map_err(|e| HttpError::Refused(format!("the media's address is none: {e}")))?;
        let fine = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => self.is_loopback() && is_loopback(&url),
            _ => false,
        };
        if fine {
            return Ok(url);
        }
        Err(HttpError::Refused(format!("the media's address {} is not https", shown(&url))))
    }

    /// Whether this is a server on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // RFC 6761: the name never leaves the machine.
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// An address as messages show it: without user, password and query, since the
/// query of a signed address opens the media to whoever reads it.
pub fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}://{}{port}{}{query}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        BaseUrl::parse(text).unwrap()
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for text in
            ["https://video.twilio.com", "https://video.twilio.com/", "http://127.0.0.1:80", "http://[::1]:9"]
        {
            base(text);
        }
        for text in [
            "http://video.twilio.com",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "ftp://127.0.0.1",
            "https://a:b@video.twilio.com",
            "https://video.twilio.com/v1",
            "https://video.twilio.com?x",
            "video.twilio.com",
            "",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn credentials_in_it_are_not_shown() {
        for text in [
            "https://AC1:hush@video.twilio.com",
            "https://AC1:hush@video.twilio.com:443x",
            "AC1:hush@video.twilio.com",
            "http://AC1:hush@[::1",
            "https://hush@",
        ] {
            let why = BaseUrl::parse(text).unwrap_err().to_string();
            assert!(why.contains("user or password") && !why.contains("hush"), "{why}");
        }
    }

    #[test]
    fn credentials_stay_on_scheme_host_and_port() {
        let twilio = base("https://video.twilio.com");
        assert!(twilio.own("https://video.twilio.com:443/v1/Recordings?Page=1").is_ok());
        assert!(twilio.own("/v1/Recordings?Page=1").is_ok());
        for text in [
            "http://video.twilio.com/v1",
            "https://video.twilio.com:444/v1",
            "https://video.twilio.com.evil.example/v1",
            "https://video.twilio.com@evil.example/v1",
            "https://evil.example@video.twilio.com/v1",
            "//evil.example/v1",
            "https://evil.example/https://video.twilio.com",
            "\\\\evil.example/v1",
            "https:///evil.example",
        ] {
            assert!(matches!(twilio.own(text), Err(HttpError::Refused(_))), "{text}");
        }
    }

    #[test]
    fn media_comes_over_https_or_loopback() {
        let (twilio, local) = (base("https://video.twilio.com"), base("http://127.0.0.1:1"));
        let from = twilio.join(&["v1", "Recordings", "RT1", "Media"], &[]);
        assert!(twilio.storage(&from, "https://s3.example/a?Signature=x").is_ok());
        assert!(twilio.storage(&from, "http://127.0.0.1:2/a").is_err());
        assert!(local.storage(&from, "http://127.0.0.1:2/a").is_ok());
        for text in ["http://s3.example/a", "file:///etc/passwd", "data:,x"] {
            assert!(local.storage(&from, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        let url =
            base("https://video.twilio.com").join(&["v1", "Rooms", "a/../b?c"], &[("Page Size", "1&2")]);
        assert_eq!(url.as_str(), "https://video.twilio.com/v1/Rooms/a%2F..%2Fb%3Fc?Page+Size=1%262");
    }

    #[test]
    fn a_signature_is_not_shown() {
        let url = Url::parse("https://me:pw@s3.example:8/a/b?Signature=secret#x").unwrap();
        assert_eq!(shown(&url), "https://s3.example:8/a/b?…");
    }
}
