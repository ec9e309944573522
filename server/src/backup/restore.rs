//! The way back: all of FILE is looked at, unpacked beside the data folder, looked at again, and
//! put into its place by two renames.
//!
//! Between the two there is no data folder, only `DATA.before-restore-…` (what was there) and
//! `DATA.restoring` (what is to be there, complete). A kill leaves one of three states: the old
//! folder in its place, that one, or the new folder in its place. A server that finds the one in
//! the middle does not start on an empty folder but says what happened ([`unfinished`]).

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use parlor_shared::Epoch;

use super::BackupError;
use super::archive::{self, Look, Taker};
use super::manifest::{DATABASE, FILES, KEY, Manifest};
use super::pace::{Abort, Pace};
use super::stamp::Stamp;
use crate::folder::{Folder, FolderError};
use crate::platform;
use crate::store::check::check_unless;
use crate::store::copy::{Source, begin_epoch};
use crate::store::{Reader, SCHEMA, Store, StoreError, file_in};

/// Reading and unpacking has the machine to itself.
const BYTES_PER_SECOND: u64 = u64::MAX;
/// What SQLite puts beside a database that is opened, generously.
const SPARE_BYTES: u64 = 1024 * 1024;
/// Backups that the server makes by itself are in this folder of the data folder.
pub(super) const BACKUPS: &str = "backups";
/// What may be in a folder that has no database and is a data folder all the same.
const OURS: &[&str] = &[BACKUPS, "chatlogs", FILES, KEY, "lock", "logs"];
/// Folders put aside in one second, and links in a row, before we stop counting.
const TRIES: usize = 100;

/// What was done.
#[derive(Debug)]
pub struct Restored {
    pub data: PathBuf,
    /// What was there before, if anything was.
    pub previous: Option<PathBuf>,
    pub manifest: Manifest,
    pub epoch: Epoch,
    /// What else is worth knowing, a sentence each.
    pub notes: Vec<String>,
    pub rooms: u64,
    pub users: u64,
    pub events: u64,
}

/// Puts what is in `file` into the place of the data folder `data`.
///
/// # Errors
/// See [`BackupError`]. Everything is as it was then, or the sentence says where it is.
pub fn restore(file: &Path, data: &Path, abort: &Abort) -> Result<Restored, BackupError> {
    let restored = try_restore(file, data, abort);
    let is_about_place = matches!(restored, Err(BackupError::Rename { .. }));
    if restored.is_err() && abort.is_ordered() && !is_about_place {
        return Err(BackupError::Aborted);
    }
    restored
}

fn try_restore(path: &Path, data: &Path, abort: &Abort) -> Result<Restored, BackupError> {
    let place = Place::of(data)?;
    // Held until the end, wherever the folder is by then.
    let _taken = place.take()?;
    let mut pace = Pace::new(abort, BYTES_PER_SECOND);
    let file = File::open(path).map_err(BackupError::at(path))?;
    if file.metadata().map_err(BackupError::at(path))?.is_dir() {
        return Err(BackupError::IsFolder(path.to_owned()));
    }
    let manifest = archive::read(&file, path, &mut pace, &mut Look)?;
    if manifest.schema > SCHEMA {
        return Err(BackupError::newer_schema(path, manifest.schema));
    }
    // An older database is written once more when it is brought to today's tables.
    let twice = if manifest.schema < SCHEMA { manifest.bytes() } else { 0 };
    let (needed, free) = (
        manifest.bytes().saturating_add(twice).saturating_add(SPARE_BYTES),
        platform::free_bytes(&place.parent).map_err(BackupError::at(&place.parent))?,
    );
    if free < needed {
        return Err(BackupError::NoRoom { place: place.data, needed, free });
    }
    let fresh = Fresh::begin(&place.restoring)?;
    let mut unpack = Unpack { folder: &place.restoring, file: None };
    (&file).rewind().map_err(BackupError::at(path))?;
    let unpacked = archive::read(&file, path, &mut pace, &mut unpack)?;
    if unpacked != manifest {
        return Err(BackupError::Damaged(path.to_owned(), "it changes while it is read".into()));
    }
    let old = place.old_epoch();
    let (epoch, counts) = settle(path, &place.restoring, &manifest, old, abort)?;
    let mut notes = Vec::new();
    if keep_key(&place, &manifest)? {
        notes.push("The backup has no key; the server keeps the one that it had.".to_owned());
    }
    sync_folders(&place.restoring).map_err(BackupError::at(&place.restoring))?;
    if abort.is_ordered() {
        return Err(BackupError::Aborted);
    }
    let previous = place.swap(fresh)?;
    notes.extend(previous.iter().filter_map(|it| place.keep_backups(it)));
    if let Err(error) = platform::sync_folder(&place.parent) {
        notes.push(format!("{} cannot be synced: {error}.", place.parent.display()));
    }
    let (rooms, users, events) = counts;
    let data = place.data;
    Ok(Restored { data, previous, manifest, epoch, notes, rooms, users, events })
}

