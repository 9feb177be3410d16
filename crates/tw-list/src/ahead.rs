//! Taking items from an iterator before they are asked for.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

/// An iterator that works on a thread of its own: one item lies ready and the next one
/// is under way, and no more.
///
/// The thread isn't waited for when this is dropped, since it may itself be waiting for
/// an answer that never comes: the caller is about to end the process.
pub(crate) struct Ahead<T> {
    items: Receiver<T>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Ahead<T> {
    pub(crate) fn of(items: impl Iterator<Item = T> + Send + 'static) -> Self {
        let (ready, taken) = sync_channel(1);
        let thread = thread::spawn(move || {
            for item in items {
                // Nobody wants it any more.
                if ready.send(item).is_err() {
                    break;
                }
            }
        });
        Self { items: taken, thread: Some(thread) }
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if let Ok(item) = self.items.recv() {
            return Some(item);
        }
        // No more, or a panic: that mustn't look like the end.
        if let Err(panic) = self.thread.take()?.join() {
            resume_unwind(panic);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn all_items_come_in_order() {
        assert!(Ahead::of(0..1000).eq(0..1000));
    }

    #[test]
    fn no_more_than_two_are_made_before_they_are_asked_for() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let mut items = Ahead::of((0..).inspect(|_| {
            MADE.fetch_add(1, Ordering::SeqCst);
        }));
        for taken in 0..100 {
            assert!(MADE.load(Ordering::SeqCst) <= taken + 2);
            assert_eq!(items.next(), Some(taken));
        }
    }

    #[test]
    fn a_panic_is_no_end() {
        let item = catch_unwind(|| {
            let mut items = Ahead::of((0..3).map(|n| if n < 2 { n } else { panic!("for this test") }));
            assert_eq!((items.next(), items.next()), (Some(0), Some(1)));
            items.next()
        });
        assert!(item.is_err());
    }
}
