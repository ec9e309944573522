//! The page of those who see to the server.

use parlor_shared::{Entry, Role};

use crate::model::Section;

pub const TITLE: &str = "Administration";
pub const READ_AGAIN: &str = "Read again";
pub const LOADING: &str = "Asking the server…";
pub const MORE: &str = "Show more";
pub const FIND: &str = "Find somebody";
pub const FIND_HINT: &str = "A part of the name";
pub const NOBODY: &str = "Nobody is called that.";
pub const HERE: &str = "here now";
pub const BANNED: &str = "banned";
pub const MUTED: &str = "muted";
pub const MAKE_ADMIN: &str = "Make an admin";
pub const MAKE_OWNER: &str = "Make an owner";
pub const TAKE_ROLE: &str = "Take the role away";
pub const RESET_CODE: &str = "Make a code for a new password";
pub const SHOW_SESSIONS: &str = "Show where they are signed in";
pub const SIGN_OUT_EVERYWHERE: &str = "Sign them out everywhere";
pub const CODE_EXPLAINED: &str =
    "Hand this code over in a way that nobody else can read. It works once, and is shown only now.";
pub const INVITE_EXPLAINED: &str =
    "Whoever has this code can come in. It is shown only now: copy it and hand it on.";
pub const COPY: &str = "Copy";
pub const DONE: &str = "Done";
pub const NO_ROOMS: &str = "There are no rooms yet.";
pub const END_ROOM: &str = "End…";
pub const WHOSE_SESSIONS: &str = "Choose somebody under Users to see where they are signed in.";
pub const NO_SESSIONS: &str = "They are signed in nowhere.";
pub const NO_BANS: &str = "Nobody is banned.";
pub const UNBAN: &str = "End the ban";
pub const BAN_NETWORK: &str = "Ban a network…";
pub const NETWORK: &str = "Address or range of addresses";
pub const NETWORK_HINT: &str = "203.0.113.7 or 203.0.113.0/24";
pub const NO_INVITES: &str = "There are no invitations that could still be used.";
pub const MAKE_INVITE: &str = "Make an invitation";
pub const CANCEL_INVITE: &str = "Take back";
pub const FOR_HOW_MANY: &str = "For how many people";
pub const AUDIT_EXPLAINED: &str =
    "Everything that was done to keep order, by whom and when. Nothing in it can be changed.";
pub const NOTHING_DONE: &str = "Nothing has been done yet.";
pub const OLDER: &str = "Show older ones";
pub const SAVE_AUDIT: &str = "Save all as a file";
pub const SAVING: &str = "Reading all of it…";
pub const SHELL: &str = "The server's own machine";
pub const BACK_UP_NOW: &str = "Back up now";
pub const BACKING_UP: &str = "A backup is being made.";
pub const NO_BACKUP: &str = "There is no backup yet.";
pub const LAST_BACKUP: &str = "Last backup";
pub const NEXT_BACKUP: &str = "Next backup";
pub const NEVER: &str = "Never: backups are off.";
pub const WHAT_IS_KEPT: &str = "What is kept";
pub const PEOPLE: &str = "People";
pub const ROOMS: &str = "Rooms";
pub const EVENTS: &str = "Messages and events";
pub const DATABASE: &str = "Database";
pub const CHATLOGS: &str = "Chat logs";
pub const BACKUPS: &str = "Backups";
pub const FREE: &str = "Free on the disk";
pub const WHO_MAY: &str = "Who may come in";
pub const BACKUP_POLICY: &str = "Backups";
pub const HOURS: &str = "Hours between two backups (0: none)";
pub const KEEP: &str = "How many are kept";
pub const SAVE: &str = "Save";
pub const ANNOUNCE: &str = "Say something to everybody";
pub const ANNOUNCE_EXPLAINED: &str =
    "It stands in the lobby, and everybody who is here sees it at once, wherever they are.";
pub const ANNOUNCEMENT: &str = "Announcement";
pub const ANNOUNCE_NOW: &str = "Announce";

/// How many an invitation is for.
pub const USES: [(u64, &str); 4] =
    [(1, "1 person"), (5, "5 people"), (25, "25 people"), (100, "100 people")];

/// For how long an invitation is good.
pub const LIFETIMES: [(u64, &str); 3] = [
    (24 * 60 * 60 * 1_000, "1 day"),
    (7 * 24 * 60 * 60 * 1_000, "1 week"),
    (30 * 24 * 60 * 60 * 1_000, "1 month"),
];

