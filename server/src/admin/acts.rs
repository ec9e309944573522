//! The commands that change something.

use std::io::{self, BufRead, Write as _};

use parlor_shared::request::{
    Announce, Ban, CancelInvite, EndRoom, EndSession, EndSessions, EraseMessages, Kick, MakeInvite,
    MakeResetCode, Mute, Nothing, SetPolicy, SetRole, SetRoomRole, Unban, Unmute,
};
use parlor_shared::{
    BanId, ClientId, InviteId, Line, Network, Refusal, Reply, Request, Role, RoomRole, SessionId,
    Text, UserName,
};

use super::AdminError;
use super::call::{Call, unexpected};
use super::command_line::Act;
use super::print::{Out, time};
use super::span::Span;
use super::whom::{self, Person, Place, maybe_room};
use super::{lists, print};
use crate::gate::fresh;

pub(super) fn run(act: Act, call: &mut Call, out: &mut Out<'_>) -> Result<(), AdminError> {
    match act {
        Act::EndSession { session } => {
            let asked = Request::EndSession(EndSession { session: SessionId(session) });
            let reply = call.ask(asked)?;
            Ok(out.done(&reply, &format!("Session {session} has ended."))?)
        }
        Act::EndSessions { user } => end_sessions(call, out, &user),
        Act::Role { user, role } => give_role(call, out, &user, role.into()),
        Act::RoomRole { room, user, role } => {
            give_room_role(call, out, (&room, &user), role.into())
        }
        Act::Kick { room, user, why } => kick(call, out, (&room, &user), why.reason),
        Act::Ban { whom, room, span, why } => {
            ban(call, out, (&whom, room.as_ref()), (span, why.reason))
        }
        Act::Unban { ban } => {
            let reply = call.ask(Request::Unban(Unban { ban: BanId(ban) }))?;
            Ok(out.done(&reply, &format!("Ban {ban} has ended."))?)
        }
        Act::Mute { user, room, span, why } => {
            mute(call, out, (&user, room.as_ref()), (span, why.reason))
        }
        Act::Unmute { user, room } => unmute(call, out, &user, room.as_ref()),
        Act::Erase { user, room, yes } => erase(call, out, (&user, room.as_ref()), yes),
        Act::EndRoom { room, why } => end_room(call, out, &room, why.reason),
        Act::Announce { text } => announce(call, out, &text.join(" ")),
        Act::Policy { entry, backup_hours, backup_keep } => {
            let entry = entry.map(Into::into);
            policy(call, out, SetPolicy { entry, backup_hours, backup_keep })
        }
        Act::Invite { uses, span } => invite(call, out, uses, span.and_then(|it| it.millis)),
        Act::CancelInvite { invite } => {
            let asked = CancelInvite { invite: InviteId(invite) };
            let reply = call.ask(Request::CancelInvite(asked))?;
            Ok(out.done(&reply, &format!("Nobody can use invitation {invite} any more."))?)
        }
        Act::ResetCode { user } => reset_code(call, out, &user),
        Act::BackupNow => {
            let reply = call.ask(Request::BackUp(Nothing {}))?;
            Ok(out.done(&reply, "A backup is being made; `storage` shows when it is there.")?)
        }
    }
}

fn end_sessions(call: &mut Call, out: &mut Out<'_>, user: &str) -> Result<(), AdminError> {
    let person = whom::user(call, user)?;
    let reply = call.ask(Request::EndSessions(EndSessions { user: Some(person.user) }))?;
    let Reply::SessionsEnded { count } = reply else { return Err(unexpected(&reply)) };
    let sentence = match count {
        0 => format!("{} was not signed in anywhere.", person.shown()),
        1 => format!("{} was signed in once, and is no more.", person.shown()),
        _ => format!("{} was signed in {count} times, and is no more.", person.shown()),
    };
    Ok(out.done(&reply, &sentence)?)
}

fn give_role(call: &mut Call, out: &mut Out<'_>, user: &str, role: Role) -> Result<(), AdminError> {
    let person = whom::user(call, user)?;
    let reply = call.ask(Request::SetRole(SetRole { user: person.user, role }))?;
    let sentence = match role {
        Role::Owner | Role::Admin => format!("{} is {} now.", person.shown(), with_an(role.word())),
        // Which of the two it is depends on the password, not on what was typed.
        Role::Member | Role::Guest => format!("{} sees to this server no more.", person.shown()),
    };
    Ok(out.done(&reply, &sentence)?)
}

