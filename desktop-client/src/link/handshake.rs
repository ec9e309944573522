//! Agreeing on keys over a connected socket, by one thread alone, within a bounded time.
//!
//! Closing the socket from another thread ends it at once: it only ever waits for that socket.
//!
//! Invariant: nothing of the conversation is sent here, and no failure leads to a connection
//! that others could listen to.

use std::error::Error as _;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use parlor_shared::{Fingerprint, Refusal, ServerFrame};
use rustls::{CertificateError, ClientConnection, Error, OtherError};

use super::pinned::{self, OtherKey};
use crate::model::limits::{HANDSHAKE_READ_BYTES, SILENCE_MILLIS};
use crate::model::{Address, Closed};

/// A connection to whoever has the pinned key, or to anybody for `None`; and the key.
pub(super) fn shake_hands(
    stream: &TcpStream,
    address: &Address,
    pin: Option<Fingerprint>,
    deadline: Instant,
) -> Result<(ClientConnection, Fingerprint), Closed> {
    let mut connection = pinned::client(&address.host, pin).map_err(|error| {
        log::error!("encryption cannot be set up: {error}");
        Closed::NotPrivate
    })?;
    exchange(&mut connection, stream, deadline)?;
    let silence = Some(Duration::from_millis(SILENCE_MILLIS));
    let timeouts =
        stream.set_read_timeout(silence).and_then(|()| stream.set_write_timeout(silence));
    timeouts.map_err(|error| lost(&error))?;
    let key = pinned::key_of(&connection).ok_or(Closed::NotPrivate)?;
    Ok((connection, key))
}

fn exchange(
    connection: &mut ClientConnection,
    mut stream: &TcpStream,
    deadline: Instant,
) -> Result<(), Closed> {
    let mut buffer = [0; HANDSHAKE_READ_BYTES];
    let mut first = None;
    loop {
        send(connection, stream, deadline)?;
        if !connection.is_handshaking() {
            return Ok(());
        }
        stream.set_read_timeout(Some(left(deadline)?)).map_err(|error| lost(&error))?;
        let taken = match stream.read(&mut buffer) {
            Ok(0) => return Err(Closed::Lost),
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(lost(&error)),
        };
        let first = *first.get_or_insert(buffer[0]);
        if let Err(error) = take(connection, &buffer[..taken]) {
            log::debug!("agreeing on keys: {error}");
            // The other side is told why; that it may not hear it is no further trouble.
            let told = send(connection, stream, deadline);
            log::trace!("told: {told:?}");
            return Err(why(&error, first, &buffer[..taken]));
        }
    }
}

fn take(connection: &mut ClientConnection, mut bytes: &[u8]) -> Result<(), Error> {
    while !bytes.is_empty() {
        let taken = connection.read_tls(&mut bytes);
        if !taken.is_ok_and(|count| count > 0) {
            return Err(Error::General("more than fits".to_owned()));
        }
        connection.process_new_packets()?;
    }
    Ok(())
}

fn send(
    connection: &mut ClientConnection,
    mut stream: &TcpStream,
    deadline: Instant,
) -> Result<(), Closed> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes).map_err(|error| lost(&error))?;
    }
    if bytes.is_empty() {
        return Ok(());
    }
    stream.set_write_timeout(Some(left(deadline)?)).map_err(|error| lost(&error))?;
    stream.write_all(&bytes).map_err(|error| lost(&error))
}

fn left(deadline: Instant) -> Result<Duration, Closed> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Closed::Lost) } else { Ok(left) }
}

fn lost(error: &io::Error) -> Closed {
    log::debug!("agreeing on keys: {error}");
    Closed::Lost
}

/// What the person is told. `first` is the first byte that the other side said, `said` the last
/// that was read.
fn why(error: &Error, first: u8, said: &[u8]) -> Closed {
    if let Error::InvalidCertificate(CertificateError::Other(other)) = error
        && let Some(OtherKey { known, found }) = other_key(other)
    {
        return Closed::KeyChanged { known: *known, found: *found };
    }
    // A server that is full says so in the open, before it knows who comes. Whoever could make
    // that up could cut the line as well; nothing else that is said in the open is believed.
    if let Ok(ServerFrame::Refused { refused: Refusal::TooManyConnections, .. }) =
        serde_json::from_slice(said)
    {
        return Closed::Full;
    }
    // A TLS record, or a Parlor that speaks in the open; all else is something else.
    if matches!(first, 0x14..=0x17 | b'{') { Closed::NotPrivate } else { Closed::NotParlor }
}

fn other_key(error: &OtherError) -> Option<&OtherKey> {
    error.source()?.downcast_ref()
}
