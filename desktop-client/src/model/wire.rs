//! Staying connected: one connection at a time, tried again with growing, random waits, and what
//! arrives on it given to whom it concerns.
//!
//! Every loss of it, whatever the reason, goes through `Model::lose`, so nothing that was asked
//! on it is waited for afterwards.

use parlor_shared::request::{Hello, Nothing};
use parlor_shared::{
    Code, EmailAddress, Event, Notice, PROTOCOL, Password, Refusal, Reply, Request, RequestId,
    Role, ServerFrame, UserName,
};

use super::asked::Asked;
use super::effect::{Effect, Turn};
use super::limits::{RETRY_FIRST_MILLIS, RETRY_MAX_MILLIS, RETRY_TOLD_MAX_MILLIS, STEADY_MILLIS};
use super::{Closed, LinkId, LinkNews, LinkState, Model, SessionId, Stage, Trouble};

/// The name and version that the server's log shows.
const APP: &str = concat!("parlor-desktop ", env!("CARGO_PKG_VERSION"));

/// The one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    pub(super) link: LinkId,
    pub(super) phase: Phase,
    pub(super) greeting: Option<Greeting>,
    /// Waits for the archive to open this session before connecting.
    pub(super) opening: Option<SessionId>,
    /// Tries since the connection was last steady.
    pub(super) attempts: u32,
    pub(super) online_since: u64,
    /// The server said when to come back.
    pub(super) told_wait: Option<u64>,
    /// The server said "no" to the connection as a whole; it ends right after.
    pub(super) refusal: Option<Refusal>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Phase {
    #[default]
    Idle,
    Connecting,
    Greeting,
    Online,
    /// Goodbye was said; the answer is waited for, nothing else counts.
    Farewell,
}

/// As whom one says hello.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Greeting {
    Guest {
        name: UserName,
        invite: Option<Code>,
    },
    Back(SessionId),
    Password {
        name: UserName,
        password: Password,
    },
    /// Sets a new password first.
    Recover {
        name: UserName,
        code: Code,
        password: Password,
    },
    /// Does not come in at all: has a code mailed.
    Forgot(EmailAddress),
}

/// When a server that says "wait" is asked again. It is believed up to a bound.
pub(super) fn told_pause(retry_millis: u64, turn: &Turn) -> u64 {
    turn.moment.millis + retry_millis.clamp(1, RETRY_TOLD_MAX_MILLIS)
}

impl Model {
    pub(super) fn connect(&mut self, turn: &mut Turn) {
        let Some(address) = self.server.clone() else { return };
        self.asked.forget();
        self.wire.link.0 += 1;
        self.wire.phase = Phase::Connecting;
        self.wire.refusal = None;
        self.wire.told_wait = None;
        self.link = LinkState::Connecting;
        (self.key, self.key_changed) = (None, None);
        let pin = self.pins.of(&address);
        turn.effects.push(Effect::Connect { link: self.wire.link, address, pin });
    }

    pub(super) fn connect_now(&mut self, turn: &mut Turn) {
        if self.stage == Stage::Talking && matches!(self.link, LinkState::Offline { .. }) {
            self.connect(turn);
        }
    }

    pub(super) fn drop_link(&mut self, turn: &mut Turn) {
        // A new number, so that whatever the old link still says is not heard.
        self.wire.link.0 += 1;
        turn.effects.push(Effect::Disconnect);
    }

    pub(super) fn hear_link(&mut self, link: LinkId, news: LinkNews, turn: &mut Turn) {
        if link != self.wire.link || self.wire.phase == Phase::Idle {
            return;
        }
        match news {
            LinkNews::Connected { key } => self.recognise(key, turn),
            LinkNews::Frame(frame) => self.hear_frame(frame, turn),
            LinkNews::Closed(Closed::KeyChanged { known, found }) => {
                self.key_changed(known, found, turn);
            }
            LinkNews::Closed(_) if self.is_shown_out() => {
                // It would be refused at the next hello, so that is not waited for.
                let refusal = self.wire.refusal.take().unwrap_or(Refusal::Unknown);
                self.hello_refused(refusal, turn);
            }
            LinkNews::Closed(closed) => {
                let trouble = self.why_closed(closed);
                self.lose(Some(trouble), turn);
            }
        }
    }

