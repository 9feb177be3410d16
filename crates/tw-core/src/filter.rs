//! The loop of a filter that serves one record at a time: several side by side,
//! written in the order of the input, failures marked and told.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::failure::Failure;
use crate::input::{Line, Place};
use crate::messages;
use crate::output::{Output, OutputError};
use crate::parallel;
use crate::progress::Progress;
use crate::record::Record;
use crate::text::escaped;
use crate::tool::{Common, Status};

/// What came of one line.
#[derive(Debug)]
pub enum Outcome {
    /// The record, with the tool's fields.
    Served(Record),
    /// The record as it came, and why it could not be served.
    Failed(Record, Failure),
    /// A record that a tool before us has marked.
    Passed(Record),
}

impl Outcome {
    /// What came of a line, given how the tool serves a record that isn't marked.
    ///
    /// A record that fails half-way is handed on without what was added to it so
    /// far, so `serve` works on a copy.
    pub fn of(line: Line, serve: impl FnOnce(&mut Record) -> Result<(), Failure>) -> Self {
        let place = line.place.clone();
        Self::of_read(line.record().map_err(|failure| (Record::empty(), failure)), serve).found_at(&place)
    }

    /// What failed and has no name to be found by is found by its place.
    fn found_at(self, place: &Place) -> Self {
        match self {
            Self::Failed(record, failure) => {
                let failure = at_place(&record, place, failure);
                Self::Failed(record, failure)
            }
            other => other,
        }
    }

    fn of_read(
        read: Result<Record, (Record, Failure)>,
        serve: impl FnOnce(&mut Record) -> Result<(), Failure>,
    ) -> Self {
        match read {
            Err((record, failure)) => Self::Failed(record, failure),
            Ok(record) => Self::of_record(record, serve),
        }
    }

    /// The record, however it went.
    pub fn into_record(self) -> Record {
        match self {
            Self::Served(record) | Self::Failed(record, _) | Self::Passed(record) => record,
        }
    }

    /// The same for a record that has been read already.
    pub fn of_record(record: Record, serve: impl FnOnce(&mut Record) -> Result<(), Failure>) -> Self {
        if record.is_marked() {
            return Self::Passed(record);
        }
        let mut served = record.clone();
        match serve(&mut served) {
            Ok(()) => Self::Served(served),
            Err(failure) => Self::Failed(record, failure),
        }
    }
}

/// Writes outcomes and keeps count of them.
pub struct Sink<'a> {
    output: &'a mut Output,
    common: &'a Common,
    status: Status,
    /// How many that are marked were handed on.
    passed: u64,
    /// How many that are marked weren't, since there is no place for them.
    left_out: u64,
}

impl<'a> Sink<'a> {
    /// Nothing written yet.
    pub fn new(output: &'a mut Output, common: &'a Common) -> Self {
        Self { output, common, status: Status::Done, passed: 0, left_out: 0 }
    }