fn give_room_role(
    call: &mut Call,
    out: &mut Out<'_>,
    (room, user): (&str, &str),
    role: RoomRole,
) -> Result<(), AdminError> {
    let (place, person) = (whom::room(call, room)?, whom::user(call, user)?);
    let asked = SetRoomRole { room: place.room, user: person.user, role };
    let reply = call.ask(Request::SetRoomRole(asked))?;
    let role = with_an(role.word());
    Ok(out.done(&reply, &format!("{} is {role} in {} now.", person.shown(), place.shown()))?)
}

fn with_an(word: &str) -> String {
    let article = if word.starts_with(['a', 'o']) { "an" } else { "a" };
    format!("{article} {word}")
}

fn kick(
    call: &mut Call,
    out: &mut Out<'_>,
    (room, user): (&str, &str),
    reason: Option<Line>,
) -> Result<(), AdminError> {
    let (place, person) = (whom::room(call, room)?, whom::user(call, user)?);
    let asked = Kick { room: place.room, user: person.user, reason };
    let reply = call.ask(Request::Kick(asked))?;
    let sentence = format!("{} was put out of {}.", person.shown(), place.shown());
    Ok(out.done(&reply, &sentence)?)
}

fn ban(
    call: &mut Call,
    out: &mut Out<'_>,
    (whom, room): (&str, Option<&String>),
    (span, reason): (Option<Span>, Option<Line>),
) -> Result<(), AdminError> {
    let span = span.unwrap_or_else(Span::forever);
    let place = maybe_room(call, room)?;
    let (user, network, who) = match whom.parse::<Network>() {
        Ok(network) => {
            if let Some(person) = whom::is_a_name(call, whom)? {
                return Err(AdminError::Usage(format!(
                    "{} is an address, and the name of id:{}; say the id, or the address with /32",
                    print::shown(whom),
                    person.user
                )));
            }
            (None, Some(network), network.to_string())
        }
        Err(_no_network) => {
            let person = whom::user(call, whom)?;
            (Some(person.user), None, person.shown())
        }
    };
    let room = place.as_ref().map(|it| it.room);
    let reply = call.ask(Request::Ban(Ban { user, network, room, millis: span.millis, reason }))?;
    let Reply::Banned { ban } = reply else { return Err(unexpected(&reply)) };
    let from = place.map_or_else(|| "this server".to_owned(), |it| it.shown());
    let how_long = span.words();
    let sentence = format!("{who} is banned from {from} {how_long}; `unban {ban}` ends it.");
    Ok(out.done(&reply, &sentence)?)
}

fn mute(
    call: &mut Call,
    out: &mut Out<'_>,
    (user, room): (&str, Option<&String>),
    (span, reason): (Option<Span>, Option<Line>),
) -> Result<(), AdminError> {
    let span = span.unwrap_or_else(Span::forever);
    let (place, person) = (maybe_room(call, room)?, whom::user(call, user)?);
    let room = place.as_ref().map(|it| it.room);
    let asked = Mute { user: person.user, room, millis: span.millis, reason };
    let reply = call.ask(Request::Mute(asked))?;
    let (who, place, how_long) = (person.shown(), within(place.as_ref()), span.words());
    Ok(out.done(&reply, &format!("{who} can read and not write {place} {how_long}."))?)
}

fn unmute(
    call: &mut Call,
    out: &mut Out<'_>,
    user: &str,
    room: Option<&String>,
) -> Result<(), AdminError> {
    let (place, person) = (maybe_room(call, room)?, whom::user(call, user)?);
    let asked = Unmute { user: person.user, room: place.as_ref().map(|it| it.room) };
    let reply = call.ask(Request::Unmute(asked))?;
    let sentence = match place {
        // A mute of one room is ended in that room.
        None => format!("{} is not muted on the whole server any more.", person.shown()),
        Some(place) => format!("{} is not muted in {} any more.", person.shown(), place.shown()),
    };
    Ok(out.done(&reply, &sentence)?)
}

fn within(place: Option<&Place>) -> String {
    place.map_or_else(|| "anywhere".to_owned(), |it| format!("in {}", it.shown()))
}

fn erase(
    call: &mut Call,
    out: &mut Out<'_>,
    (user, room): (&str, Option<&String>),
    is_sure: bool,
) -> Result<(), AdminError> {
    let (place, person) = (maybe_room(call, room)?, whom::user_or_former(call, user)?);
    let (who, place_shown) = (person.shown(), within(place.as_ref()));
    if !is_sure {
        let question = format!(
            "This erases for good all that {who} ever said {place_shown}.\n\
             Type the name to confirm: "
        );
        confirm(&person, &question, &mut io::stdin().lock())?;
    }
    let asked = EraseMessages { user: person.user, room: place.map(|it| it.room) };
    let reply = call.ask(Request::EraseMessages(asked))?;
    Ok(out.done(&reply, &format!("All that {who} ever said {place_shown} is erased."))?)
}