    /// The server has said that there is no coming back with this token, or none for long.
    fn is_shown_out(&self) -> bool {
        let is_back = matches!(self.wire.greeting, Some(Greeting::Back(_)));
        let refusal = &self.wire.refusal;
        let is_said = matches!(
            refusal,
            Some(Refusal::SessionEnded | Refusal::TokenUnknown | Refusal::Banned { .. })
        );
        is_back && is_said
    }

    fn why_closed(&self, closed: Closed) -> Trouble {
        match (closed, self.server.clone()) {
            (Closed::NoSuchHost, Some(at)) => Trouble::NoSuchHost(at),
            (Closed::NobodyAnswers, Some(at)) => Trouble::NobodyAnswers(at),
            (Closed::NotParlor, Some(at)) => Trouble::NotParlor(at),
            (Closed::NotPrivate, Some(at)) => Trouble::NotPrivate(at),
            (Closed::Full, _) => Trouble::Refused(Refusal::TooManyConnections),
            _ => match &self.wire.refusal {
                Some(Refusal::OtherVersion { speaks }) => Trouble::OtherVersion { speaks: *speaks },
                Some(Refusal::GoingAway) => Trouble::ServerStopping,
                Some(refusal) => Trouble::Refused(refusal.clone()),
                None if self.wire.told_wait.is_some() => Trouble::ServerStopping,
                None => self.lost(),
            },
        }
    }

    pub(super) fn greet(&mut self, turn: &mut Turn) {
        if self.greet_as_stranger(turn) {
            return;
        }
        let Ok(app) = APP.parse() else { unreachable!("the app's name is a valid one") };
        let device = self.device_name.clone();
        let (name, token, password, invite) = (None, None, None, None);
        let mut hello = Hello { protocol: PROTOCOL, app, name, token, password, device, invite };
        match &self.wire.greeting {
            Some(Greeting::Guest { name, invite }) => {
                (hello.name, hello.invite) = (Some(name.clone()), *invite);
            }
            Some(Greeting::Password { name, password }) => {
                (hello.name, hello.password) = (Some(name.clone()), Some(password.clone()));
            }
            Some(Greeting::Back(id)) => {
                let session = self.sessions.iter().find(|it| it.id == *id);
                hello.token = session.and_then(|it| it.token);
            }
            Some(Greeting::Recover { .. } | Greeting::Forgot(_)) | None => {}
        }
        self.wire.phase = Phase::Greeting;
        self.asked.ask(Request::Hello(hello), Asked::Hello, turn);
    }

    /// The connection is over, whoever ended it. In the dialog the reason is shown; in the chat
    /// the next try is planned.
    pub(super) fn lose(&mut self, trouble: Option<Trouble>, turn: &mut Turn) {
        let now = turn.moment.millis;
        let was_online = self.wire.phase == Phase::Online;
        self.wire.phase = Phase::Idle;
        self.key = None;
        self.asked.forget();
        self.lose_pages();
        self.lose_people();
        self.lose_own_stream();
        self.lose_account();
        self.lose_admin();
        self.names.lose_connection();
        self.unsend();
        self.listing = super::membership::Listing::default();
        (self.say_after, self.read_after) = (None, None);
        self.link = LinkState::Offline { retry_at: None };
        match &mut self.stage {
            Stage::Joining(joining) => {
                if joining.busy {
                    joining.busy = false;
                    joining.refused = trouble;
                }
                // Nothing is tried again from here, so no password waits either; unless it was the
                // connection before the one that is about to begin.
                if self.wire.opening.is_none() {
                    self.wire.greeting = None;
                }
            }
            Stage::Talking => {
                if was_online && now.saturating_sub(self.wire.online_since) >= STEADY_MILLIS {
                    self.wire.attempts = 0;
                }
                let wait = self.next_wait(turn.moment.random);
                self.wire.attempts = self.wire.attempts.saturating_add(1);
                self.link = LinkState::Offline { retry_at: Some(now + wait) };
                self.why_offline = trouble;
            }
        }
    }

