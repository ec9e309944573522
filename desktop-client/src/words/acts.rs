//! Keeping order: what can be done to people and rooms, and how it is told in the timeline.

pub const MODERATE: &str = "What to do";
pub const KICK: &str = "Remove from the room…";
pub const BAN: &str = "Ban from the room…";
pub const MUTE: &str = "Mute in the room…";
pub const UNMUTE: &str = "Let write again";
pub const MAKE_MODERATOR: &str = "Make a moderator";
pub const MAKE_OWNER: &str = "Make an owner…";
pub const MAKE_MEMBER: &str = "Take the role away";
pub const ERASE: &str = "Erase all messages here…";
pub const ERASE_OWN: &str = "Erase all my messages here…";
pub const END_ROOM: &str = "End the room…";
pub const REASON: &str = "Reason (others can read it)";
pub const HOW_LONG: &str = "For how long";
pub const CANCEL: &str = "Cancel";
pub const SERVER_BAN: &str = "Ban from the server…";
pub const SERVER_MUTE: &str = "Mute everywhere…";
pub const SERVER_UNMUTE: &str = "Let write everywhere again";
pub const SERVER_ERASE: &str = "Erase everything said…";

/// The spans that are offered: milliseconds (nothing for good), and what they are called.
pub const SPANS: [(Option<u64>, &str); 5] = [
    (Some(10 * 60 * 1_000), "10 minutes"),
    (Some(60 * 60 * 1_000), "1 hour"),
    (Some(24 * 60 * 60 * 1_000), "1 day"),
    (Some(7 * 24 * 60 * 60 * 1_000), "1 week"),
    (None, "For good"),
];

/// A dialog's title, what it says, and its button.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    pub title: String,
    pub says: String,
    pub yes: &'static str,
}

fn asking(title: String, says: &str, yes: &'static str) -> Asking {
    Asking { title, says: says.to_owned(), yes }
}

#[must_use]
pub fn kick(who: &str, room: &str) -> Asking {
    asking(format!("Remove {who} from {room}?"), "They can come back in.", "Remove")
}

#[must_use]
pub fn ban(who: &str, room: Option<&str>) -> Asking {
    match room {
        Some(room) => asking(
            format!("Ban {who} from {room}?"),
            "They are removed and cannot come back in for that long.",
            "Ban",
        ),
        None => asking(
            format!("Ban {who} from the server?"),
            "They are disconnected at once and cannot come in for that long.",
            "Ban",
        ),
    }
}

#[must_use]
pub fn ban_network() -> Asking {
    asking(
        "Ban a network?".to_owned(),
        "Nobody from these addresses can come in for that long. Admins and owners still can.",
        "Ban",
    )
}

#[must_use]
pub fn mute(who: &str, room: Option<&str>) -> Asking {
    let place = room.map_or("everywhere".to_owned(), |it| format!("in {it}"));
    asking(format!("Mute {who} {place}?"), "They can read, and not write, for that long.", "Mute")
}

#[must_use]
pub fn erase(who: &str, room: Option<&str>) -> Asking {
    let place = room.map_or("on this server".to_owned(), |it| format!("in {it}"));
    asking(
        format!("Erase everything that {who} said {place}?"),
        "The texts are gone for everybody, and this cannot be undone. Backups that were made \
         before still hold them until they are replaced.",
        "Erase",
    )
}

#[must_use]
pub fn end_room(room: &str) -> Asking {
    asking(
        format!("End the room {room}?"),
        "Nobody can write in it or join it any more; its members can still read it. This cannot \
         be undone.",
        "End the room",
    )
}

#[must_use]
pub fn make_owner(who: &str, room: &str) -> Asking {
    asking(
        format!("Make {who} an owner of {room}?"),
        "An owner gives the other roles and can end the room. You cannot take it back yourself.",
        "Make an owner",
    )
}

#[must_use]
pub fn acts_on(who: &str) -> String {
    format!("What to do about {who}")
}

// ---- The timeline's sentences ----

#[must_use]
pub fn renamed(was: &str, name: &str) -> String {
    format!("{was} is called {name} now")
}

#[must_use]
pub fn kicked(by: &str, who: &str, reason: Option<&str>) -> String {
    format!("{by} removed {who}{}", colon(reason))
}

/// `until` in words; nothing for good.
#[must_use]
pub fn banned(by: &str, who: &str, until: Option<&str>, reason: Option<&str>) -> String {
    format!("{by} banned {who}{}{}", span(until), colon(reason))
}

#[must_use]
pub fn muted(by: &str, who: &str, until: Option<&str>, reason: Option<&str>) -> String {
    format!("{by} muted {who}{}{}", span(until), colon(reason))
}

#[must_use]
pub fn unmuted(by: &str, who: &str) -> String {
    format!("{by} let {who} write again")
}

#[must_use]
pub fn role_given(by: &str, who: &str, role: &str) -> String {
    format!(
        "{by} made {who} {} here",
        match role {
            "owner" => "an owner",
            "moderator" => "a moderator",
            _ => "an ordinary member",
        }
    )
}

#[must_use]
pub fn erased(by: &str, who: &str) -> String {
    if by == who {
        format!("{by} erased everything they had said")
    } else {
        format!("{by} erased everything that {who} had said")
    }
}

#[must_use]
pub fn ended(by: &str, reason: Option<&str>) -> String {
    format!("{by} ended the room{}", colon(reason))
}

fn span(until: Option<&str>) -> String {
    until.map_or(" for good".to_owned(), |it| format!(" until {it}"))
}

fn colon(reason: Option<&str>) -> String {
    reason.map(|it| format!(": {it}")).unwrap_or_default()
}

/// Somebody's badge in the list of members.
#[must_use]
pub fn member_with_role(entry: &str, role: &str) -> String {
    format!("{entry}, {role}")
}

/// Somebody whose name is not known any more.
pub const SOMEBODY: &str = "somebody";

pub const ROOM_ACTS: &str = "What to do with this room";
