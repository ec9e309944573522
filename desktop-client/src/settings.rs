//! A profile: the folder where one copy of the app keeps everything, and what the person chose
//! about the window.
//!
//! Invariant: what is chosen here may be lost without harm. What was said is the archive's, which
//! also sees to it that one process at a time uses the folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The profile of those who name none.
pub const DEFAULT_PROFILE: &str = "default";

const FILE: &str = "settings.json";
/// A settings file is smaller; what is larger is not one.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why there is no profile to work with.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error(
        "This system names no folder for programs to keep things in. Name one with --data-dir."
    )]
    NoPlace,
    #[error(
        "A profile's name is made of letters, digits, - and _, so “{0}” is none. Choose another."
    )]
    BadName(String),
    #[error("The folder {} cannot be used: {error}", folder.display())]
    Unusable { folder: PathBuf, error: io::Error },
}

/// A profile's folder.
#[derive(Clone, Debug)]
pub struct Profile {
    folder: PathBuf,
}

impl Profile {
    /// The profile called `name`, beneath `place` or where this system keeps such things.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn open(place: Option<&Path>, name: &str) -> Result<Self, ProfileError> {
        let plain = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_');
        if name.is_empty() || name.chars().count() > 64 || !name.chars().all(plain) {
            return Err(ProfileError::BadName(name.to_owned()));
        }
        let place = match place {
            Some(place) => place.to_path_buf(),
            None => default_place().ok_or(ProfileError::NoPlace)?,
        };
        let folder = place.join("profiles").join(name);
        match make_private(&folder) {
            Ok(()) => Ok(Self { folder }),
            Err(error) => Err(ProfileError::Unusable { folder, error }),
        }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was chosen; the defaults when nothing was, or when it cannot be read.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let file = self.folder.join(FILE);
        let is_small = fs::metadata(&file).is_ok_and(|it| it.len() <= FILE_BYTES_MAX);
        let text = if is_small { fs::read_to_string(&file).ok() } else { None };
        let settings = text.and_then(|it| serde_json::from_str(&it).ok());
        if settings.is_none() && file.exists() {
            log::warn!("the settings cannot be read; the defaults are used");
        }
        settings.unwrap_or_default()
    }

    /// Keeps what was chosen.
    ///
    /// # Errors
    /// The disk's.
    pub fn keep(&self, settings: &Settings) -> io::Result<()> {
        let text = serde_json::to_string_pretty(settings)?;
        let new = self.folder.join("settings.new");
        fs::write(&new, text)?;
        fs::rename(new, self.folder.join(FILE))
    }
}

/// Where this system keeps what programs keep.
fn default_place() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "Parlor").map(|it| it.data_dir().to_path_buf())
}

/// Where a chat is kept that is served from this computer by a profile with its own place.
#[must_use]
pub fn server_place(place: &Path) -> PathBuf {
    place.join("server")
}

/// Makes a folder that only its owner may look into.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    crate::platform::only_for_owner(&mut builder);
    builder.create(folder)
}

/// What the person chose.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Settings {
    pub appearance: Appearance,
}

/// Light, dark, or like the system.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Appearance {
    #[default]
    System,
    Light,
    Dark,
}
