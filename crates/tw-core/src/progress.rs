//! Progress for people: a bar on a terminal, lines in a log, nothing in a pipe.

use std::fmt::Write as _;
use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::{messages, terminal};

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
///
/// `template` is [indicatif's](https://docs.rs/indicatif); `{msg}` says what is
/// under way. It should fit into 72 columns: see `terminal`.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    log: Option<Mutex<Instant>>,
    unit: Unit,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Pieces,
    Bytes,
    Milliseconds,
}

impl Unit {
    fn amount(self, units: u64) -> String {
        match self {
            Self::Pieces => units.to_string(),
            Self::Bytes => HumanBytes(units).to_string(),
            Self::Milliseconds => clock(units),
        }
    }
}

/// Milliseconds as `1:02:03`, or `2:03` below an hour.
fn clock(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

impl Progress {
    /// A bar, a log, or nothing, as the user wants it.
    pub fn new(total: Option<u64>, template: &str) -> Self {
        let when = WHEN.get().copied().unwrap_or(When::Never);
        let on_terminal = stderr().is_terminal();
        let shown = when != When::Never && on_terminal && terminal::is_ours();
        let log = (when == When::Always && !on_terminal).then(|| Mutex::new(Instant::now()));
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        if shown {
            let bar = messages::bars().add(bar);
            bar.set_style(style(template));
            bar.enable_steady_tick(Duration::from_millis(200));
            return Self { bar, log: None, unit: Unit::Pieces };
        }
        Self { bar, log, unit: Unit::Pieces }
    }

    /// The progress of something that comes in bytes: how many, how fast, and how
    /// long the rest of what is known so far will take.
    pub fn bytes() -> Self {
        let template = "[{bar:16}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        let mut progress = Self::new(Some(0), template);
        progress.unit = Unit::Bytes;
        progress
    }

    /// The progress of something that lasts: units are its milliseconds.
    pub fn time(total: u64, doing: &str) -> Self {
        let template =
            format!("{doing} [{{bar:16}}] {{time}} of {{whole_time}}, {{ratio}}, {{eta}} left{{msg}}");
        let mut progress = Self::new(Some(total), &template);
        progress.unit = Unit::Milliseconds;
        progress
    }

    /// So many more units in all.
    pub fn grow(&self, by: u64) {
        self.bar.inc_length(by);
    }

    /// So many units that were counted won't be needed.
    pub fn shrink(&self, by: u64) {
        self.bar.dec_length(by);
    }

    /// So many more units done.
    pub fn advance(&self, by: u64) {
        self.bar.inc(by);
        self.log_line(false);
    }

    /// So many units done.
    pub fn set(&self, to: u64) {
        self.bar.set_position(to);
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

    fn log_line(&self, last: bool) {
        let Some(log) = &self.log else { return };
        let mut since = log.lock().unwrap_or_else(PoisonError::into_inner);
        if last || since.elapsed() >= LOG_INTERVAL {
            *since = Instant::now();
            let mut line = self.unit.amount(self.bar.position());
            if let Some(total) = self.bar.length() {
                let _ = write!(line, " of {}", self.unit.amount(total));
            }
            let message = self.bar.message();
            line.push_str(&message);
            messages::error(line);
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
            let _ = write!(w, "{:.1}x", state.per_sec() / 1000.0);
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
    fn amounts_are_for_people() {
        assert_eq!(Unit::Pieces.amount(1234), "1234");
        assert_eq!(Unit::Bytes.amount(2048), "2.00 KiB");
        assert_eq!(Unit::Milliseconds.amount(63_999), "1:03");
        assert_eq!(Unit::Milliseconds.amount(3_723_000), "1:02:03");
    }
}
