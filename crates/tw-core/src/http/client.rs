//! Requests: to the API with the credentials, to the storage without.

use std::io::Read;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use ureq::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, IF_RANGE, LOCATION, RANGE, RETRY_AFTER, TRANSFER_ENCODING,
};
use ureq::http::{Response, Version};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};
use url::Url;

use super::addresses::Addresses;
use super::error::said;
use super::retry::retry_after;
use super::stall::{self, within};
use super::{BaseUrl, Credentials, HttpError, Policy, Side, StatusError, shown};
use crate::record::Record;

/// An answer of the API, the head of one of the storage, or a piece of its body may take so many times
/// the longest silence.
const PATIENCE: u32 = 10;
/// Media that comes more slowly than this, in bytes per second, is given up.
const SLOWEST: u64 = 1024;
/// The longest JSON that is read: a page of 100 recordings has about 150 kB.
const LONGEST_JSON: u64 = 64 << 20;
/// The longest body of an error that is read.
const LONGEST_ERROR: u64 = 64 << 10;
/// Connections that are kept for the next request: as many as downloads run side by side, mostly.
const IDLE_CONNECTIONS: usize = 16;
/// So often the storage may send us on to another of its addresses.
const STORAGE_REDIRECTS: usize = 5;

/// A client of one Twilio account.
pub struct Client {
    api: Agent,
    storage: Agent,
    base: BaseUrl,
    authorization: String,
    /// What no message may repeat.
    secrets: Vec<String>,
    policy: Policy,
    silence: Duration,
    /// Twilio's first refusal of the credentials: the same for all that follows.
    unauthorized: OnceLock<HttpError>,
}

/// A signed address of media: whoever has it can read it for some minutes.
#[derive(Clone)]
pub struct MediaAddress(Url);

/// What is there of a download that broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Bytes that are there.
    pub length: u64,
    /// The entity tag of the whole, so that only the same media is gone on with.
    pub etag: String,
}

/// Media on its way.
pub struct Download {
    /// Where in the media the body starts: 0, or the length of the [`Part`].
    pub start: u64,
    /// Length of the whole media in bytes, where it was announced.
    pub total: Option<u64>,
    /// Whether the answer says where it ends: else the connection's end is that of the media,
    /// as far as anybody can tell.
    pub has_end: bool,
    /// A strong entity tag.
    pub etag: Option<String>,
    headers: HeaderMap,
    reader: ureq::BodyReader<'static>,
    came: u64,
    since: Instant,
    silence: Duration,
}

impl Client {
    /// A client that sends `credentials` to `base` and nowhere else.
    pub fn new(base: BaseUrl, credentials: &Credentials, policy: Policy, silence: Duration) -> Self {
        let config = |in_all: Option<Duration>| {
            let mut config = Agent::config_builder()
                .https_only(!base.is_loopback())
                .max_redirects(0)
                .http_status_as_error(false)
                .user_agent(concat!("tw/", env!("CARGO_PKG_VERSION")))
                .max_idle_connections_per_host(IDLE_CONNECTIONS)
                // A compressed body has no length that could be checked.
                .accept_encoding("identity")
                .timeout_resolve(Some(silence))
                .timeout_connect(Some(silence))
                .timeout_per_read(Some(silence))
                .timeout_per_write(Some(silence))
                .timeout_recv_response(Some(silence * PATIENCE))
                .timeout_global(in_all);
            if base.is_loopback() {
                config = config.proxy(None);
            }
            config.build()
        };
        Self {
            api: Agent::with_parts(
                config(Some(silence * PATIENCE)),
                DefaultConnector::default(),
                Addresses::default(),
            ),
            // The storage's addresses change with each lookup, to spread the load.
            storage: Agent::with_parts(config(None), stall::Bounded::default(), DefaultResolver::default()),
            authorization: credentials.authorization(),
            secrets: credentials.secrets(),
            base,
            policy,
            silence,
            unauthorized: OnceLock::new(),
        }
    }

    /// Where the API is.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// How requests are tried again.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Twilio's refusal of the credentials, if it came.
    pub fn unauthorized(&self) -> Option<&HttpError> {
        self.unauthorized.get()
    }

    /// The JSON object at an address of the API, with retries.
    ///
    /// # Errors
    /// [`HttpError`], the last one.
    pub fn json(&self, url: &Url) -> Result<Record, HttpError> {
        self.policy.run(&format!("GET {}", url.path()), || {
            let mut response = self.ask(url)?;
            if response.status() != 200 {
                return Err(self.status_error(Side::Twilio, response));
            }
            let text = self.text(&mut response, LONGEST_JSON)?;
            Record::parse(text).map_err(|e| unreadable(&e))
        })
    }

