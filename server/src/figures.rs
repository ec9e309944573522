//! What the server keeps, in bytes, and how its backups stand: for those who see to it.

use std::path::{Path, PathBuf};

use parlor_shared::reply::{BackupMade, Storage};

use crate::backup::Backup;
use crate::platform;
use crate::store::{Reader, StoreError, file_in};

/// Files looked at in one folder and below; beyond them the sum is of the first so many.
const FILES_MAX: usize = 100_000;

/// Where everything lies.
#[derive(Clone)]
pub struct Figures {
    data: PathBuf,
    chatlogs: Option<PathBuf>,
    backup: Backup,
}

impl Figures {
    #[must_use]
    pub fn new(data: &Path, chatlogs: Option<&Path>, backup: Backup) -> Self {
        Self { data: data.to_owned(), chatlogs: chatlogs.map(Path::to_owned), backup }
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn storage(&self, reader: &mut Reader) -> Result<Storage, StoreError> {
        let (rooms, users) = reader.counts()?;
        let backup = self.backup.figures();
        let database = file_in(&self.data);
        let mut log = database.clone().into_os_string();
        log.push("-wal");
        let size = |path: &Path| path.metadata().map_or(0, |it| it.len());
        Ok(Storage {
            users,
            rooms,
            events: reader.last_position()?.0,
            database_bytes: size(&database) + size(Path::new(&log)),
            chatlog_bytes: self.chatlogs.as_deref().map_or(0, bytes_below),
            backup_bytes: bytes_below(&self.data.join("backups")),
            free_bytes: platform::free_bytes(&self.data).unwrap_or(0),
            last_backup: backup.made_at.map(|at| BackupMade { at, bytes: backup.made_bytes }),
            backup_failed: backup.last_error.unwrap_or_default(),
            next_backup_at: backup.next_due.unwrap_or_default(),
        })
    }
}

/// The sum of all files below a folder, links not followed. What cannot be read counts nothing.
fn bytes_below(folder: &Path) -> u64 {
    let (mut bytes, mut files) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                folders.push(entry.path());
            } else if found.is_file() {
                bytes += found.len();
            }
            files += 1;
            if files >= FILES_MAX {
                return bytes;
            }
        }
    }
    bytes
}
