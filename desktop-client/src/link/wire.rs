//! The connection that stands, as both of its threads see it: bytes in, bytes out, sealed on the
//! way unless the address is a plain one.
//!
//! 1. `link-read` alone MUST read from the socket, and `link-write` alone MUST write to it, so
//!    that records leave in the order in which they were sealed.
//! 2. The lock MUST NOT be held across a read, a write or anything else that waits.
//! 3. What the reader's half makes rustls want to say (a new key, a last word) is said by the
//!    writer: the reader rings the bell.
//!
//! Invariant: no last word of TLS is waited for or missed. Frames are whole lines and what is
//! unanswered is asked again, so a cut connection loses nothing that one would have to notice.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use parlor_shared::{RequestFrame, frame};
use rustls::ClientConnection;

use super::close;
use crate::model::limits::{READ_BYTES, WRITE_BYTES};

/// Both halves of a connection.
pub(super) struct Wire {
    stream: Arc<TcpStream>,
    tls: Option<Mutex<ClientConnection>>,
    ring: Sender<()>,
    bell: Receiver<()>,
}

impl Wire {
    /// `None` for a plain address.
    pub(super) fn new(stream: Arc<TcpStream>, tls: Option<ClientConnection>) -> Self {
        let (ring, bell) = bounded(1);
        Self { stream, tls: tls.map(Mutex::new), ring, bell }
    }

    // ---- link-read ----

    /// Hands over the bytes that come, in pieces, until the connection ends or `take` breaks off.
    pub(super) fn read<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut plain = Vec::new();
        // What came together with the handshake's end.
        let mut is_open = self.open(&[], &mut plain);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if !plain.is_empty() {
                take(&plain)?;
                plain.clear();
            }
            if !is_open {
                return Ok(());
            }
            let taken = match (&*self.stream).read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(taken) => taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    log::debug!("reading from the server: {error}");
                    return Ok(());
                }
            };
            if self.tls.is_some() {
                is_open = self.open(&buffer[..taken], &mut plain);
            } else {
                take(&buffer[..taken])?;
            }
        }
    }

    /// Appends what `sealed` holds to `plain`; false when nothing more can come.
    fn open(&self, sealed: &[u8], plain: &mut Vec<u8>) -> bool {
        let Some(mut tls) = self.lock() else { return true };
        let opened = open(&mut tls, sealed, plain);
        let wants_write = tls.wants_write();
        drop(tls);
        if wants_write {
            // A bell that rings already is heard.
            self.ring.try_send(()).unwrap_or_default();
        }
        opened.unwrap_or_else(|error| {
            log::debug!("reading from the server: {error}");
            false
        })
    }

    // ---- link-write ----

    /// Writes what is queued, as much as there is at once, until the queue or the connection
    /// ends.
    pub(super) fn write(&self, requests: &Receiver<RequestFrame>) {
        let (mut lines, mut sealed) = (Vec::new(), Vec::new());
        loop {
            lines.clear();
            select! {
                recv(requests) -> first => match first {
                    Ok(first) => gather(&first, requests, &mut lines),
                    Err(_) => return,
                },
                recv(self.bell) -> _ => {}
            }
            let written = match self.lock() {
                None => (&*self.stream).write_all(&lines),
                Some(mut tls) => {
                    sealed.clear();
                    let done = seal(&mut tls, &lines, &mut sealed);
                    drop(tls);
                    done.and_then(|()| (&*self.stream).write_all(&sealed))
                }
            };
            if let Err(error) = written {
                log::debug!("writing to the server: {error}");
                close(&self.stream);
                return;
            }
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, ClientConnection>> {
        // A panic on the other thread has ended that one; this one ends with the socket.
        self.tls.as_ref().map(|tls| tls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn gather(first: &RequestFrame, requests: &Receiver<RequestFrame>, lines: &mut Vec<u8>) {
    frame::encode_line(first, lines);
    while lines.len() < WRITE_BYTES
        && let Ok(next) = requests.try_recv()
    {
        frame::encode_line(&next, lines);
    }
}

/// True while more can come. rustls holds little, so it is emptied after each step.
fn open(tls: &mut ClientConnection, mut sealed: &[u8], plain: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let from = plain.len();
        plain.resize(from + state.plaintext_bytes_to_read(), 0);
        if plain.len() > from {
            tls.reader().read_exact(&mut plain[from..])?;
        }
        if state.peer_has_closed() {
            return Ok(false);
        }
        if sealed.is_empty() {
            return Ok(true);
        }
        if tls.read_tls(&mut sealed)? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// rustls takes only so much before it wants to be rid of it.
fn seal(tls: &mut ClientConnection, mut lines: &[u8], sealed: &mut Vec<u8>) -> io::Result<()> {
    loop {
        while tls.wants_write() {
            tls.write_tls(sealed)?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        let taken = tls.writer().write(lines)?;
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        lines = &lines[taken..];
    }
}
