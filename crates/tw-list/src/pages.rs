//! The pages of a list, one after the other, each once.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use tw_core::Record;
use tw_core::http::{Client, HttpError};
use url::Url;

/// Where the rows stand, and where the next page is.
#[derive(Deserialize)]
struct Meta {
    key: Option<String>,
    next_page_url: Option<String>,
}

/// One answer of a list.
#[derive(Debug)]
pub struct Page {
    /// Its rows, each with its own bytes, on one line.
    pub rows: Vec<Record>,
    /// The address of the next page, as Twilio gives it: not yet to be trusted.
    pub next: Option<String>,
}

impl Page {
    /// Reads an answer.
    ///
    /// # Errors
    /// When it is something else than a page of a list.
    pub fn read(answer: &Record) -> Result<Self, HttpError> {
        let meta: Meta = match answer.raw("meta").map(serde_json::from_str) {
            Some(Ok(meta)) => meta,
            _ => return Err(unreadable("Twilio's answer is no page of a list: it has no meta")),
        };
        let rows = rows(answer, meta.key.as_deref().unwrap_or("recordings"))?;
        Ok(Self { rows, next: meta.next_page_url.filter(|url| !url.is_empty()) })
    }
}

/// A list that is being read.
pub(crate) struct Pages<'c> {
    client: &'c Client,
    /// An address that may not be followed fails when its turn has come: the page
    /// that names it is good.
    next: Option<Result<Url, HttpError>>,
    seen_pages: HashSet<String>,
    seen_sids: HashSet<String>,
}

impl<'c> Pages<'c> {
    /// A list that begins at this address.
    pub(crate) fn new(client: &'c Client, first: Url) -> Self {
        Self { client, next: Some(Ok(first)), seen_pages: HashSet::new(), seen_sids: HashSet::new() }
    }

    /// The recordings of the next page; `None` after the last one.
    ///
    /// A recording that came on a page before is left out: while a room is being
    /// recorded, rows move from one page to the next.
    ///
    /// # Errors
    /// When the page can't be had or read, leads to another host, or has been
    /// there before.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Record>>, HttpError> {
        let Some(url) = self.next.take().transpose()? else { return Ok(None) };
        if !self.seen_pages.insert(url.to_string()) {
            return Err(unreadable(
                "a page names itself, or one before it, as the next: the list has no end",
            ));
        }
        let page = Page::read(&self.client.json(&url)?)?;
        let rows = page.rows;
        let some = !rows.is_empty();
        let rows: Vec<Record> = rows
            .into_iter()
            .filter(|row| row.text_of("sid").is_none_or(|sid| self.seen_sids.insert(sid)))
            .collect();
        if some && rows.is_empty() {
            return Err(unreadable("a page repeats what came before: the list has no end"));
        }
        self.next = page.next.map(|url| self.client.base().own(&url));
        Ok(Some(rows))
    }
}

/// The list under `key`, each row with its own bytes.
fn rows(page: &Record, key: &str) -> Result<Vec<Record>, HttpError> {
    let rows: Vec<&RawValue> = match page.raw(key).map(serde_json::from_str) {
        Some(Ok(rows)) => rows,
        _ => return Err(unreadable("Twilio's answer is no page of a list: it holds no recordings")),
    };
    rows.into_iter()
        .map(|row| {
            Record::parse(one_line(row.get()))
                .map_err(|_| unreadable("Twilio's answer lists something that is no recording"))
        })
        .collect()
}

/// JSON on one line: as it is, or without the space between its tokens when
/// there are line breaks in it. Numbers and strings stay as they are written.
fn one_line(json: &str) -> String {
    if !json.contains(['\n', '\r']) {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            (in_string, escaped) = (c != '"' || escaped, c == '\\' && !escaped);
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = c == '"';
        }
        text.push(c);
    }
    text
}

fn unreadable(what: &str) -> HttpError {
    HttpError::Unreadable { what: what.into(), cut_off: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_bytes() {
        let row = r#"{ "offset": 163481005731000000000, "x" :1.50e+3 }"#;
        let page = Record::parse(format!(r#"{{"recordings":[{row}, {{}}]}}"#)).unwrap();
        let rows = rows(&page, "recordings").unwrap();
        assert_eq!(rows[0].as_str(), row);
        assert_eq!(rows[1].as_str(), "{}");
    }

    #[test]
    fn a_pretty_row_comes_onto_one_line() {
        let pretty = "{\n  \"a\" : 1.50e+3,\r\n\t\"b \\\" \\\\\": [ \" x \", null ]\n}";
        assert_eq!(one_line(pretty), "{\"a\":1.50e+3,\"b \\\" \\\\\":[\" x \",null]}");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for page in ["{}", r#"{"recordings":{}}"#, r#"{"recordings":[1]}"#, r#"{"recordings":null}"#] {
            assert!(rows(&Record::parse(page).unwrap(), "recordings").is_err(), "{page}");
        }
    }
}
