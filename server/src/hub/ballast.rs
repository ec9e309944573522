//! The ballast: a file that only takes room, so that on a full disk there is some to erase with.
//!
//! Erasing is writing. The file goes when a commit that erases finds the disk full. Until it is
//! made again its room is for erasing alone: whatever else wants to be saved is refused, as on the
//! full disk that it is.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use crate::chat::Monotonic;
use crate::platform;

const FILE: &str = "ballast";
/// It is made when that part of its size is free besides it, so that making it does not fill the
/// disk.
const SPARE_PART: u64 = 16;
/// Between two looks whether there is room again.
const LOOK_MILLIS: u64 = 1_000;

/// See the module.
pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
    is_there: bool,
    /// Its room is for erasing.
    is_out: bool,
    look_at: Monotonic,
}

impl Ballast {
    /// Makes the file when there is room. When there is none while something is to be erased, that
    /// was what it was released for.
    pub(super) fn new(folder: &Path, bytes: u64, erases: bool) -> Self {
        let path = folder.join(FILE);
        let mut ballast =
            Self { path, bytes, is_there: false, is_out: false, look_at: Monotonic(0) };
        ballast.make_if_room();
        ballast.is_out = erases && bytes > 0 && !ballast.is_there;
        ballast
    }

    /// True while what is free is for erasing alone.
    pub(super) fn is_out(&self) -> bool {
        self.is_out
    }

    /// Gives the room free; false when there is none to give.
    pub(super) fn release(&mut self) -> bool {
        if !self.is_there {
            return false;
        }
        match std::fs::remove_file(&self.path) {
            Ok(()) => log::warn!("the disk is full: its last reserve is for erasing now"),
            Err(error) => {
                log::error!("the reserve for erasing cannot be released: {error}");
                return false;
            }
        }
        self.is_there = false;
        self.is_out = true;
        true
    }

    /// Takes the room again when there is some. To be called when nothing is being erased.
    pub(super) fn refill(&mut self, now: Monotonic) {
        if self.is_there || self.bytes == 0 || now < self.look_at {
            return;
        }
        self.look_at = Monotonic(now.0 + LOOK_MILLIS);
        self.make_if_room();
        if self.is_there {
            self.is_out = false;
            log::info!("there is a reserve for erasing on a full disk");
        }
    }

    fn make_if_room(&mut self) {
        self.is_there = self.bytes > 0
            && match self.try_make() {
                Ok(is_there) => is_there,
                Err(error) => {
                    log::warn!("no room is reserved for erasing on a full disk: {error}");
                    false
                }
            };
    }

    fn try_make(&self) -> io::Result<bool> {
        let has = self.path.metadata().map_or(0, |it| it.len());
        if has == self.bytes {
            return Ok(true);
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let free = platform::free_bytes(folder)?.saturating_add(has);
        if free < self.bytes.saturating_add(self.bytes / SPARE_PART) {
            return Ok(false);
        }
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&self.path)?;
        let reserved = platform::reserve(&file, self.bytes);
        if reserved.is_err() {
            // Half of it would be taken for a whole one.
            std::fs::remove_file(&self.path)?;
        }
        reserved.map(|()| true)
    }
}
