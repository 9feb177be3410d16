//! Progress for people: a bar on a terminal, lines in a log, nothing in a pipe.

use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::{messages, terminal, time};

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum When {
    /// As a bar, when stderr is a terminal.
    #[default]
    Auto,
    /// On a terminal as a bar, elsewhere as a line from time to time.
    Always,
    /// Not at all.
    Never,
}

static WHEN: OnceLock<When> = OnceLock::new();

/// Between two lines in a log.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Says when progress is shown; the first call counts. Without one, never.
pub fn init(when: When) {
    let _ = WHEN.set(when);
}

/// The progress of one piece of work, in units whose number may grow.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    shown: Shown,
    unit: Unit,
}

/// How it is shown.
#[derive(Debug)]
enum Shown {
    Not,
    /// indicatif's template, and whether it is drawn.
    Bar {
        template: &'static str,
        drawn: Mutex<bool>,
    },
    /// When the last line was written.
    Log(Mutex<Instant>),
    Beside(Arc<Progress>),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Of a kind: "files".
    Pieces(&'static str),
    Bytes,
    Milliseconds,
}

impl Unit {
    fn amount(self, units: u64) -> String {
        match self {
            Self::Pieces(_) => units.to_string(),
            Self::Bytes => HumanBytes(units).to_string(),
            Self::Milliseconds => clock(units),
        }
    }

    /// The second of two numbers, with what they count.
    fn whole(self, units: u64) -> String {
        match self {
            Self::Pieces(kind) => format!("{units} {kind}"),
            Self::Bytes | Self::Milliseconds => self.amount(units),
        }
    }

    /// How fast it goes, where that says something.
    fn speed(self, per_second: f64) -> Option<String> {
        match self {
            Self::Pieces(_) => None,
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Self::Bytes => Some(format!("{}/s", HumanBytes(per_second as u64))),
            Self::Milliseconds => Some(ratio(per_second)),
        }
    }
}

/// How far a piece of work is.
#[derive(Debug, Clone, Copy)]
struct State {
    done: u64,
    whole: Option<u64>,
    per_second: f64,
    left: Duration,
}

/// A line of a log: "0:25 of 0:55, 4.2x, 7s left".
fn line(unit: Unit, state: State) -> String {
    let mut parts = vec![match state.whole {
        Some(whole) => format!("{} of {}", unit.amount(state.done), unit.whole(whole)),
        None => unit.whole(state.done),
    }];
    parts.extend(unit.speed(state.per_second));
    if state.whole.is_some_and(|whole| state.done < whole) {
        parts.push(format!("{:#} left", HumanDuration(state.left)));
    }
    parts.join(", ")
}

/// Milliseconds made in a second, as a multiple of real time.
fn ratio(ms_per_second: f64) -> String {
    format!("{:.1}x", ms_per_second / 1000.0)
}

/// Milliseconds as `1:02:03`, or `2:03` below an hour.
fn clock(ms: u64) -> String {
    time::clock(i64::try_from(ms).unwrap_or(i64::MAX), false)
}

impl Progress {
    /// The progress of pieces of a kind, in the plural: "files".
    pub fn pieces(kind: &'static str) -> Self {
        let progress = Self::new(0, Unit::Pieces(kind), "[{wide_bar}] {pos} of {len} {prefix}, {eta} left");
        progress.bar.set_prefix(kind);
        progress
    }

    /// Pieces of a kind that are said beside another's numbers: a terminal has one line
    /// for all. See `terminal`.
    pub fn beside(other: &Arc<Self>, kind: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Self { bar, shown: Shown::Beside(Arc::clone(other)), unit: Unit::Pieces(kind) }
    }

    /// The progress of something that comes in bytes: how many, how fast, and how
    /// long the rest of what is known so far will take.
    pub fn bytes() -> Self {
        let template = "[{wide_bar}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left{msg}";
        Self::new(0, Unit::Bytes, template)
    }

    /// The progress of something that lasts: units are its milliseconds.
    pub fn time(total: u64) -> Self {
        // The bar has what the numbers leave of the line.
        let template = "[{wide_bar}] {time} of {whole_time}, {ratio}, {eta} left{msg}";
        Self::new(total, Unit::Milliseconds, template)
    }

