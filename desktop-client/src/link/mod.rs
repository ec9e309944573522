//! The connection to a server: two threads, two bounded queues, and a closure that wakes the
//! window once per batch of news.
//!
//! 1. `link-read` connects and agrees on keys, then reads lines and queues them in batches; a full
//!    queue makes it stop reading, so a flood presses back on the server.
//! 2. `link-write` waits for requests and writes them, once the keys are agreed on.
//! 3. Dropping the [`Link`] closes the socket and both queues, which ends both threads at once;
//!    only a name that is being looked up cannot be interrupted, so that has a thread of its own
//!    that nobody waits for.
//!
//! Invariant: no retry, no timer and no state of the conversation in here; those are the model's.
//! Nor is there a way from encrypted to plain: the address says which of both it is.

mod connect;
mod handshake;
mod lines;
mod pinned;
mod wire;

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, OnceLock};

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use parlor_shared::{Fingerprint, RequestFrame};

use crate::model::limits::{LINK_BATCHES, LINK_REQUESTS};
use crate::model::{Address, Closed, LinkId, LinkNews};
use crate::threads::{self, Joined};
use wire::Wire;

pub use lines::Lines;

/// Called once per batch of news, from another thread.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// One connection, from the first try to its end.
pub struct Link {
    id: LinkId,
    requests: Option<Sender<RequestFrame>>,
    batches: Option<Receiver<Vec<LinkNews>>>,
    /// The batch that is being handed out.
    batch: VecDeque<LinkNews>,
    /// Dropped, it ends a connection that is still being made.
    stop: Option<Sender<()>>,
    stream: Arc<OnceLock<Arc<TcpStream>>>,
    /// Joined when the link is dropped, after everything above was closed.
    threads: Vec<Joined>,
}

impl Link {
    /// Begins to connect. The outcome comes as news. With a `pin`, nothing is sent to whoever has
    /// another key.
    ///
    /// # Errors
    /// The system has no room for two more threads.
    pub fn open(
        id: LinkId,
        address: Address,
        pin: Option<Fingerprint>,
        wake: Waker,
    ) -> io::Result<Self> {
        let (to_write, requests) = bounded(LINK_REQUESTS);
        let (to_window, batches) = bounded(LINK_BATCHES);
        let (stop, stopped) = bounded(0);
        let (to_writer, connected) = bounded::<Arc<Wire>>(1);
        let stream = Arc::new(OnceLock::new());
        let writer = threads::start("link-write", move || {
            if let Ok(wire) = connected.recv() {
                wire.write(&requests);
            }
        })?;
        let shared = Arc::clone(&stream);
        let reader = threads::start("link-read", move || {
            let tell = |news: Vec<LinkNews>| {
                let is_heard = to_window.send(news).is_ok();
                wake();
                is_heard
            };
            let closed = match begin(&address, pin, &shared, &stopped) {
                Err(closed) => closed,
                Ok((wire, key)) => {
                    let wire = Arc::new(wire);
                    let is_wanted = to_writer.send(Arc::clone(&wire)).is_ok()
                        && tell(vec![LinkNews::Connected { key }]);
                    if !is_wanted {
                        return;
                    }
                    lines::read(&wire, tell)
                }
            };
            tell(vec![LinkNews::Closed(closed)]);
            if let Some(stream) = shared.get() {
                close(stream);
            }
        })?;
        Ok(Self {
            id,
            requests: Some(to_write),
            batches: Some(batches),
            batch: VecDeque::new(),
            stop: Some(stop),
            stream,
            threads: vec![reader, writer],
        })
    }

    /// What its news are told apart by.
    #[must_use]
    pub fn id(&self) -> LinkId {
        self.id
    }

    /// Queues a request. Where the server has not read the last thousand of them, the connection
    /// is ended: the model resends what is unanswered on the next one.
    pub fn send(&self, request: RequestFrame) {
        let Some(requests) = &self.requests else { return };
        match requests.try_send(request) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                if let Some(stream) = self.stream.get() {
                    close(stream);
                }
            }
        }
    }

    /// The next piece of news, if there is one. Never waits.
    pub fn try_recv(&mut self) -> Option<LinkNews> {
        if self.batch.is_empty() {
            self.batch = self.batches.as_ref()?.try_recv().ok()?.into();
        }
        self.batch.pop_front()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // In this order: a reader that connects right now sees either the closed `stop` or has
        // its stream closed here.
        self.stop = None;
        if let Some(stream) = self.stream.get() {
            close(stream);
        }
        self.requests = None;
        self.batches = None;
        self.threads.clear();
    }
}

/// From an address to a connection that can be spoken over, and the key at its other end.
fn begin(
    address: &Address,
    pin: Option<Fingerprint>,
    shared: &OnceLock<Arc<TcpStream>>,
    stopped: &Receiver<()>,
) -> Result<(Wire, Option<Fingerprint>), Closed> {
    let (stream, deadline) = connect::connect(address, stopped)?;
    let stream = Arc::new(stream);
    // Whoever drops the link from now on closes this stream.
    let is_first = shared.set(Arc::clone(&stream)).is_ok();
    debug_assert!(is_first, "a link connects once");
    if stopped.try_recv() != Err(TryRecvError::Empty) {
        return Err(Closed::Lost);
    }
    if address.is_plain {
        return Ok((Wire::new(stream, None), None));
    }
    let (tls, key) = handshake::shake_hands(&stream, address, pin, deadline)?;
    Ok((Wire::new(stream, Some(tls)), Some(key)))
}

/// Ends a connection in both directions, which wakes whoever waits for it.
fn close(stream: &TcpStream) {
    // An error means that it was closed already, which is what is wanted.
    if let Err(error) = stream.shutdown(Shutdown::Both) {
        log::trace!("closing the connection: {error}");
    }
}
