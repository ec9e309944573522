//! The program's own log: to the terminal, and to a file per start with a bound on its size and
//! on the number of files.
//!
//! Invariant: no secret and no message's text is ever logged; what came from outside is escaped
//! by who logs it (`{:?}`), because simplelog writes newlines as they are.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use log::LevelFilter;
use parlor_shared::Limits;
use simplelog::{
    ColorChoice, CombinedLogger, ConfigBuilder, SharedLogger, TermLogger, TerminalMode, WriteLogger,
};

const FOLDER: &str = "logs";

/// Starts logging to the terminal and into `data`.
///
/// # Errors
/// When the log's folder or file cannot be made.
pub fn start(data: &Path, level: LevelFilter, limits: &Limits) -> io::Result<()> {
    let file = next_file(data, limits.log_files, limits.log_file_bytes)?;
    // rustls warns of what strangers send, as often as they like; the door says what matters of it.
    let config =
        ConfigBuilder::new().set_time_format_rfc3339().add_filter_ignore_str("rustls").build();
    let loggers: Vec<Box<dyn SharedLogger>> = vec![
        TermLogger::new(level, config.clone(), TerminalMode::Stderr, ColorChoice::Auto),
        WriteLogger::new(level, config, file),
    ];
    if CombinedLogger::init(loggers).is_err() {
        // In a test or a program that embeds the server, somebody else logs already.
        log::debug!("a logger was there before");
    }
    Ok(())
}

/// This start's file in `data`, of at most `bytes`, leaving at most `files` there.
///
/// # Errors
/// When the log's folder or file cannot be made.
pub fn next_file(data: &Path, files: u64, bytes: u64) -> io::Result<impl Write + Send + 'static> {
    let folder = data.join(FOLDER);
    fs::create_dir_all(&folder)?;
    forget_old(&folder, files.max(1) as usize - 1)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Sorted by name is sorted by time; the process id keeps two starts in one moment apart.
    let name = format!("parlor-{:013}-{}.log", now.as_millis(), std::process::id());
    Ok(Bounded { file: File::create(folder.join(name))?, left: bytes })
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
