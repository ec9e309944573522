//! Who may come in, and under which name.

use parlor_shared::{
    Fact as Happening, JoinedRoom, LOBBY_ID, Notice, PROTOCOL, Refusal, Reply, RequestId,
    ResumeToken, ServerFrame, UnixMillis, UserId, UserName, Welcome,
};

use super::{Arrival, Chat, ConnectionId, Effect, Heard, Record, TokenHash, Topic, refuse};

const MILLIS_PER_DAY: u64 = 24 * 60 * 60 * 1000;
/// Numbers tried behind a taken name for a suggestion.
const SUGGESTIONS_TRIED: u32 = 100;

impl Chat {
    pub(super) fn hello(
        &mut self,
        connection: ConnectionId,
        id: RequestId,
        arrival: Arrival,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let seated = match arrival {
            _ if self.live.user_of(connection).is_some() => Err(Refusal::HelloTwice),
            Arrival::Known { hash } => self.come_back(connection, hash, at, out),
            Arrival::Guest { name, token, hash } => {
                self.arrive(connection, name, (token, hash), at, out)
            }
        };
        match seated {
            Ok(welcome) => {
                let user = welcome.user;
                let ok = Reply::Welcome(Box::new(welcome));
                out.push(Effect::Reply { to: connection, frame: ServerFrame::Ok { id, ok } });
                out.push(Effect::Seat { connection, user: Some(user) });
            }
            Err(refusal) => {
                out.push(refuse(connection, id, refusal));
                out.push(Effect::Seat { connection, user: self.live.user_of(connection) });
            }
        }
    }

    fn come_back(
        &mut self,
        connection: ConnectionId,
        hash: TokenHash,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> Result<Welcome, Refusal> {
        let user = *self.durable.tokens.get(&hash).ok_or(Refusal::TokenUnknown)?;
        if self.live.connections_of(user).count() as u64 >= self.limits.sessions_per_user {
            return Err(Refusal::TooManySessions);
        }
        if let Some(it) = self.durable.users.get_mut(&user) {
            it.seen_at = at;
            out.push(Effect::Save(Record::Seen { user, at }));
        }
        let was_away = self.live.seat(connection, user);
        self.listen(connection, user, out);
        let welcome = self.welcome(user, None, at)?;
        if was_away {
            for it in &welcome.rooms {
                let notice = Notice::IsBack { room: it.room, user, name: welcome.name.clone() };
                let topic = Topic::Room(it.room);
                out.push(Effect::Publish { topic, event: Heard::Notice(notice) });
            }
        }
        Ok(welcome)
    }

    fn arrive(
        &mut self,
        connection: ConnectionId,
        name: UserName,
        (token, hash): (ResumeToken, TokenHash),
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> Result<Welcome, Refusal> {
        name.check_new()?;
        if let Some(&holder) = self.durable.user_names.get(&name.skeleton()) {
            if !self.is_name_expired(holder, at) {
                return Err(Refusal::NameTaken { suggestion: self.suggest(&name) });
            }
            self.free(holder, at, out);
        }
        if self.durable.users.len() as u64 >= self.limits.users {
            return Err(Refusal::TooManyUsers);
        }
        let user = UserId(self.durable.last_user.0 + 1);
        out.push(Effect::Save(Record::User { user, name: name.clone(), token: hash, at }));
        self.durable.add_user(user, name, hash, at);
        self.durable.add_member(LOBBY_ID, user);
        self.live.seat(connection, user);
        // Listening begins before the own arrival: it is the first thing that is heard live.
        self.listen(connection, user, out);
        let welcome = self.welcome(user, Some(token), at)?;
        self.happen(LOBBY_ID, user, at, Happening::Joined {}, out);
        Ok(welcome)
    }

    fn listen(&self, connection: ConnectionId, user: UserId, out: &mut Vec<Effect>) {
        let rooms = self.durable.users.get(&user).into_iter().flat_map(|it| &it.rooms);
        let topics = [Topic::Everyone, Topic::User(user)].into_iter();
        for topic in topics.chain(rooms.map(|room| Topic::Room(*room))) {
            out.push(Effect::Listen { connection, topic });
        }
    }

    fn welcome(
        &self,
        user: UserId,
        token: Option<ResumeToken>,
        at: UnixMillis,
    ) -> Result<Welcome, Refusal> {
        let it = self.durable.users.get(&user).ok_or(Refusal::TokenUnknown)?;
        let rooms = it.rooms.iter().filter_map(|room| self.joined_room(*room)).collect();
        Ok(Welcome {
            protocol: PROTOCOL,
            epoch: self.durable.epoch,
            user,
            name: it.name.clone(),
            token,
            at,
            features: Vec::new(),
            limits: (&*self.limits).into(),
            rooms,
        })
    }

    pub(super) fn joined_room(&self, room: parlor_shared::RoomId) -> Option<JoinedRoom> {
        let it = self.durable.rooms.get(&room)?;
        Some(JoinedRoom {
            room,
            name: it.name.clone(),
            last_seq: it.last_seq,
            last_nth: it.last_nth,
        })
    }

    fn is_name_expired(&self, holder: UserId, at: UnixMillis) -> bool {
        let idle_max = self.limits.guest_idle_days.saturating_mul(MILLIS_PER_DAY);
        !self.live.is_here(holder)
            && self.durable.users.get(&holder).is_some_and(|it| at.since(it.seen_at) > idle_max)
    }

    /// Ends a guest that was away too long: it leaves its rooms, and its name is free.
    fn free(&mut self, user: UserId, at: UnixMillis, out: &mut Vec<Effect>) {
        let rooms: Vec<_> =
            self.durable.users.get(&user).into_iter().flat_map(|it| it.rooms.clone()).collect();
        for room in rooms {
            self.happen(room, user, at, Happening::Left {}, out);
        }
        out.push(Effect::Save(Record::Freed { user }));
        self.durable.remove_user(user);
    }

    fn suggest(&self, name: &UserName) -> Option<UserName> {
        (2..2 + SUGGESTIONS_TRIED)
            .map(|number| name.numbered(number))
            .find(|it| !self.durable.user_names.contains_key(&it.skeleton()))
    }
}
