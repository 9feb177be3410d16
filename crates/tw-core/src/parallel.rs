//! Work side by side, results in the order of the input.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How many items may be under way or done and waiting for one before them. A
/// slow one at the head holds the others up only when this many have piled up.
const WINDOW: usize = 1024;

/// Runs `work` on each item on `jobs` threads, and `emit` on each result in the
/// order of the items, as soon as its turn has come. `emit` can break off: then
/// no further item is begun.
///
/// The threads are not joined when `emit` breaks off, since one of them may be
/// waiting for a line that never comes: the caller is about to end the process.
pub fn ordered<T, R, B>(
    items: impl Iterator<Item = T> + Send + 'static,
    jobs: usize,
    work: impl Fn(T) -> R + Send + Sync + 'static,
    mut emit: impl FnMut(R) -> ControlFlow<B>,
) -> ControlFlow<B>
where
    T: Send + 'static,
    R: Send + 'static,
{
    type Job<T, R> = (T, SyncSender<R>);
    // As far ahead as the window: whoever counts the items sees the total early.
    let (jobs_in, jobs_out) = sync_channel::<Job<T, R>>(WINDOW);
    let (order_in, order_out) = sync_channel::<Receiver<R>>(WINDOW);

    thread::spawn(move || {
        for item in items {
            let (result_in, result_out) = sync_channel(1);
            // Nobody listens any more when `emit` has broken off.
            if order_in.send(result_out).is_err() || jobs_in.send((item, result_in)).is_err() {
                break;
            }
        }
    });

    let work = Arc::new(work);
    let jobs_out = Arc::new(Mutex::new(jobs_out));
    for _ in 0..jobs.max(1) {
        let (work, jobs_out) = (Arc::clone(&work), Arc::clone(&jobs_out));
        thread::spawn(move || {
            loop {
                let job = jobs_out.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok((item, result)) = job else { break };
                if result.send(work(item)).is_err() {
                    break;
                }
            }
        });
    }

    for result in order_out {
        match result.recv() {
            Ok(result) => emit(result)?,
            // A worker that panicked has dropped its sender, and said so. That mustn't look
            // like an item that isn't there.
            Err(_) => resume_unwind(Box::new("a worker panicked")),
        }
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn order_is_kept_and_work_is_side_by_side() {
        // Four items must be under way at once, or the barrier never opens.
        let barrier = Barrier::new(4);
        let mut seen = Vec::new();
        let flow = ordered::<_, _, ()>(
            0..40,
            4,
            move |n| {
                barrier.wait();
                n * 2
            },
            |n| {
                seen.push(n);
                ControlFlow::Continue(())
            },
        );
        assert!(flow.is_continue());
        assert_eq!(seen, (0..40).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_is_no_end() {
        let flow = std::panic::catch_unwind(|| {
            let work = |n| if n == 2 { panic!("for this test") } else { n };
            ordered::<_, _, ()>(0..9, 2, work, |_| ControlFlow::Continue(()))
        });
        assert!(flow.is_err());
    }

    #[test]
    fn breaking_off_stops_an_endless_input() {
        let flow = ordered(
            0..,
            2,
            |n| n,
            |n| if n == 5 { ControlFlow::Break(n) } else { ControlFlow::Continue(()) },
        );
        assert_eq!(flow, ControlFlow::Break(5));
    }
}
