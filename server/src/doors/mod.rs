//! The doors: one port, many tongues. Accepting, capping, and telling by the first byte who comes.
//!
//! A door turns bytes into frames and decides nothing about the chat.
//!
//! Invariant: delivery and the hub hear of a connection when it is known what it speaks, so that
//! nothing is ever said to one that cannot understand it.

mod caps;
mod ndjson;
mod tls;
mod wire;

use std::io::{self, Read as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_shared::{Limits, Refusal, ServerFrame, frame};
use socket2::SockRef;

use crate::chat::ConnectionId;
use crate::delivery::{Delivery, Seal};
use crate::gate::{Gate, Origin, Shared};
use crate::hub::Entrance;
use crate::{platform, threads};
use caps::{Caps, Place};
use wire::Wire;

/// The first byte of newline-delimited JSON.
const NDJSON: u8 = b'{';

/// First and longest wait when the system has no descriptor for a new connection.
const ACCEPT_BACKOFF: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// Everything a new connection needs.
#[derive(Clone)]
pub struct House {
    pub shared: Shared,
    pub entrance: Entrance,
    pub delivery: Delivery,
    /// How TLS is spoken, with which key.
    pub tls: Arc<rustls::ServerConfig>,
    /// The operator lets passwords through plain connections from anywhere.
    pub allows_plain_passwords: bool,
}

/// The accepting thread, and the end of all connections' threads.
pub struct Doors {
    stopping: Arc<AtomicBool>,
    listener: Arc<TcpListener>,
    accepting: std::thread::JoinHandle<()>,
    /// Hangs up when the last connection's thread has ended.
    last_out: Receiver<()>,
}

impl Doors {
    /// Opens the doors on `listener`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn open(listener: TcpListener, house: House) -> io::Result<Self> {
        let (alive, last_out) = bounded(1);
        let stopping = Arc::new(AtomicBool::new(false));
        let listener = Arc::new(listener);
        let accepting = {
            let (stopping, listener) = (Arc::clone(&stopping), Arc::clone(&listener));
            threads::start("accept", move || accept(&listener, &stopping, &house, &alive))?
        };
        Ok(Self { stopping, listener, accepting, last_out })
    }

    /// Takes no new connections from here on.
    pub fn close(&self) {
        self.stopping.store(true, Ordering::Release);
        // Wakes the accepting thread; it looks at the flag before at whom it accepted.
        if let Ok(mut address) = self.listener.local_addr() {
            if address.ip().is_unspecified() {
                address.set_ip(match address {
                    std::net::SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                    std::net::SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
                });
            }
            if let Err(error) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
                log::debug!("waking the accepting thread: {error}");
            }
        }
    }

    /// Waits for all connections' threads, until `deadline`; true when all have ended.
    #[must_use]
    pub fn wait(self, deadline: Instant) -> bool {
        if self.accepting.join().is_err() {
            log::error!("the accepting thread panicked");
        }
        self.last_out.recv_deadline(deadline)
            == Err(crossbeam_channel::RecvTimeoutError::Disconnected)
    }
}

fn accept(listener: &TcpListener, stopping: &AtomicBool, house: &House, alive: &Sender<()>) {
    let caps = Arc::new(Caps::new(Arc::clone(&house.shared.limits)));
    let mut backoff = ACCEPT_BACKOFF[0];
    loop {
        let accepted = listener.accept();
        if stopping.load(Ordering::Acquire) {
            return;
        }
        match accepted {
            Ok((socket, peer)) => {
                backoff = ACCEPT_BACKOFF[0];
                if let Err(error) = admit(socket, unmapped(peer.ip()), &caps, house, alive) {
                    log::warn!("no thread for a connection: {error}");
                }
            }
            Err(error) if is_exhausted(&error) => {
                log::warn!("accepting: {error}; waiting {} ms", backoff.as_millis());
                std::thread::sleep(backoff);
                backoff = (backoff * 2).min(ACCEPT_BACKOFF[1]);
            }
            // That connection failed before it was ours; the next one is another one.
            Err(error) => log::debug!("accepting: {error}"),
        }
    }
}

