//! Making a backup: copy one state of the database, check the copy, put everything into one tar,
//! read that back, and only then give it its name.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use parlor_shared::UnixMillis;

use super::BackupError;
use super::archive::{self, Archive, Look, tar_bytes};
use super::manifest::{DATABASE, FILES, FORMAT, KEY, MEMBERS_MAX, Manifest, is_member_name};
use super::pace::{Abort, Pace};
use super::part::Part;
use crate::folder::Folder;
use crate::platform;
use crate::store::check::{Report, check_unless};
use crate::store::copy::Source;
use crate::store::{Reader, SCHEMA, file_in};

/// What is written reaches the disk after so many bytes, so that nobody's fsync has to wait for
/// all of it.
const SYNC_BYTES: u64 = 8 * 1024 * 1024;
/// Sentences about a copy that is not sound, before the rest is left to `check`.
const SENTENCES_MAX: usize = 3;

/// Which backup is to be made.
#[derive(Clone, Debug)]
pub struct Order {
    /// The data folder; a server may be using it.
    pub data: PathBuf,
    /// What is to be there afterwards.
    pub file: PathBuf,
    /// Another file of that name may be there already.
    pub may_replace: bool,
    /// Bytes that stay free on the disk of `file`.
    pub spare_bytes: u64,
    pub bytes_per_second: u64,
    /// Now.
    pub at: UnixMillis,
}

/// A backup that is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Made {
    pub file: PathBuf,
    pub bytes: u64,
    pub at: UnixMillis,
    /// The schema of the database in it; of an older one only the pages were looked at.
    pub schema: i64,
    pub rooms: u64,
    pub users: u64,
    /// Events that were looked at in the copy, each with its checksum.
    pub events: u64,
    /// What people sent.
    pub files: u64,
}

/// Makes it. On an error there is nothing new, and what was there before is untouched.
///
/// # Errors
/// See [`BackupError`].
pub fn make(order: &Order, abort: &Abort) -> Result<Made, BackupError> {
    let mut pace = Pace::new(abort, order.bytes_per_second);
    let made = try_make(order, &mut pace);
    // Whatever it was in the middle of, that is why it ended.
    if made.is_err() && abort.is_ordered() { Err(BackupError::Aborted) } else { made }
}

fn try_make(order: &Order, pace: &mut Pace) -> Result<Made, BackupError> {
    let mut alone = None;
    let source = match Source::open(&order.data) {
        // No room even for what SQLite puts there to read, so no server runs; none shall now.
        Err(error) if Source::has_no_index(&error) => {
            alone = Some(Folder::take(&order.data)?);
            Source::open_locked(&order.data)?
        }
        other => other?,
    };
    let about = Manifest {
        format: FORMAT,
        parlor: env!("CARGO_PKG_VERSION").to_owned(),
        schema: source.schema(),
        epoch: source.epoch(),
        made_at: order.at,
        members: Vec::new(),
    };
    let part = Part::begin(&order.file, order.may_replace)?;
    // The files after the state of the database: what that names is there, unless it was deleted
    // since.
    let others = others(&order.data)?;
    let sizes = others.iter().map(|it| it.bytes).chain([source.bytes()]);
    let needed = tar_bytes(sizes).saturating_add(source.bytes());
    let free = platform::free_bytes(part.folder()).map_err(BackupError::at(part.folder()))?;
    if free < needed.saturating_add(order.spare_bytes) {
        return Err(BackupError::NoRoom { place: part.target().to_owned(), needed, free });
    }
    copy(&source, &part, pace)?;
    // From here on the server's log may begin anew.
    drop((source, alone));
    let report = inspect(&part, about.schema, pace)?;
    let (manifest, files) = write(&part, about, &others, order.at, pace)?;
    part.drop_work()?;
    read_back(&part, &manifest, pace)?;
    let bytes = part.file().metadata().map_err(BackupError::at(part.target()))?.len();
    let file = part.target().to_owned();
    part.finish()?;
    let (rooms, users, events) = report;
    Ok(Made { file, bytes, at: order.at, schema: manifest.schema, rooms, users, events, files })
}

fn copy(source: &Source, part: &Part, pace: &mut Pace) -> Result<(), BackupError> {
    let failed = BackupError::at(part.target());
    // Made before SQLite makes it, so that it is ours alone and can be synced on the way.
    let copy = platform::create_private(&file_in(part.work())).map_err(&failed)?;
    let mut unsynced = 0;
    let mut trouble = None;
    let is_whole = source
        .copy_into(part.work(), |bytes| {
            unsynced += bytes;
            let synced = if unsynced < SYNC_BYTES {
                Ok(())
            } else {
                unsynced = 0;
                copy.sync_data().map_err(&failed)
            };
            trouble = synced.and_then(|()| pace.spend(bytes)).err();
            trouble.is_none()
        })
        .map_err(BackupError::storing(part.target()))?;
    match trouble {
        Some(error) => Err(error),
        None if is_whole => copy.sync_all().map_err(failed),
        None => Err(BackupError::Aborted),
    }
}

