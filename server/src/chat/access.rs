//! Who may do what. The one place where that is decided, for every request and every door.
//!
//! Pure: standings in, yes or no out. Whether a room or a user exists is told only to those who
//! may know it: to others "not a member" and "does not exist" are the same refusal.

use parlor_shared::{Refusal, Request, Role, RoomRole};

/// Whoever asks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// `None`: signed out.
    pub role: Option<Role>,
    /// Has a password.
    pub is_account: bool,
    /// The role in the room that the request is about; `None`: no member of it.
    pub in_room: Option<RoomRole>,
}

/// What is asked about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Target {
    /// The room exists; true also when the request names none.
    pub has_room: bool,
    /// The request names a room.
    pub names_room: bool,
    /// The user, session, ban, invitation that it names.
    pub is: Named,
}

/// Somebody, or something of somebody, that a request names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Named {
    /// Nobody is named.
    #[default]
    Nobody,
    /// What is named does not exist.
    Nothing,
    /// Oneself, or one's own.
    Own,
    /// Somebody else.
    Other {
        role: Role,
        /// `None`: no member of the room that is named.
        in_room: Option<RoomRole>,
    },
}

/// How much somebody has to say in a room, or on the server where no room is named. Over somebody
/// with as much nobody has a say.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Weight {
    Nothing,
    Member,
    RoomModerator,
    RoomOwner,
    Admin,
    Owner,
}

impl Weight {
    fn of(role: Role, in_room: Option<RoomRole>) -> Self {
        match (role, in_room) {
            (Role::Owner, _) => Self::Owner,
            (Role::Admin, _) => Self::Admin,
            (_, Some(RoomRole::Owner)) => Self::RoomOwner,
            (_, Some(RoomRole::Moderator)) => Self::RoomModerator,
            (_, Some(RoomRole::Member)) => Self::Member,
            (Role::Guest | Role::Member, None) => Self::Nothing,
        }
    }
}

/// May somebody of that standing ask that?
///
/// # Errors
/// Why not.
pub fn may(request: &Request, who: Standing, target: Target) -> Result<(), Refusal> {
    let Some(role) = who.role else {
        let is_for_strangers =
            matches!(request, Request::Hello(_) | Request::Recover(_) | Request::Forgot(_));
        return if is_for_strangers { Ok(()) } else { Err(Refusal::HelloFirst) };
    };
    let weight = Weight::of(role, who.in_room);
    match request {
        Request::Hello(_) | Request::Recover(_) | Request::Forgot(_) => Err(Refusal::HelloTwice),
        // Whoever goes may say so anywhere.
        farewell if farewell.is_farewell() => Ok(()),
        Request::Ping(_)
        | Request::Goodbye(_)
        | Request::SignOut(_)
        | Request::Rooms(_)
        | Request::CreateRoom(_)
        | Request::Join(_)
        | Request::Mine(_)
        | Request::Rename(_)
        | Request::DeleteAccount(_)
        | Request::Claim(_) => Ok(()),
        Request::Leave(_)
        | Request::Members(_)
        | Request::Say(_)
        | Request::History(_)
        | Request::Read(_) => who.in_room.map(drop).ok_or(Refusal::NoSuchRoom),
        Request::Register(_) if who.is_account => Err(Refusal::RegisteredAlready),
        Request::Register(_) => Ok(()),
        Request::Account(_)
        | Request::ChangePassword(_)
        | Request::NewRecoveryCodes(_)
        | Request::SetEmail(_)
        | Request::VerifyEmail(_) => registered(who),
        Request::Sessions(_) | Request::EndSession(_) | Request::EndSessions(_) => {
            own_or_admin(request, weight, target)
        }
        Request::Kick(_) | Request::SetRoomRole(_) | Request::EndRoom(_) => {
            in_room(request, who, weight, target)
        }
        Request::Unban(_) => unban(weight, target),
        Request::Ban(_)
        | Request::Bans(_)
        | Request::Mute(_)
        | Request::Unmute(_)
        | Request::EraseMessages(_)
            if target.names_room =>
        {
            in_room(request, who, weight, target)
        }
        Request::EraseMessages(_) if target.is == Named::Own => Ok(()),
        Request::SetRole(it) => set_role(it.role, role, target),
        Request::Ban(_)
        | Request::Bans(_)
        | Request::Mute(_)
        | Request::Unmute(_)
        | Request::EraseMessages(_)
        | Request::MakeResetCode(_)
        | Request::Users(_)
        | Request::Announce(_)
        | Request::Audit(_)
        | Request::Policy(_)
        | Request::SetPolicy(_)
        | Request::Storage(_)
        | Request::BackUp(_)
        | Request::MakeInvite(_)
        | Request::Invites(_)
        | Request::CancelInvite(_) => on_server(request, weight, target),
    }
}

