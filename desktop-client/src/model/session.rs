//! Signing in and out: as a new guest, or back with the token; and the sign-ins that this
//! profile remembers. The connection itself is `wire`'s.

use parlor_shared::request::Nothing;
use parlor_shared::{Refusal, Request, UserName, Welcome};

use super::asked::Asked;
use super::effect::{Keep, Turn};
use super::limits::{RETRY_FIRST_MILLIS, RETRY_MAX_MILLIS, ROOMS_MAX, SESSIONS_MAX};
use super::wire::{Greeting, Phase};
use super::{
    Account, Address, Admin, BadAddress, Joining, KeptSession, LinkState, Me, Model, Names, Own,
    Session, SessionId, Stage, Trouble, Way,
};

impl Model {
    // ---- Joining ----

    /// Goes on where the app was closed.
    pub(super) fn resume_kept(&mut self, kept: KeptSession, turn: &mut Turn) {
        let session = kept.session.clone();
        self.server = Some(session.address.clone());
        self.load_kept(kept, turn);
        if session.token.is_none() {
            let locked = session.is_locked.then_some(Trouble::KeyringLocked);
            self.joining().refused = locked.or(Some(Trouble::TokenUnknown));
            return;
        }
        self.stage = Stage::Talking;
        self.me = Some(Me {
            user: session.user,
            name: session.name.clone(),
            role: self.own.role,
            account: self.own.account,
            session: parlor_shared::SessionId(0),
        });
        self.epoch = Some(session.epoch);
        self.wire.greeting = Some(Greeting::Back(session.id));
        if session.hosted {
            self.host_again(turn);
        } else {
            self.connect(turn);
        }
    }

    /// The join dialog, switched to where it is not shown.
    pub(super) fn joining(&mut self) -> &mut Joining {
        if self.stage == Stage::Talking {
            let name = self.me.as_ref().map(|it| it.name.to_string()).unwrap_or_default();
            let address = self.server.as_ref().map(Address::to_string).unwrap_or_default();
            self.stage = Stage::Joining(Joining { name, address, ..Joining::default() });
        }
        match &mut self.stage {
            Stage::Joining(joining) => joining,
            Stage::Talking => unreachable!("switched to joining just above"),
        }
    }

    pub(super) fn want_join(&mut self, name: &str, address: &str, turn: &mut Turn) {
        let Some((name, address)) = self.take_fields(name, address) else { return };
        // Who has been there under that name comes back with it, whatever the rules are today.
        if self.known_session(&name, &address).is_none()
            && let Err(refusal) = name.check_new()
        {
            self.joining().refused = Some(Trouble::BadName(refusal));
            return;
        }
        self.join(name, address, turn);
    }

    /// What was typed into the dialog's first fields; what is wrong with it is said.
    pub(super) fn take_fields(&mut self, name: &str, address: &str) -> Option<(UserName, Address)> {
        if self.stage == Stage::Talking {
            return None;
        }
        name.clone_into(&mut self.joining().name);
        address.clone_into(&mut self.joining().address);
        let (name, address) = match (name.parse::<UserName>(), address.parse::<Address>()) {
            (Err(refusal), _) => {
                self.joining().refused = Some(Trouble::BadName(refusal));
                return None;
            }
            (_, Err(BadAddress::Unreadable)) => {
                self.joining().refused = Some(Trouble::BadAddress);
                return None;
            }
            (_, Err(BadAddress::PlainElsewhere)) => {
                self.joining().refused = Some(Trouble::PlainElsewhere);
                return None;
            }
            (Ok(name), Ok(address)) => (name, address),
        };
        Some((name, address))
    }

    /// Joins under a name: comes back where this profile has been there under that name.
    pub(super) fn join(&mut self, name: UserName, address: Address, turn: &mut Turn) {
        self.joining().way = Way::Name;
        self.join_as(Greeting::Guest { name, invite: None }, address, turn);
    }

