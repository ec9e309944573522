//! The load generator: every connection of one contestant on one thread and one event loop.
//!
//! It must never be what a figure measures. So it reads into one large buffer that is used again
//! and again, counts newlines without looking at the lines where only their number matters, and
//! parses nothing but the first bytes of a line where an answer is waited for.
//!
//! Invariant: only the wire is used; nothing here knows what any contestant is made of.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::ClientConfig;

use crate::sealed::Sealed;

/// Larger than what any socket here has waiting in one turn, smaller than the second-level cache.
const BUFFER_BYTES: usize = 512 * 1024;
/// Connections that a wave may have under way while a contestant is filled.
pub(crate) const WAVE: usize = 500;

/// What is done with the bytes that a connection hears.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Hearing {
    /// Every line is given to the listener.
    Lines,
    /// Only newlines are counted.
    Count,
}

struct Conn {
    stream: TcpStream,
    sealed: Option<Box<Sealed>>,
    hearing: Hearing,
    /// The beginning of a line whose end has not arrived.
    partial: Vec<u8>,
    lines: u64,
    closed: bool,
}

/// What waits to be written, per connection.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Vec<Vec<u8>>,
    dirty: Vec<usize>,
}

impl Outbox {
    /// Where to append what `conn` shall say; it is sent at the end of the turn.
    pub(crate) fn of(&mut self, conn: usize) -> &mut Vec<u8> {
        if self.waiting[conn].is_empty() {
            self.dirty.push(conn);
        }
        &mut self.waiting[conn]
    }
}

/// Called with the connection and the line (newline excluded); may answer through the outbox.
pub(crate) trait Listener: FnMut(usize, &[u8], &mut Outbox) -> io::Result<()> {}
impl<F: FnMut(usize, &[u8], &mut Outbox) -> io::Result<()>> Listener for F {}

/// All connections to one contestant.
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    conns: Vec<Conn>,
    out: Outbox,
    interrupted: Arc<AtomicBool>,
    bytes: u64,
    /// How to speak TLS, if that is spoken.
    tls: Option<Arc<ClientConfig>>,
}

impl Load {
    /// `interrupted` ends every wait with an error, so that children are always reaped.
    pub(crate) fn new(interrupted: Arc<AtomicBool>) -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(4_096),
            buffer: vec![0; BUFFER_BYTES],
            conns: Vec::new(),
            out: Outbox::default(),
            interrupted,
            bytes: 0,
            tls: None,
        })
    }

    /// All connections that are made from here on speak TLS.
    pub(crate) fn encrypt(&mut self, config: Arc<ClientConfig>) {
        self.tls = Some(config);
    }

    pub(crate) fn len(&self) -> usize {
        self.conns.len()
    }

    /// Lines that a connection has heard.
    pub(crate) fn lines_of(&self, conn: usize) -> u64 {
        self.conns[conn].lines
    }

    /// Lines that all connections have heard.
    pub(crate) fn lines(&self) -> u64 {
        self.conns.iter().map(|it| it.lines).sum()
    }

    /// Bytes that all connections have heard.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What a connection hears from now on is treated so. Only in a quiet moment: what was read
    /// of an unfinished line is forgotten.
    pub(crate) fn set_hearing(&mut self, conn: usize, hearing: Hearing) {
        self.conns[conn].hearing = hearing;
        self.conns[conn].partial = Vec::new();
    }

    pub(crate) fn outbox(&mut self) -> &mut Outbox {
        &mut self.out
    }

    /// Starts a connection; what is put into its outbox is sent as soon as it stands.
    pub(crate) fn connect(&mut self, address: SocketAddr) -> io::Result<usize> {
        let id = self.conns.len();
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        self.poll.registry().register(
            &mut stream,
            Token(id),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        let sealed = self.tls.as_ref().map(Sealed::new).transpose()?.map(Box::new);
        let hearing = Hearing::Lines;
        let partial = Vec::new();
        self.conns.push(Conn { stream, sealed, hearing, partial, lines: 0, closed: false });
        self.out.waiting.push(Vec::new());
        Ok(id)
    }

    /// Closes a connection from this side.
    pub(crate) fn close(&mut self, conn: usize) -> io::Result<()> {
        self.conns[conn].closed = true;
        self.poll.registry().deregister(&mut self.conns[conn].stream)?;
        self.conns[conn].stream.shutdown(std::net::Shutdown::Both)
    }

    /// One turn: sends what waits, waits for readiness at most `timeout`, reads everything that
    /// is there, sends what the listener said. Returns whether anything was read.
    ///
    /// # Errors
    /// A connection that the server closed, the listener's own error, an interruption.
    pub(crate) fn turn(
        &mut self,
        timeout: Duration,
        listener: &mut impl Listener,
    ) -> io::Result<bool> {
        self.flush()?;
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => other?,
        }
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        let mut heard = false;
        for event in &self.events {
            let Token(id) = event.token();
            let conn = &mut self.conns[id];
            if conn.closed {
                continue;
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                let taken = conn.read(id, &mut self.buffer, &mut self.out, listener)?;
                self.bytes += taken;
                heard |= taken > 0;
            }
            // After the reading: a handshake goes on with what was read.
            if conn.has_words(&self.out.waiting[id])
                && (conn.sealed.is_some() || event.is_writable())
            {
                self.out.dirty.push(id);
            }
        }
        self.flush()?;
        Ok(heard)
    }

    fn flush(&mut self) -> io::Result<()> {
        let Outbox { waiting, dirty } = &mut self.out;
        for id in dirty.drain(..) {
            let (waiting, conn) = (&mut waiting[id], &mut self.conns[id]);
            if !conn.has_words(waiting) {
                continue;
            }
            // What cannot be sent now is sent when the socket says that it is writable again;
            // a connection that does not stand yet is not writable either.
            match conn.send(waiting) {
                Ok(()) => {}
                Err(error) if is_not_now(&error) => {}
                Err(error) => return Err(named(id, &error)),
            }
        }
        Ok(())
    }

    /// Turns until nothing is heard for `silence`, at most `limit`.
    pub(crate) fn until_quiet(&mut self, silence: Duration, limit: Duration) -> io::Result<()> {
        let end = Instant::now() + limit;
        while self.turn(silence, &mut |_, _: &[u8], _: &mut Outbox| Ok(()))? {
            if Instant::now() > end {
                return Err(io::Error::other("the contestant never fell silent"));
            }
        }
        Ok(())
    }

    /// Asks something of each connection in `ids`, at most `window` unanswered at a time, until
    /// `is_answer` has said yes to a line of each. Returns how long it took.
    pub(crate) fn ask_each(
        &mut self,
        ids: &[usize],
        window: usize,
        limit: Duration,
        mut ask: impl FnMut(usize, &mut Vec<u8>),
        mut is_answer: impl FnMut(usize, &[u8]) -> io::Result<bool>,
    ) -> io::Result<Duration> {
        let start = Instant::now();
        let mut waits = vec![false; self.conns.len()];
        let (mut asked, mut answered) = (0, 0);
        while answered < ids.len() {
            while asked < ids.len() && asked - answered < window {
                let id = ids[asked];
                waits[id] = true;
                ask(id, self.out.of(id));
                asked += 1;
            }
            self.turn(
                Duration::from_millis(100),
                &mut |id: usize, line: &[u8], _: &mut Outbox| {
                    if waits[id] && is_answer(id, line)? {
                        waits[id] = false;
                        answered += 1;
                    }
                    Ok(())
                },
            )?;
            if start.elapsed() > limit {
                let missing = ids.len() - answered;
                return Err(io::Error::other(format!("{missing} connections got no answer")));
            }
        }
        Ok(start.elapsed())
    }
}

