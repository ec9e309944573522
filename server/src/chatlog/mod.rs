//! Users' chat logs: plain text for an editor and for `grep`, written by a follower of the store.
//!
//! One folder per user (`<id>-<name>`, what is unusual in the name as `%XX`), in it one file per
//! month of UTC (`2026-11.log`), in it one line for each event of the rooms that the user was a
//! member of at that event, own joining and leaving included:
//!
//! ```text
//! time<TAB>room<TAB>seq<TAB>who<TAB>what[<TAB>text]
//! 2026-11-21T09:30:00.000Z<TAB>lobby<TAB>17<TAB>Ann<TAB>said<TAB>good morning
//! ```
//!
//! `time` is UTC to the millisecond, `room` the room's name, `seq` the event's place in it, `who`
//! the author's name at that moment (`former user` of those who deleted their account), `what` one of `opened`, `joined`, `left`, `said`, and `text`,
//! only with `said`, what was said. In every field a newline is `\n`, a tab `\t`, a backslash `\\`;
//! any other control, direction or separator character is `\u{…}` with its hexadecimal number. So
//! a line is an event, always, and a field can be turned back into exactly what it was.
//!
//! After a restore the store tells another history. The logs of the one that it replaced are put
//! aside into `before-restore-<epoch>`, and all are written anew.
//!
//! What is erased goes: its line becomes `blank`, in all logs that have it, and the log of somebody
//! who deleted the account is removed.
//!
//! A user's log ends at a limit of bytes: then its oldest month goes. The store decides what is
//! in the logs; whatever happens to the files, after a start they are made to say it again, byte
//! for byte.
//!
//! The contract:
//! 1. The follower MUST NOT hold anybody up: it is rung by `try_send` and reads with a connection
//!    of its own; it lags, and says by how much.
//! 2. Files MUST be written before it is remembered that they were; see `follower`.
//! 3. What is written MUST depend on the events alone, never on how they fell into steps.
//! 4. Folders are 0700, files 0600, links are never followed, a name never becomes a path.
//! 5. Trouble with one user's files stops that user's log only; trouble with the disk stops all,
//!    until it is over.

mod audience;
mod erased;
mod follower;
mod history;
mod line;
mod pace;
mod progress;
mod shelf;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parlor_shared::Limits;

use crate::store::StoreError;
use crate::threads;
use follower::Follower;
use pace::Stop;

/// Between two rounds of appending: one write per user and second at most.
const ROUND: Duration = Duration::from_secs(1);
/// A round for thousands of users comes less often, so that it takes a hundredth of the time at
/// most; but not less often than this.
const PARTS_PER_ROUND: u32 = 100;
const ROUND_MAX: Duration = Duration::from_secs(5);
/// After trouble with the disk it is tried again, less and less often.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(300);

/// Why chat logs cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ChatlogError {
    #[error("the chat logs' folder {0} cannot be used: {1}")]
    Folder(PathBuf, io::Error),
    #[error("the chat logs' progress cannot be kept: {0}")]
    Progress(#[from] rusqlite::Error),
    #[error("the chat logs cannot read the store: {0}")]
    Store(#[from] StoreError),
    #[error("the chat logs cannot be written: {0}")]
    Write(io::Error),
    #[error("the system has no thread for the chat logs: {0}")]
    Thread(io::Error),
}

/// How the chat logs stand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ChatlogFigures {
    /// The store's position up to which everything is written.
    pub position: u64,
    /// The store's newest position at the last look: above `position`, the logs lag.
    pub newest: u64,
    /// Users whose logs are being made again.
    pub behind: u64,
    /// Bytes written since the start.
    pub bytes_written: u64,
}

impl ChatlogFigures {
    /// Events that are not written yet.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.newest.saturating_sub(self.position)
    }
}

#[derive(Debug, Default)]
struct Board {
    position: AtomicU64,
    newest: AtomicU64,
    behind: AtomicU64,
    bytes_written: AtomicU64,
}

/// The running follower. When the last clone and all bells are gone, it ends.
#[derive(Clone, Debug)]
pub struct Chatlog {
    bell: Sender<()>,
    orders: Sender<Instant>,
    board: Arc<Board>,
}

impl Chatlog {
    /// Starts the thread `chatlog`, which writes into `folder` what the store in `data` says.
    /// The store exists and is migrated.
    ///
    /// # Errors
    /// When the folder, the store or the logs' own progress cannot be opened.
    pub fn start(
        folder: &Path,
        data: &Path,
        limits: &Arc<Limits>,
    ) -> Result<(Self, JoinHandle<()>), ChatlogError> {
        let (bell, rings) = bounded(1);
        let (orders, ordered) = bounded(1);
        let board = Arc::new(Board::default());
        let open = {
            let (folder, data) = (folder.to_owned(), data.to_owned());
            let (limits, board) = (Arc::clone(limits), Arc::clone(&board));
            move || Follower::open(&folder, &data, &limits, Arc::clone(&board))
        };
        let first = open()?;
        let thread = threads::start("chatlog", move || {
            crate::platform::yield_to_others();
            run(first, open, &rings, &mut Stop::new(ordered));
        })
        .map_err(ChatlogError::Thread)?;
        Ok((Self { bell, orders, board }, thread))
    }

    /// To be rung (`try_send`) after each commit that saved something.
    #[must_use]
    pub fn bell(&self) -> Sender<()> {
        self.bell.clone()
    }

    /// Writes what the store holds by now, until `deadline` at most; then the thread ends.
    /// Returns before that: join its handle.
    pub fn stop(&self, deadline: Instant) {
        match self.orders.try_send(deadline) {
            // Told before, or ended already.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// How the chat logs stand.
    #[must_use]
    pub fn figures(&self) -> ChatlogFigures {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        ChatlogFigures {
            position: read(&self.board.position),
            newest: read(&self.board.newest),
            behind: read(&self.board.behind),
            bytes_written: read(&self.board.bytes_written),
        }
    }
}

/// Follows, and after trouble opens everything anew: what was not remembered never happened.
fn run(
    first: Follower,
    open: impl Fn() -> Result<Follower, ChatlogError>,
    bell: &Receiver<()>,
    stop: &mut Stop,
) {
    let mut opened = Ok(first);
    let mut retry = RETRY;
    loop {
        match opened.and_then(|it| follow(it, bell, stop, &mut retry)) {
            Ok(()) => return,
            Err(error) => log::error!("{error}; trying again in {} s", retry.as_secs()),
        }
        stop.pause(retry);
        if stop.is_ordered() {
            return;
        }
        retry = (retry * 2).min(RETRY_MAX);
        opened = open();
    }
}

fn follow(
    mut follower: Follower,
    bell: &Receiver<()>,
    stop: &mut Stop,
    retry: &mut Duration,
) -> Result<(), ChatlogError> {
    follower.check(stop)?;
    loop {
        let started = Instant::now();
        // Asked before the step: what was committed before the order is read after it.
        let is_last = stop.is_ordered();
        let has_more = follower.step(stop)?;
        *retry = RETRY;
        if stop.is_over() || (is_last && !has_more) {
            return Ok(());
        }
        if !has_more {
            let round = (started.elapsed() * PARTS_PER_ROUND).clamp(ROUND, ROUND_MAX);
            stop.pause_until_rung(bell);
            stop.pause(round.saturating_sub(started.elapsed()));
        }
    }
}
