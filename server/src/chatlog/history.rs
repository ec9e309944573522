//! Which history the folder of the logs tells, kept in the folder itself: it may lie outside the
//! data folder, and then a restore leaves it as it was.

use std::io::{self, Read as _, Seek as _, Write as _};

use parlor_shared::Epoch;

use super::line::is_folder_name;
use crate::platform::PrivateFolder;

/// Holds the epoch, in hexadecimal digits.
const MARK: &str = ".epoch";
/// Folders put aside for one history.
const ASIDE_MAX: u32 = 100;

/// Makes the folder fit for the logs of `epoch`: those of a history that it `replaced` are put
/// aside first, so that what was said after the backup is not lost with it. Logs of any other
/// history are written over as before: then the folder was given to another server.
pub(super) fn settle(root: &PrivateFolder, epoch: Epoch, replaced: &[Epoch]) -> io::Result<()> {
    let known = read(root)?;
    if known == Some(epoch) {
        return Ok(());
    }
    if let Some(known) = known
        && replaced.contains(&known)
    {
        put_aside(root, &format!("before-restore-{}", known.to_hex()))?;
    }
    // Only a restore needs the mark; a full disk must not keep the server from starting.
    if let Err(error) = write(root, epoch) {
        log::warn!("the chat logs' folder cannot be marked: {error}");
    }
    Ok(())
}

/// A kill in the middle leaves the mark as it is, and the next start goes on.
fn put_aside(root: &PrivateFolder, name: &str) -> io::Result<()> {
    let mut logs = 0;
    for user in root.names()?.iter().filter(|it| is_folder_name(it)) {
        put_one_aside(root, user, name)?;
        logs += 1;
    }
    log::info!("a backup was restored: the chat logs of {logs} users from before are in {name}");
    Ok(())
}

/// Who goes back to the data from before a restore, and restores again, has two of one name.
fn put_one_aside(root: &PrivateFolder, user: &str, name: &str) -> io::Result<()> {
    for number in 1.. {
        let folder = if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
        match root.move_into(user, &root.make_folder(&folder)?) {
            Err(error) if is_taken(&error) && number < ASIDE_MAX => {}
            other => return other,
        }
    }
    Ok(())
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// `None` also for what is not an epoch: a power cut may have left it.
fn read(root: &PrivateFolder) -> io::Result<Option<Epoch>> {
    let file = match root.file(MARK, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut text = String::new();
    match file.take(64).read_to_string(&mut text) {
        Err(error) if error.kind() != io::ErrorKind::InvalidData => Err(error),
        Ok(_) | Err(_) => Ok(text.trim_end().parse().ok()),
    }
}

fn write(root: &PrivateFolder, epoch: Epoch) -> io::Result<()> {
    let mut file = root.file(MARK, true)?;
    file.rewind()?;
    file.write_all(format!("{}\n", epoch.to_hex()).as_bytes())?;
    file.sync_data()
}
