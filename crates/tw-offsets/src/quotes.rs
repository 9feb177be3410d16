//! What the reader of CSV doesn't tell of a table: quotes that are left open, so that their cell
//! holds the rows behind it, and no reader minds (RFC 4180, section 2); blank lines, which it passes
//! over; and whether a line break at the end of a row stands in its last cell.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::rc::Rc;

/// What has been seen of a table so far.
#[derive(Debug, Default)]
pub struct Quotes {
    state: State,
    /// The byte before the next one, if there is one.
    last: Option<u8>,
    /// How many bytes have come.
    at: u64,
    /// Whether the quoted cell that is being read holds a line break.
    has_break: bool,
    /// Whether all has come.
    has_ended: bool,
    /// Where a quoted cell of several lines ends, and something else than the next cell follows:
    /// what closes it is another cell's opening quote, mostly.
    suspicious: Vec<u64>,
    /// Where lines end that hold nothing; those of rows that were asked for are taken away.
    blank: VecDeque<u64>,
    /// Where quotes stand behind a carriage return in a quoted cell; the same.
    returns: VecDeque<u64>,
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

    /// How many blank lines stand before a row, which the reader counts to it. Rows are asked for in order.
    pub fn blank_lines_of(&mut self, row: &Range<u64>) -> u64 {
        taken(&mut self.blank, row.end).filter(|at| *at >= row.start).count() as u64
    }

    /// Whether a row's last cell is quoted and ends with a carriage return: it is no part of the
    /// row's end then. Rows are asked for in order.
    pub fn ends_with_own_return(&mut self, row: &Range<u64>) -> bool {
        // The quote, and the end of the row unless the table ends there.
        taken(&mut self.returns, row.end).next_back().is_some_and(|at| row.end - at <= 2)
    }

    fn see(&mut self, bytes: &[u8]) {
        let (start, before) = (self.at, self.last);
        for (i, &byte) in bytes.iter().enumerate() {
            let at = start + i as u64;
            let last = || if i == 0 { before } else { Some(bytes[i - 1]) };
            let was = self.state;
            self.state = match (was, byte) {
                (State::Quoted, b'"') => {
                    if last() == Some(b'\r') {
                        self.returns.push_back(at);
                    }
                    State::Quote
                }
                (State::Quoted, _) => State::Quoted,
                (State::Quote, b'"') => State::Quoted,
                (State::Begin, b'\n') => {
                    if matches!(last(), None | Some(b'\n')) {
                        self.blank.push_back(at);
                    }
                    State::Begin
                }
                (_, b',' | b'\n') => State::Begin,
                (State::Begin, b'"') => State::Quoted,
                _ => State::Plain,
            };
            if (was, self.state) == (State::Begin, State::Quoted) {
                self.has_break = false;
            }
            self.has_break |= self.state == State::Quoted && byte == b'\n';
            if (was, self.state) == (State::Quote, State::Plain) && byte != b'\r' && self.has_break {
                self.suspicious.push(at);
            }
        }
        self.at = start + bytes.len() as u64;
        self.last = bytes.last().copied().or(before);
    }
}

/// Takes away what lies before `end`.
fn taken(places: &mut VecDeque<u64>, end: u64) -> impl DoubleEndedIterator<Item = u64> {
    places.drain(..places.partition_point(|at| *at < end))
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