    /// Growing, and random, so that a thousand apps do not come back in the same moment.
    fn next_wait(&self, random: u64) -> u64 {
        if let Some(told) = self.wire.told_wait {
            return told.min(RETRY_TOLD_MAX_MILLIS);
        }
        let doublings = self.wire.attempts.min(16);
        let base = (RETRY_FIRST_MILLIS << doublings).min(RETRY_MAX_MILLIS);
        base / 2 + random % base
    }

    pub(super) fn tick(&mut self, turn: &mut Turn) {
        let now = turn.moment.millis;
        if let LinkState::Offline { retry_at: Some(at) } = self.link
            && at <= now
        {
            self.connect(turn);
        }
        if self.asked.next_deadline().is_some_and(|at| at <= now) {
            self.give_up(turn);
        }
    }

    /// Answers do not come, or make no sense: ends the connection and tries another one.
    pub(super) fn give_up(&mut self, turn: &mut Turn) {
        self.drop_link(turn);
        self.lose(Some(self.lost()), turn);
    }

    /// The connection ended without a reason that one could tell.
    fn lost(&self) -> Trouble {
        match (&self.stage, &self.server) {
            (Stage::Joining(_), Some(at)) => Trouble::HungUp(at.clone()),
            _ => Trouble::ConnectionLost,
        }
    }

    // ---- What the server says ----

    fn hear_frame(&mut self, frame: ServerFrame, turn: &mut Turn) {
        if self.wire.phase == Phase::Farewell {
            if matches!(&frame, ServerFrame::Ok { ok, .. } if Self::is_last_word(ok)) {
                self.drop_link(turn);
                self.lose(None, turn);
            }
            return;
        }
        match frame {
            ServerFrame::Ok { id, ok } => self.hear_reply(id, ok, turn),
            ServerFrame::Refused { id: Some(id), refused, .. } => {
                self.hear_refusal(id, refused, turn);
            }
            ServerFrame::Refused { id: None, refused, .. } => self.wire.refusal = Some(refused),
            ServerFrame::Event(Event::Room(event)) => self.hear_event(event, turn),
            ServerFrame::Event(Event::User(event)) => self.hear_own(event, turn),
            ServerFrame::Event(Event::Notice(notice)) => self.hear_notice(notice, turn),
        }
    }

    fn hear_reply(&mut self, id: RequestId, reply: Reply, turn: &mut Turn) {
        let Some(asked) = self.asked.take(id) else { return };
        match (asked, reply) {
            (Asked::Hello, Reply::Welcome(welcome)) => self.welcomed(*welcome, turn),
            (Asked::Say { room, client_id }, Reply::Said { seq, .. }) => {
                self.said(room, client_id, seq, turn);
            }
            (Asked::Page { room, page }, reply @ Reply::Page { .. }) => {
                if !self.hear_page(id, (room, page), reply, turn) {
                    self.give_up(turn);
                }
            }
            (Asked::Members { .. }, Reply::Members { room, as_of, members, more }) => {
                self.hear_members(room, as_of, members, more);
            }
            (Asked::Rooms, Reply::Rooms { rooms, more }) => self.hear_rooms(rooms, more),
            (Asked::Join { .. } | Asked::Create { .. }, Reply::Joined(joined)) => {
                self.joined(joined, turn);
            }
            (Asked::Leave { room }, Reply::Left { .. }) => self.forget_room(room, turn),
            (Asked::Ping, Reply::Pong {}) => {}
            (Asked::Recover, Reply::Recovered {}) => self.recovered(turn),
            (Asked::Forgot, Reply::Mailed {}) => self.code_is_mailed(turn),
            (Asked::Claim, Reply::Done {}) => self.is_given_role(Role::Owner),
            (Asked::Read { .. }, Reply::Read { room, seq, nth }) => {
                self.read_is_told(room, seq, nth, turn);
            }
            (asked, reply) => {
                if !self.hear_other_reply(asked, reply, turn) {
                    self.give_up(turn);
                }
            }
        }
    }

