//! Whole files: made so that only their owner may read them, known again by what they are and not
//! by what they are called, and how much room there is for more.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// A new file for reading and writing (0600). A link in its place counts as being there.
///
/// # Errors
/// `AlreadyExists`, and what the operating system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new folder that only its owner may look into (0700).
///
/// # Errors
/// `AlreadyExists`, and what the operating system says.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    #[cfg(not(unix))]
    builder.recursive(false);
    builder.create(path)
}

/// Whether `path` still names the open `file`, or by now another one, or nothing. Where that
/// cannot be known, it does.
///
/// # Errors
/// What the operating system says.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let here = file.metadata()?;
        match fs::symlink_metadata(path) {
            Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
    #[cfg(not(unix))]
    Ok(file.metadata().is_ok() && path.exists())
}

/// Bytes that this user can still write to the disk that `folder` is on.
///
/// # Errors
/// What the operating system says.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        fs::metadata(folder)?;
        Ok(u64::MAX)
    }
}

/// Gives an empty file that many bytes of the disk.
///
/// # Errors
/// What the operating system says, that there is no room for instance.
pub fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            // Some file systems do not know how.
            Err(rustix::io::Errno::OPNOTSUPP) => {}
            other => return Ok(other?),
        }
    }
    io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut &*file)?;
    file.sync_all()
}

/// True when `folder` is on another disk than the folder that it is in.
///
/// # Errors
/// What the operating system says.
pub fn is_mount_point(folder: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let Some(parent) = folder.parent() else { return Ok(true) };
        Ok(fs::metadata(folder)?.dev() != fs::metadata(parent)?.dev())
    }
    #[cfg(not(unix))]
    Ok(folder.parent().is_none())
}

/// What was made, renamed or removed in `folder` is on the disk afterwards.
///
/// # Errors
/// What the operating system says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        File::open(folder)?.sync_all()
    }
    #[cfg(not(unix))]
    fs::metadata(folder).map(drop)
}

/// The kernel need not keep what it remembers of a synced file: the next to read it reads the
/// disk, and what others want to be remembered stays. Where it does not listen, nothing is lost.
pub fn forget_cached(file: &File) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Advice, fadvise};
        if let Err(error) = fadvise(file, 0, None, Advice::DontNeed) {
            log::debug!("a file stays in memory: {error}");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}
