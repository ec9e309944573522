//! What one may do to whom: the server's rules once more, so that nothing is offered that it
//! would refuse. The server decides; this only spares people a "no".

use parlor_shared::{Role, RoomRole};

/// Where somebody stands in a room. Ordered: only those below oneself can be acted on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    Member,
    Moderator,
    Owner,
    /// Sees to the whole server.
    Admin,
    ServerOwner,
}

impl Standing {
    #[must_use]
    pub fn of(role: Role, in_room: RoomRole) -> Self {
        match (role, in_room) {
            (Role::Owner, _) => Self::ServerOwner,
            (Role::Admin, _) => Self::Admin,
            (Role::Guest | Role::Member, RoomRole::Owner) => Self::Owner,
            (Role::Guest | Role::Member, RoomRole::Moderator) => Self::Moderator,
            (Role::Guest | Role::Member, RoomRole::Member) => Self::Member,
        }
    }
}

/// What one could do to a member of a room, or to the room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    Kick,
    Ban,
    Mute,
    Unmute,
    Erase,
    GiveRole(RoomRole),
    EndRoom,
}

/// What may be offered to somebody who stands at `mine`, about a member who stands at `theirs`;
/// `is_lobby`: the room that everybody is in and that never ends.
#[must_use]
pub fn may(mine: Standing, theirs: Standing, is_lobby: bool, deed: Deed) -> bool {
    match deed {
        // Nobody leaves the lobby, and it belongs to nobody.
        Deed::Kick | Deed::Ban if is_lobby => false,
        Deed::Kick | Deed::Ban | Deed::Mute | Deed::Unmute | Deed::Erase => {
            mine >= Standing::Moderator && mine > theirs
        }
        Deed::GiveRole(_) => mine >= Standing::Owner && mine > theirs,
        Deed::EndRoom => mine >= Standing::Owner && !is_lobby,
    }
}
