//! What was asked of the servers.

/// Which of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The API: wants credentials.
    Api,
    /// The storage that `Media` redirects to: refuses credentials.
    Storage,
}

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The server that it came to.
    pub host: Host,
    /// `GET`, as a rule.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// All headers, as sent, in order.
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn new(host: Host, method: &str, target: &str) -> Self {
        Self { host, method: method.to_owned(), target: target.to_owned(), headers: Vec::new() }
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The query's names and values, decoded, in order.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The value of a header; its name's case doesn't matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether credentials came with it.
    #[must_use]
    pub fn authorized(&self) -> bool {
        self.header("authorization").is_some()
    }
}
