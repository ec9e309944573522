//! The way in for the shell of this machine: an address and a credential in a private file of the
//! data folder, made anew at every start. Whoever can read the data folder owns the server anyway.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use parlor_shared::ResumeToken;
use serde::{Deserialize, Serialize};

use crate::chat::TokenHash;
use crate::gate::fresh;
use crate::platform::PrivateFolder;

/// In the data folder, while the server runs.
const FILE: &str = "shell.json";
const NEW_FILE: &str = "shell.json.new";
const FILE_BYTES_MAX: u64 = 4_096;

/// What the file says.
#[derive(Debug, Deserialize, Serialize)]
pub struct Way {
    /// Where the server listens, as this machine reaches it.
    pub address: SocketAddr,
    pub token: ResumeToken,
}

/// The open way in; closed when dropped.
#[derive(Debug)]
pub struct Shell {
    folder: PathBuf,
    credential: TokenHash,
}

impl Shell {
    /// Opens the way to a server that listens on `address`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn open(folder: &Path, address: SocketAddr) -> io::Result<Self> {
        let way = Way { address: from_here(address), token: fresh::token() };
        let private = PrivateFolder::at(folder)?;
        private.remove(NEW_FILE)?;
        private.file(NEW_FILE, true)?.write_all(&serde_json::to_vec(&way)?)?;
        private.rename(NEW_FILE, FILE)?;
        Ok(Self { folder: folder.to_owned(), credential: TokenHash::of_token(&way.token) })
    }

    /// What the gate knows the shell by.
    #[must_use]
    pub fn credential(&self) -> TokenHash {
        self.credential
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let removed = PrivateFolder::at(&self.folder).and_then(|it| it.remove(FILE));
        if let Err(error) = removed {
            log::debug!("closing the shell's way in: {error}");
        }
    }
}

/// The way into the server that runs on a data folder.
///
/// # Errors
/// `NotFound` when none runs there; whatever keeps the file from being read.
pub fn way_into(folder: &Path) -> io::Result<Way> {
    if !folder.is_dir() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut text = Vec::new();
    let file = PrivateFolder::at(folder)?.file(FILE, false)?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// An address that listens everywhere is reached through the loopback.
fn from_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        // A socket of both families answers here as well, and some machines have no IPv6.
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}
