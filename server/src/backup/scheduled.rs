//! The thread `backup`: makes one when it is due, or at once for who asks, and keeps the newest.
//!
//! Its plan belongs to somebody else, who may change it at any time. A backup that does not
//! succeed is logged, kept for the admin to see, and tried again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use parlor_shared::{Limits, UnixMillis};

use super::make::{Made, Order, make};
use super::pace::Abort;
use super::part::Part;
use super::restore::BACKUPS;
use super::schedule::{Plan, Run, file_name, left, parse_file_name, retry, surplus};
use super::stamp::Stamp;
use super::{BackupError, size};
use crate::{platform, threads};

/// A changed plan takes effect within this time; a look costs the list of one folder.
const LOOK: Duration = Duration::from_secs(10);
/// Who ask at once; more are told to ask later.
const ASKING: usize = 4;

/// How the server's own backups stand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BackupFigures {
    /// When the newest one was made, and how long it is.
    pub made_at: Option<UnixMillis>,
    pub made_bytes: u64,
    /// Why the last try failed; `None` when it did not.
    pub last_error: Option<String>,
    /// `None`: the plan is to make none.
    pub next_due: Option<UnixMillis>,
    pub is_under_way: bool,
}

/// What comes of a backup that somebody asked for.
pub type Answer = Result<Made, String>;

enum Ask {
    Now(Sender<Answer>),
    Look,
}

/// The running thread, for whoever asks it. It ends by [`Backup::stop`].
#[derive(Clone)]
pub struct Backup {
    asks: Sender<Ask>,
    abort: Abort,
    figures: Arc<Mutex<BackupFigures>>,
}

