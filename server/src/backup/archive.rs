//! The tar file, written and read in one go, never held in memory.
//!
//! Read with distrust: entries are taken as they stand in the file, without any of tar's
//! extensions (long names, sparse files, links), so that a name is what the header says and a
//! file is no longer than the bytes that are there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use parlor_shared::UnixMillis;
use sha2::{Digest as _, Sha256};
use tar::{Entries, EntryType, Header};

use super::BackupError;
use super::manifest::{
    MANIFEST, MANIFEST_BYTES_MAX, MEMBERS_MAX, Manifest, Member, Unread, is_member_name,
};
use super::pace::Pace;

/// Read and written at once.
const PIECE: usize = 256 * 1024;
/// Tar counts in these.
const BLOCK: u64 = 512;
/// Two blocks of zeros end it.
const END_BYTES: u64 = 2 * BLOCK;

/// A tar that is being written.
pub(super) struct Archive<W: Write> {
    tar: tar::Builder<W>,
    at: UnixMillis,
    members: Vec<Member>,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(to: W, at: UnixMillis) -> Self {
        Self { tar: tar::Builder::new(to), at, members: Vec::new() }
    }

    /// Adds the next `bytes` of `from` as the member `name`.
    pub(super) fn add(
        &mut self,
        name: &str,
        bytes: u64,
        from: &mut dyn Read,
        pace: &mut Pace,
    ) -> io::Result<()> {
        debug_assert!(is_member_name(name), "{name} could not be restored");
        let mut counted = Counted { from, left: bytes, hash: Sha256::new(), pace };
        self.tar.append(&header(name, bytes, self.at)?, &mut counted)?;
        let sha256 = hex(counted.hash);
        self.members.push(Member { name: name.to_owned(), bytes, sha256 });
        Ok(())
    }

    /// Ends it with its manifest; `about` is everything but the members.
    pub(super) fn finish(mut self, about: Manifest) -> io::Result<(W, Manifest)> {
        let manifest = Manifest { members: self.members, ..about };
        let json = serde_json::to_vec(&manifest)?;
        self.tar.append(&header(MANIFEST, json.len() as u64, self.at)?, json.as_slice())?;
        Ok((self.tar.into_inner()?, manifest))
    }
}

fn header(name: &str, bytes: u64, at: UnixMillis) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(at.0 / 1_000);
    header.set_cksum();
    Ok(header)
}

/// Bytes of the tar with such members, its manifest left out.
pub(super) fn tar_bytes(members: impl Iterator<Item = u64>) -> u64 {
    let padded = |bytes: u64| BLOCK.saturating_add(bytes.next_multiple_of(BLOCK));
    members.map(padded).fold(END_BYTES, u64::saturating_add)
}

/// Exactly `left` bytes, counted into a hash: a file that grew meanwhile is cut, one that became
/// shorter is an error.
struct Counted<'a> {
    from: &'a mut dyn Read,
    left: u64,
    hash: Sha256,
    pace: &'a mut Pace,
}

impl Read for Counted<'_> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let wanted = (piece.len() as u64).min(self.left) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.from.read(&mut piece[..wanted])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.hash.update(&piece[..read]);
        self.left -= read as u64;
        self.pace.spend_io(read as u64)?;
        Ok(read)
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What becomes of the members while a backup is read.
pub(super) trait Taker {
    /// The next member has this name, which is a proper one, and so many bytes.
    fn begin(&mut self, member: &str, bytes: u64) -> Result<(), BackupError>;
    fn take(&mut self, piece: &[u8]) -> Result<(), BackupError>;
    fn end(&mut self) -> Result<(), BackupError>;
}

/// Nothing: it is only looked at.
pub(super) struct Look;

impl Taker for Look {
    fn begin(&mut self, _: &str, _: u64) -> Result<(), BackupError> {
        Ok(())
    }

    fn take(&mut self, _: &[u8]) -> Result<(), BackupError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), BackupError> {
        Ok(())
    }
}

/// Reads all of `file`, which is called `path`, and compares it with its manifest.
pub(super) fn read(
    file: &File,
    path: &Path,
    pace: &mut Pace,
    taker: &mut dyn Taker,
) -> Result<Manifest, BackupError> {
    let reading = Reading { path, pace, found: Vec::new(), piece: vec![0; PIECE] };
    let length = file.metadata().map_err(BackupError::at(path))?.len();
    let mut archive = tar::Archive::new(file);
    let entries = archive.entries().map_err(BackupError::at(path))?;
    reading.all(entries.raw(true), length, taker)
}

struct Reading<'a> {
    path: &'a Path,
    pace: &'a mut Pace,
    found: Vec<Member>,
    piece: Vec<u8>,
}

