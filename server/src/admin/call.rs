//! The connection to the running server: in by the data folder's credential, one question at a
//! time.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use parlor_shared::request::Hello;
use parlor_shared::{
    Label, PROTOCOL, Refusal, Reply, Request, RequestFrame, RequestId, ServerFrame, frame,
};

use super::AdminError;
use super::print::shown;
use crate::{folder, shell};

/// The server is on this machine: it answers at once, or it is not there.
const CONNECT: Duration = Duration::from_secs(5);
/// To erase what somebody said in years takes its time.
const ANSWER: Duration = Duration::from_secs(120);
/// Longest line of an answer that is believed; a page of any list is far below it.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Who is told to wait comes back so often before saying so.
const WAITS: u32 = 10;
const WAIT_MAX: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Call {
    stream: BufReader<TcpStream>,
    last_id: u64,
}

impl Call {
    /// Calls the server that runs on a data folder.
    pub(super) fn open(data: &Path) -> Result<Self, AdminError> {
        let nobody = || AdminError::NoServer(data.to_owned());
        let way = shell::way_into(data).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                nobody()
            } else if error.kind() == ErrorKind::PermissionDenied {
                AdminError::NotYours(data.to_owned(), error)
            } else {
                AdminError::Garbage(data.to_owned(), error)
            }
        })?;
        // A killed server leaves its file behind, and a copied folder has that of another one,
        // which is not the one that is meant. Only the lock says who lives here.
        let stream = TcpStream::connect_timeout(&way.address, CONNECT).map_err(|_gone| nobody())?;
        if !folder::is_taken(data).map_err(|it| AdminError::NotYours(data.to_owned(), it))? {
            return Err(nobody());
        }
        stream.set_nodelay(true).map_err(AdminError::Lost)?;
        stream.set_write_timeout(Some(ANSWER)).map_err(AdminError::Lost)?;
        let mut call = Self { stream: BufReader::new(stream), last_id: 0 };
        let hello = Request::Hello(Hello {
            protocol: PROTOCOL,
            app: label(concat!("parlor-server admin ", env!("CARGO_PKG_VERSION")))?,
            name: None,
            token: Some(way.token),
            password: None,
            device: None,
            invite: None,
        });
        let reply = call.ask(hello)?;
        let Reply::Welcome(_) = reply else { return Err(unexpected(&reply)) };
        Ok(call)
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(&mut self, request: Request) -> Result<Reply, AdminError> {
        let mut waits = 0;
        loop {
            match self.ask_once(request.clone()) {
                Err(AdminError::Refused {
                    refusal: Refusal::RateLimited { retry_millis }, ..
                }) if waits < WAITS => {
                    waits += 1;
                    std::thread::sleep(Duration::from_millis(retry_millis).min(WAIT_MAX));
                }
                answer => return answer,
            }
        }
    }

    fn ask_once(&mut self, request: Request) -> Result<Reply, AdminError> {
        self.last_id += 1;
        let asked = RequestId(self.last_id);
        let line = frame::line(&RequestFrame { id: asked, request });
        self.stream.get_mut().write_all(&line).map_err(AdminError::Lost)?;
        let deadline = Instant::now() + ANSWER;
        loop {
            let line = self.line(deadline).map_err(AdminError::Lost)?;
            let said = serde_json::from_slice(&line)
                .map_err(|error| AdminError::Strange(shown(&error.to_string()).into_owned()))?;
            match said {
                ServerFrame::Ok { id, ok } if id == asked => return Ok(ok),
                ServerFrame::Refused { id, refused, says } if id.is_none_or(|it| it == asked) => {
                    return Err(refused_as(refused, &says));
                }
                // What else is told on a connection is not for the shell.
                ServerFrame::Ok { .. } | ServerFrame::Refused { .. } | ServerFrame::Event(_) => {}
            }
        }
    }

    fn line(&mut self, deadline: Instant) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.get_ref().set_read_timeout(Some(left))?;
            let room = LINE_BYTES_MAX - line.len() as u64;
            match self.stream.by_ref().take(room).read_until(b'\n', &mut line) {
                Ok(_) if line.ends_with(b"\n") => return Ok(line),
                Ok(_) if line.len() as u64 >= LINE_BYTES_MAX => {
                    return Err(ErrorKind::InvalidData.into());
                }
                Ok(_) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn refused_as(refusal: Refusal, says: &str) -> AdminError {
    // A server of a later version has a sentence for what this one has no word for.
    let says = if says.is_empty() { refusal.to_string() } else { shown(says).into_owned() };
    AdminError::Refused { refusal, says }
}

/// An answer to another question than the one that was asked.
pub(super) fn unexpected(reply: &Reply) -> AdminError {
    AdminError::Strange(format!("{reply:?}").chars().take(80).collect())
}

fn label(text: &str) -> Result<Label, AdminError> {
    text.parse().map_err(|it: Refusal| AdminError::Usage(it.to_string()))
}