    /// Joins in some way, with what this profile keeps for that name there.
    pub(super) fn join_as(&mut self, greeting: Greeting, address: Address, turn: &mut Turn) {
        let name = match &greeting {
            Greeting::Guest { name, .. }
            | Greeting::Password { name, .. }
            | Greeting::Recover { name, .. } => name.clone(),
            Greeting::Back(_) | Greeting::Forgot(_) => return,
        };
        let joining = self.joining();
        (joining.busy, joining.refused, joining.suggestion) = (true, None, None);
        (joining.offer, joining.told) = (None, None);
        self.server = Some(address.clone());
        let known = self.known_session(&name, &address).cloned();
        self.wire.attempts = 0;
        match known {
            // As a new guest the name would be taken, and the token that is there overwritten.
            Some(session) if session.is_locked && matches!(greeting, Greeting::Guest { .. }) => {
                let joining = self.joining();
                (joining.busy, joining.refused) = (false, Some(Trouble::KeyringLocked));
            }
            Some(session) => {
                let is_back = session.token.is_some() && matches!(greeting, Greeting::Guest { .. });
                let back = Greeting::Back(session.id);
                self.wire.greeting = Some(if is_back { back } else { greeting });
                if self.session == Some(session.id) {
                    self.connect(turn);
                } else {
                    self.open_session(session.id, turn);
                }
            }
            None => {
                // A server that forgot this guest: whatever was not sent comes along.
                let lost = self.session.and_then(|id| self.sessions.iter().find(|it| it.id == id));
                let is_guest = matches!(greeting, Greeting::Guest { .. });
                let is_forgotten = |it: &Session| {
                    it.token.is_none() && !it.is_locked && it.address == address && is_guest
                };
                if !lost.is_some_and(is_forgotten) {
                    self.unload();
                }
                self.wire.greeting = Some(greeting);
                self.connect(turn);
            }
        }
    }

    fn known_session(&self, name: &UserName, address: &Address) -> Option<&Session> {
        let skeleton = name.skeleton();
        self.sessions.iter().find(|it| it.address == *address && it.name.skeleton() == skeleton)
    }

    pub(super) fn session_opened(&mut self, kept: KeptSession, turn: &mut Turn) {
        if self.wire.opening != Some(kept.session.id) {
            return;
        }
        self.wire.opening = None;
        self.load_kept(kept, turn);
        self.connect(turn);
    }

    pub(super) fn cancel(&mut self, turn: &mut Turn) {
        if let Stage::Joining(joining) = &mut self.stage
            && joining.busy
        {
            joining.busy = false;
            self.wire.opening = None;
            self.hosted.stop_waiting();
            self.drop_link(turn);
            self.lose(None, turn);
        }
    }

    // ---- The answer to hello ----

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other no is shown as it is")]
    pub(super) fn hello_refused(&mut self, refusal: Refusal, turn: &mut Turn) {
        self.drop_link(turn);
        let said = refusal.clone();
        let name = match &self.wire.greeting {
            Some(
                Greeting::Guest { name, .. }
                | Greeting::Password { name, .. }
                | Greeting::Recover { name, .. },
            ) => name.to_string(),
            Some(Greeting::Back(_) | Greeting::Forgot(_)) | None => String::new(),
        };
        let is_talking = self.stage == Stage::Talking;
        let trouble = match refusal {
            Refusal::NameTaken { suggestion } => {
                self.joining().suggestion.clone_from(&suggestion);
                Trouble::NameTaken { name, suggestion }
            }
            Refusal::NameNeeded
            | Refusal::NameEmpty
            | Refusal::NameTooLong
            | Refusal::NameMisleading
            | Refusal::NameReserved
            | Refusal::NameMixed
            | Refusal::NameInvisible
            | Refusal::ControlCharacter => Trouble::BadName(refusal),
            Refusal::OtherVersion { speaks } => {
                // It will not change its mind within seconds.
                self.wire.told_wait = Some(RETRY_MAX_MILLIS);
                Trouble::OtherVersion { speaks }
            }
            Refusal::TokenUnknown | Refusal::SessionEnded => {
                self.token_lost(turn);
                let ended = Trouble::Refused(Refusal::SessionEnded);
                if self.own.account { ended } else { Trouble::TokenUnknown }
            }
            Refusal::Banned { until } => {
                // Not asked again and again: the dialog says until when.
                if is_talking {
                    self.joining().busy = true;
                }
                Trouble::Banned { until }
            }
            Refusal::GoingAway => Trouble::ServerStopping,
            Refusal::RateLimited { retry_millis } | Refusal::TooManyGuests { retry_millis } => {
                self.wire.told_wait = Some(retry_millis.max(RETRY_FIRST_MILLIS));
                Trouble::Refused(refusal)
            }
            other => Trouble::Refused(other),
        };
        self.lose(Some(trouble), turn);
        if let Stage::Joining(_) = self.stage {
            self.wire.greeting = None;
            self.offer_way(&said);
        }
    }

    /// The name is gone; what was kept stays, for when the person joins there again.
    fn token_lost(&mut self, turn: &mut Turn) {
        if let Some(Greeting::Back(id)) = self.wire.greeting
            && let Some(session) = self.sessions.iter_mut().find(|it| it.id == id)
        {
            session.token = None;
            turn.keep(Keep::Session(session.clone()));
        }
        self.joining().busy = true;
    }

