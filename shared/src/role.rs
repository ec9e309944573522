//! Who may do what: roles on the server and in a room.

use serde::{Deserialize, Serialize};

/// What one is on the server. Ordered: a later one may do all that an earlier one may.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Has a name and no password.
    #[default]
    Guest,
    /// Has an account.
    Member,
    /// Keeps order everywhere and sees to the server.
    Admin,
    /// An admin whom admins cannot touch; gives the other roles.
    Owner,
}

/// What a member is in a room. Ordered as [`Role`] is.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RoomRole {
    #[default]
    Member,
    /// Keeps order in the room.
    Moderator,
    /// Gives the other roles, and may end the room.
    Owner,
}

impl Role {
    /// As it stands on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Sees to the server.
    #[must_use]
    pub fn is_admin(self) -> bool {
        self >= Self::Admin
    }

    #[must_use]
    pub fn is_guest(&self) -> bool {
        *self == Self::Guest
    }
}

impl RoomRole {
    /// As it stands on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }

    #[must_use]
    pub fn is_member(&self) -> bool {
        *self == Self::Member
    }
}
