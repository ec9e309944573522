//! Outgoing bytes: a few threads that send what was committed to those who may hear it, and
//! never wait for any of them.
//!
//! The contract:
//! 1. A connection MUST be opened here before anything is posted to it or released to it.
//! 2. One thread owns a connection, from [`Delivery::open`] to its end: `id % threads`.
//! 3. Letters to one thread are read in the order in which they were put; what one commit
//!    released is one letter, put by the hub only, before the next commit is.
//! 4. Of one batch a connection hears its replies, then the chunks, then its end.
//! 5. Who listens changes only by [`Change`]s, at their place in the chunk's bytes. A connection
//!    that starts at `o` hears `bytes[o..]`, one that stops at `o` hears `bytes[..o]`.
//! 6. A delivery thread MUST NOT wait for a socket, for the hub, for a connection's thread or
//!    for another delivery thread. It waits in one poll, for readiness, a waker and a time. Only
//!    a [`Seal`]'s lock may keep it for as long as a reader computes, see 12.
//! 7. It MUST NOT send to the hub. To cut a connection it shuts the socket down; the
//!    connection's own thread reads the end and reports it.
//! 8. What waits is bounded: per connection by `queue_bytes`, besides one answer whose sender
//!    waits for it, and whatever came first to an empty queue; for all by `queue_bytes_total`;
//!    in letters by `delivery_inbox` and 8 MiB for each thread.
//! 9. A reader is slow when the kernel refuses more for it and either more than `queue_bytes`
//!    would wait, or it took no byte for `stuck_millis`. It is cut: what waits is dropped, both
//!    directions are shut down. Nothing is lost: it comes back with its cursor.
//! 10. Connections that are not known (any more) are passed over in silence: everything that
//!     refers to a connection can be late.
//! 11. [`Delivery::stop`] MUST come after the last batch. What is put later is dropped.
//!
//! Where TLS is spoken, the reader and the delivery thread share a [`Seal`]:
//! 12. Its lock MUST NOT be held across anything that can wait: the reader reads raw bytes before
//!     it locks and gives plaintext on after it has unlocked; the delivery thread seals and makes
//!     one send that does not wait.
//! 13. Only the delivery thread sends. What the reader causes (an alert) stays in the seal, and
//!     the reader MUST then call [`Delivery::rouse`].
//! 14. Plaintext MUST be sealed only when the kernel has taken all that was sealed before, and at
//!     most [`SEAL_BYTES`] of it. It stays in the queue, and counts, until all of that is taken.
//! 15. The last thing sealed is a `close_notify`, behind all that waits; then the writing side is
//!     shut down as that of a plain connection. One that is cut gets none.

mod connections;
mod inbox;
mod listeners;
mod queue;
mod seal;
mod thread;

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use mio::{Poll, Waker};
use parlor_shared::{Limits, ServerFrame};

use crate::chat::{ConnectionId, Topic};
use crate::threads;
use inbox::{Inbox, Letter, Released};
use queue::Shared;
pub use seal::{Opened, SEAL_BYTES, Seal};
use thread::{DeliveryThread, WOKEN};

/// A reply before it is encoded counts this much in an inbox: most are shorter.
const REPLY_WEIGHT: usize = 256;

/// What one commit released.
#[derive(Debug, Default)]
pub struct Batch {
    /// Answers to those who asked; each connection's in order.
    pub replies: Vec<(ConnectionId, ServerFrame)>,
    /// What is heard, at most one chunk for each topic.
    pub chunks: Vec<Chunk>,
    /// Connections that end after hearing all of it.
    pub closes: Vec<ConnectionId>,
    /// Connections that end in both directions after hearing all of it, whether their client
    /// hangs up or not.
    pub expels: Vec<ConnectionId>,
}

/// All events of one topic in one commit, encoded once, and who started or stopped listening in
/// between.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub topic: Topic,
    pub bytes: Arc<[u8]>,
    /// In ascending order of [`Change::at`]; of equal places, in the order given.
    pub changes: Vec<Change>,
}

/// A connection starts or stops listening to a topic. Both are allowed to say nothing new.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Change {
    /// Byte offset in the chunk, between two events.
    pub at: usize,
    pub connection: ConnectionId,
    pub listens: bool,
}

/// How delivery stands: for logs and figures, not exact to the moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DeliveryFigures {
    /// Connections that are open here.
    pub connections: u64,
    /// Bytes held for readers that the kernel takes no more for; shared ones once.
    pub queued_bytes: u64,
    /// Readers cut for slowness since the start.
    pub cut_slow: u64,
    /// Bytes that the kernel took since the start.
    pub bytes_sent: u64,
    /// Calls in which it took them.
    pub sends: u64,
}

/// What the delivery threads share with each other and with those who post.
#[derive(Debug)]
struct Board {
    inboxes: Vec<Inbox>,
    /// Each thread's longest queue, while the total is near its limit.
    longest: Vec<AtomicU64>,
    queue_bytes: usize,
    queue_bytes_total: u64,
    stuck: Duration,
    connections: AtomicU64,
    queued_bytes: Arc<AtomicU64>,
    cut_slow: AtomicU64,
    bytes_sent: AtomicU64,
    sends: AtomicU64,
}