/// Where everything is.
struct Place {
    data: PathBuf,
    parent: PathBuf,
    restoring: PathBuf,
    is_there: bool,
}

impl Place {
    fn of(data: &Path) -> Result<Self, BackupError> {
        let data = real(data).map_err(BackupError::at(data))?;
        let (Some(parent), Some(name)) = (data.parent(), data.file_name()) else {
            return Err(BackupError::MountPoint { place: data });
        };
        let mut restoring = name.to_owned();
        restoring.push(".restoring");
        let (parent, is_there) = (parent.to_owned(), data.exists());
        Ok(Self { restoring: parent.join(restoring), parent, data, is_there })
    }

    /// The lock of what is there, so that nobody uses it; looks whether it can be put aside.
    fn take(&self) -> Result<Option<Folder>, BackupError> {
        if !self.is_there {
            if let Some(name) =
                platform::network_file_system(&self.data).map_err(BackupError::at(&self.data))?
            {
                return Err(FolderError::Network(self.data.clone(), name).into());
            }
            fs::create_dir_all(&self.parent).map_err(BackupError::at(&self.parent))?;
            return Ok(None);
        }
        let failed = BackupError::at(&self.data);
        if !file_in(&self.data).exists() {
            // Somebody's folder with other things in it, named by a slip.
            for entry in fs::read_dir(&self.data).map_err(&failed)? {
                let name = entry.map_err(&failed)?.file_name();
                if !OURS.iter().any(|it| name == *it) {
                    return Err(BackupError::NotOurs(self.data.clone()));
                }
            }
        }
        if platform::is_mount_point(&self.data).map_err(failed)? {
            return Err(BackupError::MountPoint { place: self.data.clone() });
        }
        Ok(Some(Folder::take(&self.data)?))
    }

    /// Which history is there now; one that cannot be read is none.
    fn old_epoch(&self) -> Option<Epoch> {
        if !self.is_there {
            return None;
        }
        match Reader::open_to_look(&self.data).and_then(|mut it| it.epoch()) {
            Ok(epoch) => Some(epoch),
            Err(error) => {
                log::info!("the present data: {error}");
                None
            }
        }
    }