    /// Where the media is that an address of the API (`…/Media`) leads to, asked once.
    ///
    /// Twilio answers 302 with `Location` and a body `{"redirect_to": …}`; old
    /// answers call the field `location`, and some come with 200 and the body alone.
    ///
    /// # Errors
    /// [`HttpError`]; status 404 while there is no media.
    pub fn media_address(&self, url: &Url) -> Result<MediaAddress, HttpError> {
        let mut response = self.ask(url)?;
        let status = response.status();
        if status != 200 && !status.is_redirection() {
            return Err(self.status_error(Side::Twilio, response));
        }
        let location = header(response.headers(), LOCATION);
        // Read in any case: a connection with unread bytes can't serve the next request.
        let body = self.text(&mut response, LONGEST_ERROR);
        let address = match location {
            Some(location) => location,
            None => {
                let body = Record::parse(body?).map_err(|e| unreadable(&e))?;
                body.text_of("redirect_to").or_else(|| body.text_of("location")).ok_or_else(|| {
                    let what = "Twilio's answer names no address of the media".into();
                    HttpError::Unreadable { what, cut_off: false }
                })?
            }
        };
        let address = self.base.storage(url, &address)?;
        if address == *url {
            return Err(HttpError::Refused(format!("{} leads back to itself", shown(url))));
        }
        Ok(MediaAddress(address))
    }

    /// Opens media, from the end of `part` on if that is still possible, asked once.
    ///
    /// # Errors
    /// [`HttpError`]; status 403 when the address has expired.
    pub fn open(&self, address: &MediaAddress, part: Option<&Part>) -> Result<Download, HttpError> {
        let mut url = address.0.clone();
        for _ in 0..=STORAGE_REDIRECTS {
            let mut request = self.storage.get(url.as_str());
            if let Some(part) = part {
                request = request
                    .header(RANGE, format!("bytes={}-", part.length))
                    .header(IF_RANGE, part.etag.as_str());
            }
            let response = request.call().map_err(|e| self.broken(e, Side::Storage))?;
            if let Some(location) =
                header(response.headers(), LOCATION).filter(|_| response.status().is_redirection())
            {
                url = self.base.storage(&url, &location)?;
                continue;
            }
            if response.status().is_success() {
                check_media(response.headers())?;
            }
            return match (response.status().as_u16(), part) {
                (200, _) => Ok(self.download(response, 0, None)),
                (206, Some(part)) => match continued(response.headers(), part) {
                    Some(total) => Ok(self.download(response, part.length, Some(total))),
                    None => self.open(address, None),
                },
                // Our part is longer than the media: another one.
                (416, Some(_)) => self.open(address, None),
                _ => Err(self.status_error(Side::Storage, response)),
            };
        }
        Err(HttpError::Refused(format!(
            "{} redirected more than {STORAGE_REDIRECTS} times",
            shown(&address.0)
        )))
    }

    /// The one place where the credentials are sent.
    fn ask(&self, url: &Url) -> Result<Response<Body>, HttpError> {
        if let Some(refusal) = self.unauthorized.get() {
            return Err(refusal.clone());
        }
        // Whoever made this address: it is checked where the credentials go.
        let url = self.base.own(url.as_str())?;
        self.api
            .get(url.as_str())
            .header(AUTHORIZATION, &self.authorization)
            .call()
            .map_err(|e| self.broken(e, Side::Twilio))
    }

    fn download(&self, response: Response<Body>, start: u64, total: Option<u64>) -> Download {
        let headers = response.headers();
        let encoding = header(headers, TRANSFER_ENCODING);
        // With a transfer encoding, a length says nothing (RFC 9112, section 6.3).
        let announced =
            || header(headers, CONTENT_LENGTH).filter(|_| encoding.is_none())?.trim().parse().ok();
        let total = total.or_else(announced);
        // HTTP/1.0 knows of no chunks.
        let is_chunked = response.version() >= Version::HTTP_11
            && encoding.as_ref().is_some_and(|encoding| encoding.trim().eq_ignore_ascii_case("chunked"));
        Download {
            start,
            total,
            has_end: total.is_some() || is_chunked,
            // A weak tag says nothing about bytes.
            etag: header(headers, ETAG).filter(|tag| tag.starts_with('"')),
            headers: headers.clone(),
            reader: response.into_body().into_reader(),
            came: 0,
            since: Instant::now(),
            silence: self.silence,
        }
    }

    fn status_error(&self, side: Side, mut response: Response<Body>) -> HttpError {
        let status = response.status().as_u16();
        let retry_after =
            header(response.headers(), RETRY_AFTER).and_then(|value| retry_after(&value, SystemTime::now()));
        // An error whose body doesn't come is an error still.
        let body = self.text(&mut response, LONGEST_ERROR);
        let said = body.map(|body| said(&body, &self.secrets)).unwrap_or_default();
        let error = HttpError::Status(StatusError { side, status, said, retry_after });
        if error.is_unauthorized() {
            return self.unauthorized.get_or_init(|| error).clone();
        }
        error
    }