/// SQLite's check and ours, on the copy: rooms, users, events.
fn inspect(part: &Part, schema: i64, pace: &Pace) -> Result<(u64, u64, u64), BackupError> {
    let abort = pace.abort.clone();
    let is_over = move || abort.is_ordered();
    let report = if schema == SCHEMA {
        check_unless(part.work(), is_over)?
    } else {
        // An older Parlor's tables are not those that this one reads; the file as such is.
        let mut reader = Reader::open_to_look(part.work())?;
        reader.give_up_when(is_over)?;
        let found = reader.check_pages().err().map(|it| it.to_string());
        Report { found: found.into_iter().collect(), ..Report::default() }
    };
    if pace.abort.is_ordered() {
        return Err(BackupError::Aborted);
    }
    if !report.found.is_empty() {
        let shown = report.found.len().min(SENTENCES_MAX);
        return Err(BackupError::Unsound(report.found[..shown].join("; ")));
    }
    Ok((report.rooms, report.users, report.events))
}

/// A file of the data folder, beside the database.
struct Other {
    name: String,
    path: PathBuf,
    bytes: u64,
}

fn others(data: &Path) -> Result<Vec<Other>, BackupError> {
    let mut found = Vec::new();
    let key = data.join(KEY);
    match key.symlink_metadata() {
        Ok(it) if it.is_file() => {
            found.push(Other { name: KEY.to_owned(), path: key, bytes: it.len() });
        }
        Ok(_) => return Err(BackupError::Name(data.to_owned(), KEY.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(BackupError::at(&key)(error)),
    }
    let mut open = vec![FILES.to_owned()];
    while let Some(folder) = open.pop() {
        let place = data.join(&folder);
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(BackupError::at(&place)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(BackupError::at(&place))?;
            let about = match entry.path().symlink_metadata() {
                Ok(about) => about,
                // Deleted while we look.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(BackupError::at(&entry.path())(error)),
            };
            let name = entry.file_name().into_string().ok().map(|it| format!("{folder}/{it}"));
            match name.filter(|it| is_member_name(it)) {
                Some(name) if about.is_dir() => open.push(name),
                Some(name) if about.is_file() && found.len() < MEMBERS_MAX - 1 => {
                    found.push(Other { name, path: entry.path(), bytes: about.len() });
                }
                _ => {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    return Err(BackupError::Name(place, format!("{name:?}")));
                }
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Writes the tar; returns its manifest and how many files people sent.
fn write(
    part: &Part,
    about: Manifest,
    others: &[Other],
    at: UnixMillis,
    pace: &mut Pace,
) -> Result<(Manifest, u64), BackupError> {
    let failed = BackupError::at(part.target());
    let mut archive = Archive::new(Synced { file: part.file(), unsynced: 0 }, at);
    let path = file_in(part.work());
    let mut database = File::open(&path).map_err(&failed)?;
    let bytes = database.metadata().map_err(&failed)?.len();
    archive.add(DATABASE, bytes, &mut database, pace).map_err(&failed)?;
    let mut files = 0;
    for other in others {
        let mut file = match File::open(&other.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(BackupError::at(&other.path)(error)),
        };
        let from: &mut dyn Read = &mut file;
        archive.add(&other.name, other.bytes, from, pace).map_err(&failed)?;
        files += u64::from(other.name != KEY);
    }
    let (_, manifest) = archive.finish(about).map_err(&failed)?;
    part.file().sync_all().map_err(failed)?;
    Ok((manifest, files))
}

/// What was written is what can be read.
fn read_back(part: &Part, manifest: &Manifest, pace: &mut Pace) -> Result<(), BackupError> {
    platform::forget_cached(part.file());
    let mut file = part.file();
    io::Seek::rewind(&mut file).map_err(BackupError::at(part.target()))?;
    let found = match archive::read(file, part.target(), pace, &mut Look) {
        Err(BackupError::Damaged(_, why) | BackupError::NotABackup(_, why)) => {
            return Err(BackupError::Unsound(format!("read back: {why}")));
        }
        other => other?,
    };
    platform::forget_cached(part.file());
    if found == *manifest {
        Ok(())
    } else {
        Err(BackupError::Unsound("what was written is not what is read".to_owned()))
    }
}

/// See [`SYNC_BYTES`].
struct Synced<'a> {
    file: &'a File,
    unsynced: u64,
}

impl Write for Synced<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written as u64;
        if self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            self.file.sync_data()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