/// The way to the delivery threads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Delivery {
    board: Arc<Board>,
}

impl Delivery {
    /// Starts `threads` threads called `deliver-K`. They end only after [`Self::stop`].
    ///
    /// # Errors
    /// When the operating system has no thread, poll or waker to give.
    pub fn start(threads: usize, limits: &Arc<Limits>) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let mut sides = Vec::new();
        let mut inboxes = Vec::new();
        for _ in 0..threads.max(1) {
            let poll = Poll::new()?;
            let waker = Waker::new(poll.registry(), WOKEN)?;
            let capacity = usize::try_from(limits.delivery_inbox).unwrap_or(usize::MAX).max(1);
            let (sender, receiver) = crossbeam_channel::bounded(capacity);
            inboxes.push(Inbox::new(sender, waker));
            sides.push((receiver, poll));
        }
        let board = Arc::new(Board {
            longest: inboxes.iter().map(|_| AtomicU64::new(0)).collect(),
            inboxes,
            queue_bytes: usize::try_from(limits.queue_bytes).unwrap_or(usize::MAX),
            queue_bytes_total: limits.queue_bytes_total,
            stuck: Duration::from_millis(limits.stuck_millis),
            connections: AtomicU64::new(0),
            queued_bytes: Arc::default(),
            cut_slow: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            sends: AtomicU64::new(0),
        });
        let delivery = Self { board };
        let mut handles = Vec::new();
        for (index, (receiver, poll)) in sides.into_iter().enumerate() {
            let board = Arc::clone(&delivery.board);
            let started = DeliveryThread::new(index, receiver, poll, board)
                .and_then(|it| threads::start(format!("deliver-{index}"), move || it.run()));
            match started {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    // Those that run already must not be left behind.
                    delivery.stop(Instant::now());
                    return Err(error);
                }
            }
        }
        Ok((delivery, handles))
    }

    /// Registers a connection; first of all that is said about it. Its socket gets
    /// `TCP_NODELAY`, and on Windows stops blocking. What is sent on it goes through `seal`.
    pub fn open(&self, connection: ConnectionId, socket: Arc<TcpStream>, seal: Option<Arc<Seal>>) {
        self.put(connection, Letter::Open(connection, socket, seal));
    }

    /// From a connection's own thread: reading has left something in its seal that is to be sent.
    pub fn rouse(&self, connection: ConnectionId) {
        self.put(connection, Letter::Rouse(connection));
    }

    /// From the hub: what one commit released. Waits only while a delivery thread is behind by
    /// a whole inbox.
    pub fn batch(&self, batch: Batch) {
        let weight = batch.replies.len() * REPLY_WEIGHT
            + batch.chunks.iter().map(|it| it.bytes.len()).sum::<usize>();
        let share = |it: Chunk| (it.topic, Arc::new(Shared::new(it.bytes)), it.changes);
        let released = Arc::new(Released {
            replies: batch.replies,
            chunks: batch.chunks.into_iter().map(share).collect(),
            closes: batch.closes,
            expels: batch.expels,
        });
        for inbox in &self.board.inboxes {
            inbox.put(Letter::Batch(Arc::clone(&released), weight));
        }
        // Given up here so that the last delivery thread frees it, and not the hub.
        drop(released);
        for inbox in &self.board.inboxes {
            inbox.wake();
        }
    }

    /// From a connection's own thread: encoded lines for it alone. `done` is dropped when the
    /// last byte went to the kernel or the connection is gone; who waits for that before it asks
    /// for more (as after a history page) may send an answer of any size.
    pub fn post(&self, connection: ConnectionId, bytes: Vec<u8>, done: Option<Sender<()>>) {
        self.put(connection, Letter::Answer { connection, bytes, done });
    }

    /// Ends a connection after what waits for it: then its writing side is shut down. The other
    /// side is read by the connection's own thread until its client is done too.
    pub fn close(&self, connection: ConnectionId) {
        self.put(connection, Letter::Close(connection));
    }

    /// Ends every connection as [`Self::close`] does, and those that are not done at `deadline`
    /// at once; then the threads end. Returns before that: join their handles.
    pub fn stop(&self, deadline: Instant) {
        for inbox in &self.board.inboxes {
            inbox.put(Letter::Stop(deadline));
            inbox.wake();
        }
    }

    /// How delivery stands.
    #[must_use]
    pub fn figures(&self) -> DeliveryFigures {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        DeliveryFigures {
            connections: read(&self.board.connections),
            queued_bytes: read(&self.board.queued_bytes),
            cut_slow: read(&self.board.cut_slow),
            bytes_sent: read(&self.board.bytes_sent),
            sends: read(&self.board.sends),
        }
    }

    fn put(&self, connection: ConnectionId, letter: Letter) {
        let inboxes = &self.board.inboxes;
        // The remainder is below the number of threads.
        let inbox = &inboxes[(connection.0 % inboxes.len() as u64) as usize];
        inbox.put(letter);
        inbox.wake();
    }
}
