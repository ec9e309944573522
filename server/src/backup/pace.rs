//! How fast a backup may go, and how it is told to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::BackupError;

/// Waiting for less than this costs more than it gives.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// Bytes not used in time may be used later, but no more than of this time.
const BURST: Duration = Duration::from_millis(20);

/// Tells a backup under way to end and to leave nothing.
#[derive(Clone, Debug, Default)]
pub struct Abort(Arc<AtomicBool>);

impl Abort {
    /// Tells it.
    pub fn order(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For a signal, which can do no more than this.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Bytes per second, and the end.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) abort: Abort,
    per_second: u64,
    /// When everything up to now is paid for.
    paid_at: Instant,
}

impl Pace {
    pub(super) fn new(abort: &Abort, per_second: u64) -> Self {
        Self { abort: abort.clone(), per_second: per_second.max(1), paid_at: Instant::now() }
    }

    /// Waits until `bytes` more may be read or written.
    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), BackupError> {
        let now = Instant::now();
        let price = Duration::from_secs_f64(bytes as f64 / self.per_second as f64);
        self.paid_at = self.paid_at.max(now.checked_sub(BURST).unwrap_or(now)) + price;
        loop {
            if self.abort.is_ordered() {
                return Err(BackupError::Aborted);
            }
            let left = self.paid_at.saturating_duration_since(Instant::now());
            if left < PAUSE_MIN {
                return Ok(());
            }
            // An order to end is looked for often enough.
            std::thread::park_timeout(left.min(Duration::from_millis(50)));
        }
    }

    /// The same where only the operating system's errors can pass.
    pub(super) fn spend_io(&mut self, bytes: u64) -> io::Result<()> {
        self.spend(bytes).map_err(io::Error::other)
    }
}
