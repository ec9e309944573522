//! Erasing between the batches: step by step, so that nobody waits for it, and at last the
//! write-ahead log, which keeps what was until it is emptied.

use std::path::Path;

use parlor_shared::Limits;

use super::ballast::Ballast;
use crate::chat::Monotonic;
use crate::store::{Store, StoreError};

/// A full disk, and a log that a reader is just using, are tried again after this.
const FULL_AGAIN_MILLIS: u64 = 1_000;
const BUSY_AGAIN_MILLIS: u64 = 50;
/// Steps after which the log is emptied in the middle of a long erasing: emptying it once, when all
/// is erased, would keep everybody waiting for a tenth of a second.
const STEPS_PER_LOG: u32 = 8;

/// See the module.
pub(super) struct Erasing {
    ballast: Ballast,
    /// Something is to be erased.
    is_pending: bool,
    /// The log may still have what was erased.
    has_log: bool,
    /// Steps since it was emptied.
    steps: u32,
    /// Not before then.
    pending_at: Monotonic,
    log_at: Monotonic,
}

impl Erasing {
    /// What an earlier run left to be done is done first.
    pub(super) fn new(store: &Store, folder: &Path, limits: &Limits) -> Result<Self, StoreError> {
        let is_pending = store.has_erasures()?;
        Ok(Self {
            ballast: Ballast::new(folder, limits.ballast_bytes, is_pending),
            is_pending,
            has_log: store.has_log(),
            steps: 0,
            pending_at: Monotonic(0),
            log_at: Monotonic(0),
        })
    }

    /// When the next step is due.
    pub(super) fn due(&self) -> Option<Monotonic> {
        let log = Some(self.log_at).filter(|_| self.has_log);
        let pending = Some(self.pending_at).filter(|_| self.is_pending);
        log.into_iter().chain(pending).min()
    }

    /// What was committed just now may have decided that something goes.
    pub(super) fn note(&mut self, erases: bool, now: Monotonic) {
        if erases {
            (self.is_pending, self.pending_at) = (true, now);
        }
    }

    /// True while what is free on the disk is for erasing alone.
    pub(super) fn keeps_room(&mut self, now: Monotonic) -> bool {
        if !self.is_pending && !self.has_log {
            self.ballast.refill(now);
        }
        self.ballast.is_out()
    }

    /// Finds room for something that erases; false when there is none to be had.
    pub(super) fn make_room(&mut self) -> bool {
        self.ballast.release()
    }

    /// Does a little of what is due.
    ///
    /// # Errors
    /// When the disk says no, other than by being full.
    pub(super) fn step(&mut self, store: &mut Store, now: Monotonic) -> Result<(), StoreError> {
        if self.has_log && self.log_at <= now {
            match store.empty_log() {
                Ok(true) => (self.has_log, self.steps) = (false, 0),
                Ok(false) => self.log_at = Monotonic(now.0 + BUSY_AGAIN_MILLIS),
                Err(error) if error.is_full() => self.log_at = self.after_full(now),
                Err(error) => return Err(error),
            }
        } else if self.is_pending && self.pending_at <= now {
            match store.erase_some() {
                Ok(is_done) => {
                    self.is_pending = store.has_erasures()?;
                    self.steps += 1;
                    // The little room there is must not all go into the log.
                    if is_done || self.steps >= STEPS_PER_LOG || self.ballast.is_out() {
                        (self.has_log, self.log_at) = (true, now);
                    }
                }
                Err(error) if error.is_full() => self.pending_at = self.after_full(now),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// When to try again what the disk had no room for.
    fn after_full(&mut self, now: Monotonic) -> Monotonic {
        if self.ballast.release() { now } else { Monotonic(now.0 + FULL_AGAIN_MILLIS) }
    }
}
