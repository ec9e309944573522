//! How a server is run: what its admins decide while it runs.

use serde::{Deserialize, Serialize};

/// Who may come in without having been here before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Everybody, as a guest.
    #[default]
    Open,
    /// Those who have an account. Guests who are connected when this is decided can still register.
    Registered,
    /// Who has an invitation.
    Invite,
}

/// See the module. Kept in the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct Policy {
    #[serde(default)]
    pub entry: Entry,
    /// A backup is made this often; 0: never.
    pub backup_hours: u64,
    /// So many of them are kept.
    pub backup_keep: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { entry: Entry::Open, backup_hours: 24, backup_keep: 7 }
    }
}