fn admit(
    socket: TcpStream,
    source: IpAddr,
    caps: &Arc<Caps>,
    house: &House,
    alive: &Sender<()>,
) -> io::Result<()> {
    let Some(place) = Caps::enter(caps, source) else {
        refuse(&socket);
        return Ok(());
    };
    let (house, alive) = (house.clone(), alive.clone());
    let opened = Instant::now();
    let id = house.entrance.next_id();
    threads::start(format!("conn-{}", id.0), move || {
        let caller = Caller { id, socket: Arc::new(socket), source, place, opened };
        if catch_unwind(AssertUnwindSafe(|| serve(caller, &house))).is_err() {
            log::error!("a connection from {source} panicked and was ended");
        }
        drop(alive);
    })?;
    Ok(())
}

/// Somebody at the door of whom nothing is known yet.
struct Caller {
    id: ConnectionId,
    socket: Arc<TcpStream>,
    source: IpAddr,
    place: Place,
    opened: Instant,
}

/// Asks the first byte which door it is, and inside TLS once more. Only then the rest of the
/// house hears of the connection.
fn serve(caller: Caller, house: &House) {
    let Caller { id, socket, source, place, opened } = caller;
    let limits = &house.shared.limits;
    let Some(first) = first_byte(&socket, limits) else { return };
    let mut seal = None;
    let tongue = if first == tls::FIRST_BYTE {
        match tls::shake_hands(&socket, &[first], &house.tls, limits, opened) {
            Ok((tls, NDJSON)) => {
                seal = Some(Arc::new(Seal::new(tls)));
                NDJSON
            }
            Ok((tls, other)) => {
                tls::turn_away(&socket, tls, limits);
                other
            }
            Err(error) => return log::debug!("connection {}: no handshake: {error}", id.0),
        }
    } else {
        first
    };
    if tongue != NDJSON {
        return log::debug!("connection {}: {tongue:#04x} begins no tongue of ours", id.0);
    }
    house.delivery.open(id, Arc::clone(&socket), seal.clone());
    let Ok(connection) = house.entrance.connect(id) else { return };
    // Both ends having one address, nothing of it leaves this machine.
    let is_local = source.is_loopback()
        || socket.local_addr().is_ok_and(|it| it.ip().to_canonical() == source);
    let is_private = seal.is_some() || is_local || house.allows_plain_passwords;
    let gate = Gate::new(connection, house.shared.clone(), Origin { source, is_private });
    match seal {
        None => ndjson::serve(Wire::plain(socket), &[first], gate, place, limits, opened),
        Some(seal) => {
            let wire = Wire::sealed(socket, id, seal, house.delivery.clone());
            ndjson::serve(wire, &[], gate, place, limits, opened);
        }
    }
}

fn first_byte(mut socket: &TcpStream, limits: &Limits) -> Option<u8> {
    let prepared = socket
        .set_nodelay(true)
        .and_then(|()| SockRef::from(socket).set_keepalive(true))
        .and_then(|()| socket.set_read_timeout(Some(Duration::from_millis(limits.hello_millis))));
    if let Err(error) = prepared {
        log::debug!("a connection that is gone already: {error}");
        return None;
    }
    let mut first = [0];
    match socket.read(&mut first) {
        Ok(1) => Some(first[0]),
        Ok(_) | Err(_) => None,
    }
}

/// Tells a connection beyond the caps why, without waiting for it.
fn refuse(socket: &TcpStream) {
    let words = frame::line(&ServerFrame::refused(None, Refusal::TooManyConnections));
    if let Err(error) = platform::send_now(socket, &[io::IoSlice::new(&words)]) {
        log::debug!("refusing a connection: {error}");
    }
}

/// A v4 address that came through a v6 socket is the v4 address.
fn unmapped(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn is_exhausted(error: &io::Error) -> bool {
    // EMFILE, ENFILE, ENOBUFS, ENOMEM: not the peer's fault, and not over at once.
    matches!(error.raw_os_error(), Some(23 | 24 | 105 | 12))
}
