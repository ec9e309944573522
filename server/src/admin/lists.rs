//! The commands that show something.

use parlor_shared::reply::{AuditEntry, BanEntry, InviteEntry, SessionEntry, UserEntry};
use parlor_shared::request::{Audit, Bans, Invites, Nothing, Sessions, Users};
use parlor_shared::{Entry, Line, Policy, Reply, Request, UnixMillis};

use super::AdminError;
use super::call::{Call, unexpected};
use super::command_line::List;
use super::print::{Out, Table, shown, time, yes};
use super::whom;
use crate::backup::size;

pub(super) fn run(list: List, call: &mut Call, out: &mut Out<'_>) -> Result<(), AdminError> {
    match list {
        List::Users { find } => users(call, out, find.as_ref()),
        List::Rooms => rooms(call, out),
        List::Sessions { user } => sessions(call, out, &user),
        List::Bans { room } => bans(call, out, room.as_ref()),
        List::Audit { all } => audit(call, out, all),
        List::Invites => invites(call, out),
        List::Storage => storage(call, out),
    }
}

fn users(call: &mut Call, out: &mut Out<'_>, find: Option<&Line>) -> Result<(), AdminError> {
    let mut table = Table::new(&["ID", "NAME", "ROLE", "HERE", "LAST SEEN", "REMARKS"]);
    let mut after = None;
    loop {
        let (users, more) = whom::users(call, Users { after, find: find.cloned() })?;
        after = users.last().map(|it| it.user);
        out.rows(&mut table, &users, user_row)?;
        if !more || after.is_none() {
            return Ok(out.end(&table, "There is nobody.")?);
        }
    }
}

fn user_row(it: &UserEntry) -> Vec<String> {
    let remarks = [
        (it.banned, "banned"),
        (it.muted, "muted"),
        (it.role.is_admin() && !it.account, "has no password"),
    ];
    let remarks: Vec<&str> = remarks.into_iter().filter(|(is, _)| *is).map(|(_, it)| it).collect();
    vec![
        it.user.to_string(),
        shown(it.name.as_str()).into_owned(),
        it.role.word().to_owned(),
        yes(it.here),
        time(it.seen_at),
        remarks.join(", "),
    ]
}

fn rooms(call: &mut Call, out: &mut Out<'_>) -> Result<(), AdminError> {
    let mut table = Table::new(&["ID", "NAME", "MEMBERS"]);
    let mut after = None;
    loop {
        let (rooms, more) = whom::rooms(call, after)?;
        after = rooms.last().map(|it| it.room);
        out.rows(&mut table, &rooms, |it| {
            let name = shown(it.name.as_str()).into_owned();
            vec![it.room.to_string(), name, it.members.to_string()]
        })?;
        if !more || after.is_none() {
            return Ok(out.end(&table, "There are no rooms.")?);
        }
    }
}

fn sessions(call: &mut Call, out: &mut Out<'_>, user: &str) -> Result<(), AdminError> {
    let person = whom::user(call, user)?;
    let asked = Request::Sessions(Sessions { user: Some(person.user) });
    let reply = call.ask(asked)?;
    let Reply::Sessions { sessions } = reply else { return Err(unexpected(&reply)) };
    let mut table = Table::new(&["SESSION", "DEVICE", "ADDRESS", "SINCE", "LAST USED", "HERE"]);
    out.rows(&mut table, &sessions, |it: &SessionEntry| {
        vec![
            it.session.to_string(),
            it.device.as_ref().map(|it| shown(it.as_str()).into_owned()).unwrap_or_default(),
            shown(&it.address).into_owned(),
            time(it.made_at),
            time(it.used_at),
            yes(it.here),
        ]
    })?;
    Ok(out.end(&table, &format!("{} is not signed in anywhere.", person.shown()))?)
}

fn bans(call: &mut Call, out: &mut Out<'_>, room: Option<&String>) -> Result<(), AdminError> {
    let room = whom::maybe_room(call, room)?.map(|it| it.room);
    let mut table = Table::new(&["BAN", "WHO", "ROOM", "UNTIL", "BY", "SINCE", "REASON"]);
    let mut after = None;
    loop {
        let reply = call.ask(Request::Bans(Bans { room, after }))?;
        let Reply::Bans { bans, more } = reply else { return Err(unexpected(&reply)) };
        after = bans.last().map(|it| it.ban);
        out.rows(&mut table, &bans, ban_row)?;
        if !more || after.is_none() {
            return Ok(out.end(&table, "There are no bans.")?);
        }
    }
}

fn ban_row(it: &BanEntry) -> Vec<String> {
    let user = || match (&it.who, it.user) {
        (Some(who), Some(user)) => format!("{} (id:{user})", shown(who.as_str())),
        (None, Some(user)) => format!("id:{user}"),
        (_, None) => String::new(),
    };
    vec![
        it.ban.to_string(),
        it.network.map_or_else(user, |it| it.to_string()),
        it.room.map(|it| format!("id:{it}")).unwrap_or_default(),
        it.until.map_or_else(|| "for good".to_owned(), time),
        shown(it.name.as_str()).into_owned(),
        time(it.at),
        it.reason.as_ref().map(|it| shown(it.as_str()).into_owned()).unwrap_or_default(),
    ]
}

