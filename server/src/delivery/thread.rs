//! A delivery thread's round: read all letters, send, see to slow readers, sleep.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use mio::{Events, Poll, Token};

use super::Board;
use super::connections::{Connections, Progress};
use super::inbox::{Inbox, Letter};
use crate::chat::ConnectionId;

/// The waker's token; places of connections stay far below.
pub(super) const WOKEN: Token = Token(usize::MAX);

/// A round reads letters up to this many bytes before it sends: more would only make the first
/// wait for the last, and leave the processor's cache in between.
const ROUND_BYTES: usize = 256 * 1024;

/// Below this part of the total limit nobody needs to know who has the most.
const TOTAL_IS_NEAR: u64 = 8;

/// One `deliver-K` thread.
#[derive(Debug)]
pub(super) struct DeliveryThread {
    index: usize,
    letters: Receiver<Letter>,
    poll: Poll,
    board: Arc<Board>,
    connections: Connections,
    /// When to look at a reader that something waits for: at most one entry for each.
    looks: BinaryHeap<Reverse<(Instant, ConnectionId)>>,
    /// Set by [`Letter::Stop`]: the end, at the latest.
    stop_at: Option<Instant>,
}

impl DeliveryThread {
    pub(super) fn new(
        index: usize,
        letters: Receiver<Letter>,
        poll: Poll,
        board: Arc<Board>,
    ) -> io::Result<Self> {
        let connections = Connections::new(poll.registry().try_clone()?, Arc::clone(&board));
        let looks = BinaryHeap::new();
        Ok(Self { index, letters, poll, board, connections, looks, stop_at: None })
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        loop {
            self.connections.now = Instant::now();
            self.read_letters();
            self.look_at_slow_readers();
            self.settle();
            self.relieve();
            if self.stop_at.is_some_and(|at| at <= self.connections.now)
                || (self.stop_at.is_some() && self.connections.is_empty())
            {
                return;
            }
            if let Err(error) = self.sleep(&mut events) {
                log::error!("delivery thread {} ends: {error}", self.index);
                return;
            }
        }
    }

    fn inbox(&self) -> &Inbox {
        &self.board.inboxes[self.index]
    }

    fn read_letters(&mut self) {
        let mut bytes = 0;
        while bytes < ROUND_BYTES
            && let Ok(letter) = self.letters.try_recv()
        {
            let weight = letter.weight();
            bytes += weight;
            self.read(letter);
            self.inbox().lighten(weight);
        }
    }

    fn read(&mut self, letter: Letter) {
        let threads = self.board.inboxes.len() as u64;
        let is_mine = |id: ConnectionId| id.0 % threads == self.index as u64;
        match letter {
            Letter::Open(id, socket, seal) => {
                self.connections.open(id, socket, seal);
                if self.stop_at.is_some() {
                    self.connections.close(id);
                }
            }
            Letter::Batch(released, _) => {
                for (id, reply) in released.replies.iter().filter(|it| is_mine(it.0)) {
                    self.connections.reply(*id, reply);
                }
                // When more waits to be read, one send for all of it is better than each at once.
                let is_alone = released.chunks.len() == 1 && self.letters.is_empty();
                for (topic, shared, changes) in &released.chunks {
                    let changes = changes.iter().filter(|it| is_mine(it.connection)).copied();
                    self.connections.chunk(*topic, shared, changes, is_alone);
                }
                for id in released.closes.iter().filter(|it| is_mine(**it)) {
                    self.connections.close(*id);
                }
                for id in released.expels.iter().filter(|it| is_mine(**it)) {
                    self.connections.expel(*id);
                }
            }
            Letter::Answer { connection, bytes, done } => {
                self.connections.answer(connection, bytes, done);
            }
            Letter::Rouse(id) => self.connections.rouse(id),
            Letter::Close(id) => self.connections.close(id),
            Letter::Stop(deadline) => {
                self.stop_at = Some(deadline);
                self.connections.close_all();
            }
        }
    }

    fn settle(&mut self) {
        let looks = &mut self.looks;
        self.connections.settle(|id, at| looks.push(Reverse((at, id))));
    }

    fn look_at_slow_readers(&mut self) {
        while let Some(&Reverse((at, id))) = self.looks.peek()
            && at <= self.connections.now
        {
            self.looks.pop();
            match self.connections.check_progress(id) {
                Progress::Free => {}
                Progress::LookAgain(at) => self.looks.push(Reverse((at, id))),
                Progress::Stuck => self.connections.cut_slow(id, "it took no byte for too long"),
            }
        }
    }

    /// Keeps what waits for all slow readers below its limit: the one with the most is cut
    /// first, whichever thread it belongs to. A thread says what its longest queue is after
    /// each round in which the total is near the limit, and it alone cuts its own readers.
    fn relieve(&mut self) {
        let board = Arc::clone(&self.board);
        let total = || board.queued_bytes.load(Ordering::Relaxed);
        let says = &board.longest[self.index];
        if total() <= board.queue_bytes_total / TOTAL_IS_NEAR {
            if says.load(Ordering::Relaxed) != 0 {
                says.store(0, Ordering::Relaxed);
            }
            return;
        }
        loop {
            let ids = self.looks.iter().map(|Reverse((_, id))| *id);
            let longest = ids.map(|id| (self.connections.waiting(id), id)).max();
            says.store(longest.map_or(0, |it| it.0 as u64), Ordering::Relaxed);
            if total() <= board.queue_bytes_total {
                return;
            }
            let all = board.longest.iter().map(|it| it.load(Ordering::Relaxed));
            // Of equals the first thread, so that two never wait for each other.
            let worst = all.enumerate().max_by_key(|(index, it)| (*it, Reverse(*index)));
            match (worst, longest) {
                (Some((index, 1..)), _) if index != self.index => {
                    board.inboxes[index].rouse();
                    return;
                }
                (_, Some((1.., id))) => {
                    self.connections.cut_slow(id, "too much waited for all");
                    self.settle();
                }
                (_, Some((0, _)) | None) => return,
            }
        }
    }

    fn sleep(&mut self, events: &mut Events) -> io::Result<()> {
        if self.looks.is_empty() && !self.letters.is_empty() {
            // Nobody is waited for, so the kernel has nothing to say.
            return Ok(());
        }
        let look = self.looks.peek().map(|Reverse((at, _))| *at);
        let until = look.into_iter().chain(self.stop_at).min();
        let timeout = until.map(|it| it.saturating_duration_since(Instant::now()));
        let (letters, poll) = (&self.letters, &mut self.poll);
        self.board.inboxes[self.index].sleep_unless(
            || !letters.is_empty(),
            |may_wait| {
                let timeout = if may_wait { timeout } else { Some(Duration::ZERO) };
                match poll.poll(events, timeout) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                    other => other,
                }
            },
        )?;
        self.connections.now = Instant::now();
        for event in events.iter().filter(|it| it.token() != WOKEN) {
            self.connections.writable(event.token());
        }
        Ok(())
    }
}

impl Drop for DeliveryThread {
    /// Nobody may go on waiting for a thread that has ended, whatever ended it.
    fn drop(&mut self) {
        self.board.longest[self.index].store(0, Ordering::Relaxed);
        self.inbox().shut();
    }
}
