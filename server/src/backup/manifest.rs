//! What a backup says about itself, and what may be in one.

use parlor_shared::{Epoch, UnixMillis};
use serde::{Deserialize, Serialize};

/// The database of a data folder.
pub(super) const DATABASE: &str = "parlor.sqlite";
/// The server's key, which clients have pinned.
pub(super) const KEY: &str = "key.pem";
/// The folder of what people sent.
pub(super) const FILES: &str = "files";
/// The last member of the tar.
pub(super) const MANIFEST: &str = "manifest.json";

/// This program's way of writing a backup.
pub(super) const FORMAT: u32 = 1;
/// Members at most: some 200 bytes of memory each while a backup is made or read.
pub(super) const MEMBERS_MAX: usize = 1_000_000;
/// Longest manifest: as many members with the longest names would just not fit.
pub(super) const MANIFEST_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Longest name of a member: what a tar header holds without extensions.
const NAME_BYTES_MAX: usize = 200;
/// Deepest folder under `files`.
const DEPTH_MAX: usize = 8;

/// The content of `manifest.json`.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of the backup, not of the database.
    pub format: u32,
    /// The Parlor that made it.
    pub parlor: String,
    /// Of the database.
    pub schema: i64,
    /// Which history it is a copy of.
    pub epoch: Epoch,
    /// When it was begun: what was acknowledged before is in it.
    pub made_at: UnixMillis,
    /// All others, in their order.
    pub members: Vec<Member>,
}

/// A file in the tar.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub name: String,
    pub bytes: u64,
    /// Lower-case hexadecimal digits.
    pub sha256: String,
}

/// What every manifest of whatever format begins to say.
#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
    #[serde(default)]
    parlor: String,
}

/// Why a manifest is not read.
pub(super) enum Unread {
    /// By which version.
    Newer(String),
    Wrong(String),
}

impl Manifest {
    pub(super) fn parse(json: &[u8]) -> Result<Self, Unread> {
        let wrong = |error: serde_json::Error| Unread::Wrong(format!("{MANIFEST}: {error}"));
        let any: AnyFormat = serde_json::from_slice(json).map_err(wrong)?;
        if any.format > FORMAT {
            // What a stranger wrote is not printed as it is.
            let version = any.parlor.escape_debug().take(20).collect::<String>();
            return Err(Unread::Newer(format!("version {version}, format {}", any.format)));
        }
        serde_json::from_slice(json).map_err(wrong)
    }

    /// Bytes of all members.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.members.iter().map(|it| it.bytes).sum()
    }
}

/// Whether `name` may be a member: the known ones, and plain paths under `files`. No such name
/// leads anywhere but into the folder that it is unpacked in.
pub(super) fn is_member_name(name: &str) -> bool {
    if name == DATABASE || name == KEY {
        return true;
    }
    let mut parts = name.split('/');
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.contains(|it: char| it.is_control() || "\\:".contains(it))
    };
    name.len() <= NAME_BYTES_MAX
        && parts.next() == Some(FILES)
        && (1..=DEPTH_MAX).contains(&parts.clone().count())
        && parts.all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["parlor.sqlite", "key.pem", "files/a", "files/12/ab-cd.bin", "files/ü"] {
            assert!(is_member_name(name), "{name}");
        }
        for name in [
            "",
            "/",
            "files",
            "files/",
            "files//a",
            "/files/a",
            "../files/a",
            "files/../a",
            "files/..",
            "files/.",
            "files/.a",
            "files/a/",
            "files/a\\b",
            "files/c:x",
            "files/a\0b",
            "lock",
            "chatlog.sqlite",
            "parlor.sqlite-wal",
            "./parlor.sqlite",
            "manifest.json",
            "files/1/2/3/4/5/6/7/8/9",
        ] {
            assert!(!is_member_name(name), "{name:?}");
        }
        assert!(!is_member_name(&format!("files/{}", "a".repeat(200))));
    }
}
