//! What a door reads from: the socket itself, or what TLS makes of the socket's bytes. Doors that
//! read from a wire do not know which.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_shared::Limits;

use crate::chat::ConnectionId;
use crate::delivery::{Delivery, Opened, Seal};

/// Raw bytes read at once; requests are short, and rustls takes this much at a time.
const RAW_BYTES: usize = 4 * 1024;
/// What is read away at most after the last word.
const LINGER_BYTES: usize = 1024 * 1024;

/// See the module. Sending is not its business: that is delivery's.
pub(super) struct Wire {
    socket: Arc<TcpStream>,
    sealed: Option<Box<Sealed>>,
    /// The client has said that it is done.
    has_ended: bool,
}

struct Sealed {
    id: ConnectionId,
    seal: Arc<Seal>,
    delivery: Delivery,
    raw: [u8; RAW_BYTES],
    from: usize,
    upto: usize,
}

impl Wire {
    pub(super) fn plain(socket: Arc<TcpStream>) -> Self {
        Self { socket, sealed: None, has_ended: false }
    }

    pub(super) fn sealed(
        socket: Arc<TcpStream>,
        id: ConnectionId,
        seal: Arc<Seal>,
        delivery: Delivery,
    ) -> Self {
        let (raw, from, upto) = ([0; RAW_BYTES], 0, 0);
        let sealed = Box::new(Sealed { id, seal, delivery, raw, from, upto });
        Self { socket, sealed: Some(sealed), has_ended: false }
    }

    /// Reads plaintext; 0 is the end. `Interrupted` means that something came and nothing of it
    /// is for the door: deadlines have to be looked at, and then it reads on.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.read_more(into);
        self.has_ended |= matches!(read, Ok(0));
        read
    }

    fn read_more(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut socket = &*self.socket;
        let Some(sealed) = &mut self.sealed else { return socket.read(into) };
        if let Some(opened) = sealed.open(into)? {
            return Ok(opened);
        }
        // The lock of the seal is not held here: this waits.
        (sealed.from, sealed.upto) = (0, socket.read(&mut sealed.raw)?);
        if sealed.upto == 0 {
            // Without a goodbye; a line that is not complete is dropped in any case.
            return Ok(0);
        }
        sealed.open(into)?.ok_or_else(|| io::ErrorKind::Interrupted.into())
    }

    pub(super) fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.socket.set_read_timeout(Some(timeout))
    }

    /// See [`linger`]; there is nothing to wait for when the client was done first.
    pub(super) fn linger(&self, limits: &Limits) {
        if !self.has_ended {
            linger(&self.socket, limits);
        }
    }
}

impl Sealed {
    /// What is there already; `None` when more has to be read.
    fn open(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        let mut raw = &self.raw[self.from..self.upto];
        let opened = self.seal.open(&mut raw, into);
        self.from = self.upto - raw.len();
        if self.seal.take_news() {
            self.delivery.rouse(self.id);
        }
        match opened {
            Ok(Opened::Bytes(bytes)) => Ok(Some(bytes)),
            Ok(Opened::Nothing) => Ok(None),
            Ok(Opened::End) => Ok(Some(0)),
            Err(error) => {
                log::debug!("connection {}: {error}", self.id.0);
                Err(error)
            }
        }
    }
}

/// Reads away what still comes, for a moment: closing a socket with unread bytes would reset it,
/// and the last words to the client would be lost on the way.
pub(super) fn linger(mut socket: &TcpStream, limits: &Limits) {
    let deadline = Instant::now() + Duration::from_millis(limits.linger_millis);
    let mut buffer = [0; RAW_BYTES];
    let mut read = 0;
    while read < LINGER_BYTES {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || socket.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match socket.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(bytes) => read += bytes,
        }
    }
}
