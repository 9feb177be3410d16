//! The word to stop, which anything that waits can hear.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Said once, heard by all.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    said: Mutex<bool>,
    heard: Condvar,
}

impl Stop {
    pub(crate) fn say(&self) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    pub(crate) fn is_said(&self) -> bool {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is said, or so long; says whether it was.
    pub(crate) fn wait(&self, at_most: Option<Duration>) -> bool {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match at_most {
            Some(time) => {
                let waited = self.heard.wait_timeout_while(said, time, |said| !*said);
                *waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => *self.heard.wait_while(said, |said| !*said).unwrap_or_else(PoisonError::into_inner),
        }
    }
}
