//! An answer before it goes over the wire, and what a fault makes of it.

use std::io::{Cursor, Read};
use std::time::Duration;

use crate::fault::{Endless, Fault};
use crate::log::{Host, Request};
use crate::resource::json;

/// Status, headers and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) delivery: Delivery,
}

/// Bytes to come, and how many.
pub(crate) struct Body {
    pub(crate) length: u64,
    pub(crate) bytes: Box<dyn Read + Send>,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// A byte of the body after each pause.
    Drip(Duration),
    /// Instead of the answer.
    Nothing(End),
    /// The head as it should be, so many bytes of the body, and then.
    Cut(u64, End),
    /// The body, and so many bytes more.
    Beyond(u64),
    /// All before this, and then no end of it, a piece after each pause.
    Endless(Endless, Duration),
    /// No Content-Length, and so many bytes of the body.
    Unannounced(u64),
}

/// How an answer that isn't whole ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close,
    Reset,
    Stall,
}

impl Body {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { length: bytes.len() as u64, bytes: Box::new(Cursor::new(bytes)) }
    }
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: Body::new(body),
            delivery: Delivery::Whole,
        }
    }

    pub(crate) fn json(status: u16, body: String) -> Self {
        Self::new(status, "application/json", body)
    }

    /// Twilio's error JSON; `code` is Twilio's, `status` HTTP's.
    pub(crate) fn twilio_error(status: u16, code: u32, message: &str) -> Self {
        let body = format!(
            r#"{{"code":{code},"message":{},"more_info":"https://www.twilio.com/docs/errors/{code}","status":{status}}}"#,
            json(message)
        );
        Self::json(status, body)
    }

    /// An error of the storage host, in S3's XML.
    pub(crate) fn storage_error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Self::new(status, "application/xml", body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(there, _)| !there.eq_ignore_ascii_case(name));
    }

    /// The answer that goes out instead of this one. The faults of lists and of
    /// stored bytes are not seen here: the servers themselves make those.
    pub(crate) fn spoilt(mut self, fault: &Fault, request: &Request) -> Self {
        match fault {
            Fault::Status(status) => return bare_status(request.host, *status),
            Fault::TooManyRequests(retry_after) => {
                let answer = bare_status(request.host, 429);
                return match retry_after {
                    Some(value) => answer.header("Retry-After", value),
                    None => answer,
                };
            }
            Fault::ExpiredUrl => return expired(),
            Fault::InvalidJson => return Self::json(200, r#"{"meta":{"page":0,"#.to_owned()),
            Fault::Html(status) => {
                let page = "<html><head><title>Proxy</title></head><body>Please sign in.</body></html>";
                return Self::new(*status, "text/html", page);
            }
            Fault::Echo(status) => {
                let authorization = request.header("authorization").unwrap_or_default();
                let words = format!("cannot GET {} with {authorization}", request.target);
                return match request.host {
                    Host::Api => Self::twilio_error(*status, 20001, &words),
                    Host::Storage => Self::storage_error(*status, "Refused", &words),
                };
            }
            Fault::Header(name, value) => {
                self.remove_header(name);
                return self.header(name, value);
            }
            Fault::WithoutHeader(name) => self.remove_header(name),
            Fault::RedirectLoop => {
                return Self::json(302, String::new()).header("Location", &request.target);
            }
            Fault::Close => self.delivery = Delivery::Nothing(End::Close),
            Fault::Reset => self.delivery = Delivery::Nothing(End::Reset),
            Fault::Silence => self.delivery = Delivery::Nothing(End::Stall),
            Fault::CloseInBody(after) => self.delivery = Delivery::Cut(*after, End::Close),
            Fault::ResetInBody(after) => self.delivery = Delivery::Cut(*after, End::Reset),
            Fault::StallInBody(after) => self.delivery = Delivery::Cut(*after, End::Stall),
            Fault::Drip(pause) => self.delivery = Delivery::Drip(*pause),
            Fault::Endless(what, pause) => self.delivery = Delivery::Endless(*what, *pause),
            Fault::BeyondAnnounced(more) => self.delivery = Delivery::Beyond(*more),
            Fault::Unannounced(bytes) => self.delivery = Delivery::Unannounced(*bytes),
            Fault::Longer(more) => {
                self.body.length += more;
                self.body.bytes = Box::new(self.body.bytes.chain(std::io::repeat(b'+').take(*more)));
            }
            Fault::Shorter(less) => self.body.length = self.body.length.saturating_sub(*less),
            Fault::RedirectTo(_)
            | Fault::NextPageIsThis
            | Fault::NextPageIsFirst
            | Fault::NextPageIs(_)
            | Fault::EmptyPage
            | Fault::OddRow(_)
            | Fault::OtherMedia(_) => {}
        }
        self
    }
}

/// What storage says to a signed URL that is too old.
pub(crate) fn expired() -> Answer {
    Answer::storage_error(403, "AccessDenied", "Request has expired")
}

fn bare_status(host: Host, status: u16) -> Answer {
    match host {
        Host::Api => {
            let code = match status {
                401 => 20003,
                403 => 20403,
                404 => 20404,
                429 => 20429,
                500.. => 20500,
                _ => 20001,
            };
            Answer::twilio_error(status, code, reason(status))
        }
        Host::Storage => Answer::storage_error(status, &reason(status).replace(' ', ""), reason(status)),
    }
}

/// The reason phrase of RFC 9110.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