    /// Answers about oneself and for admins. False: it makes no sense.
    #[must_use]
    fn hear_other_reply(&mut self, asked: Asked, reply: Reply, turn: &mut Turn) -> bool {
        match (asked, reply) {
            (Asked::Mine, Reply::Mine { events, more, last }) => {
                self.hear_mine(events, more, last, turn)
            }
            (Asked::ShowAccount, reply) => self.account_shown(reply),
            (Asked::OwnSessions, Reply::Sessions { sessions }) => {
                self.account.sessions = Some(sessions);
                true
            }
            (Asked::Account(deed), reply) => self.account_done(deed, reply, turn),
            (Asked::Order(kind), reply) => self.order_done(kind, reply),
            (Asked::Admin { section, is_next }, reply) => {
                self.admin_answered((section, is_next), reply, turn)
            }
            _ => false,
        }
    }

    fn hear_refusal(&mut self, id: RequestId, refusal: Refusal, turn: &mut Turn) {
        let Some(asked) = self.asked.take(id) else { return };
        if let Refusal::RateLimited { retry_millis } = refusal
            && !matches!(asked, Asked::Hello | Asked::Say { .. })
        {
            self.read_after = Some(told_pause(retry_millis, turn));
        }
        let again = matches!(refusal, Refusal::RateLimited { .. });
        match asked {
            Asked::Hello | Asked::Recover | Asked::Forgot => self.hello_refused(refusal, turn),
            Asked::Say { room, client_id } => self.say_refused(room, client_id, refusal, turn),
            Asked::Page { room, .. } | Asked::Members { room }
                if refusal == Refusal::NoSuchRoom =>
            {
                self.is_no_member(room, turn);
            }
            Asked::Page { room, .. } => {
                self.page_refused(room, again);
                if !again {
                    self.trouble = Some(Trouble::Refused(refusal));
                }
            }
            Asked::Members { room } => self.members_refused(room, again),
            Asked::Rooms => self.rooms_refused(again),
            Asked::Create { name } if refusal == Refusal::RoomTaken => {
                self.ask_to_join(name, turn);
            }
            Asked::Join { .. } | Asked::Create { .. } => {
                self.trouble = Some(Trouble::RoomRefused(refusal));
            }
            Asked::Leave { room } => self.leave_refused(room, refusal, turn),
            Asked::Mine => self.mine_refused(again),
            Asked::Read { room, seq } => {
                self.read_refused((room, seq), &refusal, turn.moment.millis);
            }
            Asked::Account(deed) => self.account_refused(deed, refusal),
            Asked::Order(_) => self.trouble = Some(Trouble::Refused(refusal)),
            Asked::Admin { section, .. } => self.admin_refused(section, refusal, again),
            Asked::Ping
            | Asked::Goodbye
            | Asked::Claim
            | Asked::ShowAccount
            | Asked::OwnSessions => {}
        }
    }

    fn hear_notice(&mut self, notice: Notice, turn: &mut Turn) {
        match notice {
            Notice::WentAway { room, user, .. } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.notice(user, false);
                }
            }
            Notice::IsBack { room, user, .. } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.notice(user, true);
                }
            }
            Notice::RoomListed { room, name } => self.list_room(room, name),
            Notice::RoomUnlisted { room } => _ = self.directory.remove(&room),
            Notice::EnteredRoom(joined) => self.joined_elsewhere(joined, turn),
            Notice::LeftRoom { room } => self.is_no_member(room, turn),
            Notice::Ping {} => {
                // One answer is enough, however often it is asked.
                if !self.asked.any(|it| *it == Asked::Ping) {
                    self.asked.ask(Request::Ping(Nothing {}), Asked::Ping, turn);
                }
            }
            Notice::GoingAway { wait_millis } => self.wire.told_wait = Some(wait_millis),
            Notice::Unknown => {}
        }
    }
}