impl Reading<'_> {
    fn all(
        mut self,
        mut entries: Entries<'_, &File>,
        length: u64,
        taker: &mut dyn Taker,
    ) -> Result<Manifest, BackupError> {
        let mut names = BTreeSet::new();
        while let Some(entry) = entries.next() {
            let mut entry = entry.map_err(|it| self.unreadable(it))?;
            let header = entry.header();
            let (is_file, bytes) = (header.entry_type() == EntryType::Regular, entry.size());
            let name = String::from_utf8(header.path_bytes().into_owned());
            let name = name.map_err(|_not_utf8| self.wrong("a name is not UTF-8"))?;
            if !is_file {
                return Err(self.wrong(&format!("{:?} is not a plain file", shown(&name))));
            }
            if name == MANIFEST {
                let json = self.small(&mut entry, bytes)?;
                let manifest = self.compare(&json)?;
                if entries.next().is_some() {
                    return Err(self.damaged("something follows its manifest"));
                }
                let all = self.found.iter().map(|it| it.bytes).chain([bytes]);
                if tar_bytes(all) != length {
                    return Err(self.damaged("it is not as long as it was"));
                }
                return Ok(manifest);
            }
            if !is_member_name(&name) || names.len() == MEMBERS_MAX {
                return Err(self.wrong(&format!("{:?} does not belong into one", shown(&name))));
            }
            if !names.insert(name.clone()) {
                return Err(self.wrong(&format!("{:?} is in it twice", shown(&name))));
            }
            taker.begin(&name, bytes)?;
            let sha256 = self.pump(&mut entry, bytes, taker)?;
            taker.end()?;
            self.found.push(Member { name, bytes, sha256 });
        }
        Err(if self.found.is_empty() {
            self.wrong("nothing is in it")
        } else {
            self.damaged("its end is missing")
        })
    }

    /// Gives the taker one member, and returns its hash.
    fn pump(
        &mut self,
        entry: &mut dyn Read,
        bytes: u64,
        taker: &mut dyn Taker,
    ) -> Result<String, BackupError> {
        let mut hash = Sha256::new();
        let mut left = bytes;
        while left > 0 {
            let read = match entry.read(&mut self.piece) {
                Ok(0) => return Err(self.damaged("its end is missing")),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unreadable(error)),
            };
            hash.update(&self.piece[..read]);
            taker.take(&self.piece[..read])?;
            left -= read as u64;
            self.pace.spend(read as u64)?;
        }
        Ok(hex(hash))
    }

    /// The manifest, which is read into memory.
    fn small(&self, entry: &mut dyn Read, bytes: u64) -> Result<Vec<u8>, BackupError> {
        if bytes > MANIFEST_BYTES_MAX {
            return Err(self.damaged("its manifest is too long"));
        }
        let mut json = Vec::new();
        entry.take(bytes).read_to_end(&mut json).map_err(|it| self.unreadable(it))?;
        if json.len() as u64 == bytes { Ok(json) } else { Err(self.damaged("its end is missing")) }
    }

    fn compare(&self, json: &[u8]) -> Result<Manifest, BackupError> {
        let manifest = Manifest::parse(json).map_err(|unread| match unread {
            Unread::Newer(by) => BackupError::Newer { path: self.path.to_owned(), by },
            Unread::Wrong(why) => self.damaged(&why),
        })?;
        if manifest.members.len() != self.found.len() {
            return Err(self.damaged("it has not the members that its manifest names"));
        }
        for (said, found) in manifest.members.iter().zip(&self.found) {
            if said != found {
                let name = shown(&found.name);
                return Err(self.damaged(&format!("{name} is not what its manifest says")));
            }
        }
        if !self.found.iter().any(|it| it.name == super::manifest::DATABASE) {
            return Err(self.damaged("no database is in it"));
        }
        Ok(manifest)
    }

    /// The operating system's errors have a number; the others are about what was read.
    fn unreadable(&self, error: io::Error) -> BackupError {
        if error.raw_os_error().is_some() {
            BackupError::at(self.path)(error)
        } else if self.found.is_empty() {
            self.wrong(&error.to_string())
        } else {
            self.damaged(&error.to_string())
        }
    }

    fn wrong(&self, why: &str) -> BackupError {
        BackupError::NotABackup(self.path.to_owned(), why.to_owned())
    }

    fn damaged(&self, why: &str) -> BackupError {
        BackupError::Damaged(self.path.to_owned(), why.to_owned())
    }
}

/// A stranger's name, short enough for a sentence.
fn shown(name: &str) -> String {
    name.chars().take(60).collect()
}
