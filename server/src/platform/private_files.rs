//! Folders and files that only their owner may see, opened without following links: a link that
//! somebody planted must not make the server write elsewhere.

use std::fs::File;
use std::io;
use std::path::Path;

/// A folder for private files. On Unix everything in it is opened relative to its descriptor,
/// so that renaming or relinking a part of its path changes nothing.
#[derive(Debug)]
pub struct PrivateFolder {
    #[cfg(unix)]
    folder: rustix::fd::OwnedFd,
    #[cfg(not(unix))]
    folder: std::path::PathBuf,
}

/// Names are made by us; one that is not a plain name is a bug or an attack.
fn plain(name: &str) -> io::Result<&str> {
    let is_plain = !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0']);
    if is_plain { Ok(name) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

#[cfg(unix)]
impl PrivateFolder {
    /// The folder at `path`, made when it is not there (0700). Links on the way are followed:
    /// the host says where it is.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn at(path: &Path) -> io::Result<Self> {
        use rustix::fs::{CWD, Mode, OFlags, openat};
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self { folder: openat(CWD, path, flags, Mode::empty())? })
    }

    /// A folder in this one that is there.
    ///
    /// # Errors
    /// `NotFound`; anything else when it is not a folder, a link for instance.
    pub fn folder(&self, name: &str) -> io::Result<Self> {
        use rustix::fs::{Mode, OFlags, openat};
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self { folder: openat(&self.folder, plain(name)?, flags, Mode::empty())? })
    }

    /// A folder in this one, made when it is not there (0700).
    ///
    /// # Errors
    /// See [`Self::folder`].
    pub fn make_folder(&self, name: &str) -> io::Result<Self> {
        use rustix::fs::{Mode, mkdirat};
        match self.folder(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                mkdirat(&self.folder, plain(name)?, Mode::RWXU)?;
                self.folder(name)
            }
            other => other,
        }
    }

    /// A file in this folder for reading and writing; made (0600) when it is not there and `make`.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` when it is not a regular file.
    pub fn file(&self, name: &str, make: bool) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, openat};
        let mut flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        flags.set(OFlags::CREATE, make);
        let mode = Mode::RUSR | Mode::WUSR;
        regular(File::from(openat(&self.folder, plain(name)?, flags, mode)?))
    }

    /// Removes a file, a link itself if it is one. One that is not there is removed.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        use rustix::fs::{AtFlags, unlinkat};
        gone(unlinkat(&self.folder, plain(name)?, AtFlags::empty()).map_err(io::Error::from))
    }

    /// Removes an empty folder. One that is not there is removed.
    ///
    /// # Errors
    /// `DirectoryNotEmpty`, and what the operating system says.
    pub fn remove_folder(&self, name: &str) -> io::Result<()> {
        use rustix::fs::{AtFlags, unlinkat};
        gone(unlinkat(&self.folder, plain(name)?, AtFlags::REMOVEDIR).map_err(io::Error::from))
    }

    /// Gives a file another name, over whatever had it, and returns when the disk knows.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        rustix::fs::renameat(&self.folder, plain(from)?, &self.folder, plain(to)?)?;
        Ok(rustix::fs::fsync(&self.folder)?)
    }

    /// Moves what is called `name` into another folder of the same disk, where nothing is called
    /// so, or only an empty folder.
    ///
    /// # Errors
    /// `DirectoryNotEmpty`, and what the operating system says.
    pub fn move_into(&self, name: &str, into: &Self) -> io::Result<()> {
        let name = plain(name)?;
        Ok(rustix::fs::renameat(&self.folder, name, &into.folder, name)?)
    }

    /// The names of everything in it that is UTF-8.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.folder)? {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

#[cfg(not(unix))]
impl PrivateFolder {
    /// See the Unix version.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn at(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self { folder: path.to_owned() })
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// See the Unix version.
    pub fn folder(&self, name: &str) -> io::Result<Self> {
        let folder = self.folder.join(plain(name)?);
        if std::fs::symlink_metadata(&folder)?.is_dir() {
            Ok(Self { folder })
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// See the Unix version.
    pub fn make_folder(&self, name: &str) -> io::Result<Self> {
        match self.folder(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir(self.folder.join(plain(name)?))?;
                self.folder(name)
            }
            other => other,
        }
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// See the Unix version.
    pub fn file(&self, name: &str, make: bool) -> io::Result<File> {
        let path = self.folder.join(plain(name)?);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => return Err(io::ErrorKind::InvalidInput.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && make => {}
            Err(error) => return Err(error),
        }
        let mut options = std::fs::OpenOptions::new();
        regular(options.read(true).write(true).create(make).truncate(false).open(path)?)
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        gone(std::fs::remove_file(self.folder.join(plain(name)?)))
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// See the Unix version.
    pub fn remove_folder(&self, name: &str) -> io::Result<()> {
        gone(std::fs::remove_dir(self.folder.join(plain(name)?)))
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.folder.join(plain(from)?), self.folder.join(plain(to)?))
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn move_into(&self, name: &str, into: &Self) -> io::Result<()> {
        let name = plain(name)?;
        std::fs::rename(self.folder.join(name), into.folder.join(name))
    }

    /// See the Unix version.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }
}

/// A pipe or a device in a file's place would block or swallow what is written.
fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
