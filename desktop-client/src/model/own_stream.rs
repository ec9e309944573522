//! One's own stream: what concerns oneself alone, the same on every device. How far one has
//! read, one's roles, and notices that wait until they are read.
//!
//! The stream has holes, so a gap cannot be seen in it. While pages of it are being read, live
//! events only say how far it goes; they are read again with the pages.
//!
//! Invariant: the cursor is kept in the same commit as what follows from the events before it.

use parlor_shared::request::{Mine, Read};
use parlor_shared::{
    Line, Nth, Refusal, Request, Role, RoomId, Seq, UnixMillis, UserEvent, UserNews,
};
use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::effect::{Keep, Turn};
use super::limits::{MUTES_MAX, NOTICES_MAX, READ_TOLD_MILLIS, RETRY_MAX_MILLIS};
use super::{Model, Room};

/// What the own stream led to, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Own {
    /// The newest place that was read.
    pub mine: Seq,
    pub role: Role,
    /// One has a password here.
    pub account: bool,
    /// What was not dismissed yet, the oldest first.
    pub notices: Vec<UserEvent>,
    pub mutes: Vec<Mute>,
}

/// One may read and not write.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Mute {
    /// `None`: everywhere.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// `None`: for good.
    #[serde(default)]
    pub until: Option<UnixMillis>,
    #[serde(default)]
    pub reason: Option<Line>,
}

impl Mute {
    /// It holds at this time.
    #[must_use]
    pub fn holds(&self, now: UnixMillis) -> bool {
        self.until.is_none_or(|it| it > now)
    }
}

/// How reading it stands on this connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// As far as it is known to go.
    last: Seq,
    /// As far as it went when the connection began: what is up to there the `welcome` knew.
    at_welcome: Seq,
    is_asked: bool,
    /// It was read up to what was there when the connection began: positions are the server's.
    is_caught_up: bool,
    /// What is read belongs to the time before this profile knew the account.
    is_history: bool,
    /// Not before then is the next read position told, in monotonic milliseconds.
    tell_after: u64,
}

impl Model {
    /// The mute that keeps one from writing in this room at this time.
    #[must_use]
    pub fn mute_in(&self, room: RoomId, now: UnixMillis) -> Option<&Mute> {
        let concerns = |it: &&Mute| it.room.is_none_or(|it| it == room) && it.holds(now);
        self.own.mutes.iter().find(concerns)
    }

    /// The notice at `mine` was read; without one, all were.
    pub(super) fn dismiss_notice(&mut self, mine: Option<Seq>, turn: &mut Turn) {
        let before = self.own.notices.len();
        self.own.notices.retain(|it| mine.is_some_and(|mine| it.mine != mine));
        if self.own.notices.len() < before {
            self.keep_own(turn);
        }
    }

    /// The one place where what belongs to the own stream is kept.
    pub(super) fn keep_own(&self, turn: &mut Turn) {
        if let Some(session) = self.session {
            turn.keep(Keep::Own { session, own: self.own.clone() });
        }
    }

    /// A connection begins; the stream goes as far as `last`.
    pub(super) fn begin_own_stream(&mut self, last: Seq) {
        self.reading = Reading {
            last,
            at_welcome: last,
            is_caught_up: last <= self.own.mine,
            is_history: self.own.mine == Seq(0),
            ..Reading::default()
        };
        if self.reading.is_caught_up {
            self.is_caught_up();
        }
    }

    pub(super) fn lose_own_stream(&mut self) {
        self.reading = Reading::default();
    }

    /// An event of the own stream, live.
    pub(super) fn hear_own(&mut self, event: UserEvent, turn: &mut Turn) {
        self.reading.last = self.reading.last.max(event.mine);
        if self.reading.is_caught_up && event.mine > self.own.mine {
            self.apply_own(event, turn);
            self.keep_own(turn);
        }
    }

    /// A page of the own stream. False: it makes no sense.
    #[must_use]
    pub(super) fn hear_mine(
        &mut self,
        events: Vec<UserEvent>,
        more: bool,
        last: Seq,
        turn: &mut Turn,
    ) -> bool {
        self.reading.is_asked = false;
        if events.is_empty() && more {
            return false;
        }
        for event in events {
            if event.mine > self.own.mine {
                self.apply_own(event, turn);
            }
        }
        if !more {
            self.own.mine = self.own.mine.max(last);
            // What was heard while this page was on its way is asked for once more.
            if self.reading.last <= self.own.mine {
                self.is_caught_up();
            }
        }
        self.keep_own(turn);
        true
    }

    /// The server does not give it; without it nothing is told either.
    pub(super) fn mine_refused(&mut self, again: bool) {
        self.reading.is_asked = false;
        if !again {
            self.reading.last = self.own.mine;
            self.is_caught_up();
        }
    }

    fn is_caught_up(&mut self) {
        (self.reading.is_caught_up, self.reading.is_history) = (true, false);
        // The server has no position for these: then everything before one came is read.
        for room in self.rooms.values_mut() {
            room.read_is_guess = false;
        }
    }