    /// The two renames.
    fn swap(&self, mut fresh: Fresh<'_>) -> Result<Option<PathBuf>, BackupError> {
        let failed = |from: &Path, to: &Path, error, left: String| BackupError::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
            error,
            left,
        };
        let aside = if self.is_there {
            let aside = self.aside();
            if let Err(error) = fs::rename(&self.data, &aside) {
                let left = "Nothing was changed".to_owned();
                return Err(failed(&self.data, &aside, error, left));
            }
            Some(aside)
        } else {
            None
        };
        // Whatever happens now, what was unpacked is not in the way.
        fresh.is_wanted = true;
        if let Err(error) = fs::rename(&self.restoring, &self.data) {
            let left = match &aside {
                None => format!("What was restored is in {}", self.restoring.display()),
                Some(aside) => match fs::rename(aside, &self.data) {
                    Ok(()) => {
                        fresh.is_wanted = false;
                        "The previous data is in its place again".to_owned()
                    }
                    Err(_) => self.between(),
                },
            };
            return Err(failed(&self.restoring, &self.data, error, left));
        }
        Ok(aside)
    }

    /// A later backup than the one restored may be among the server's own; they stay with it.
    fn keep_backups(&self, aside: &Path) -> Option<String> {
        let (from, to) = (aside.join(BACKUPS), self.data.join(BACKUPS));
        match fs::rename(&from, &to) {
            Ok(()) => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(format!("The backups stay in {}: {error}.", from.display())),
        }
    }

    /// A name beside the data folder that nothing has.
    fn aside(&self) -> PathBuf {
        let name = self.data.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = format!("{name}.before-restore-{}", Stamp::of(platform::wall_time()));
        let first = self.parent.join(&stem);
        let others = (2..TRIES).map(|it| self.parent.join(format!("{stem}-{it}")));
        let free = |it: &PathBuf| it.symlink_metadata().is_err();
        [first.clone()].into_iter().chain(others).find(free).unwrap_or(first)
    }

    /// What to do in the state between the two renames.
    fn between(&self) -> String {
        let mut says = format!(
            "A restore into {} was cut short. Run `parlor-server restore FILE` again (what it \
             had unpacked is in {}",
            self.data.display(),
            self.restoring.display()
        );
        match self.newest_aside() {
            Some(aside) => says.push_str(&format!(
                "); or, to have the previous data back, rename {} to {}",
                aside.display(),
                self.data.display()
            )),
            None => says.push_str(", and can be deleted to begin an empty chat)"),
        }
        says
    }

    fn newest_aside(&self) -> Option<PathBuf> {
        let name = self.data.file_name()?.to_string_lossy().into_owned();
        let start = format!("{name}.before-restore-");
        let entries = fs::read_dir(&self.parent).ok()?;
        entries
            .filter_map(|it| it.ok().map(|it| it.path()))
            .filter(|it| it.file_name().is_some_and(|it| it.to_string_lossy().starts_with(&start)))
            .max()
    }
}

/// `path` without links, also where nothing is at its end.
fn real(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..TRIES {
        match fs::canonicalize(&path) {
            Ok(real) => return Ok(real),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // A link to a folder that was put aside a moment ago.
        let Ok(target) = fs::read_link(&path) else {
            return Ok(match (path.parent().map(fs::canonicalize), path.file_name()) {
                (Some(Ok(parent)), Some(name)) => parent.join(name),
                _ => path,
            });
        };
        path = path.parent().unwrap_or(&path).join(target);
    }
    Err(io::ErrorKind::NotFound.into())
}

/// `Err` when a restore into `data` was cut short between its renames: the previous data and
/// the new are both there, and an empty chat in their place would be a surprise.
///
/// # Errors
/// What happened, and what to do.
pub fn unfinished(data: &Path) -> Result<(), BackupError> {
    // What is wrong with the place as such is for others to say.
    let Ok(place) = Place::of(data) else { return Ok(()) };
    if !place.is_there && place.restoring.is_dir() {
        return Err(BackupError::Unfinished(place.between()));
    }
    Ok(())
}

/// `DATA.restoring`, gone with this value unless it is wanted.
struct Fresh<'a> {
    path: &'a Path,
    /// So that two restores do not unpack into one folder, and no server starts in it.
    _lock: Folder,
    is_wanted: bool,
}

