//! The app's own log: files as the server has them, in the profile's folder.
//!
//! Invariant: no message's text, no name of a person and no token is ever logged; what came from
//! outside is escaped by who logs it (`{:?}`), because simplelog writes newlines as they are.

use std::io;
use std::path::Path;

use log::LevelFilter;
use parlor_server::program_log::next_file;
use simplelog::{ConfigBuilder, WriteLogger};

/// Files kept, one per start: enough to look at last week's trouble.
const FILES: u64 = 10;
/// A file ends here until the next start.
const FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Starts logging into the profile's folder.
///
/// # Errors
/// The folder or the file cannot be made.
pub(super) fn start(profile: &Path) -> io::Result<()> {
    let file = next_file(profile, FILES, FILE_BYTES)?;
    // Windows and fonts have much to say that is nobody's trouble.
    let config =
        ConfigBuilder::new().set_time_format_rfc3339().add_filter_allow_str("parlor").build();
    if WriteLogger::init(LevelFilter::Info, config, file).is_err() {
        // In a test somebody else logs already.
        log::debug!("a logger was there before");
    }
    Ok(())
}