    fn apply_own(&mut self, event: UserEvent, turn: &mut Turn) {
        self.own.mine = event.mine;
        match &event.news {
            UserNews::Read { room, seq, nth } => self.read_elsewhere(*room, *seq, *nth, turn),
            UserNews::RoleIs { role } => self.is_given_role(*role),
            UserNews::RoomRoleIs { room, role } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.role = *role;
                }
            }
            UserNews::NameIs { name } => self.is_called(name.clone(), turn),
            UserNews::MutedIn { room, until, reason } => {
                let (room, until, reason) = (*room, *until, reason.clone());
                self.own.mutes.retain(|it| it.room != room);
                if self.own.mutes.len() < MUTES_MAX {
                    self.own.mutes.push(Mute { room, until, reason });
                }
            }
            UserNews::UnmutedIn { room } => self.own.mutes.retain(|it| it.room != *room),
            UserNews::Registered {} => self.is_registered(),
            UserNews::EmailVerified { .. } | UserNews::Mailed { .. } => self.account_changed(),
            UserNews::PutOut { room, .. } => {
                if event.mine > self.reading.at_welcome {
                    self.is_no_member(*room, turn);
                }
            }
            UserNews::SessionBegan { .. }
            | UserNews::PasswordChanged {}
            | UserNews::PasswordReset { .. }
            | UserNews::Unknown => {}
        }
        if !self.reading.is_history && self.is_worth_a_notice(&event.news) {
            if self.own.notices.len() >= NOTICES_MAX {
                self.own.notices.remove(0);
            }
            self.own.notices.push(event);
        }
    }

    /// What one should know although one did not do it oneself, here.
    fn is_worth_a_notice(&self, news: &UserNews) -> bool {
        match news {
            UserNews::SessionBegan { session, .. } => {
                self.me.as_ref().is_none_or(|it| it.session != *session)
            }
            UserNews::PasswordChanged {} => !self.account.is_doing_password(),
            UserNews::PasswordReset { .. }
            | UserNews::RoleIs { .. }
            | UserNews::RoomRoleIs { .. }
            | UserNews::PutOut { .. }
            | UserNews::MutedIn { .. }
            | UserNews::UnmutedIn { .. }
            | UserNews::Mailed { .. }
            | UserNews::EmailVerified { .. } => true,
            UserNews::Read { .. }
            | UserNews::NameIs { .. }
            | UserNews::Registered {}
            | UserNews::Unknown => false,
        }
    }

    // ---- How far one has read ----

    /// Another device of one's own, or this one earlier, has read up to there.
    fn read_elsewhere(&mut self, id: RoomId, seq: Seq, nth: Nth, turn: &mut Turn) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.read_told = room.read_told.max(seq);
        if room.read_is_guess || seq > room.read_seq {
            (room.read_seq, room.read_nth) = (seq, nth);
            room.read_is_guess = false;
            self.keep_room(id, turn);
        }
    }

    /// The server knows now how far one has read.
    pub(super) fn read_is_told(&mut self, id: RoomId, seq: Seq, nth: Nth, turn: &mut Turn) {
        self.read_elsewhere(id, seq, nth, turn);
    }

    /// When the next read position may be told, where there is one.
    pub(super) fn next_read(&self) -> Option<u64> {
        let is_due = self.is_reading_told() && self.rooms.values().any(Room::has_read_to_tell);
        is_due.then_some(self.reading.tell_after)
    }

    fn is_reading_told(&self) -> bool {
        self.reading.is_caught_up && !self.asked.any(|it| matches!(it, Asked::Read { .. }))
    }

    /// Asks for what is missing of the own stream, and tells how far one has read.
    pub(super) fn follow_own_stream(&mut self, turn: &mut Turn) {
        if self.reading.last > self.own.mine && !self.reading.is_asked {
            self.reading.is_asked = true;
            self.reading.is_caught_up = false;
            let request = Request::Mine(Mine { after: self.own.mine });
            self.asked.ask(request, Asked::Mine, turn);
        }
        if self.next_read().is_none_or(|at| at > turn.moment.millis) {
            return;
        }
        let to_tell = self.rooms.iter().find(|(_, it)| it.has_read_to_tell());
        if let Some((&room, it)) = to_tell {
            let seq = it.read_seq;
            self.reading.tell_after = turn.moment.millis + READ_TOLD_MILLIS;
            self.asked.ask(Request::Read(Read { room, seq }), Asked::Read { room, seq }, turn);
        }
    }

    /// The server does not take it: where that concerns the room it is not told again before it
    /// has moved, otherwise it is told later.
    pub(super) fn read_refused(&mut self, (id, seq): (RoomId, Seq), refusal: &Refusal, now: u64) {
        if *refusal == Refusal::NoSuchRoom {
            if let Some(room) = self.rooms.get_mut(&id) {
                room.read_told = room.read_told.max(seq);
            }
        } else if !matches!(refusal, Refusal::RateLimited { .. }) {
            self.reading.tell_after = now + RETRY_MAX_MILLIS;
        }
    }
}

impl Room {
    /// One has read further here than the server knows.
    fn has_read_to_tell(&self) -> bool {
        self.is_member && !self.read_is_guess && self.read_seq > self.read_told
    }
}
