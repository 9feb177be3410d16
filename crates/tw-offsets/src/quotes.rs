//! Quotes of a CSV table that are left open: their cell holds the rows behind it, and no reader
//! of CSV minds (RFC 4180, section 2).

use std::cell::RefCell;
use std::io::{self, Read};
use std::ops::Range;
use std::rc::Rc;

/// What has been seen of a table's quotes so far.
#[derive(Debug, Default)]
pub struct Quotes {
    state: State,
    /// How many bytes have come.
    at: u64,
    /// Whether the quoted cell that is being read holds a line break.
    has_break: bool,
    /// Whether all has come.
    has_ended: bool,
    /// Where a quoted cell of several lines ends, and something else than the next cell follows:
    /// what closes it is another cell's opening quote, mostly.
    suspicious: Vec<u64>,
}

/// Where the last byte stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A cell begins.
    #[default]
    Begin,
    /// In a cell without quotes.
    Plain,
    /// In a cell with quotes.
    Quoted,
    /// Behind a quote in it: the closing one, or half of one that is meant.
    Quote,
}

impl Quotes {
    /// Whether a row with these bytes holds what isn't its own. Only of the last row it can be told
    /// that a quote is never closed.
    pub fn are_open_in(&self, row: Range<u64>) -> bool {
        let is_last = self.has_ended && row.end >= self.at;
        is_last && self.state == State::Quoted || self.suspicious.iter().any(|at| row.contains(at))
    }

    fn see(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let was = self.state;
            self.state = match (was, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) => State::Quoted,
                (State::Quote, b'"') => State::Quoted,
                (_, b',' | b'\n') => State::Begin,
                (State::Begin, b'"') => State::Quoted,
                _ => State::Plain,
            };
            if (was, self.state) == (State::Begin, State::Quoted) {
                self.has_break = false;
            }
            self.has_break |= self.state == State::Quoted && byte == b'\n';
            if (was, self.state) == (State::Quote, State::Plain) && byte != b'\r' && self.has_break {
                self.suspicious.push(self.at);
            }
            self.at += 1;
        }
    }
}

/// A reader whose quotes are watched.
pub struct Watched<R> {
    inner: R,
    quotes: Rc<RefCell<Quotes>>,
}

impl<R> Watched<R> {
    /// The reader, and what is seen of its quotes.
    pub fn new(inner: R) -> (Self, Rc<RefCell<Quotes>>) {
        let quotes = Rc::<RefCell<Quotes>>::default();
        (Self { inner, quotes: Rc::clone(&quotes) }, quotes)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let mut quotes = self.quotes.borrow_mut();
        quotes.see(&buffer[..read]);
        quotes.has_ended |= read == 0;
        Ok(read)
    }
}
