//! The connection to a server: two threads, two bounded queues, and a closure that wakes the
//! window once per batch of news.
//!
//! 1. `link-read` connects, then reads lines and queues them in batches; a full queue makes it
//!    stop reading, so a flood presses back on the server.
//! 2. `link-write` waits for requests and writes them.
//! 3. Dropping the [`Link`] closes the socket and both queues, which ends both threads at once;
//!    only a name that is being looked up cannot be interrupted, so that has a thread of its own
//!    that nobody waits for.
//!
//! Invariant: no retry, no timer and no state of the conversation in here; those are the model's.

mod connect;
mod lines;

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, OnceLock};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parlor_shared::{RequestFrame, frame};

use crate::model::limits::{LINK_BATCHES, LINK_REQUESTS, WRITE_BYTES};
use crate::model::{Address, Closed, LinkId, LinkNews};
use crate::threads::{self, Joined};

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
    stream: Arc<OnceLock<TcpStream>>,
    /// Joined when the link is dropped, after everything above was closed.
    threads: Vec<Joined>,
}

impl Link {
    /// Begins to connect. The outcome comes as news.
    ///
    /// # Errors
    /// The system has no room for two more threads.
    pub fn open(id: LinkId, address: Address, wake: Waker) -> io::Result<Self> {
        let (to_write, requests) = bounded(LINK_REQUESTS);
        let (to_window, batches) = bounded(LINK_BATCHES);
        let (stop, stopped) = bounded(0);
        let (to_writer, connected) = bounded(1);
        let stream = Arc::new(OnceLock::new());
        let writer = threads::start("link-write", move || {
            if let Ok(stream) = connected.recv() {
                write(&stream, &requests);
            }
        })?;
        let shared = Arc::clone(&stream);
        let reader = threads::start("link-read", move || {
            let tell = |news: Vec<LinkNews>| {
                let is_heard = to_window.send(news).is_ok();
                wake();
                is_heard
            };
            let closed = match connect::connect(&address, &stopped) {
                Err(closed) => closed,
                Ok(stream) => {
                    let (Ok(to_read), Ok(to_close)) = (stream.try_clone(), stream.try_clone())
                    else {
                        tell(vec![LinkNews::Closed(Closed::Lost)]);
                        return;
                    };
                    // Whoever drops the link from now on closes this stream.
                    let is_first = shared.set(to_close).is_ok();
                    debug_assert!(is_first, "a link connects once");
                    let is_wanted = stopped.try_recv()
                        == Err(crossbeam_channel::TryRecvError::Empty)
                        && to_writer.send(stream).is_ok()
                        && tell(vec![LinkNews::Connected]);
                    if !is_wanted {
                        return;
                    }
                    lines::read(&to_read, tell)
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

/// Ends a connection in both directions, which wakes whoever waits for it.
fn close(stream: &TcpStream) {
    // An error means that it was closed already, which is what is wanted.
    if let Err(error) = stream.shutdown(Shutdown::Both) {
        log::trace!("closing the connection: {error}");
    }
}

/// Writes what is queued, as much as there is at once, until the link or the connection ends.
fn write(mut stream: &TcpStream, requests: &Receiver<RequestFrame>) {
    let mut bytes = Vec::new();
    while let Ok(first) = requests.recv() {
        bytes.clear();
        frame::encode_line(&first, &mut bytes);
        while bytes.len() < WRITE_BYTES
            && let Ok(next) = requests.try_recv()
        {
            frame::encode_line(&next, &mut bytes);
        }
        if let Err(error) = stream.write_all(&bytes) {
            log::debug!("writing to the server: {error}");
            close(stream);
            return;
        }
    }
}
