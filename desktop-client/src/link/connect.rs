//! From an address to a connected socket, within a bounded time, and ended at once when nobody
//! wants it any more.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded, select};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::model::limits::{ADDRESSES_MAX, CONNECT_MILLIS, LOOK_UP_MILLIS, SILENCE_MILLIS};
use crate::model::{Address, Closed};
use crate::threads;

/// Between two looks at a socket that is being connected. Short beside a network's delay.
const LOOK: Duration = Duration::from_millis(4);

/// Connects to the first of the address's sockets that answers. Also: until when the keys have to
/// be agreed on.
pub(super) fn connect(
    address: &Address,
    stopped: &Receiver<()>,
) -> Result<(TcpStream, Instant), Closed> {
    let mut targets = look_up(address, stopped)?;
    // Whatever this computer's files say of its name, in the open it is spoken to from here only.
    targets.retain(|it| !address.is_plain || it.ip().is_loopback());
    let mut last = None;
    for target in targets.into_iter().take(ADDRESSES_MAX) {
        let deadline = Instant::now() + Duration::from_millis(CONNECT_MILLIS);
        match connect_to(target, deadline, stopped) {
            Ok(Some(stream)) => return Ok((stream, deadline)),
            Ok(None) => return Err(Closed::Lost),
            Err(error) => last = Some(error),
        }
    }
    if let Some(error) = last {
        log::debug!("connecting to {address}: {error}");
    }
    Err(Closed::NobodyAnswers)
}

fn look_up(address: &Address, stopped: &Receiver<()>) -> Result<Vec<SocketAddr>, Closed> {
    if let Ok(ip) = address.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, address.port)]);
    }
    let (told, found) = bounded(1);
    let query = (address.host.clone(), address.port);
    let asking = threads::start("link-lookup", move || {
        let answer = query.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody may be waiting any more.
        told.send(answer).unwrap_or_default();
    });
    match asking {
        // The system's resolver can take a minute and cannot be interrupted.
        Ok(thread) => thread.leave(),
        Err(error) => {
            log::warn!("looking up a name: {error}");
            return Err(Closed::NoSuchHost);
        }
    }
    select! {
        recv(found) -> answer => match answer {
            Ok(Ok(targets)) if !targets.is_empty() => Ok(targets),
            Ok(Ok(_) | Err(_)) | Err(_) => Err(Closed::NoSuchHost),
        },
        recv(stopped) -> _ => Err(Closed::Lost),
        default(Duration::from_millis(LOOK_UP_MILLIS)) => Err(Closed::NoSuchHost),
    }
}

/// `None`: nobody wants the connection any more.
fn connect_to(
    target: SocketAddr,
    deadline: Instant,
    stopped: &Receiver<()>,
) -> io::Result<Option<TcpStream>> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // "In progress" has different names on different systems; what counts is what comes of it.
    if let Err(error) = socket.connect(&target.into())
        && error.kind() == io::ErrorKind::ConnectionRefused
    {
        return Err(error);
    }
    while socket.peer_addr().is_err() {
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return Ok(None);
        }
    }
    socket.set_nonblocking(false)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(30)))?;
    socket.set_read_timeout(Some(Duration::from_millis(SILENCE_MILLIS)))?;
    socket.set_write_timeout(Some(Duration::from_millis(SILENCE_MILLIS)))?;
    Ok(Some(socket.into()))
}