#[must_use]
pub fn section(it: Section) -> &'static str {
    match it {
        Section::Users => "Users",
        Section::Rooms => "Rooms",
        Section::Sessions => "Sessions",
        Section::Bans => "Bans",
        Section::Invitations => "Invitations",
        Section::Audit => "Audit",
        Section::Storage => "Storage and backup",
        Section::Policy => "Policy",
    }
}

/// What a section is for, under its title.
#[must_use]
pub fn explained(it: Section) -> &'static str {
    match it {
        Section::Users => "Everybody who has a name here.",
        Section::Rooms => "Every open room. The lobby cannot be ended.",
        Section::Sessions => "Where somebody is signed in.",
        Section::Bans => "Who cannot come in, to the server or to a room.",
        Section::Invitations => {
            "With an invitation new people can come in when the policy asks for one."
        }
        Section::Audit => AUDIT_EXPLAINED,
        Section::Storage => "What the server keeps, and its backups.",
        Section::Policy => "How this server is run.",
    }
}

#[must_use]
pub fn entry(it: Entry) -> (&'static str, &'static str) {
    match it {
        Entry::Open => ("Everybody", "Anybody who can reach this server comes in with a name."),
        Entry::Registered => ("Nobody new", "Whoever has a name here already comes in as always."),
        Entry::Invite => {
            ("New people with an invitation", "Whoever was here before comes in as always.")
        }
    }
}

#[must_use]
pub fn role(role: Role, has_account: bool) -> &'static str {
    match (role, has_account) {
        (Role::Owner, _) => "owner",
        (Role::Admin, _) => "admin",
        (Role::Member, _) | (Role::Guest, true) => "account",
        (Role::Guest, false) => "guest",
    }
}

#[must_use]
pub fn acts_on(who: &str) -> String {
    format!("What to do about {who}")
}

#[must_use]
pub fn seen(when: &str) -> String {
    format!("last here {when}")
}

#[must_use]
pub fn sessions_of(who: &str) -> String {
    format!("Where {who} is signed in")
}

#[must_use]
pub fn code_for(who: &str, until: &str) -> String {
    format!("A code for {who}, good until {until}")
}

#[must_use]
pub fn invite_until(until: &str) -> String {
    format!("An invitation, good until {until}")
}

#[must_use]
pub fn invite(by: &str, uses_left: u64, until: &str) -> String {
    let uses = if uses_left == 1 { "one person".to_owned() } else { format!("{uses_left} people") };
    format!("For {uses}, until {until}, made by {by}")
}

/// `until` in words; nothing for good.
#[must_use]
pub fn ban(room: Option<&str>, until: Option<&str>) -> String {
    let place = room.map_or("the whole server".to_owned(), |it| format!("the room {it}"));
    match until {
        Some(until) => format!("from {place}, until {until}"),
        None => format!("from {place}, for good"),
    }
}

#[must_use]
pub fn made_by(by: &str, when: &str) -> String {
    format!("by {by}, {when}")
}

#[must_use]
pub fn unban(who: &str) -> String {
    format!("End the ban of {who}")
}

#[must_use]
pub fn end_room(room: &str) -> String {
    format!("End the room {room}")
}

/// `1.2 GB`, as disks are sold.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1_000.0;
        unit += 1;
    }
    if unit == 0 || amount >= 99.5 {
        format!("{amount:.0} {}", UNITS[unit])
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}

/// A number with its thousands apart: `12 345`.
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[must_use]
pub fn backup_failed(why: &str) -> String {
    format!("The last backup failed: {why}")
}

/// What was done, in words: the server names it by its request.
#[must_use]
pub fn act(verb: &str) -> String {
    let known = match verb {
        "kick" => "removed from a room",
        "ban" => "banned",
        "unban" => "ended a ban",
        "mute" => "muted",
        "unmute" => "let write again",
        "erase_messages" => "erased messages",
        "end_room" => "ended a room",
        "set_role" => "changed a role on the server",
        "set_room_role" => "changed a role in a room",
        "announce" => "announced",
        "set_policy" => "changed the policy",
        "back_up" => "began a backup",
        "make_invite" => "made an invitation",
        "cancel_invite" => "took an invitation back",
        "make_reset_code" => "made a code for a new password",
        "claim" => "became the owner",
        "end_session" | "end_sessions" => "ended sessions",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}
