//! What people wrote is sealed row by row: XChaCha20-Poly1305, a random nonce each, the row's
//! place as associated bytes, so that a row cannot be moved to another place unnoticed.
//!
//! The key lies beside the database in a file that only its owner may read. That keeps the words
//! out of backups, indexers and curious eyes; it does not keep them from this user's programs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Seals and opens rows.
pub(super) struct Seal(XChaCha20Poly1305);

/// The row was not sealed with this key at this place.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a kept row is damaged, or was sealed with another key")]
pub(super) struct BadSeal;

/// Where a row belongs. Part of what is sealed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Event { session: u32, room: u64, seq: u64 },
    Pending { session: u32, room: u64, counter: u64 },
    Draft { session: u32, room: u64 },
    Token { session: u32 },
    Own { session: u32 },
    Name { session: u32, user: u64 },
}

impl Place {
    fn bytes(self) -> [u8; 21] {
        let (kind, session, room, row) = match self {
            Self::Event { session, room, seq } => (1, session, room, seq),
            Self::Pending { session, room, counter } => (2, session, room, counter),
            Self::Draft { session, room } => (3, session, room, 0),
            Self::Token { session } => (4, session, 0, 0),
            Self::Own { session } => (5, session, 0, 0),
            Self::Name { session, user } => (6, session, user, 0),
        };
        let mut bytes = [kind; 21];
        bytes[1..5].copy_from_slice(&session.to_le_bytes());
        bytes[5..13].copy_from_slice(&room.to_le_bytes());
        bytes[13..21].copy_from_slice(&row.to_le_bytes());
        bytes
    }
}

impl Seal {
    /// The key at `path`; a fresh one where `may_make` allows it and there is none.
    pub(super) fn at(path: &Path, may_make: bool) -> io::Result<Self> {
        let key = match fs::read(path) {
            Ok(key) => key,
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_make => make(path)?,
            Err(error) => return Err(error),
        };
        let key: [u8; KEY_BYTES] = key.try_into().map_err(|key: Vec<u8>| {
            io::Error::other(format!("the key has {} bytes, not {KEY_BYTES}", key.len()))
        })?;
        Ok(Self(XChaCha20Poly1305::new(&Key::from(key))))
    }

    pub(super) fn seal(&self, place: Place, plain: &[u8]) -> Result<Vec<u8>, BadSeal> {
        let nonce: [u8; NONCE_BYTES] = random().map_err(|_error| BadSeal)?;
        let payload = Payload { msg: plain, aad: &place.bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_error| BadSeal)?;
        let mut bytes = Vec::with_capacity(NONCE_BYTES + sealed.len());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(bytes)
    }

    pub(super) fn open(&self, place: Place, bytes: &[u8]) -> Result<Vec<u8>, BadSeal> {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(BadSeal)?;
        let payload = Payload { msg: sealed, aad: &place.bytes() };
        self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_error| BadSeal)
    }
}

/// Fresh random bytes from the system.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// Makes a key that is there completely or not at all, whenever the process dies.
fn make(path: &Path) -> io::Result<Vec<u8>> {
    let key: [u8; KEY_BYTES] = random()?;
    let unfinished = path.with_extension("new");
    let mut file = private().create(true).truncate(true).write(true).open(&unfinished)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    if let Some(folder) = path.parent() {
        sync_folder(folder)?;
    }
    Ok(key.to_vec())
}

/// Opens files that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a new name in a folder last through a power cut, where the system has that notion.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
