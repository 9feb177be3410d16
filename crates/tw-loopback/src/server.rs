//! The two listeners, a thread for each connection, and their end.

use std::collections::HashMap;
use std::io::{self, BufWriter};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::api::MediaAnswer;
use crate::fault::{Fault, On};
use crate::log::{Host, Request};
use crate::recording::Recording;
use crate::stop::Stop;
use crate::world::World;
use crate::{ACCOUNT_SID, AUTH_TOKEN, api, storage, wire};

/// The pause after a connection that could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// A Twilio that runs until it is dropped.
#[derive(Debug)]
pub struct Twilio {
    shared: Arc<Shared>,
    base_url: String,
    storage_url: String,
    addresses: [SocketAddr; 2],
    listeners: Vec<JoinHandle<()>>,
}

/// A Twilio that is being set up; made by [`Twilio::builder`].
#[derive(Debug, Default)]
pub struct Builder {
    world: World,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    stop: Stop,
    open: Mutex<HashMap<SocketAddr, TcpStream>>,
}

impl Builder {
    /// Serves this recording, its room and its participant.
    #[must_use]
    pub fn recording(mut self, recording: Recording) -> Self {
        self.world.add(recording);
        self
    }

    /// Serves these recordings, in this order.
    #[must_use]
    pub fn recordings(mut self, recordings: impl IntoIterator<Item = Recording>) -> Self {
        recordings.into_iter().for_each(|one| self.world.add(one));
        self
    }

    /// Knows this room, though it may have no recordings.
    #[must_use]
    pub fn room(mut self, room_sid: &str) -> Self {
        self.world.add_room(room_sid);
        self
    }

    /// Lets something go wrong; see [`On`] for when.
    #[must_use]
    pub fn fault(mut self, on: On, fault: Fault) -> Self {
        self.world.faults.add(on, fault);
        self
    }

    /// How `Media` answers; [`MediaAnswer::Redirect`], if not said.
    #[must_use]
    pub fn media_answer(mut self, answer: MediaAnswer) -> Self {
        self.world.media_answer = answer;
        self
    }

    /// Listens on two ports of the system's choice.
    ///
    /// # Errors
    /// Where the system has no port or no thread to give.
    pub fn start(self) -> io::Result<Twilio> {
        let api = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let storage = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addresses = [api.local_addr()?, storage.local_addr()?];
        let [base_url, storage_url] = addresses.map(|address| format!("http://{address}"));

        let mut world = self.world;
        world.base_url.clone_from(&base_url);
        world.storage_url.clone_from(&storage_url);
        let mut twilio = Twilio {
            shared: Arc::new(Shared {
                world: Mutex::new(world),
                stop: Stop::default(),
                open: Mutex::default(),
            }),
            base_url,
            storage_url,
            addresses,
            listeners: Vec::new(),
        };
        for (listener, host) in [(api, Host::Api), (storage, Host::Storage)] {
            let shared = Arc::clone(&twilio.shared);
            let thread = std::thread::Builder::new().spawn(move || shared.listen(&listener, host))?;
            twilio.listeners.push(thread);
        }
        Ok(twilio)
    }
}

impl Twilio {
    /// Nothing to serve yet.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`, for `TWILIO_BASE_URL`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The storage host, on another port.
    #[must_use]
    pub fn storage_url(&self) -> &str {
        &self.storage_url
    }

    /// The environment of a tool that is to use this Twilio.
    #[must_use]
    pub fn env(&self) -> [(&'static str, &str); 3] {
        [
            ("TWILIO_BASE_URL", &self.base_url),
            ("TWILIO_ACCOUNT_SID", ACCOUNT_SID),
            ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
        ]
    }

    /// Serves one more recording from now on.
    pub fn add(&self, recording: Recording) {
        self.shared.world().add(recording);
    }

    /// Lets something go wrong from now on, after the faults already given.
    pub fn fault(&self, on: On, fault: Fault) {
        self.shared.world().faults.add(on, fault);
    }

    /// All signed URLs given out so far expire now.
    pub fn expire_signed_urls(&self) {
        self.shared.world().expire_signed_urls();
    }

    /// All requests so far, in the order in which they came in.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.world().log.clone()
    }

    /// How many requests so far are meant by `on`, whose [`On::first`] and
    /// [`On::after`] don't matter here.
    #[must_use]
    pub fn count(&self, on: &On) -> usize {
        let world = self.shared.world();
        world.log.iter().filter(|request| on.matches(request)).count()
    }

    /// Whether credentials ever came to the storage host.
    #[must_use]
    pub fn credentials_leaked(&self) -> bool {
        let world = self.shared.world();
        world.log.iter().any(|request| request.host == Host::Storage && request.authorized())
    }
}

impl Drop for Twilio {
    fn drop(&mut self) {
        self.shared.stop.say();
        for address in self.addresses {
            // Wakes the listener, which then sees that it should stop.
            drop(TcpStream::connect(address));
        }
        for connection in self.shared.open().values() {
            // One that the client has closed already is no matter.
            let _ = connection.shutdown(Shutdown::Both);
        }
        for listener in self.listeners.drain(..) {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SocketAddr, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, listener: &TcpListener, host: Host) {
        std::thread::scope(|threads| {
            while !self.stop.is_said() {
                match listener.accept() {
                    Ok((stream, peer)) => {
                        threads.spawn(move || self.connection(&stream, peer, host));
                    }
                    // A client that gave up while it waited, or no file descriptor
                    // left: the next one may fare better, a little later.
                    Err(_) => {
                        self.stop.wait(Some(ACCEPT_AGAIN));
                    }
                }
            }
        });
    }

    fn connection(&self, stream: &TcpStream, peer: SocketAddr, host: Host) {
        let Ok(handle) = stream.try_clone() else {
            return;
        };
        self.open().insert(peer, handle);
        // Said between the accepting and the inserting, nobody would wake us.
        if !self.stop.is_said() {
            // A client that breaks off is nothing to report: tests kill clients.
            let _ = self.serve(stream, host);
        }
        // The handle goes first: the last one to go closes the connection.
        self.open().remove(&peer);
    }

    fn serve(&self, stream: &TcpStream, host: Host) -> io::Result<()> {
        // Heads and small bodies go out at once.
        stream.set_nodelay(true)?;
        let mut pending = Vec::new();
        let mut out = BufWriter::with_capacity(wire::AT_ONCE, stream);
        while let Some(request) = wire::read_request(stream, &mut pending, host)? {
            let answer = self.answer(&request);
            if !wire::send(&mut out, &request, answer, &self.stop)? {
                break;
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> crate::answer::Answer {
        let mut world = self.world();
        world.log.push(request.clone());
        let fault = world.faults.take(request);
        let answer = match request.host {
            Host::Api => api::answer(&mut world, request, fault.as_ref()),
            Host::Storage => storage::answer(&mut world, request, fault.as_ref()),
        };
        match &fault {
            Some(fault) => answer.spoilt(fault, request),
            None => answer,
        }
    }
}
