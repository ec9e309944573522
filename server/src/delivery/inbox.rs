//! The way into a delivery thread: a bounded queue of letters, and how its owner is woken.

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam_channel::Sender;
use mio::Waker;
use parlor_shared::ServerFrame;

use super::Change;
use super::queue::Shared;
use super::seal::Seal;
use crate::chat::{ConnectionId, Topic};

/// What a delivery thread is told.
#[derive(Debug)]
pub(super) enum Letter {
    Open(ConnectionId, Arc<TcpStream>, Option<Arc<Seal>>),
    Batch(Arc<Released>, usize),
    Answer {
        connection: ConnectionId,
        bytes: Vec<u8>,
        done: Option<Sender<()>>,
    },
    /// Its reader has caused something to be sent.
    Rouse(ConnectionId),
    Close(ConnectionId),
    Stop(Instant),
}

impl Letter {
    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Batch(_, weight) => *weight,
            Self::Answer { bytes, .. } => bytes.len(),
            Self::Open(..) | Self::Rouse(_) | Self::Close(_) | Self::Stop(_) => 0,
        }
    }
}

/// A [`super::Batch`] whose bytes can be held by many queues.
#[derive(Debug)]
pub(super) struct Released {
    pub(super) replies: Vec<(ConnectionId, ServerFrame)>,
    pub(super) chunks: Vec<(Topic, Arc<Shared>, Vec<Change>)>,
    pub(super) closes: Vec<ConnectionId>,
    pub(super) expels: Vec<ConnectionId>,
}

/// Bytes of letters that wait for one delivery thread. Letters alone bound nothing: one can
/// hold a whole commit.
///
/// 8 MiB are some milliseconds of work for the thread, so that whoever waits here waits briefly.
const WEIGHT_MAX: usize = 8 * 1024 * 1024;

/// The senders' side.
#[derive(Debug)]
pub(super) struct Inbox {
    letters: Sender<Letter>,
    waker: Waker,
    /// True from before the owner looks into the queue for the last time until it is woken.
    asleep: AtomicBool,
    /// Sum of the weights of letters that were not drained; `None` when the owner has ended.
    weight: Mutex<Option<usize>>,
    lighter: Condvar,
}

impl Inbox {
    pub(super) fn new(letters: Sender<Letter>, waker: Waker) -> Self {
        let asleep = AtomicBool::new(false);
        Self { letters, waker, asleep, weight: Mutex::new(Some(0)), lighter: Condvar::new() }
    }

    /// Puts a letter into the queue, waiting for room. Does nothing once the owner has ended.
    /// Does not wake it: [`Self::wake`] must follow.
    pub(super) fn put(&self, letter: Letter) {
        let letter_weight = letter.weight();
        if letter_weight > 0 {
            let mut weight = self.weight();
            loop {
                match &mut *weight {
                    None => return,
                    // A letter that is heavier than all may be still goes in, alone.
                    Some(it) if *it == 0 || *it + letter_weight <= WEIGHT_MAX => {
                        *it += letter_weight;
                        break;
                    }
                    Some(_) => {
                        weight = self.lighter.wait(weight).unwrap_or_else(PoisonError::into_inner);
                    }
                }
            }
        }
        // An error means that the owner has ended; then nobody is left to tell.
        drop(self.letters.send(letter));
    }

    /// Makes the owner look into its queue, unless it is about to anyway.
    ///
    /// Why no wake-up is lost: the owner stores `asleep` and then reads whether the queue is
    /// empty; a sender writes the queue and then reads `asleep`. Each has a sequentially
    /// consistent fence between its two steps, and those two fences have an order. If the
    /// sender's comes first, the owner sees the letter and does not sleep. If the owner's comes
    /// first, the sender sees `asleep` and wakes it. Both at once is harmless: the waker keeps
    /// its signal, and the next poll returns at once.
    pub(super) fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            self.rouse();
        }
    }

    /// Makes the owner go round once more, awake or not.
    pub(super) fn rouse(&self) {
        if let Err(error) = self.waker.wake() {
            log::error!("a delivery thread could not be woken: {error}");
        }
    }

    /// For the owner: sleeps in `wait` unless a letter came. The order of the two steps before
    /// it matters, see [`Self::wake`].
    pub(super) fn sleep_unless(
        &self,
        has_letters: impl FnOnce() -> bool,
        wait: impl FnOnce(bool) -> io::Result<()>,
    ) -> io::Result<()> {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let result = wait(!has_letters());
        self.asleep.store(false, Ordering::Relaxed);
        result
    }

    /// For the owner: letters of this weight were drained.
    pub(super) fn lighten(&self, by: usize) {
        if by > 0 {
            let mut weight = self.weight();
            *weight = weight.map(|it| it - by);
            drop(weight);
            self.lighter.notify_all();
        }
    }

    /// For the owner: nothing will be drained any more.
    pub(super) fn shut(&self) {
        *self.weight() = None;
        self.lighter.notify_all();
    }

    /// A thread that panicked while it held this left a number that is still right.
    fn weight(&self) -> MutexGuard<'_, Option<usize>> {
        self.weight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
