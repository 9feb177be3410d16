//! What can go wrong between us and Twilio.

use std::fmt;
use std::time::Duration;

use crate::failure::{ErrorKind, Failure};

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The API, which has the credentials.
    Twilio,
    /// The host that keeps the media.
    Storage,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Twilio => "Twilio",
            Self::Storage => "the media's storage",
        })
    }
}

/// An answer whose status is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusError {
    /// Who answered.
    pub side: Side,
    /// HTTP's status.
    pub status: u16,
    /// Twilio's code and message, or the storage's, or what else was in the body.
    pub said: String,
    /// How long the other side wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { side, status, said, .. } = self;
        write!(f, "{side} answered {status}")?;
        if !said.is_empty() {
            write!(f, " ({said})")?;
        }
        if *side == Side::Twilio {
            match status {
                401 => f.write_str(
                    ": check the credentials in the environment; an account SID (AC…) goes with its auth token, \
                     an API key (SK…) with its own secret",
                )?,
                403 => write!(f, ": these credentials may not do that")?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Why a request has no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// An answer that says no.
    #[error("{0}")]
    Status(StatusError),
    /// No connection, or one that broke.
    #[error("{what}")]
    Network {
        /// What happened.
        what: String,
        /// Whether it may be better the next time.
        transient: bool,
    },
    /// Nothing came for too long, or too little.
    #[error("{0}")]
    Timeout(String),
    /// An answer that cannot be read.
    #[error("{what}")]
    Unreadable {
        /// What it is instead.
        what: String,
        /// Whether it is the beginning of something readable.
        cut_off: bool,
    },
    /// An answer that would lead the credentials, or us, where we must not go.
    #[error("refused: {0}")]
    Refused(String),
}

impl HttpError {
    /// The status, if there was an answer with one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(error) => Some(error.status),
            _ => None,
        }
    }

    /// Whether Twilio refused the credentials, which nothing but other
    /// credentials can mend.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Status(StatusError { side: Side::Twilio, status: 401, .. }))
    }

    /// Whether the same request may do better a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status(error) => matches!(error.status, 429 | 500 | 502 | 503 | 504),
            Self::Network { transient, .. } => *transient,
            Self::Timeout(_) => true,
            Self::Unreadable { cut_off, .. } => *cut_off,
            Self::Refused(_) => false,
        }
    }

    /// How long the other side wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(error) => error.retry_after,
            _ => None,
        }
    }

    /// What ureq says, in words that hold no address (ureq shows queries too).
    pub(crate) fn from_ureq(error: ureq::Error, side: Side, silence: Duration) -> Self {
        let network = |what: String, transient| Self::Network { what, transient };
        match error {
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                Self::Timeout(format!("no connection to {side} within {silence:?}"))
            }
            ureq::Error::Timeout(ureq::Timeout::PerRead | ureq::Timeout::PerWrite) => {
                Self::Timeout(format!("nothing came from {side} for {silence:?}"))
            }
            // Only of the storage: see `stall`.
            ureq::Error::Timeout(ureq::Timeout::RecvBody) => {
                Self::Timeout(format!("{side} went on and on, but sent no more of the media"))
            }
            ureq::Error::Timeout(_) => Self::Timeout(format!("the answer from {side} took too long")),
            ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                network(format!("the connection to {side} broke off"), true)
            }
            // rustls' complaints about a certificate come as InvalidData.
            ureq::Error::Io(e) => {
                let transient = e.kind() != std::io::ErrorKind::InvalidData;
                network(format!("the connection to {side} failed: {e}"), transient)
            }
            ureq::Error::HostNotFound => network(format!("the host of {side} is not known"), true),
            // What it answered stands in ureq's words. 4xx is for good: 407 wants its own credentials.
            ureq::Error::ConnectProxyFailed(what) => {
                let transient = !what.contains("responded 4");
                network(format!("no connection to {side} through the proxy: {what}"), transient)
            }
            ureq::Error::ConnectionFailed => network(format!("no connection to {side}"), true),
            ureq::Error::BodyStalled | ureq::Error::Protocol(_) => {
                network(format!("{side} sent something that is no HTTP"), true)
            }
            // An interim answer before a long one looks so to ureq 3.5, and may not the next time.
            ureq::Error::LargeResponseHeader(..) => {
                network(format!("{side} answered with too many headers"), true)
            }
            ureq::Error::BodyExceedsLimit(limit) => {
                Self::Unreadable { what: format!("{side} answered more than {limit} bytes"), cut_off: false }
            }
            ureq::Error::Rustls(e) => network(format!("no secure connection to {side}: {e}"), false),
            ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) => {
                Self::Refused(format!("an address of {side} that is not https"))
            }
            other => network(format!("the connection to {side} failed: {other}"), false),
        }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let set_up = error.is_unauthorized();
        let kind = match &error {
            HttpError::Status(StatusError { side: Side::Twilio, status: 401 | 403, .. }) => ErrorKind::Auth,
            HttpError::Status(StatusError { status: 404, .. }) => ErrorKind::NotFound,
            HttpError::Status(_) | HttpError::Unreadable { .. } => ErrorKind::Http,
            HttpError::Network { .. } | HttpError::Timeout(_) => ErrorKind::Network,
            HttpError::Refused(_) => ErrorKind::Refused,
        };
        Self { set_up, ..Self::new(kind, error.to_string()) }
    }
}