    pub(super) fn welcomed(&mut self, mut welcome: Welcome, turn: &mut Turn) {
        let Some(address) = self.server.clone() else { return };
        if self.is_known_otherwise(&mut welcome, turn) {
            return;
        }
        let known = match &self.wire.greeting {
            Some(Greeting::Back(id)) => Some(*id),
            _ => self.session,
        };
        let known = known.and_then(|id| self.sessions.iter().find(|it| it.id == id)).cloned();
        let Some(token) = welcome.token.take().or(known.as_ref().and_then(|it| it.token)) else {
            self.give_up(turn);
            return;
        };
        welcome.rooms.truncate(ROOMS_MAX);
        let is_same =
            known.as_ref().is_none_or(|it| it.epoch == welcome.epoch && it.user == welcome.user)
                && self.continues(&welcome.rooms);
        let session = Session {
            id: known.as_ref().map_or_else(|| self.free_session_id(), |it| it.id),
            user: welcome.user,
            name: welcome.name.clone(),
            token: Some(token),
            is_locked: false,
            epoch: welcome.epoch,
            signed_in: true,
            hosted: self.hosted.is_at(&address),
            address,
        };
        self.session = Some(session.id);
        (self.own.role, self.own.account) = (welcome.role, welcome.account);
        self.me = Some(Me {
            user: session.user,
            name: session.name.clone(),
            role: welcome.role,
            account: welcome.account,
            session: welcome.session,
        });
        self.epoch = Some(session.epoch);
        self.wire.greeting = Some(Greeting::Back(session.id));
        self.wire.phase = Phase::Online;
        self.wire.online_since = turn.moment.millis;
        self.link = LinkState::Online;
        self.why_offline = None;
        self.stage = Stage::Talking;
        self.remember(session, turn);
        if !is_same {
            self.begin_other_history(&welcome.rooms, turn);
        }
        self.enter_rooms(welcome.rooms, turn);
        self.begin_own_stream(welcome.mine);
        self.keep_own(turn);
        self.claim(turn);
        self.ask_about_held();
        self.list_rooms();
    }

    // ---- Remembered sign-ins ----

    fn free_session_id(&self) -> SessionId {
        SessionId(self.sessions.iter().map(|it| it.id.0).max().unwrap_or(0) + 1)
    }

    /// Puts the session first; the one that was not used for longest goes where there are too
    /// many.
    fn remember(&mut self, session: Session, turn: &mut Turn) {
        let is_new = self.sessions.first() != Some(&session);
        self.sessions.retain(|it| it.id != session.id);
        if is_new {
            turn.keep(Keep::Session(session.clone()));
        }
        self.sessions.insert(0, session);
        if self.sessions.len() > SESSIONS_MAX
            && let Some(oldest) = self.sessions.pop()
        {
            turn.keep(Keep::ForgetSession(oldest.id));
        }
    }

    /// Signs out and shows the dialog; membership, place, drafts and outbox stay. A farewell
    /// leaves the session as it is.
    pub(super) fn sign_out(&mut self, is_farewell: bool, turn: &mut Turn) {
        if self.stage != Stage::Talking {
            return;
        }
        // Whoever has the password comes back with it; a guest has nothing but the token.
        let is_for_good = !is_farewell && self.me.as_ref().is_some_and(|it| it.account);
        let session = self.sessions.iter().find(|it| Some(it.id) == self.session).cloned();
        if let Some(session) = session {
            let token = session.token.filter(|_| !is_for_good);
            self.remember(Session { signed_in: false, token, ..session }, turn);
        }
        self.count_others();
        self.joining().way = if is_for_good { Way::Password } else { Way::Name };
        if self.wire.phase == Phase::Online && is_for_good {
            self.end_own_session(turn);
        } else if self.wire.phase == Phase::Online {
            self.asked.ask(Request::Goodbye(Nothing {}), Asked::Goodbye, turn);
            self.wire.phase = Phase::Farewell;
            self.link = LinkState::Offline { retry_at: None };
        } else {
            self.drop_link(turn);
            self.lose(None, turn);
        }
        self.unload();
        self.trouble = None;
        self.why_offline = None;
    }

    /// Forgets the session's rooms in memory; the archive has them.
    pub(super) fn unload(&mut self) {
        self.rooms.clear();
        self.own = Own::default();
        self.names = Names::default();
        self.account = Account::default();
        self.admin = Admin::default();
        (self.announcement, self.file) = (None, None);
        self.directory.clear();
        self.listing = super::membership::Listing::default();
        self.selected = None;
        self.session = None;
        self.me = None;
        self.epoch = None;
        self.asking = None;
        self.key_changed = None;
    }
}