    /// Writes one outcome; a failure is said on stderr. `Break` when the user
    /// wants to stop at the first failure.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn write(&mut self, outcome: Outcome) -> Result<ControlFlow<()>, OutputError> {
        let flow = self.count(&outcome);
        match outcome {
            Outcome::Served(record) => self.output.record(&record)?,
            Outcome::Passed(record) => {
                self.passed += 1;
                self.output.record(&record)?;
            }
            Outcome::Failed(mut record, failure) => {
                record.mark(messages::tool(), &failure);
                self.output.record(&record)?;
            }
        }
        Ok(flow)
    }

    /// Counts and tells an outcome, but writes nothing: for output that has no
    /// place for records.
    pub fn note(&mut self, outcome: &Outcome) -> ControlFlow<()> {
        self.left_out += u64::from(matches!(outcome, Outcome::Passed(_)));
        self.count(outcome)
    }

    fn count(&mut self, outcome: &Outcome) -> ControlFlow<()> {
        match outcome {
            Outcome::Served(_) => {}
            Outcome::Passed(_) => self.status = self.status.and(Status::RecordsFailed),
            Outcome::Failed(record, failure) => {
                self.tell(record, failure);
                if self.common.fail_fast {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Says a failure: of the record, or once for all records that the set-up fails.
    fn tell(&mut self, record: &Record, failure: &Failure) {
        if !failure.set_up {
            tell(record, failure);
            self.status = self.status.and(Status::RecordsFailed);
        } else if self.status != Status::WrongSetUp {
            messages::error(&failure.message);
            self.status = Status::WrongSetUp;
        }
    }

    /// Writes a line that is no record.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn line(&mut self, line: impl std::fmt::Display) -> Result<(), OutputError> {
        self.output.line(line)
    }

    /// The writer itself, for lines of records that were served.
    pub fn output(&mut self) -> &mut Output {
        self.output
    }

    /// Hands on what has been written so far.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn flush(&mut self) -> Result<(), OutputError> {
        self.output.flush()
    }

    /// Flushes, and says how it went.
    ///
    /// # Errors
    /// When stdout is closed or full.
    pub fn finish(self) -> Result<Status, OutputError> {
        self.output.flush()?;
        match self.passed {
            0 => {}
            1 => messages::warn("1 record that failed in an earlier step handed on as it was"),
            n => {
                messages::warn(format_args!(
                    "{n} records that failed in an earlier step handed on as they were"
                ));
            }
        }
        match self.left_out {
            0 => {}
            1 => messages::warn("1 record failed in an earlier step"),
            n => messages::warn(format_args!("{n} records failed in an earlier step")),
        }
        Ok(self.status)
    }
}

/// Says on stderr which record failed, and why.
pub fn tell(record: &Record, failure: &Failure) {
    messages::error(told(record, &failure.message));
}

/// The failure of a record that stood at this place, which is said if the record has no name
/// to be found by.
pub fn at_place(record: &Record, place: &Place, failure: Failure) -> Failure {
    let place = format!("{place}: ");
    if record.name().is_some() || failure.message.starts_with(&place) {
        return failure;
    }
    Failure { message: place + &failure.message, ..failure }
}

/// The message with the record's label before it, unless it says that itself: the file that
/// can't be read, or the place of what has no other name.
fn told(record: &Record, message: &str) -> String {
    let label = record.label();
    let shown = escaped(message);
    // At a place where files are named: one may be called a.
    let is_there =
        |name: &str| shown.starts_with(&format!("{name} ")) || shown.contains(&format!(" {name}: "));
    if label == Record::empty().label() || record.name().is_some_and(|name| name == label && is_there(&name))
    {
        return message.to_owned();
    }
    format!("{label}: {message}")
}

/// Serves the record on every line with `serve`, `jobs` at a time.
///
/// # Errors
/// When the lines can't be read, or stdout is closed or full.
pub fn run_lines(
    lines: impl Iterator<Item = anyhow::Result<Line>> + Send + 'static,
    jobs: usize,
    common: &Common,
    progress: &Arc<Progress>,
    serve: impl Fn(&mut Record) -> Result<(), Failure> + Send + Sync + 'static,
) -> anyhow::Result<Status> {
    let read = |line: Line| line.record().map_err(|failure| (Record::empty(), failure));
    run_reading(lines, jobs, common, progress, read, serve)
}

/// The same for lines that are not all records: `read` makes one of a line, or
/// says what goes on in its place and why. It runs beside others, as `serve` does.
///
/// # Errors
/// When the lines can't be read, or stdout is closed or full.
pub fn run_reading(
    lines: impl Iterator<Item = anyhow::Result<Line>> + Send + 'static,
    jobs: usize,
    common: &Common,
    progress: &Arc<Progress>,
    read: impl Fn(Line) -> Result<Record, (Record, Failure)> + Send + Sync + 'static,
    serve: impl Fn(&mut Record) -> Result<(), Failure> + Send + Sync + 'static,
) -> anyhow::Result<Status> {
    let mut output = Output::default();
    let mut sink = Sink::new(&mut output, common);
    let counted = Arc::clone(progress);
    let lines = lines.inspect(move |_| counted.grow(1));
    let work = move |line: anyhow::Result<Line>| {
        line.map(|line| {
            let place = line.place.clone();
            Outcome::of_read(read(line), &serve).found_at(&place)
        })
    };
    let flow = parallel::ordered(lines, jobs, work, |outcome| {
        let step = outcome.and_then(|outcome| {
            let flow = sink.write(outcome)?;
            // Whoever reads us may want to begin at once.
            sink.flush()?;
            Ok(flow)
        });
        progress.advance(1);
        match step {
            Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
            Ok(ControlFlow::Break(())) => ControlFlow::Break(Ok(())),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    });
    progress.finish();
    if let ControlFlow::Break(Err(error)) = flow {
        return Err(error);
    }
    Ok(sink.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str) -> (String, String) {
        let place = Place { source: "list.jsonl".into(), line: 3 };
        let line = Line { place, bytes: text.as_bytes().to_vec() };
        match Outcome::of(line, |_| Err(Failure::field("no offset"))) {
            Outcome::Failed(record, failure) => (told(&record, &failure.message), failure.message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_has_no_name_is_found_by_its_place() {
        let same = |text: &str| (text.to_owned(), text.to_owned());
        assert_eq!(failed(r#"{"a":1}"#), same("list.jsonl:3: no offset"));
        assert_eq!(failed("{}"), same("list.jsonl:3: no offset"));
        assert_eq!(failed("nope").1.matches("list.jsonl:3: ").count(), 1);
        let (told, message) = failed(r#"{"track_name":"alice"}"#);
        assert_eq!((&*told, &*message), ("alice: list.jsonl:3: no offset", "list.jsonl:3: no offset"));
        assert_eq!(failed(r#"{"sid":"RT1"}"#), ("RT1: no offset".into(), "no offset".into()));
    }

    #[test]
    fn a_file_is_named_once() {
        let told = |text, message| told(&Record::parse(text).unwrap(), message);
        assert_eq!(told(r#"{"path":"a"}"#, "cannot read a: No such file"), "cannot read a: No such file");
        assert_eq!(told(r#"{"path":"a"}"#, "a is empty"), "a is empty");
        assert_eq!(told(r#"{"path":"a"}"#, "this is a folder"), "a: this is a folder");
        assert_eq!(told(r#"{"sid":"RT1","path":"a"}"#, "cannot read a: gone"), "RT1: cannot read a: gone");
    }
}