impl Backup {
    /// Starts the thread for the data folder `data`, whose lock this process has.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(
        data: &Path,
        plan: Arc<RwLock<Plan>>,
        limits: &Arc<Limits>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (asks, asked) = bounded(ASKING);
        let backup = Self { asks, abort: Abort::default(), figures: Arc::default() };
        let mut work = Work {
            data: data.to_owned(),
            folder: data.join(BACKUPS),
            plan,
            limits: Arc::clone(limits),
            abort: backup.abort.clone(),
            figures: Arc::clone(&backup.figures),
            started: Instant::now(),
            made: None,
            failed: None,
        };
        let thread = threads::start("backup", move || {
            platform::yield_to_others();
            work.run(&asked);
        })?;
        Ok((backup, thread))
    }

    /// Asks for a backup at once, whatever the plan is; `answer` (bounded, with room for one)
    /// hears what came of it. False when too many ask already, or the server ends.
    #[must_use]
    pub fn now(&self, answer: Sender<Answer>) -> bool {
        !self.abort.is_ordered() && self.asks.try_send(Ask::Now(answer)).is_ok()
    }

    /// The plan was changed: it takes effect now and not in some seconds.
    pub fn look(&self) {
        match self.asks.try_send(Ask::Look) {
            // Whatever it does now, it looks afterwards.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// How the backups stand.
    #[must_use]
    pub fn figures(&self) -> BackupFigures {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the thread; one under way leaves nothing. Returns before that: join its handle.
    pub fn stop(&self) {
        self.abort.order();
        self.look();
    }
}

struct Work {
    data: PathBuf,
    folder: PathBuf,
    plan: Arc<RwLock<Plan>>,
    limits: Arc<Limits>,
    abort: Abort,
    figures: Arc<Mutex<BackupFigures>>,
    started: Instant,
    made: Option<Instant>,
    /// How often in a row, and when last.
    failed: Option<(u32, Instant)>,
}

impl Work {
    fn run(&mut self, asked: &Receiver<Ask>) {
        self.begin();
        while !self.abort.is_ordered() {
            let left = self.left();
            match asked.recv_timeout(left.map_or(LOOK, |it| it.min(LOOK))) {
                Ok(Ask::Now(answer)) => {
                    let made = self.make().map_err(|it| it.to_string());
                    // Who asked may be gone.
                    answer.try_send(made).ok();
                }
                Ok(Ask::Look) => {}
                Err(RecvTimeoutError::Timeout) if left == Some(Duration::ZERO) => {
                    // What came of it is in the log and in the figures.
                    self.make().ok();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// What earlier runs left: backups, and the rest of one that was cut short.
    fn begin(&self) {
        let newest = self.found().into_iter().max();
        let bytes = newest.and_then(|it| self.path(it).metadata().ok()).map_or(0, |it| it.len());
        self.show(|figures| {
            figures.made_at = newest.map(Stamp::millis);
            figures.made_bytes = bytes;
        });
        for name in self.names() {
            let whole = [".part", ".work"].iter().find_map(|it| name.strip_suffix(it));
            if whole.is_some_and(|it| parse_file_name(it).is_some())
                && let Some(whole) = whole
                && let Err(error) = Part::begin(&self.folder.join(whole), true)
            {
                log::warn!("{name} of an earlier backup is left: {error}");
            }
        }
    }

    /// How long until the next one.
    fn left(&self) -> Option<Duration> {
        let plan = *self.plan.read().unwrap_or_else(PoisonError::into_inner);
        let now = platform::wall_time();
        let run = Run {
            age: self.started.elapsed(),
            delay: Duration::from_millis(self.limits.backup_delay_millis),
            since_made: self.made.map(|it| it.elapsed()),
            failures: self.failed.map_or(0, |it| it.0),
            since_failed: self.failed.map_or(Duration::ZERO, |it| it.1.elapsed()),
        };
        let left = left(plan, now, &self.found(), run);
        let due = left.map(|it| UnixMillis(now.0.saturating_add(it.as_millis() as u64)));
        self.show(|figures| figures.next_due = due);
        left
    }

    fn make(&mut self) -> Result<Made, BackupError> {
        self.show(|figures| figures.is_under_way = true);
        let made = self.try_make();
        match &made {
            Ok(made) => {
                log::info!("a backup was made: {:?}, {}", made.file, size(made.bytes));
                self.made = Some(Instant::now());
                self.failed = None;
            }
            Err(BackupError::Aborted) => log::info!("a backup was ended with the server"),
            Err(error) => {
                let failures = self.failed.map_or(0, |it| it.0).saturating_add(1);
                self.failed = Some((failures, Instant::now()));
                let minutes = retry(failures).as_secs() / 60;
                log::error!("no backup was made: {error}; the next try is in {minutes} minutes");
            }
        }
        self.show(|figures| {
            figures.is_under_way = false;
            match &made {
                Ok(made) => {
                    figures.made_at = Some(made.at);
                    figures.made_bytes = made.bytes;
                    figures.last_error = None;
                }
                Err(error) => figures.last_error = Some(error.to_string()),
            }
        });
        made
    }

    fn try_make(&self) -> Result<Made, BackupError> {
        match platform::create_private_folder(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(BackupError::at(&self.folder)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let now = platform::wall_time();
        let mut stamp = Stamp::of(now);
        // Two in one second: the name of the next one is as good.
        while self.path(stamp).symlink_metadata().is_ok() {
            stamp.0 += 1;
        }
        let order = Order {
            data: self.data.clone(),
            file: self.path(stamp),
            may_replace: false,
            spare_bytes: self.limits.disk_free_bytes,
            bytes_per_second: self.limits.backup_bytes_per_second,
            at: now,
        };
        let made = make(&order, &self.abort)?;
        let keep = self.plan.read().unwrap_or_else(PoisonError::into_inner).keep;
        for old in surplus(keep, &self.found(), stamp) {
            let path = self.path(old);
            if let Err(error) = fs::remove_file(&path) {
                log::warn!("the old backup {path:?} is left: {error}");
            }
        }
        Ok(made)
    }

    fn path(&self, stamp: Stamp) -> PathBuf {
        self.folder.join(file_name(stamp))
    }

    /// The backups that are there.
    fn found(&self) -> Vec<Stamp> {
        let is_file = |it: &Stamp| self.path(*it).symlink_metadata().is_ok_and(|it| it.is_file());
        self.names().iter().filter_map(|it| parse_file_name(it)).filter(is_file).collect()
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        entries.filter_map(|it| it.ok()?.file_name().into_string().ok()).collect()
    }

    fn show(&self, change: impl FnOnce(&mut BackupFigures)) {
        change(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
