//! Sessions: tokens that are good, and how they end.

use parlor_shared::reply::SessionEntry;
use parlor_shared::{Refusal, Reply, SessionId, UnixMillis, UserId};

use super::presence::Loss;
use super::{
    Asked, Chat, ConnectionId, Effect, From, MILLIS_PER_DAY, Record, SEEN_EVERY_MILLIS,
    StoredSession, TokenHash,
};

impl Chat {
    /// Begins a session; the one that was used longest ago gives way where there are too many.
    pub(super) fn begin_session(
        &mut self,
        user: UserId,
        token: TokenHash,
        from: &From,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> SessionId {
        self.end_expired(user, at, out);
        let session = SessionId(self.durable.last.session.0 + 1);
        let new = StoredSession {
            session,
            user,
            token,
            device: from.device.clone(),
            address: Some(from.source),
            made_at: at,
            used_at: at,
        };
        out.push(Effect::Save(Record::Session(new.clone())));
        self.durable.add_session(new);
        session
    }

    fn end_expired(&mut self, user: UserId, at: UnixMillis, out: &mut Vec<Effect>) {
        let Some(it) = self.durable.users.get(&user) else { return };
        let mut over: Vec<SessionId> =
            it.sessions.iter().copied().filter(|session| self.is_expired(*session, at)).collect();
        let kept = it.sessions.len() - over.len();
        if kept as u64 >= self.limits.sessions_stored {
            let idle = it.sessions.iter().filter(|it| !over.contains(it));
            let oldest = idle
                .filter(|it| !self.live.is_session_here(user, **it))
                .min_by_key(|it| self.durable.sessions.get(it).map(|it| it.used_at));
            over.extend(oldest);
        }
        self.end_sessions_where(user, |it| over.contains(&it), at, out);
    }

    /// A guest's token is good for as long as the guest is; an account's has an end.
    pub(super) fn is_expired(&self, session: SessionId, at: UnixMillis) -> bool {
        let Some(it) = self.durable.sessions.get(&session) else { return true };
        let days = |days: u64| days.saturating_mul(MILLIS_PER_DAY);
        // Who is connected is not idle, however long ago the hello was.
        let is_idle = at.since(it.used_at) > days(self.limits.session_idle_days)
            && !self.live.is_session_here(it.user, session);
        self.durable.users.get(&it.user).is_some_and(|user| user.account.is_some())
            && (is_idle || at.since(it.made_at) > days(self.limits.session_days))
    }

    /// The session of somebody who stays for days is in use all the same.
    pub(super) fn note_used(
        &mut self,
        connection: ConnectionId,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let Some(seat) = self.live.seat_of(connection) else { return };
        let Some(it) = self.durable.sessions.get_mut(&seat.session) else { return };
        if at.since(it.used_at) > SEEN_EVERY_MILLIS {
            (it.used_at, it.address) = (at, Some(seat.source));
            let (session, address) = (seat.session, seat.source);
            out.push(Effect::Save(Record::SessionUsed { session, at, address }));
        }
    }

    pub(super) fn use_session(
        &mut self,
        session: SessionId,
        from: &From,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        if let Some(it) = self.durable.sessions.get_mut(&session) {
            (it.used_at, it.address) = (at, Some(from.source));
            let address = from.source;
            out.push(Effect::Save(Record::SessionUsed { session, at, address }));
        }
    }

    fn remove_session(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        out.push(Effect::Save(Record::SessionEnded { session }));
        self.durable.remove_session(session);
    }

    /// Ends sessions of `user` for which `ends` holds, and their connections; how many they were.
    pub(super) fn end_sessions_where(
        &mut self,
        user: UserId,
        ends: impl Fn(SessionId) -> bool,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> u64 {
        let over: Vec<SessionId> = self
            .durable
            .users
            .get(&user)
            .into_iter()
            .flat_map(|it| it.sessions.iter().copied())
            .filter(|it| ends(*it))
            .collect();
        for &session in &over {
            self.remove_session(session, out);
        }
        let connections: Vec<ConnectionId> = self
            .live
            .seats()
            .filter(|(_, seat)| seat.user == user && over.contains(&seat.session))
            .map(|(connection, _)| connection)
            .collect();
        self.expel(connections, &Refusal::SessionEnded, at, out);
        over.len() as u64
    }

    /// Ends connections at once; they hear nothing after `why`.
    pub(super) fn expel(
        &mut self,
        connections: Vec<ConnectionId>,
        why: &Refusal,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        for connection in connections {
            self.stop_listening(connection, out);
            if let Loss::Gone(user) = self.live.end(connection, None) {
                self.gone(user, at, out);
            }
            out.push(Effect::Expel { connection, why: why.clone() });
        }
    }

    pub(super) fn sessions(&self, asked: Asked, user: Option<UserId>) -> Reply {
        let user = user.unwrap_or(asked.user);
        let this = self.live.seat_of(asked.connection).map(|it| it.session);
        let sessions = self.durable.users.get(&user).into_iter().flat_map(|it| &it.sessions);
        let entry = |session: &SessionId| {
            let it = self.durable.sessions.get(session)?;
            Some(SessionEntry {
                session: *session,
                device: it.device.clone(),
                address: it.address.map(|it| it.to_string()).unwrap_or_default(),
                made_at: it.made_at,
                used_at: it.used_at,
                here: self.live.is_session_here(user, *session),
                this: this == Some(*session),
            })
        };
        let mut sessions: Vec<SessionEntry> =
            sessions.filter(|it| !self.is_expired(**it, asked.at)).filter_map(entry).collect();
        sessions.sort_by_key(|it| std::cmp::Reverse(it.used_at));
        Reply::Sessions { sessions }
    }

    pub(super) fn end_session(
        &mut self,
        asked: Asked,
        session: SessionId,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let user = self.durable.sessions.get(&session).ok_or(Refusal::NoSuchSession)?.user;
        if user != asked.user {
            self.audit(asked, "end_session", Some(user).into(), String::new(), out);
        }
        let count = self.end_sessions_where(user, |it| it == session, asked.at, out);
        Ok(Reply::SessionsEnded { count })
    }

    pub(super) fn end_sessions(
        &mut self,
        asked: Asked,
        user: Option<UserId>,
        out: &mut Vec<Effect>,
    ) -> Reply {
        let this = self.live.seat_of(asked.connection).map(|it| it.session);
        let count = match user.filter(|it| *it != asked.user) {
            Some(user) => {
                self.audit(asked, "end_sessions", Some(user).into(), String::new(), out);
                self.end_sessions_where(user, |_| true, asked.at, out)
            }
            None => self.end_sessions_where(asked.user, |it| Some(it) != this, asked.at, out),
        };
        Reply::SessionsEnded { count }
    }

    /// Ends the session of the connection that asks, and all its other connections.
    pub(super) fn sign_out(&mut self, asked: Asked, out: &mut Vec<Effect>) {
        let seat = self.live.seat_of(asked.connection);
        self.goodbye(asked, Reply::SignedOut {}, out);
        if let Some(seat) = seat {
            self.end_sessions_where(seat.user, |it| it == seat.session, asked.at, out);
        }
    }
}
