//! A chat served from this computer: a second process of this program, watched from here. A
//! crash of one does not take the other.
//!
//! 1. The thread `host` looks whether this computer serves a Parlor already, starts the process,
//!    reads what it prints, and reports its end. `host-errors` keeps its last sentence of error.
//! 2. The process stops when its standard input ends: when the [`Host`] is dropped, and when
//!    this program dies in whatever way.
//! 3. Dropping the [`Host`] waits until the process has ended, and ends it after a grace.

mod process;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};
use parlor_shared::Code;

use crate::threads::{self, Joined};
use process::Process;

/// Called once per news, from another thread.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// What to start, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program and what makes it a server, up to what is added here.
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// Where the chat is kept; the server's own place for `None`.
    pub kept_in: Option<PathBuf>,
    /// Where it listens; the usual port of every address for `None`.
    pub bind: Option<SocketAddr>,
}

/// What happened to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum News {
    /// It serves on this port; `shown` is what others on the network type.
    Serving { port: u16, shown: Vec<String> },
    /// It has no owner yet: who knows this code becomes it.
    Unclaimed(Code),
    /// This computer serves a Parlor on this port already.
    ServesAlready { port: u16 },
    /// Its last word.
    Ended(End),
}

/// Why there is no chat from this computer (any more).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// The process could not be started: the system's words.
    NotStarted(String),
    /// It refused, in a sentence of its own.
    Refused(String),
    /// It ended without a word.
    Silent,
}

/// News that wait for the window: there are never more than these few.
const NEWS: usize = 8;

/// A chat served from this computer, for as long as this is kept.
#[derive(Debug)]
pub struct Host {
    news: Receiver<News>,
    process: Process,
    /// Joined last, when the process is being stopped.
    thread: Option<Joined>,
}

impl Host {
    /// Begins. What comes of it is news.
    ///
    /// # Errors
    /// The system has no room for one more thread.
    pub fn start(plan: Plan, wake: Waker) -> io::Result<Self> {
        let (tell, news) = bounded(NEWS);
        let process = Process::default();
        let theirs = process.clone();
        let thread = threads::start("host", move || {
            let tell = |it| {
                // Nobody listens any more when the window is gone.
                tell.send(it).ok();
                wake();
            };
            process::run(&plan, &theirs, &tell);
        })?;
        Ok(Self { news, process, thread: Some(thread) })
    }

    /// The next piece of news, if there is one. Never waits.
    pub fn try_recv(&self) -> Option<News> {
        self.news.try_recv().ok()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.process.stop();
        self.thread = None;
    }
}