impl<'a> Fresh<'a> {
    /// Takes what a cut-short restore left, and begins again.
    fn begin(path: &'a Path) -> Result<Self, BackupError> {
        let take = || match Folder::take(path) {
            Err(FolderError::InUse(path)) => Err(BackupError::Restoring(path)),
            Err(FolderError::Unusable(path, error)) => Err(BackupError::at(&path)(error)),
            other => Ok(other?),
        };
        if path.symlink_metadata().is_ok() {
            let left = take()?;
            fs::remove_dir_all(path).map_err(BackupError::at(path))?;
            drop(left);
        }
        Ok(Self { path, _lock: take()?, is_wanted: false })
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if !self.is_wanted
            && let Err(error) = fs::remove_dir_all(self.path)
        {
            log::warn!("{} is left: {error}", self.path.display());
        }
    }
}

/// Writes the members into a folder.
struct Unpack<'a> {
    folder: &'a Path,
    file: Option<(PathBuf, File)>,
}

impl Taker for Unpack<'_> {
    fn begin(&mut self, member: &str, _: u64) -> Result<(), BackupError> {
        // A member's name is plain: it was looked at when it was read.
        let path = self.folder.join(member);
        if let Some(parent) = path.parent().filter(|it| *it != self.folder) {
            fs::create_dir_all(parent).map_err(BackupError::at(parent))?;
        }
        let file = platform::create_private(&path).map_err(BackupError::at(&path))?;
        self.file = Some((path, file));
        Ok(())
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), BackupError> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        file.write_all(piece).map_err(BackupError::at(path))
    }

    fn end(&mut self) -> Result<(), BackupError> {
        let Some((path, file)) = self.file.take() else { return Ok(()) };
        file.sync_all().map_err(BackupError::at(&path))
    }
}

type Counts = (u64, u64, u64);

/// Opens the database as a server would, which brings an older one to today's tables, looks at
/// every row, and makes it another history.
fn settle(
    path: &Path,
    folder: &Path,
    manifest: &Manifest,
    old: Option<Epoch>,
    abort: &Abort,
) -> Result<(Epoch, Counts), BackupError> {
    let unsound = |error: StoreError| match error {
        StoreError::Newer { found } => BackupError::newer_schema(path, found),
        StoreError::NotOurs(_) => {
            BackupError::NotABackup(path.to_owned(), format!("its {DATABASE} is not ours"))
        }
        StoreError::Corrupt(why) => BackupError::Damaged(path.to_owned(), why),
        error @ (StoreError::Sqlite(_)
        | StoreError::Damaged { .. }
        | StoreError::Busy
        | StoreError::Io(_)) => BackupError::storing(folder)(error),
    };
    // An empty file would be an empty database to SQLite, and a new one to the server.
    let schema = Source::open_locked(folder).map_err(unsound)?.schema();
    if schema != manifest.schema {
        let why = format!("its schema is {schema}, not {}", manifest.schema);
        return Err(BackupError::Damaged(path.to_owned(), why));
    }
    drop(Store::open(folder).map_err(unsound)?);
    let ordered = abort.clone();
    let report = check_unless(folder, move || ordered.is_ordered()).map_err(unsound)?;
    if let Some(first) = report.found.first() {
        return Err(BackupError::Damaged(path.to_owned(), first.clone()));
    }
    let epoch = begin_epoch(folder, old).map_err(unsound)?;
    let database = File::open(file_in(folder)).map_err(BackupError::at(folder))?;
    database.sync_all().map_err(BackupError::at(folder))?;
    Ok((epoch, (report.rooms, report.users, report.events)))
}

/// A backup from before the server had a key leaves it the one it has, or every client would be
/// told that the server is another.
fn keep_key(place: &Place, manifest: &Manifest) -> Result<bool, BackupError> {
    let key = place.data.join(KEY);
    if manifest.members.iter().any(|it| it.name == KEY) || !key.is_file() {
        return Ok(false);
    }
    let failed = BackupError::at(&key);
    let mut old = File::open(&key).map_err(&failed)?;
    let mut new = platform::create_private(&place.restoring.join(KEY)).map_err(&failed)?;
    io::copy(&mut old, &mut new).map_err(&failed)?;
    new.sync_all().map_err(failed)?;
    Ok(true)
}

/// All folders from `folder` down.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    platform::sync_folder(folder)
}
