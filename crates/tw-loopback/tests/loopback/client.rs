//! A client that hides nothing: one request per connection, the bytes as they come.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use base64::Engine;
use tw_loopback::{ACCOUNT_SID, AUTH_TOKEN};

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// How the connection ended, if not in order.
    pub error: Option<ErrorKind>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (header, value) = line.split_once(": ")?;
            header.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// `Authorization` with the account's credentials.
pub fn authorization() -> (&'static str, String) {
    basic(ACCOUNT_SID, AUTH_TOKEN)
}

pub fn basic(user: &str, password: &str) -> (&'static str, String) {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    ("Authorization", format!("Basic {pair}"))
}

/// Sends a request and leaves the answer to be read.
pub fn send(url: &str, headers: &[(&str, String)]) -> TcpStream {
    let (host, target) =
        url.strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| rest.split_at(at))).unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let mut request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Reads all that comes; `status` is 0 when there was no head.
pub fn receive(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).err().map(|e| e.kind());
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
    let body = end.map_or(Vec::new(), |at| bytes.split_off(at + 4));
    let head = String::from_utf8(bytes).unwrap();
    let status = head.split(' ').nth(1).map_or(0, |s| s.parse().unwrap());
    Reply { status, head, body, error }
}

pub fn get(url: &str, headers: &[(&str, String)]) -> Reply {
    receive(&mut send(url, headers))
}

/// With the account's credentials.
pub fn get_authorized(url: &str) -> Reply {
    get(url, &[authorization()])
}