/// Goes on when the name is typed; of somebody without a name, the id.
fn confirm(person: &Person, question: &str, answers: &mut dyn BufRead) -> Result<(), AdminError> {
    // Not where the rows go, which a program may read.
    let mut err = io::stderr();
    write!(err, "{question}").and_then(|()| err.flush()).ok();
    let mut typed = String::new();
    answers.read_line(&mut typed)?;
    let is_right = match &person.name {
        Some(name) => typed.parse::<UserName>().is_ok_and(|it| it == *name),
        None => typed.trim() == format!("id:{}", person.user),
    };
    if is_right { Ok(()) } else { Err(AdminError::NotConfirmed) }
}

fn end_room(
    call: &mut Call,
    out: &mut Out<'_>,
    room: &str,
    reason: Option<Line>,
) -> Result<(), AdminError> {
    let place = whom::room(call, room)?;
    let reply = call.ask(Request::EndRoom(EndRoom { room: place.room, reason }))?;
    let sentence = format!("{} has ended; its members can still read it.", place.shown());
    Ok(out.done(&reply, &sentence)?)
}

fn announce(call: &mut Call, out: &mut Out<'_>, text: &str) -> Result<(), AdminError> {
    let no = |it: Refusal| AdminError::Usage(it.to_string());
    let text: Text = text.parse().map_err(no)?;
    // It is said once and never again, so any name that no device has will do.
    let device: String = fresh::token().to_hex().chars().take(12).collect();
    let client_id: ClientId = format!("{device}-1").parse().map_err(no)?;
    let reply = call.ask(Request::Announce(Announce { client_id, text }))?;
    Ok(out.done(&reply, "Everybody is told, in the lobby.")?)
}

fn policy(call: &mut Call, out: &mut Out<'_>, change: SetPolicy) -> Result<(), AdminError> {
    let asked = if change == SetPolicy::default() {
        Request::Policy(Nothing {})
    } else {
        Request::SetPolicy(change)
    };
    let reply = call.ask(asked)?;
    let Reply::Policy(policy) = reply else { return Err(unexpected(&reply)) };
    lists::policy(out, policy)
}

fn invite(
    call: &mut Call,
    out: &mut Out<'_>,
    uses: Option<u64>,
    millis: Option<u64>,
) -> Result<(), AdminError> {
    let reply = call.ask(Request::MakeInvite(MakeInvite { uses, millis }))?;
    let Reply::Invite { invite, code, until } = reply else { return Err(unexpected(&reply)) };
    let until = time(until);
    let sentence = format!(
        "{code}\nThis code, which is not shown again, lets somebody new come in until {until}; \
         `cancel-invite {invite}` takes it back."
    );
    Ok(out.done(&reply, &sentence)?)
}

fn reset_code(call: &mut Call, out: &mut Out<'_>, user: &str) -> Result<(), AdminError> {
    let person = whom::user(call, user)?;
    let asked = MakeResetCode { user: person.user };
    let reply = call.ask(Request::MakeResetCode(asked))?;
    let Reply::ResetCode { code, until } = reply else { return Err(unexpected(&reply)) };
    let (who, until) = (person.shown(), time(until));
    let sentence = format!(
        "{code}\nWith this code, which is not shown again, {who} can set a new password once \
         until {until}. Hand it to nobody else."
    );
    Ok(out.done(&reply, &sentence)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_shared::UserId;

    #[test]
    fn only_the_name_itself_confirms() {
        let ann = Person { user: UserId(7), name: Some("Ann Lee".parse().expect("a name")) };
        let gone = Person { user: UserId(7), name: None };
        let confirms = |it: &Person, typed: &str| confirm(it, "", &mut typed.as_bytes()).is_ok();
        assert!(confirms(&ann, "Ann Lee\n") && confirms(&ann, " Ann Lee \r\n"));
        assert!(confirms(&gone, "id:7\n"));
        for wrong in ["", "\n", "y\n", "yes\n", "ann lee\n", "Ann\n", "id:7\n"] {
            assert!(!confirms(&ann, wrong), "{wrong:?}");
        }
        assert!(!confirms(&gone, "former user\n"));
    }
}
