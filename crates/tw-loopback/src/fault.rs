//! What may go wrong, and when.

use std::time::Duration;

use crate::log::{Host, Request};

/// One thing that goes wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status: Twilio's error JSON from the API, XML like S3's from storage.
    Status(u16),
    /// 429 (Twilio's code 20429), with this `Retry-After` or none.
    TooManyRequests(Option<&'static str>),
    /// The connection is closed instead of an answer.
    Close,
    /// The connection is reset instead of an answer.
    Reset,
    /// No answer ever comes; the connection stays open until the server stops.
    Silence,
    /// Closed after so many bytes of the body: it is shorter than announced.
    CloseInBody(u64),
    /// Reset after so many bytes of the body; 0: after the head.
    ResetInBody(u64),
    /// Nothing more after so many bytes of the body; 0: after the head.
    StallInBody(u64),
    /// The body comes a byte at a time, with this pause before each.
    Drip(Duration),
    /// This goes on for ever, a few bytes after each pause: the connection is never silent.
    Endless(Endless, Duration),
    /// The body is so many bytes longer than it should be, and announced so.
    Longer(u64),
    /// The body is so many bytes shorter than it should be, and announced so.
    Shorter(u64),
    /// So many bytes follow after the announced end of the body.
    BeyondAnnounced(u64),
    /// No length is announced; the connection is closed after so many bytes.
    Unannounced(u64),
    /// The signed URL has expired: 403, with S3's XML.
    ExpiredUrl,
    /// 200 with JSON that breaks off.
    InvalidJson,
    /// A page of a proxy, `text/html`, under this status.
    Html(u16),
    /// An error of this status that repeats the request's address and authorization.
    Echo(u16),
    /// The answer with this header in place of its own of that name.
    Header(&'static str, &'static str),
    /// The answer without the header of this name.
    WithoutHeader(&'static str),
    /// 302 to the same address.
    RedirectLoop,
    /// `Media` names this address instead of the storage host's.
    RedirectTo(String),
    /// A page of a list names itself as the next.
    NextPageIsThis,
    /// A page of a list names the first page as the next.
    NextPageIsFirst,
    /// A page of a list names this address as the next.
    NextPageIs(String),
    /// A page of a list is empty, and names another one as the next.
    EmptyPage,
    /// A page of a list has this among its rows, after the first one.
    OddRow(&'static str),
    /// Storage has other bytes from here on, and another `ETag`.
    OtherMedia(Vec<u8>),
}

/// What of an answer may have no end, beside its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endless {
    /// The head: header after header.
    Head,
    /// What stands with the size of a chunk (RFC 9112, 7.1.1): one long extension.
    ChunkExtension,
    /// What follows the last chunk (RFC 9112, 7.1.2): field after field.
    Trailer,
}

/// Which requests a fault meets: a host, a path, and how many of them.
///
/// In a path `*` stands for any text. A pattern with a `?` is compared with path
/// and query, one without with the path alone.
#[derive(Clone, Debug)]
pub struct On {
    host: Host,
    pattern: String,
    skip: usize,
    times: usize,
}

impl On {
    /// Requests to the API, such as `/v1/Recordings/*/Media`.
    #[must_use]
    pub fn api(pattern: &str) -> Self {
        Self::host(Host::Api, pattern)
    }

    /// Requests to storage; the path is `/{account}/{RT...}`.
    #[must_use]
    pub fn storage(pattern: &str) -> Self {
        Self::host(Host::Storage, pattern)
    }

    fn host(host: Host, pattern: &str) -> Self {
        Self { host, pattern: pattern.to_owned(), skip: 0, times: usize::MAX }
    }

    /// Only the first `count` of them; all, if not said.
    #[must_use]
    pub fn first(mut self, count: usize) -> Self {
        self.times = count;
        self
    }

    /// Lets `count` of them pass before.
    #[must_use]
    pub fn after(mut self, count: usize) -> Self {
        self.skip = count;
        self
    }

    /// Whether this request is meant, whatever came before.
    #[must_use]
    pub fn matches(&self, request: &Request) -> bool {
        let text = if self.pattern.contains('?') { request.target.as_str() } else { request.path() };
        self.host == request.host && wildcard(&self.pattern, text)
    }
}

/// The faults still to come. Of several that match a request, the first one that
/// is not used up is taken, so that "two of these, then one of those" can be said.
#[derive(Debug, Default)]
pub(crate) struct Schedule(Vec<(On, Fault)>);

impl Schedule {
    pub(crate) fn add(&mut self, on: On, fault: Fault) {
        self.0.push((on, fault));
    }

    pub(crate) fn take(&mut self, request: &Request) -> Option<Fault> {
        for (on, fault) in &mut self.0 {
            if on.times == 0 || !on.matches(request) {
                continue;
            }
            if on.skip > 0 {
                on.skip -= 1;
                continue;
            }
            if on.times != usize::MAX {
                on.times -= 1;
            }
            return Some(fault.clone());
        }
        None
    }
}

/// Whether `text` is `pattern`, with any text in place of each `*`.
fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(head) else {
        return false;
    };
    (0..=text.len()).filter(|&at| text.is_char_boundary(at)).any(|at| wildcard(rest, &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Request {
        Request::new(Host::Api, "GET", target)
    }

    #[test]
    fn a_star_is_any_text() {
        assert!(wildcard("/v1/Recordings", "/v1/Recordings"));
        assert!(wildcard("/v1/Recordings/*/Media", "/v1/Recordings/RT1/Media"));
        assert!(!wildcard("/v1/Recordings/*/Media", "/v1/Recordings/RT1"));
        assert!(wildcard("*", ""));
        assert!(wildcard("/a*b*c", "/abxbxc"));
        assert!(!wildcard("/a*b", "/abc"));
    }

    #[test]
    fn a_query_counts_only_where_the_pattern_has_one() {
        assert!(On::api("/v1/Recordings").matches(&get("/v1/Recordings?Page=1")));
        assert!(On::api("/v1/Recordings?*Page=1*").matches(&get("/v1/Recordings?Page=1")));
        assert!(!On::api("/v1/Recordings?*Page=2*").matches(&get("/v1/Recordings?Page=1")));
        assert!(!On::storage("*").matches(&get("/")));
    }

    #[test]
    fn faults_are_used_up_in_the_order_given() {
        let mut schedule = Schedule::default();
        schedule.add(On::api("/a").first(2), Fault::TooManyRequests(None));
        schedule.add(On::api("/a").after(1).first(1), Fault::Status(503));
        let met: Vec<_> = (0..5).map(|_| schedule.take(&get("/a"))).collect();
        let too_many = Some(Fault::TooManyRequests(None));
        assert_eq!(met, [too_many.clone(), too_many, None, Some(Fault::Status(503)), None]);
        assert_eq!(schedule.take(&get("/b")), None);
    }
}