/// The newest page, or everything. The log can be longer than what one wants to hold: the first
/// time through only where each page ends is remembered, then they are printed from the oldest on.
fn audit(call: &mut Call, out: &mut Out<'_>, all: bool) -> Result<(), AdminError> {
    let mut table = Table::new(&["LINE", "WHEN", "BY", "ACT", "WHOM", "ROOM", "REMARKS"]);
    let (newest, mut more) = audit_page(call, None)?;
    let mut ends = Vec::new();
    let mut first = newest.first().map(|it| it.entry);
    while let Some(before) = first.filter(|_| all && more) {
        ends.push(before);
        let page;
        (page, more) = audit_page(call, Some(before))?;
        first = page.first().map(|it| it.entry);
    }
    for before in ends.into_iter().rev() {
        let (page, _) = audit_page(call, Some(before))?;
        out.rows(&mut table, &page, audit_row)?;
    }
    out.rows(&mut table, &newest, audit_row)?;
    Ok(out.end(&table, "Nothing was done yet.")?)
}

fn audit_page(call: &mut Call, before: Option<u64>) -> Result<(Vec<AuditEntry>, bool), AdminError> {
    let reply = call.ask(Request::Audit(Audit { before }))?;
    let Reply::Audit { entries, more } = reply else { return Err(unexpected(&reply)) };
    Ok((entries, more))
}

fn audit_row(it: &AuditEntry) -> Vec<String> {
    let whom = match (&it.who, it.user) {
        (Some(who), Some(user)) => format!("{} (id:{user})", shown(who.as_str())),
        (None, Some(user)) => format!("id:{user}"),
        (_, None) => String::new(),
    };
    vec![
        it.entry.to_string(),
        time(it.at),
        shown(it.name.as_str()).into_owned(),
        shown(&it.act).into_owned(),
        whom,
        it.room.map(|it| format!("id:{it}")).unwrap_or_default(),
        shown(&it.says).into_owned(),
    ]
}

fn invites(call: &mut Call, out: &mut Out<'_>) -> Result<(), AdminError> {
    let reply = call.ask(Request::Invites(Invites {}))?;
    let Reply::Invites { invites } = reply else { return Err(unexpected(&reply)) };
    let mut table = Table::new(&["INVITE", "BY", "MADE", "UNTIL", "USES LEFT"]);
    out.rows(&mut table, &invites, |it: &InviteEntry| {
        vec![
            it.invite.to_string(),
            shown(it.name.as_str()).into_owned(),
            time(it.made_at),
            time(it.until),
            it.uses_left.to_string(),
        ]
    })?;
    Ok(out.end(&table, "There are no invitations.")?)
}

fn storage(call: &mut Call, out: &mut Out<'_>) -> Result<(), AdminError> {
    let reply = call.ask(Request::Storage(Nothing {}))?;
    let Reply::Storage(it) = reply else { return Err(unexpected(&reply)) };
    let it = *it;
    let latest = it
        .last_backup
        .map_or_else(|| "none".to_owned(), |it| format!("{}, {}", time(it.at), size(it.bytes)));
    let next = if it.next_backup_at == UnixMillis(0) {
        "none; `policy --backup-hours 24` makes one a day".to_owned()
    } else {
        time(it.next_backup_at)
    };
    let mut lines = vec![
        ("Users", it.users.to_string()),
        ("Rooms", it.rooms.to_string()),
        ("Events", it.events.to_string()),
        ("Database", size(it.database_bytes)),
        ("Chat logs", size(it.chatlog_bytes)),
        ("Backups", size(it.backup_bytes)),
        ("Free on the disk", size(it.free_bytes)),
        ("Latest backup", latest),
        ("Next backup", next),
    ];
    if !it.backup_failed.is_empty() {
        lines.push(("The last try failed", shown(&it.backup_failed).into_owned()));
    }
    Ok(out.card(&it, &lines)?)
}

/// How the server is run.
pub(super) fn policy(out: &mut Out<'_>, policy: Policy) -> Result<(), AdminError> {
    let entry = match policy.entry {
        Entry::Open => "open: everybody, as a guest",
        Entry::Registered => "registered: only whoever has an account",
        Entry::Invite => "invite: newcomers need an invitation",
    };
    let every = match policy.backup_hours {
        0 => "never".to_owned(),
        1 => "every hour".to_owned(),
        hours => format!("every {hours} hours"),
    };
    let lines = [
        ("Who may come in", entry.to_owned()),
        ("A backup is made", every),
        ("Backups kept", policy.backup_keep.to_string()),
    ];
    Ok(out.card(&policy, &lines)?)
}