    /// A bar, a log, or nothing, as the user wants it.
    ///
    /// `template` is [indicatif's](https://docs.rs/indicatif); `{msg}` says what is
    /// under way. What a narrow terminal has no room for is cut off at its end.
    fn new(total: u64, unit: Unit, template: &'static str) -> Self {
        let when = WHEN.get().copied().unwrap_or(When::Never);
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let shown = match (when, stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => Shown::Not,
            (When::Always, false) => Shown::Log(Mutex::new(Instant::now())),
            (_, true) => Shown::Bar { template, drawn: Mutex::new(false) },
        };
        let progress = Self { bar, shown, unit };
        if total > 0 {
            progress.draw();
        }
        progress
    }

    /// Draws the bar, once there is work: a tool that waits for its input leaves the
    /// terminal to the one that works.
    fn draw(&self) {
        let Shown::Bar { template, drawn } = &self.shown else { return };
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if !*drawn && terminal::is_ours() {
            *drawn = true;
            let bar = messages::bars().add(self.bar.clone());
            bar.set_style(style(template));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// So many more units in all.
    pub fn grow(&self, by: u64) {
        self.bar.inc_length(by);
        self.draw();
        self.say_beside();
    }

    /// So many units that were counted won't be needed.
    pub fn shrink(&self, by: u64) {
        self.bar.dec_length(by);
        self.say_beside();
    }

    /// So many more units done.
    pub fn advance(&self, by: u64) {
        self.bar.inc(by);
        self.say_beside();
        self.log_line(false);
    }

    /// What else there is to say, after the numbers; nothing when it is empty.
    pub fn describe(&self, message: &str) {
        let message = if message.is_empty() { String::new() } else { format!(", {message}") };
        self.bar.set_message(message);
    }

    /// Takes the bar away; a log gets its last line.
    pub fn finish(&self) {
        self.log_line(true);
        self.bar.finish_and_clear();
    }

    fn say_beside(&self) {
        if let (Shown::Beside(other), Unit::Pieces(kind)) = (&self.shown, self.unit) {
            other.describe(&format!("{kind} {}/{}", self.bar.position(), self.bar.length().unwrap_or(0)));
        }
    }

    fn log_line(&self, last: bool) {
        let Shown::Log(log) = &self.shown else { return };
        let mut since = log.lock().unwrap_or_else(PoisonError::into_inner);
        if last || since.elapsed() >= LOG_INTERVAL {
            *since = Instant::now();
            let average = self.bar.position() as f64 / self.bar.elapsed().as_secs_f64().max(0.001);
            let state = State {
                done: self.bar.position(),
                whole: self.bar.length(),
                per_second: if last { average } else { self.bar.per_sec() },
                left: self.bar.eta(),
            };
            let mut line = line(self.unit, state);
            line.push_str(&self.bar.message());
            messages::line(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("ratio", |state: &ProgressState, w: &mut dyn std::fmt::Write| {
            let _ = w.write_str(&ratio(state.per_sec()));
        })
        .with_key("time", |state: &ProgressState, w: &mut dyn std::fmt::Write| {
            let _ = w.write_str(&clock(state.pos()));
        })
        .with_key("whole_time", |state: &ProgressState, w: &mut dyn std::fmt::Write| {
            let _ = w.write_str(&clock(state.len().unwrap_or(0)));
        })
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_log_are_for_people() {
        let state = State {
            done: 63_999,
            whole: Some(3_723_000),
            per_second: 4210.0,
            left: Duration::from_secs(190),
        };
        assert_eq!(line(Unit::Milliseconds, state), "1:03 of 1:02:03, 4.2x, 3m left");
        let state = State { done: 2048, whole: Some(4096), per_second: 1024.0, left: Duration::from_secs(2) };
        assert_eq!(line(Unit::Bytes, state), "2.00 KiB of 4.00 KiB, 1.00 KiB/s, 2s left");
        assert_eq!(line(Unit::Pieces("files"), state), "2048 of 4096 files, 2s left");
        assert_eq!(line(Unit::Pieces("files"), State { done: 4096, ..state }), "4096 of 4096 files");
        assert_eq!(line(Unit::Pieces("files"), State { whole: None, ..state }), "2048 files");
    }

    #[test]
    fn files_are_said_beside_their_bytes() {
        let bytes = Arc::new(Progress::bytes());
        let files = Progress::beside(&bytes, "files");
        files.grow(3);
        files.advance(1);
        assert_eq!(bytes.bar.message(), ", files 1/3");
    }
}
