//! The pages of a list, one after the other, each once.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tw_core::http::{Client, HttpError};
use tw_core::text::{cut, escaped};
use tw_core::{ErrorKind, Failure, Record};
use url::Url;

use crate::ahead::Ahead;

/// Where the rows stand, and where the next page is.
#[derive(Deserialize)]
struct Meta {
    key: Option<String>,
    next_page_url: Option<String>,
}

/// A recording with its own bytes, on one line; or why it is none, which costs no other row.
pub type Row = Result<Record, Failure>;

/// One answer of a list.
#[derive(Debug)]
pub struct Page {
    /// Its rows.
    pub rows: Vec<Row>,
    /// The address of the next page, as Twilio gives it: not yet to be trusted.
    pub next: Option<String>,
}

impl Page {
    /// Reads an answer.
    ///
    /// # Errors
    /// When it is something else than a page of a list.
    pub fn read(answer: &Record) -> Result<Self, HttpError> {
        let meta = Meta::of(answer)?;
        Ok(Self { rows: meta.rows(answer)?, next: meta.next_page_url })
    }
}

impl Meta {
    fn of(answer: &Record) -> Result<Self, HttpError> {
        let meta: Self = match answer.raw("meta").map(serde_json::from_str) {
            Some(Ok(meta)) => meta,
            _ => return Err(unreadable("Twilio's answer is no page of a list: it has no meta")),
        };
        Ok(Self { next_page_url: meta.next_page_url.filter(|url| !url.is_empty()), ..meta })
    }

    fn rows(&self, answer: &Record) -> Result<Vec<Row>, HttpError> {
        rows(answer, self.key.as_deref().unwrap_or("recordings"))
    }
}

/// A page that has come, and where it stands.
type Answer = Result<(Record, Meta), HttpError>;

/// Twilio's answers, each leading to the next one.
struct Answers {
    client: Arc<Client>,
    /// An address that may not be followed fails when its turn has come: the page
    /// that names it is good.
    next: Option<Result<Url, HttpError>>,
    seen: HashSet<String>,
}

impl Answers {
    fn get(&mut self, url: &Url) -> Answer {
        if !self.seen.insert(url.to_string()) {
            return Err(unreadable(
                "a page names itself, or one before it, as the next: the list has no end",
            ));
        }
        let answer = self.client.json(url)?;
        let meta = Meta::of(&answer)?;
        self.next = meta.next_page_url.as_ref().map(|url| self.client.base().own(url));
        Ok((answer, meta))
    }
}

impl Iterator for Answers {
    type Item = Answer;

    /// Nothing follows an error.
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next.take()?.and_then(|url| self.get(&url)))
    }
}

/// A filter may leave pages empty, but a list without an end is one of those as well.
const MOST_EMPTY_PAGES: usize = 1000;

/// A list that is being read.
pub(crate) struct Pages {
    answers: Box<dyn Iterator<Item = Answer>>,
    seen_sids: HashSet<String>,
    /// How many pages without a row came one after the other.
    empty: usize,
}

impl Pages {
    /// A list that begins at this address. With `ahead`, for who wants all of it, the
    /// next page is on its way already while one is read and written.
    pub(crate) fn new(client: Arc<Client>, first: Url, ahead: bool) -> Self {
        let mut answers = Answers { client, next: Some(Ok(first)), seen: HashSet::new() };
        let answers: Box<dyn Iterator<Item = Answer>> = if ahead {
            let first = answers.next();
            // Most rooms have one page, and need no thread.
            let others = answers.next.is_some().then(|| Ahead::of(answers));
            Box::new(first.into_iter().chain(others.into_iter().flatten()))
        } else {
            Box::new(answers)
        };
        Self { answers, seen_sids: HashSet::new(), empty: 0 }
    }

    /// The recordings of the next page; `None` after the last one.
    ///
    /// A recording that came on a page before is left out: while a room is being
    /// recorded, rows move from one page to the next.
    ///
    /// # Errors
    /// When the page can't be had or read, leads to another host, or has been
    /// there before.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Row>>, HttpError> {
        let Some((answer, meta)) = self.answers.next().transpose()? else { return Ok(None) };
        let rows = meta.rows(&answer)?;
        let some = !rows.is_empty();
        self.empty = if some { 0 } else { self.empty + 1 };
        if self.empty > MOST_EMPTY_PAGES {
            return Err(unreadable("page after page without a recording: the list has no end"));
        }
        let sid = |row: &Row| row.as_ref().ok()?.text_of("sid");
        let rows: Vec<Row> =
            rows.into_iter().filter(|row| sid(row).is_none_or(|sid| self.seen_sids.insert(sid))).collect();
        if some && rows.is_empty() && meta.next_page_url.is_some() {
            return Err(unreadable("a page repeats what came before: the list has no end"));
        }
        Ok(Some(rows))
    }
}

/// The list under `key`.
fn rows(page: &Record, key: &str) -> Result<Vec<Row>, HttpError> {
    let rows = match page.raw(key) {
        Some(rows) if rows.starts_with('[') => rows,
        _ => return Err(unreadable("Twilio's answer is no page of a list: it holds no recordings")),
    };
    if let Ok(rows) = Record::parse_all(rows) {
        return Ok(rows.into_iter().map(|row| Ok(row.on_one_line())).collect());
    }
    let rows: Vec<&RawValue> = serde_json::from_str(rows)
        .map_err(|_| unreadable("Twilio's answer is no page of a list: its recordings are no list"))?;
    Ok(rows.into_iter().map(row).collect())
}

fn row(raw: &RawValue) -> Row {
    Record::parse(raw.get()).map(Record::on_one_line).map_err(|_| {
        let shown = cut(&escaped(raw.get()), 40);
        Failure::new(ErrorKind::Http, format!("Twilio listed {shown} in a recording's place: list it again"))
    })
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
        assert_eq!(rows[0].as_ref().unwrap().as_str(), row);
        assert_eq!(rows[1].as_ref().unwrap().as_str(), "{}");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for page in ["{}", r#"{"recordings":{}}"#, r#"{"recordings":null}"#] {
            assert!(rows(&Record::parse(page).unwrap(), "recordings").is_err(), "{page}");
        }
    }
}
