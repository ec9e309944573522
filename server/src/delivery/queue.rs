//! What waits for one connection: pieces of shared chunks and of the connection's own answers,
//! in order, and what of it the kernel has taken.
//!
//! A piece of a chunk costs 24 bytes and a count; the bytes themselves exist once. What still
//! waits after the kernel refused more is counted in a total of all threads, a shared chunk
//! once however many wait for it; dropping the last piece of it takes it off the total again.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crossbeam_channel::Sender;

use super::seal::{SEAL_BYTES, Seal};
use crate::platform::{self, Watch};

/// Slices given to the kernel in one send. More would only lengthen the call.
const SLICES: usize = 64;
/// Answers of one connection share a buffer up to this many bytes.
const ANSWERS_TOGETHER_BYTES: usize = 16 * 1024;
/// A drained queue keeps room for this many pieces; what was longer is given back.
const PIECES_KEPT: usize = 16;

/// Bytes that are in the total for as long as this lives.
#[derive(Debug)]
struct Counted {
    total: Arc<AtomicU64>,
    bytes: u64,
}

impl Counted {
    fn new(total: &Arc<AtomicU64>, bytes: usize) -> Self {
        let bytes = bytes as u64;
        // Only a sum: nothing else is published through it.
        total.fetch_add(bytes, Ordering::Relaxed);
        Self { total: Arc::clone(total), bytes }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A chunk's bytes, shared by all that wait for them.
#[derive(Debug)]
pub(super) struct Shared {
    bytes: Arc<[u8]>,
    counted: OnceLock<Counted>,
}

impl Shared {
    pub(super) fn new(bytes: Arc<[u8]>) -> Self {
        Self { bytes, counted: OnceLock::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Bytes of one connection only.
#[derive(Debug)]
struct Own {
    bytes: Vec<u8>,
    /// Dropped with the piece, which tells the one that waits for it.
    done: Option<Sender<()>>,
    counted: Option<Counted>,
}

#[derive(Debug)]
enum Bytes {
    Shared(Arc<Shared>),
    Own(Box<Own>),
}

#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    from: u32,
    upto: u32,
}

impl Piece {
    fn rest(&self) -> &[u8] {
        let all = match &self.bytes {
            Bytes::Shared(shared) => &shared.bytes[..],
            Bytes::Own(own) => &own.bytes[..],
        };
        &all[self.from as usize..self.upto as usize]
    }

    fn len(&self) -> usize {
        (self.upto - self.from) as usize
    }

    fn is_awaited(&self) -> bool {
        matches!(&self.bytes, Bytes::Own(own) if own.done.is_some())
    }

    fn count(&mut self, total: &Arc<AtomicU64>) {
        match &mut self.bytes {
            Bytes::Shared(shared) => {
                shared.counted.get_or_init(|| Counted::new(total, shared.bytes.len()));
            }
            Bytes::Own(own) => own.counted = Some(Counted::new(total, own.bytes.len())),
        }
    }
}

/// Chunks and answers are far below 4 GiB: a frame is at most 64 KiB, a commit some thousands.
pub(super) fn short(len: usize) -> u32 {
    u32::try_from(len).expect("a chunk or an answer of 4 GiB")
}

/// What waits for one connection.
#[derive(Debug)]
pub(super) struct Queue {
    pieces: VecDeque<Piece>,
    /// How many of the first pieces are in the total.
    counted: usize,
    /// Bytes that wait, other than of awaited answers.
    ordinary: usize,
    /// Bytes that wait of answers whose sender waits for them.
    awaited: usize,
    /// The first bytes are sealed, and the kernel has not taken all of that; they stay here, and
    /// count, until it has.
    sealed_waits: bool,
    /// What is sealed takes memory that nobody shares.
    sealed_counted: Option<Counted>,
    /// When the kernel last took a byte, or the queue stopped being empty.
    pub(super) progress_at: Instant,
    /// Set while the kernel takes nothing and will say when it does.
    pub(super) watch: Option<Watch>,
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            pieces: VecDeque::new(),
            counted: 0,
            ordinary: 0,
            awaited: 0,
            sealed_waits: false,
            sealed_counted: None,
            progress_at: now,
            watch: None,
        }
    }

    /// As new, with some memory kept for the next that needs a queue.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.pieces.shrink_to(PIECES_KEPT);
        (self.counted, self.ordinary, self.awaited, self.watch) = (0, 0, 0, None);
        (self.sealed_waits, self.sealed_counted) = (false, None);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && !self.sealed_waits
    }

    /// Something was sealed beside what is queued here, a goodbye for instance.
    pub(super) fn has_sealed(&mut self) {
        self.sealed_waits = true;
    }

    /// Bytes that wait and count against the connection's limit.
    pub(super) fn ordinary(&self) -> usize {
        self.ordinary
    }

    /// An answer waits whose sender waits for it.
    pub(super) fn has_awaited(&self) -> bool {
        self.awaited > 0
    }

    /// All bytes that wait, and at most how many are sealed of them.
    pub(super) fn len(&self) -> usize {
        self.ordinary + self.awaited + if self.sealed_waits { SEAL_BYTES } else { 0 }
    }

    /// `shared[from..upto]`, which is not empty.
    pub(super) fn push_shared(&mut self, shared: &Arc<Shared>, from: usize, upto: usize) {
        self.ordinary += upto - from;
        let bytes = Bytes::Shared(Arc::clone(shared));
        self.pieces.push_back(Piece { bytes, from: short(from), upto: short(upto) });
    }

    /// Bytes of this connection only; not empty.
    pub(super) fn push_own(&mut self, bytes: Vec<u8>, done: Option<Sender<()>>) {
        let upto = short(bytes.len());
        *if done.is_some() { &mut self.awaited } else { &mut self.ordinary } += bytes.len();
        let bytes = Bytes::Own(Box::new(Own { bytes, done, counted: None }));
        self.pieces.push_back(Piece { bytes, from: 0, upto });
    }

    /// A line of this connection only, into the last line's buffer where that may grow.
    pub(super) fn push_reply(&mut self, line: &[u8]) {
        if let Some(Piece { bytes: Bytes::Own(own), upto, .. }) = self.pieces.back_mut()
            && own.done.is_none()
            && own.counted.is_none()
            && own.bytes.len() < ANSWERS_TOGETHER_BYTES
        {
            own.bytes.extend_from_slice(line);
            self.ordinary += line.len();
            *upto = short(own.bytes.len());
            return;
        }
        self.push_own(line.to_vec(), None);
    }

    /// Gives the kernel what it takes now of the first bytes, and says how many bytes that was on
    /// the wire; sealed by `seal` where there is one.
    pub(super) fn send(
        &mut self,
        socket: &TcpStream,
        seal: Option<&Seal>,
        now: Instant,
    ) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slot, piece) in slices.iter_mut().zip(&self.pieces) {
            *slot = IoSlice::new(piece.rest());
            count += 1;
        }
        let Some(seal) = seal else {
            let taken = platform::send_now(socket, &slices[..count])?;
            self.advance(taken, now);
            return Ok(taken);
        };
        let sent = seal.send(socket, &slices[..count])?;
        self.sealed_waits = sent.waits;
        if sent.wire == 0 && sent.waits {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.advance(sent.plain, now);
        Ok(sent.wire)
    }

    /// The kernel has this many of the first bytes.
    fn advance(&mut self, mut taken: usize, now: Instant) {
        self.progress_at = now;
        while taken > 0
            && let Some(piece) = self.pieces.front_mut()
        {
            let part = taken.min(piece.len());
            taken -= part;
            *if piece.is_awaited() { &mut self.awaited } else { &mut self.ordinary } -= part;
            if part < piece.len() {
                piece.from += short(part);
                return;
            }
            self.pieces.pop_front();
            self.counted = self.counted.saturating_sub(1);
        }
    }

    /// Puts what waits into the total.
    pub(super) fn count(&mut self, total: &Arc<AtomicU64>) {
        for piece in self.pieces.range_mut(self.counted..) {
            piece.count(total);
        }
        self.counted = self.pieces.len();
        match (self.sealed_waits, &self.sealed_counted) {
            (true, None) => self.sealed_counted = Some(Counted::new(total, SEAL_BYTES)),
            (false, Some(_)) => self.sealed_counted = None,
            (true, Some(_)) | (false, None) => {}
        }
    }
}