impl Conn {
    /// Something of it can be sent now, as far as it knows.
    fn has_words(&self, waiting: &[u8]) -> bool {
        self.sealed.as_ref().map_or(!waiting.is_empty(), |it| it.wants_to_send(waiting))
    }

    fn send(&mut self, waiting: &mut Vec<u8>) -> io::Result<()> {
        if let Some(sealed) = &mut self.sealed {
            return sealed.send(&mut self.stream, waiting);
        }
        let sent = self.stream.write(waiting)?;
        waiting.drain(..sent);
        Ok(())
    }

    fn read(
        &mut self,
        id: usize,
        buffer: &mut [u8],
        out: &mut Outbox,
        listener: &mut impl Listener,
    ) -> io::Result<u64> {
        let mut taken = 0;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(named(id, &io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => {
                    taken += count as u64;
                    self.open(id, &buffer[..count], out, listener)?;
                    // A short read has emptied the socket: epoll(7) says so for streams.
                    if count < buffer.len() {
                        return Ok(taken);
                    }
                }
                Err(error) if is_not_now(&error) => return Ok(taken),
                Err(error) => return Err(named(id, &error)),
            }
        }
    }

    fn open(
        &mut self,
        id: usize,
        bytes: &[u8],
        out: &mut Outbox,
        listener: &mut impl Listener,
    ) -> io::Result<()> {
        let Some(mut sealed) = self.sealed.take() else {
            return self.take(id, bytes, out, listener);
        };
        let opened = sealed.open(bytes, |it| self.take(id, it, out, listener));
        self.sealed = Some(sealed);
        opened.map_err(|error| named(id, &error))
    }

    fn take(
        &mut self,
        id: usize,
        mut bytes: &[u8],
        out: &mut Outbox,
        listener: &mut impl Listener,
    ) -> io::Result<()> {
        if self.hearing == Hearing::Count {
            self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
            return Ok(());
        }
        while let Some(newline) = memchr::memchr(b'\n', bytes) {
            self.lines += 1;
            if self.partial.is_empty() {
                listener(id, &bytes[..newline], out)?;
            } else {
                self.partial.extend_from_slice(&bytes[..newline]);
                listener(id, &self.partial, out)?;
                self.partial.clear();
            }
            bytes = &bytes[newline + 1..];
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }
}

fn is_not_now(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::NotConnected
    )
}

fn named(conn: usize, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("connection {conn}: {error}"))
}
