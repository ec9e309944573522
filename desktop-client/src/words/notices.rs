//! Notices about oneself, and what one may not do just now.

use parlor_shared::event::{CodeKind, MailState};
use parlor_shared::{Role, RoomRole, UserNews};

pub const DISMISS_ALL: &str = "Dismiss all";
pub const NOTICES: &str = "Notices";
pub const SHOW_ALL: &str = "Show all";
pub const FOR_GOOD: &str = "for good";
pub const ANNOUNCEMENT: &str = "Announcement";
pub const DISMISS_ANNOUNCEMENT: &str = "Dismiss the announcement";
pub const ERASED: &str = "This message was erased";
pub const ROOM_ENDED: &str = "This room has ended. It can be read, and nobody can write in it.";

/// `2 notices`, beside the first of them.
#[must_use]
pub fn all_notices(count: usize) -> String {
    format!("All {count} notices")
}

#[must_use]
pub fn because(reason: Option<&str>) -> String {
    reason.map(|it| format!(" Reason: {it}")).unwrap_or_default()
}

/// Why one cannot write; `until` in words, nothing for good.
#[must_use]
pub fn muted(until: Option<&str>, reason: Option<&str>) -> String {
    let span = until.map(|it| format!(" until {it}")).unwrap_or_default();
    format!("You may read here, and not write{span}.{}", because(reason))
}

#[must_use]
pub fn announced(name: &str, text: &str) -> String {
    format!("{ANNOUNCEMENT} by {name}: {text}")
}

#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Guest => "guest",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

#[must_use]
pub fn room_role(role: RoomRole) -> &'static str {
    match role {
        RoomRole::Member => "member",
        RoomRole::Moderator => "moderator",
        RoomRole::Owner => "owner",
    }
}

fn code_kind(with: CodeKind) -> &'static str {
    match with {
        CodeKind::Recovery => "with a recovery code",
        CodeKind::Admin => "with a code from an admin",
        CodeKind::Mail => "with a code by mail",
    }
}

/// A notice in a sentence. `room` is what the room that it is about is called, `until` its time in
/// words.
#[must_use]
pub fn notice(news: &UserNews, room: Option<&str>, until: Option<&str>) -> String {
    let span = until.map(|it| format!(" until {it}")).unwrap_or_default();
    let in_room = room.map(|it| format!(" in {it}")).unwrap_or_default();
    match news {
        UserNews::RoleIs { role: it } => {
            format!("You are {} of this server now.", with_article(role(*it)))
        }
        UserNews::RoomRoleIs { role: it, .. } => {
            format!("You are {}{in_room} now.", with_article(room_role(*it)))
        }
        UserNews::PutOut { title, name: by, for_good, reason, .. } => {
            let because = because(reason.as_ref().map(|it| it.as_str()));
            match (until, for_good) {
                (Some(_), _) => format!("{by} banned you from {title}{span}.{because}"),
                (None, true) => format!("{by} banned you from {title} for good.{because}"),
                (None, false) => format!("{by} removed you from {title}.{because}"),
            }
        }
        UserNews::MutedIn { room: Some(_), reason, .. } => format!(
            "You may not write{in_room}{span}.{}",
            because(reason.as_ref().map(|it| it.as_str()))
        ),
        UserNews::MutedIn { room: None, reason, .. } => format!(
            "You may not write anywhere{span}.{}",
            because(reason.as_ref().map(|it| it.as_str()))
        ),
        UserNews::UnmutedIn { .. } => format!("You may write{in_room} again."),
        UserNews::SessionBegan { device, address, .. } => {
            let device = device.as_ref().map_or("another device", |it| it.as_str());
            let from = if address.is_empty() { String::new() } else { format!(" from {address}") };
            format!("You signed in on {device}{from}. If that was not you, change your password.")
        }
        UserNews::Registered {} => "Your name is an account now.".to_owned(),
        UserNews::PasswordChanged {} => "Your password was changed on another device.".to_owned(),
        UserNews::PasswordReset { with } => format!(
            "Your password was set anew {}, and all your devices were signed out. If that was not \
             you, tell whoever runs this server.",
            code_kind(*with)
        ),
        UserNews::Mailed { to, state: MailState::Sent } => format!("A mail was sent to {to}."),
        UserNews::Mailed { to, state: MailState::Waits } => {
            format!("The mail to {to} waits: the mail server cannot be reached. It is tried again.")
        }
        UserNews::Mailed { to, state: MailState::Failed } => {
            format!("The mail to {to} could not be sent.")
        }
        UserNews::EmailVerified { email } => format!("Your mail address {email} is confirmed."),
        UserNews::Read { .. } | UserNews::NameIs { .. } | UserNews::Unknown => String::new(),
    }
}

fn with_article(role: &str) -> String {
    let article = if role.starts_with(['a', 'o']) { "an" } else { "a" };
    format!("{article} {role}")
}

/// `until` in words.
#[must_use]
pub fn banned_here(until: &str) -> String {
    format!("You are banned there until {until}.")
}

/// The line under one's own name.
#[must_use]
pub fn who_one_is(role: Role, has_account: bool) -> &'static str {
    match (role, has_account) {
        (Role::Owner, true) => "Owner of this server",
        (Role::Owner, false) => "Owner of this server, without an account",
        (Role::Admin, true) => "Admin of this server",
        (Role::Admin, false) => "Admin of this server, without an account",
        (Role::Guest | Role::Member, true) => "You have an account here",
        (Role::Guest | Role::Member, false) => "Guest",
    }
}

pub const DISMISS_NOTICE: &str = "Dismiss the notice";
