//! What the app keeps on this computer: who one is where, what was read, drafts, and what is
//! still to be said. One thread, one SQLite file in the profile's folder.
//!
//! 1. The window MUST never wait for the disk: orders go into a bounded queue, and what does not
//!    fit waits in [`Archive`] while the window reads nothing from the server
//!    ([`Archive::is_behind`]).
//! 2. Orders are carried out in order, many in one commit; answers come after that commit.
//! 3. Dropping the [`Archive`] carries out what is still queued.
//!
//! Invariant: what people wrote is on disk only sealed.

mod own;
mod schema;
mod seal;
mod secrets;
mod sign_ins;
mod store;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::model::limits::{KEEP_BATCH, KEEP_LINGER_MILLIS, KEEP_NEWS, KEEP_ORDERS};
use crate::model::{ArchiveNews, Keep, Opened};
use crate::threads::{self, Joined};

pub use secrets::{Keyring, NoKeyring, PatientKeyring, Shut};
use store::Store;

/// Called when there is news, from another thread.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Why a profile could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another copy of the app has it open.
    #[error(
        "This profile is open in another window of Parlor. Use that one, or start this one with --profile NAME."
    )]
    InUse,
    #[error(
        "This profile was used with a newer Parlor. Start that one, or start this one with --profile NAME."
    )]
    Newer,
    /// The folder, its lock or its key.
    #[error("The folder {} cannot be used: {error}", path.display())]
    Folder { path: PathBuf, error: io::Error },
    /// The database cannot be read.
    #[error(
        "What Parlor keeps on this computer cannot be read: {says}. Move that folder away, or start Parlor with --profile NAME."
    )]
    Broken { says: String },
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken { says: error.to_string() }
    }
}

impl From<store::StoreError> for OpenError {
    fn from(error: store::StoreError) -> Self {
        Self::Broken { says: error.to_string() }
    }
}

/// The window's end of the archive.
pub struct Archive {
    orders: Option<Sender<Keep>>,
    /// What did not fit into the queue, in order.
    waiting: VecDeque<Keep>,
    news: Option<Receiver<ArchiveNews>>,
    /// Tells the thread to wake the window when there is room again.
    is_behind: Arc<AtomicBool>,
    thread: Option<Joined>,
}

impl Archive {
    /// Opens the profile in `folder`, makes it where there is none, and reads what the model
    /// begins with. Done once, before there is a window. Tokens go into `keyring` where it takes
    /// them.
    ///
    /// # Errors
    /// In words for the person.
    pub fn open(
        folder: &Path,
        keyring: Box<dyn Keyring>,
        wake: Waker,
    ) -> Result<(Self, Opened), OpenError> {
        let locked = schema::Folder::open(folder)?;
        let (connection, seal) = locked.connect()?;
        let mut store = Store::new(connection, seal, keyring)?;
        let opened = store.opened()?;
        let (orders, to_do) = bounded(KEEP_ORDERS);
        let (to_window, news) = bounded(KEEP_NEWS);
        let is_behind = Arc::new(AtomicBool::new(false));
        let behind = Arc::clone(&is_behind);
        let body = move || {
            carry_out(store, &to_do, &to_window, &behind, &wake);
            // The lock goes last.
            drop(locked);
        };
        let thread = threads::start("archive", body)
            .map_err(|error| OpenError::Folder { path: folder.to_owned(), error })?;
        let archive = Self {
            orders: Some(orders),
            waiting: VecDeque::new(),
            news: Some(news),
            is_behind,
            thread: Some(thread),
        };
        Ok((archive, opened))
    }

    /// Orders something. Never waits.
    pub fn keep(&mut self, keep: Keep) {
        self.waiting.push_back(keep);
        self.pass_on();
    }

    /// More was ordered than the disk has taken. Nothing should be read from the server
    /// meanwhile; the window is woken when that is over.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next piece of news, if there is one. Never waits.
    pub fn try_recv(&mut self) -> Option<ArchiveNews> {
        self.pass_on();
        self.news.as_ref()?.try_recv().ok()
    }

