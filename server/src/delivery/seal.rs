//! One TLS connection, shared by the thread that reads from it and the one that sends on it.
//!
//! Plaintext is sealed just before it is sent, at most [`SEAL_BYTES`] of it, and no more until the
//! kernel has taken all of that: so what waits for a slow reader waits as shared plaintext, and an
//! idle connection holds no sealed byte. The contract is in `delivery`, numbers 12 to 15.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use rustls::ServerConnection;

use crate::platform;

/// Plaintext that is sealed at once: four whole records, for one send. More would only wait in the
/// processor's cache for its turn; less would cost a send for every record.
pub const SEAL_BYTES: usize = 64 * 1024;

/// See the module.
pub struct Seal {
    state: Mutex<State>,
    /// The reader caused something that has to be sent, an alert for instance.
    news: AtomicBool,
}

struct State {
    tls: ServerConnection,
    /// Plaintext bytes that were sealed and of which the kernel has not taken everything.
    sealed: usize,
    said_goodbye: bool,
}

/// What came out of received bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opened {
    Bytes(usize),
    /// The records that are here are not complete, or hold nothing for us.
    Nothing,
    /// The client has said that nothing more will come.
    End,
}

/// What one send did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Sent {
    /// Bytes that the kernel took.
    pub(super) wire: usize,
    /// Bytes of plaintext that are all with the kernel now.
    pub(super) plain: usize,
    /// Sealed bytes wait for the kernel.
    pub(super) waits: bool,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// Around a connection whose handshake is complete and whose answers have been sent.
    #[must_use]
    pub fn new(mut tls: ServerConnection) -> Self {
        tls.set_buffer_limit(Some(SEAL_BYTES));
        let state = State { tls, sealed: 0, said_goodbye: false };
        Self { state: Mutex::new(state), news: AtomicBool::new(false) }
    }

    /// For the reader: opens what came, `raw`, into `into`, as far as there is room. What is left
    /// of `raw` has to be brought again, before anything newer. Call [`Self::take_news`] after it.
    ///
    /// # Errors
    /// The bytes are not what the client's TLS would have made, or a thread panicked here before.
    pub fn open(&self, raw: &mut &[u8], into: &mut [u8]) -> io::Result<Opened> {
        let mut state = self.lock()?;
        let had_words = state.tls.wants_write();
        let opened = state.open(raw, into);
        if !had_words && state.tls.wants_write() {
            self.news.store(true, Ordering::Relaxed);
        }
        opened
    }

    /// For the reader: true when the delivery thread has to be told that something waits.
    pub fn take_news(&self) -> bool {
        self.news.load(Ordering::Relaxed) && self.news.swap(false, Ordering::Relaxed)
    }

    /// For the delivery thread: sends what was sealed before, or, when nothing was, seals of
    /// `slices` as much as goes at once and sends that.
    pub(super) fn send(&self, socket: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<Sent> {
        let mut state = self.lock()?;
        if !state.tls.wants_write() && !slices.is_empty() {
            state.sealed = state.tls.writer().write_vectored(slices)?;
        }
        let wire = match state.tls.write_tls(&mut Now(socket)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            other => other?,
        };
        let waits = state.tls.wants_write();
        let plain = if waits { 0 } else { std::mem::take(&mut state.sealed) };
        Ok(Sent { wire, plain, waits })
    }

    /// For the delivery thread: something is sealed that the kernel has not taken.
    pub(super) fn waits(&self) -> bool {
        self.lock().is_ok_and(|it| it.tls.wants_write())
    }

    /// For the delivery thread: seals the last word, once; true when it is to be sent now.
    pub(super) fn say_goodbye(&self) -> bool {
        let Ok(mut state) = self.lock() else { return false };
        if std::mem::replace(&mut state.said_goodbye, true) {
            return false;
        }
        state.tls.send_close_notify();
        state.tls.wants_write()
    }

    /// After a panic in here nobody knows what was sealed with which number: that connection ends.
    fn lock(&self) -> io::Result<MutexGuard<'_, State>> {
        self.state.lock().map_err(|_poisoned| io::Error::other("its other thread panicked"))
    }
}

impl State {
    fn open(&mut self, raw: &mut &[u8], into: &mut [u8]) -> io::Result<Opened> {
        loop {
            match self.tls.reader().read(into) {
                Ok(0) => return Ok(Opened::End),
                Ok(bytes) => return Ok(Opened::Bytes(bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            // Reading from nothing would be taken for the end of the stream.
            if raw.is_empty() {
                return Ok(Opened::Nothing);
            }
            if self.tls.read_tls(raw)? == 0 {
                return Ok(Opened::End);
            }
            let processed = self.tls.process_new_packets();
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
    }
}

/// Gives bytes to the kernel without waiting.
struct Now<'a>(&'a TcpStream);

impl io::Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        platform::send_now(self.0, &[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        platform::send_now(self.0, slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