/// What an error's body says: Twilio's `code` and `message`, or S3's `Code` and
/// `Message`, or that it is a page of a proxy.
///
/// Without secrets: some gateways repeat what they were asked.
pub(crate) fn said(body: &str, secrets: &[String]) -> String {
    #[derive(serde::Deserialize)]
    struct Twilio {
        code: Option<u64>,
        message: Option<String>,
    }
    let text = match serde_json::from_str::<Twilio>(body) {
        Ok(Twilio { code: Some(code), message }) => format!("{code}: {}", message.unwrap_or_default()),
        Ok(Twilio { code: None, message }) => message.unwrap_or_default(),
        Err(_) => match (between(body, "<Code>", "</Code>"), between(body, "<Message>", "</Message>")) {
            (Some(code), message) => format!("{code}: {}", message.unwrap_or_default()),
            (None, _) if body.trim_start().starts_with('<') => "a web page: is a proxy in between?".into(),
            (None, _) => String::new(),
        },
    };
    // One line, and not a long one.
    redacted(&text, secrets).chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// The text without secrets, and without what stands behind the `?` of addresses: a signature, mostly.
fn redacted(text: &str, secrets: &[String]) -> String {
    let text = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
    let word = |word: &str| match word.split_once('?') {
        Some((address, query)) if query.contains('=') => format!("{address}?…"),
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_an_error_is_told_in_short() {
        assert_eq!(said(r#"{"code":20404,"message":"not\nfound","status":404}"#, &[]), "20404: not found");
        assert_eq!(said(r#"{"message":"no"}"#, &[]), "no");
        assert_eq!(
            said("<?xml?><Error><Code>AccessDenied</Code><Message>Expired</Message></Error>", &[]),
            "AccessDenied: Expired"
        );
        assert_eq!(said("<html>sign in</html>", &[]), "a web page: is a proxy in between?");
        assert_eq!(said("oops", &[]), "");
        // Cut only when nothing secret is left.
        let secret = "s".repeat(40);
        let body = format!(r#"{{"message":"{} {secret}"}}"#, "x".repeat(280));
        assert!(!said(&body, &[secret]).contains("ss"));
        assert_eq!(said(&format!(r#"{{"message":"{}"}}"#, "x".repeat(9999)), &[]).len(), 300);
    }

    #[test]
    fn what_is_repeated_to_us_is_not_repeated() {
        let secrets = ["QUM6c2VjcmV0".to_owned(), "secret".into()];
        let said = "Access denied: GET https://s3/a?X-Signature=f00&b=1 with Basic QUM6c2VjcmV0 (secret)? no";
        let shown = "Access denied: GET https://s3/a?… with Basic … (…)? no";
        assert_eq!(redacted(said, &secrets), shown);
    }

    #[test]
    fn a_proxy_may_have_been_down_for_a_moment() {
        for (what, transient) in [
            ("proxy server responded 502/502", true),
            ("proxy server did not respond", true),
            ("proxy server responded 407/407", false),
        ] {
            let error = ureq::Error::ConnectProxyFailed(what.into());
            let error = HttpError::from_ureq(error, Side::Twilio, Duration::from_secs(1));
            assert_eq!(error.is_transient(), transient, "{error}");
            assert!(error.to_string().contains("through the proxy"), "{error}");
        }
    }

    #[test]
    fn ureqs_words_about_addresses_are_not_repeated() {
        let error = ureq::Error::RequireHttpsOnly("http://s3/a?Signature=secret".into());
        let error = HttpError::from_ureq(error, Side::Storage, Duration::from_secs(1));
        assert!(!error.to_string().contains("secret"));
    }
}
