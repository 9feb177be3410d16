//! An end to waiting for a body's next bytes, whatever else comes.
//!
//! To ureq each byte on the wire is a sign of life. Extensions of chunks, and trailers, are no
//! part of the body, and a server may send them for ever.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

thread_local! {
    /// Until when this thread waits. ureq reads where it is called, but a connection doesn't show
    /// through the body that comes over it.
    static END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Does what waits for bytes of a body, for no longer than `limit`; then it fails with a
/// [`Timeout::RecvBody`].
pub(super) fn within<T>(limit: Duration, read: impl FnOnce() -> T) -> T {
    END.set(Instant::now().checked_add(limit));
    let result = read();
    END.set(None);
    result
}

/// Makes connections that keep to it.
#[derive(Debug, Default)]
pub(super) struct Bounded(DefaultConnector);

impl Connector for Bounded {
    type Out = Connection;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Connection>, Error> {
        Ok(self.0.connect(details, None)?.map(Connection))
    }
}

#[derive(Debug)]
pub(super) struct Connection(Box<dyn Transport>);

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        if let Some(end) = END.get() {
            let left = end.saturating_duration_since(Instant::now()).into();
            if left < timeout.after {
                (timeout.after, timeout.reason) = (left, Timeout::RecvBody);
            }
        }
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
