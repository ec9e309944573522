//! The program's own log: a file per start, with a bound on its size and on how many are kept.
//!
//! Invariant: no message's text, no name of a person and no token is ever logged; what came from
//! outside is escaped by who logs it (`{:?}`), because simplelog writes newlines as they are.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use log::LevelFilter;
use simplelog::{ConfigBuilder, WriteLogger};

const FOLDER: &str = "logs";
/// Files kept, one per start: enough to look at last week's trouble.
const FILES: usize = 10;
/// A file ends here until the next start.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Starts logging into the profile's folder.
///
/// # Errors
/// The folder or the file cannot be made.
pub(super) fn start(profile: &Path) -> io::Result<()> {
    let folder = profile.join(FOLDER);
    fs::create_dir_all(&folder)?;
    forget_old(&folder, FILES - 1)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Sorted by name is sorted by time; the process id keeps two starts in one moment apart.
    let name = format!("parlor-{:013}-{}.log", now.as_millis(), std::process::id());
    let file = Bounded { file: File::create(folder.join(name))?, left: FILE_BYTES };
    // Windows and fonts have much to say that is nobody's trouble.
    let config =
        ConfigBuilder::new().set_time_format_rfc3339().add_filter_allow_str("parlor").build();
    if WriteLogger::init(LevelFilter::Info, config, file).is_err() {
        // In a test somebody else logs already.
        log::debug!("a logger was there before");
    }
    Ok(())
}

fn forget_old(folder: &Path, keep: usize) -> io::Result<()> {
    let mut old: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|it| it.ok().map(|it| it.path()))
        .filter(|it| it.extension().is_some_and(|it| it == "log"))
        .collect();
    old.sort();
    let surplus = old.len().saturating_sub(keep);
    for path in &old[..surplus] {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Takes lines until the bound, then says so once and drops the rest.
struct Bounded {
    file: File,
    left: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len() as u64;
        if self.left >= taken {
            self.left -= taken;
            self.file.write_all(bytes)?;
        } else if self.left > 0 {
            self.left = 0;
            self.file.write_all(b"\nThis log is full; the next start begins another one.\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
