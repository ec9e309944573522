//! Sending without waiting, and being told when there is room again.
//!
//! Sockets are blocking on Unix: the reader waits in `read`, and the sender says at each send
//! that it will not wait. Windows cannot say that for one send, so there the socket as a whole
//! does not block and both sides wait for readiness.

use std::io::{self, IoSlice};
use std::net::TcpStream;

use mio::{Interest, Registry, Token};

/// Makes a new connection's socket fit for [`send_now`].
///
/// # Errors
/// What the operating system says; the connection is of no use then.
pub fn prepare_to_send(socket: &TcpStream) -> io::Result<()> {
    // What is sent has been gathered already; waiting for more would only add delay.
    socket.set_nodelay(true)?;
    #[cfg(windows)]
    socket.set_nonblocking(true)?;
    Ok(())
}

/// Gives the kernel as much of `slices` as it takes without waiting, and says how many bytes
/// that was.
///
/// # Errors
/// `WouldBlock` when it takes nothing now; anything else when the connection is gone.
pub fn send_now(socket: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    #[cfg(unix)]
    {
        use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
        // Apple has no NOSIGNAL; the standard library ignores SIGPIPE for the whole process.
        #[cfg(target_vendor = "apple")]
        let flags = SendFlags::DONTWAIT;
        #[cfg(not(target_vendor = "apple"))]
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        // Most sends are of one piece, and a call that names only that costs the kernel less.
        if let [slice] = slices {
            return Ok(send(socket, slice, flags)?);
        }
        Ok(sendmsg(socket, slices, &mut SendAncillaryBuffer::default(), flags)?)
    }
    #[cfg(windows)]
    {
        use std::io::Write as _;
        (&mut &*socket).write_vectored(slices)
    }
}

/// Brings the handles of `sockets`, which will be sent to, from memory into the processor's
/// cache: all at once they take as long as one, and one by one each send would wait for its own.
pub fn fetch<'a>(sockets: impl Iterator<Item = &'a TcpStream>) {
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd as _;
        std::hint::black_box(sockets.fold(0, |all, it| all ^ it.as_raw_fd()));
    }
    #[cfg(windows)]
    drop(sockets);
}

/// A socket that is watched for room to send. Give it to [`unwatch`] before the socket goes.
#[derive(Debug)]
pub struct Watch {
    /// Windows registers a stream and not a number, so this keeps a second handle.
    #[cfg(windows)]
    stream: mio::net::TcpStream,
}

/// Asks for an event with `token` each time that the socket takes bytes again. There is one
/// right away when it does so already, so nothing is missed between the refused send and here.
///
/// # Errors
/// What the operating system says.
pub fn watch(registry: &Registry, socket: &TcpStream, token: Token) -> io::Result<Watch> {
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd as _;
        registry.register(
            &mut mio::unix::SourceFd(&socket.as_raw_fd()),
            token,
            Interest::WRITABLE,
        )?;
        Ok(Watch {})
    }
    #[cfg(windows)]
    {
        let mut stream = mio::net::TcpStream::from_std(socket.try_clone()?);
        registry.register(&mut stream, token, Interest::WRITABLE)?;
        Ok(Watch { stream })
    }
}

/// Ends a watch.
///
/// # Errors
/// What the operating system says.
pub fn unwatch(registry: &Registry, socket: &TcpStream, watch: Watch) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::fd::AsRawFd as _;
        let Watch {} = watch;
        registry.deregister(&mut mio::unix::SourceFd(&socket.as_raw_fd()))
    }
    #[cfg(windows)]
    {
        let mut watch = watch;
        registry.deregister(&mut watch.stream)
    }
}
