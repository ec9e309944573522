//! Files that the person asked for: written where downloads go, on a thread of their own.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::model::{FileNews, Secret};
use crate::platform;
use crate::threads::{self, Joined};

/// Files of one name that are told apart by a number.
const NAMES_MAX: u32 = 1_000;

/// One file at a time on its way to the disk.
pub(super) struct Files {
    tell: Sender<FileNews>,
    told: Receiver<FileNews>,
    thread: Option<Joined>,
}

impl Files {
    pub(super) fn new() -> Self {
        let (tell, told) = bounded(4);
        Self { tell, told, thread: None }
    }

    /// Writes a new file called something like `name`; what came of it is news.
    pub(super) fn write(
        &mut self,
        name: String,
        text: Secret,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        // The one before is done long since, or a disk is slow that would be slow again.
        self.thread = None;
        let tell = self.tell.clone();
        let body = move || {
            let news = match write_new(&folder(), &name, text.as_str()) {
                Ok(path) => FileNews::Written { path: path.display().to_string() },
                Err(error) => FileNews::Failed { says: error.to_string() },
            };
            // A full queue means that nobody looks.
            tell.try_send(news).ok();
            wake();
        };
        self.thread = Some(threads::start("file", body)?);
        Ok(())
    }

    pub(super) fn try_recv(&self) -> Option<FileNews> {
        self.told.try_recv().ok()
    }
}

/// Where downloads go; where the system names no such place, the person's own folder.
fn folder() -> PathBuf {
    let places = directories::UserDirs::new();
    let place = places.map(|it| it.download_dir().unwrap_or(it.home_dir()).to_owned());
    place.unwrap_or_else(|| PathBuf::from("."))
}

/// Never over a file that is there: `name`, `name-2`, `name-3` …
fn write_new(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for number in 1..NAMES_MAX {
        let path = match number {
            1 => folder.join(format!("{stem}.{end}")),
            _ => folder.join(format!("{stem}-{number}.{end}")),
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        platform::only_for_owner_file(&mut options);
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::write_new;

    #[test]
    fn a_file_is_never_written_over_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = write_new(folder.path(), "codes.txt", "one").expect("written");
        let second = write_new(folder.path(), "codes.txt", "two").expect("written");
        assert_ne!(first, second);
        assert_eq!(std::fs::read_to_string(first).expect("read"), "one");
        assert_eq!(std::fs::read_to_string(second).expect("read"), "two");
    }
}
