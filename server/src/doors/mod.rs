//! The doors: one port, many tongues. Accepting, capping, and telling by the first byte who comes.
//!
//! A door turns bytes into frames and decides nothing about the chat.

mod caps;
mod ndjson;

use std::io::{self, Read as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_shared::{Limits, Refusal, ServerFrame, frame};
use socket2::SockRef;

use crate::delivery::Delivery;
use crate::gate::{Gate, Shared};
use crate::hub::Entrance;
use crate::{platform, threads};
use caps::{Caps, Place};

/// First and longest wait when the system has no descriptor for a new connection.
const ACCEPT_BACKOFF: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// Everything a new connection needs.
#[derive(Clone)]
pub struct House {
    pub shared: Shared,
    pub entrance: Entrance,
    pub delivery: Delivery,
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
    let id = house.entrance.next_id();
    threads::start(format!("conn-{}", id.0), move || {
        let serving = || {
            let socket = Arc::new(socket);
            house.delivery.open(id, Arc::clone(&socket));
            let Ok(connection) = house.entrance.connect(id) else { return };
            let gate = Gate::new(connection, house.shared.clone(), source);
            serve(&socket, gate, place, &house.shared.limits);
        };
        if catch_unwind(AssertUnwindSafe(serving)).is_err() {
            log::error!("a connection from {source} panicked and was ended");
        }
        drop(alive);
    })?;
    Ok(())
}

/// Asks the first byte which door it is.
fn serve(socket: &TcpStream, gate: Gate, place: Place, limits: &Limits) {
    let prepared = socket
        .set_nodelay(true)
        .and_then(|()| SockRef::from(socket).set_keepalive(true))
        .and_then(|()| socket.set_read_timeout(Some(Duration::from_millis(limits.hello_millis))));
    if let Err(error) = prepared {
        log::debug!("a connection that is gone already: {error}");
        return;
    }
    let mut first = [0];
    match (&mut &*socket).read(&mut first) {
        Ok(1) if first[0] == b'{' => ndjson::serve(socket, &first, gate, place, limits),
        Ok(0) | Err(_) => {}
        Ok(_) => log::debug!("a first byte of {:#04x} is no door of ours", first[0]),
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