    fn text(&self, response: &mut Response<Body>, limit: u64) -> Result<String, HttpError> {
        let mut reader = response.body_mut().with_config().limit(limit).reader();
        let mut bytes = Vec::new();
        // The storage's answers have no limit in all, since media may take its time.
        within(self.silence * PATIENCE, || reader.read_to_end(&mut bytes))
            .map_err(|e| self.broken(e.into(), Side::Twilio))?;
        String::from_utf8(bytes).map_err(|_| HttpError::Unreadable {
            what: "Twilio's answer is not UTF-8".into(),
            cut_off: false,
        })
    }

    fn broken(&self, error: ureq::Error, side: Side) -> HttpError {
        HttpError::from_ureq(error, side, self.silence)
    }
}

impl Download {
    /// A header of the storage's answer, if it is there and text.
    pub fn header(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }

    /// The next bytes; 0 at the end.
    ///
    /// # Errors
    /// When nothing or too little comes, or the connection breaks before the
    /// announced end.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HttpError> {
        let read = within(self.silence * PATIENCE, || self.reader.read(buffer))
            .map_err(|e| HttpError::from_ureq(e.into(), Side::Storage, self.silence))?;
        self.came += read as u64;
        let allowed = self.silence * PATIENCE + Duration::from_secs(self.came / SLOWEST);
        if read > 0 && self.since.elapsed() > allowed {
            return Err(HttpError::Timeout(format!("{} bytes in {allowed:?} are too few", self.came)));
        }
        Ok(read)
    }
}

/// The length of the whole, when a 206 goes on exactly where `part` ends.
fn continued(headers: &HeaderMap, part: &Part) -> Option<u64> {
    let range = header(headers, CONTENT_RANGE)?;
    let (span, total) = range.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, total): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    // A 206 has the tag that a 200 would have (RFC 9110, section 15.3.7): who leaves it out may not
    // have looked at ours.
    let same = header(headers, ETAG).is_some_and(|tag| tag == part.etag);
    (same && first == part.length && last.checked_add(1) == Some(total)).then_some(total)
}

/// Whether what comes can be media: neither a page of a proxy, nor compressed by one, so that its
/// length and its places would be others.
fn check_media(headers: &HeaderMap) -> Result<(), HttpError> {
    let content_type = header(headers, CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let codings = header(headers, CONTENT_ENCODING).unwrap_or_default();
    let is_coding = |coding: &str| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity");
    let sent = if content_type.trim_start().starts_with("text/html") {
        "a web page".to_owned()
    } else if codings.split(',').map(str::trim).any(is_coding) {
        format!("something compressed ({codings})")
    } else {
        return Ok(());
    };
    let what = format!("{} sent {sent} instead of media: is a proxy in between?", Side::Storage);
    Err(HttpError::Network { what, transient: true })
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn unreadable(error: &serde_json::Error) -> HttpError {
    let what = format!("Twilio's answer is no JSON object ({error}): is a proxy in between?");
    HttpError::Unreadable { what, cut_off: error.is_eof() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_media_is_told_by_its_head() {
        let check = |name: HeaderName, value: &str| {
            check_media(&HeaderMap::from_iter([(name, value.parse().unwrap())])).is_ok()
        };
        assert!(check(CONTENT_TYPE, "video/x-matroska") && check(CONTENT_ENCODING, "identity"));
        assert!(!check(CONTENT_TYPE, "Text/HTML; charset=utf-8"));
        assert!(!check(CONTENT_ENCODING, "identity, gzip") && !check(CONTENT_ENCODING, "Deflate"));
        assert!(check(CONTENT_ENCODING, "") && check(CONTENT_ENCODING, "identity, Identity"));
    }

    #[test]
    fn only_the_rest_of_the_same_media_is_gone_on_with() {
        let part = Part { length: 10, etag: "\"a\"".into() };
        let answer = |range: &str, etag: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, range.parse().unwrap());
            if let Some(etag) = etag {
                headers.insert(ETAG, etag.parse().unwrap());
            }
            continued(&headers, &part)
        };
        assert_eq!(answer("bytes 10-99/100", Some("\"a\"")), Some(100));
        assert_eq!(answer("bytes 10-99/100", None), None);
        assert_eq!(answer("bytes 10-99/100", Some("\"b\"")), None);
        for range in
            ["bytes 0-99/100", "bytes 11-99/100", "bytes 10-98/100", "bytes 10-99/*", "bytes */100", "x"]
        {
            assert_eq!(answer(range, Some("\"a\"")), None, "{range}");
        }
    }
}