fn registered(who: Standing) -> Result<(), Refusal> {
    if who.is_account { Ok(()) } else { Err(Refusal::NotRegistered) }
}

/// What is one's own is one's own; that of others is for admins to see to.
fn own_or_admin(request: &Request, weight: Weight, target: Target) -> Result<(), Refusal> {
    match target.is {
        Named::Nobody | Named::Own => Ok(()),
        Named::Nothing | Named::Other { .. } if weight < Weight::Admin => Err(nothing(request)),
        Named::Nothing => Err(nothing(request)),
        Named::Other { role, .. } => over(weight, Weight::of(role, None)),
    }
}

/// Keeping order in a room.
fn in_room(
    request: &Request,
    who: Standing,
    weight: Weight,
    target: Target,
) -> Result<(), Refusal> {
    let is_admin = weight >= Weight::Admin;
    if !target.has_room || (who.in_room.is_none() && !is_admin) {
        return Err(Refusal::NoSuchRoom);
    }
    // What one said oneself one may always take back.
    if matches!(request, Request::EraseMessages(_)) && target.is == Named::Own {
        return Ok(());
    }
    let is_for_owners = matches!(request, Request::EndRoom(_) | Request::SetRoomRole(_));
    let needed = if is_for_owners { Weight::RoomOwner } else { Weight::RoomModerator };
    if weight < needed {
        return Err(Refusal::NotAllowed);
    }
    match target.is {
        Named::Nobody => Ok(()),
        Named::Nothing => Err(nothing(request)),
        Named::Own if matches!(request, Request::SetRoomRole(_)) => {
            who.in_room.map(drop).ok_or(Refusal::NoSuchUser)
        }
        Named::Own => Err(Refusal::NotYourself),
        // One can only be put out of where one is; the rest concerns who was there, too.
        Named::Other { in_room: None, .. }
            if matches!(request, Request::Kick(_) | Request::SetRoomRole(_)) =>
        {
            Err(Refusal::NoSuchUser)
        }
        Named::Other { role, in_room } => over(weight, Weight::of(role, in_room)),
    }
}

/// A ban names its room, if it has one; whoever has no say there, learns of no ban.
fn unban(weight: Weight, target: Target) -> Result<(), Refusal> {
    let needed = if target.names_room { Weight::RoomModerator } else { Weight::Admin };
    if weight < needed || target.is == Named::Nothing {
        return Err(Refusal::NoSuchBan);
    }
    Ok(())
}

/// Seeing to the server.
fn on_server(request: &Request, weight: Weight, target: Target) -> Result<(), Refusal> {
    if weight < Weight::Admin {
        return Err(Refusal::NotAllowed);
    }
    match target.is {
        Named::Nobody => Ok(()),
        Named::Nothing => Err(nothing(request)),
        Named::Own if matches!(request, Request::Ban(_) | Request::Mute(_)) => {
            Err(Refusal::NotYourself)
        }
        Named::Own => Ok(()),
        Named::Other { role, .. } => over(weight, Weight::of(role, None)),
    }
}

/// Admins are made and unmade by an owner.
fn set_role(wanted: Role, role: Role, target: Target) -> Result<(), Refusal> {
    if !role.is_admin() {
        return Err(Refusal::NotAllowed);
    }
    match target.is {
        Named::Nobody | Named::Nothing => Err(Refusal::NoSuchUser),
        // Giving up one's own role is for oneself to decide.
        Named::Own if wanted <= role => Ok(()),
        Named::Own => Err(Refusal::NotAllowed),
        Named::Other { .. } if role == Role::Owner => Ok(()),
        Named::Other { .. } => Err(Refusal::NotAllowed),
    }
}

fn over(weight: Weight, theirs: Weight) -> Result<(), Refusal> {
    if weight > theirs { Ok(()) } else { Err(Refusal::NotAllowed) }
}

/// What to say of something that is not there, or is none of their business.
fn nothing(request: &Request) -> Refusal {
    if matches!(request, Request::EndSession(_)) {
        Refusal::NoSuchSession
    } else {
        Refusal::NoSuchUser
    }
}