    fn pass_on(&mut self) {
        let Some(orders) = &self.orders else { return };
        while let Some(keep) = self.waiting.pop_front() {
            match orders.try_send(keep) {
                Ok(()) => {}
                Err(TrySendError::Full(keep)) => {
                    self.waiting.push_front(keep);
                    // Tried once more after saying so: the thread may just have taken all of it
                    // without having been asked to wake anybody.
                    if self.is_behind.swap(true, Ordering::AcqRel) {
                        return;
                    }
                }
                // It has failed, and said so.
                Err(TrySendError::Disconnected(_)) => self.waiting.clear(),
            }
        }
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        // Nobody reads answers any more, so none of them holds the thread up.
        self.news = None;
        if let Some(orders) = self.orders.take() {
            for keep in self.waiting.drain(..) {
                if orders.send(keep).is_err() {
                    break;
                }
            }
        }
        self.thread = None;
    }
}

/// The thread: one commit for whatever is ordered at about the same time.
fn carry_out(
    mut store: Store,
    orders: &Receiver<Keep>,
    news: &Sender<ArchiveNews>,
    behind: &AtomicBool,
    wake: &Waker,
) {
    let mut batch = Vec::new();
    // What an earlier version, or a keyring that was shut, has left on disk.
    settle_tokens(&mut store);
    loop {
        batch.clear();
        let Ok(first) = orders.recv() else { return };
        batch.push(first);
        gather(orders, &mut batch);
        let (answers, is_over) = match store.carry_out(&batch) {
            Ok(answers) => (answers, false),
            Err(error) => {
                log::error!("keeping failed: {error}");
                (vec![ArchiveNews::Failed { says: error.to_string() }], true)
            }
        };
        let is_awaited = !answers.is_empty();
        for answer in answers {
            // At the end nobody listens any more, and the rest is still to be kept.
            news.send(answer).unwrap_or_default();
        }
        if is_awaited || behind.swap(false, Ordering::AcqRel) {
            wake();
        }
        if is_over {
            return;
        }
        if batch.iter().any(sign_ins::concerns_tokens) {
            settle_tokens(&mut store);
        }
    }
}

fn settle_tokens(store: &mut Store) {
    if let Err(error) = store.settle_tokens() {
        // The next order fails for the same reason, and says so.
        log::error!("keeping tokens failed: {error}");
    }
}

/// Adds what else is ordered: what nobody waits for may linger a moment, so that a person who
/// types does not cause a disk write with each letter.
fn gather(orders: &Receiver<Keep>, batch: &mut Vec<Keep>) {
    let deadline = Instant::now() + Duration::from_millis(KEEP_LINGER_MILLIS);
    let mut is_urgent = batch.iter().any(is_awaited);
    while batch.len() < KEEP_BATCH {
        let next =
            if is_urgent { orders.try_recv().ok() } else { orders.recv_deadline(deadline).ok() };
        let Some(keep) = next else { return };
        is_urgent |= is_awaited(&keep);
        batch.push(keep);
    }
}

/// Somebody waits for this, or would miss it dearly.
fn is_awaited(keep: &Keep) -> bool {
    match keep {
        Keep::Pending { .. }
        | Keep::LoadOlder { .. }
        | Keep::OpenSession(_)
        | Keep::Session(_)
        | Keep::ForgetSession(_)
        | Keep::Pin(_)
        | Keep::ForgetPin(_)
        | Keep::Erase { .. } => true,
        Keep::Selected { .. }
        | Keep::Room { .. }
        | Keep::ForgetRoom { .. }
        | Keep::Events { .. }
        | Keep::Draft { .. }
        | Keep::Own { .. }
        | Keep::Names { .. }
        | Keep::ForgetNames(_)
        | Keep::Settled { .. } => false,
    }
}
