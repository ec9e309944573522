//! Who may come in, and under which name.

use parlor_shared::{
    Entry, Epoch, Fact as Happening, JoinedRoom, LOBBY_ID, Notice, PROTOCOL, Refusal, Reply,
    RequestId, ResumeToken, Role, RoomId, Seq, ServerFrame, SessionId, UnixMillis, UserId,
    UserName, UserNews, Welcome,
};

use super::durable::Member;
use super::presence::Seat;
use super::{
    Arrival, Chat, ConnectionId, Effect, Fact, From, Heard, KnownCode, Proof, Record, SHELL,
    TokenHash, Topic, refuse,
};

impl Chat {
    pub(super) fn hello(
        &mut self,
        (connection, id): (ConnectionId, RequestId),
        arrival: Arrival,
        from: From,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let seated = match arrival {
            _ if self.live.user_of(connection).is_some() => Err(Refusal::HelloTwice),
            Arrival::Known { hash } => self.come_back(connection, hash, &from, at, out),
            Arrival::Account { proof, token } => {
                self.sign_in(connection, proof, token, &from, at, out)
            }
            Arrival::Guest { name, token, invite, fact } => {
                self.arrive(connection, name, token, (invite, fact), &from, at, out)
            }
            Arrival::Shell => Ok(self.seat_shell(connection, &from, at)),
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
        from: &From,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> Result<Welcome, Refusal> {
        let session = *self.durable.tokens.get(&hash).ok_or(Refusal::TokenUnknown)?;
        let user = self.durable.sessions.get(&session).ok_or(Refusal::TokenUnknown)?.user;
        let it = self.durable.users.get(&user).ok_or(Refusal::TokenUnknown)?;
        // The token of an account is worth as much as its password.
        if it.account.is_some() && !from.is_private {
            return Err(Refusal::NeedsTls);
        }
        // Those who are connected may stay and register; who leaves has to have done so.
        let is_guest = it.account.is_none() && it.role.is_guest();
        if is_guest && self.durable.policy.entry == Entry::Registered {
            return Err(Refusal::RegisteredOnly);
        }
        if self.is_expired(session, at) {
            return Err(Refusal::SessionEnded);
        }
        self.check_may_enter(user, from, at)?;
        self.use_session(session, from, at, out);
        self.take_seat(connection, user, session, None, from, at, out)
    }

    fn sign_in(
        &mut self,
        connection: ConnectionId,
        proof: Proof,
        token: ResumeToken,
        from: &From,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> Result<Welcome, Refusal> {
        if !self.is_proven(proof) {
            return Err(Refusal::WrongPassword);
        }
        let user = proof.user;
        self.check_may_enter(user, from, at)?;
        let session = self.begin_session(user, TokenHash::of_token(&token), from, at, out);
        let welcome = self.take_seat(connection, user, session, Some(token), from, at, out)?;
        let (device, address) = (from.device.clone(), from.source.to_string());
        self.tell_user(user, UserNews::SessionBegan { session, device, address }, at, out);
        Ok(welcome)
    }

    /// That password was right, and still is.
    pub(super) fn is_proven(&self, proof: Proof) -> bool {
        let account = self.durable.users.get(&proof.user).and_then(|it| it.account.as_ref());
        account.is_some_and(|it| it.credential == proof.credential)
    }

    fn check_may_enter(&self, user: UserId, from: &From, at: UnixMillis) -> Result<(), Refusal> {
        if let Some(until) = self.banned_until(Some(user), from.source, at) {
            return Err(Refusal::Banned { until });
        }
        if self.live.connections_of(user).count() as u64 >= self.limits.sessions_per_user {
            return Err(Refusal::TooManySessions);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "all of them are what sitting down takes")]
    fn take_seat(
        &mut self,
        connection: ConnectionId,
        user: UserId,
        session: SessionId,
        token: Option<ResumeToken>,
        from: &From,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> Result<Welcome, Refusal> {
        if let Some(it) = self.durable.users.get_mut(&user) {
            it.seen_at = at;
            out.push(Effect::Save(Record::Seen { user, at }));
        }
        let was_away = self.live.seat(connection, Seat { user, session, source: from.source });
        self.listen(connection, user, out);
        let welcome = self.welcome(user, session, token, at)?;
        if was_away {
            for it in &welcome.rooms {
                let notice = Notice::IsBack { room: it.room, user, name: welcome.name.clone() };
                let topic = Topic::Room(it.room);
                out.push(Effect::Publish { topic, event: Heard::Notice(notice) });
            }
        }
        Ok(welcome)
    }

    #[expect(clippy::too_many_arguments, reason = "all of them are what arriving takes")]
    fn arrive(
        &mut self,
        connection: ConnectionId,
        name: UserName,
        token: ResumeToken,
        (invite, fact): (Option<TokenHash>, Option<Fact>),
        from: &From,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> Result<Welcome, Refusal> {
        name.check_new()?;
        if let Some(until) = self.banned_until(None, from.source, at) {
            return Err(Refusal::Banned { until });
        }
        let invite = self.check_entry(invite, fact)?;
        self.check_name_is_free(&name, None, at, out)?;
        if self.durable.users.len() as u64 >= self.limits.users {
            return Err(Refusal::TooManyUsers);
        }
        let user = UserId(self.durable.last.user.0 + 1);
        out.push(Effect::Save(Record::User { user, name: name.clone(), at }));
        out.extend(invite.map(|it| Effect::Save(Record::InviteUsed { invite: it })));
        self.durable.add_user(user, name, at);
        let session = self.begin_session(user, TokenHash::of_token(&token), from, at, out);
        self.durable.add_member(LOBBY_ID, user, Member::default());
        self.live.seat(connection, Seat { user, session, source: from.source });
        // Listening begins before the own arrival: it is the first thing that is heard live.
        self.listen(connection, user, out);
        let welcome = self.welcome(user, session, Some(token), at)?;
        self.happen(LOBBY_ID, user, at, Happening::Joined {}, out);
        Ok(welcome)
    }

    /// Whether somebody new may come in, and with which invitation.
    fn check_entry(
        &self,
        invite: Option<TokenHash>,
        fact: Option<Fact>,
    ) -> Result<Option<parlor_shared::InviteId>, Refusal> {
        match (self.durable.policy.entry, invite, fact) {
            (Entry::Open, ..) => Ok(None),
            (Entry::Registered, ..) => Err(Refusal::RegisteredOnly),
            (Entry::Invite, None, _) => Err(Refusal::InviteNeeded),
            (Entry::Invite, _, Some(Fact::Code(Some(KnownCode::Invite { invite, .. })))) => {
                Ok(Some(invite))
            }
            (Entry::Invite, Some(_), _) => Err(Refusal::CodeUnknown),
        }
    }

    fn seat_shell(&mut self, connection: ConnectionId, from: &From, at: UnixMillis) -> Welcome {
        let seat = Seat { user: SHELL, session: SessionId(0), source: from.source };
        self.live.seat(connection, seat);
        Welcome {
            role: Role::Owner,
            ..bare_welcome(self.durable.epoch, (SHELL, UserName::house()), at, &self.limits)
        }
    }

    pub(super) fn listen(&self, connection: ConnectionId, user: UserId, out: &mut Vec<Effect>) {
        for topic in self.topics_of(user) {
            out.push(Effect::Listen { connection, topic });
        }
    }

    /// The opposite of [`Self::listen`].
    pub(super) fn stop_listening(&self, connection: ConnectionId, out: &mut Vec<Effect>) {
        let Some(user) = self.live.user_of(connection) else { return };
        for topic in self.topics_of(user) {
            out.push(Effect::Unlisten { connection, topic });
        }
    }

    fn topics_of(&self, user: UserId) -> impl Iterator<Item = Topic> + '_ {
        let rooms = self.durable.users.get(&user).into_iter().flat_map(|it| &it.rooms);
        let own = [Topic::Everyone, Topic::User(user)].into_iter();
        own.chain(rooms.map(|room| Topic::Room(*room)))
    }

    fn welcome(
        &self,
        user: UserId,
        session: SessionId,
        token: Option<ResumeToken>,
        at: UnixMillis,
    ) -> Result<Welcome, Refusal> {
        let it = self.durable.users.get(&user).ok_or(Refusal::TokenUnknown)?;
        let rooms = it.rooms.iter().filter_map(|room| self.joined_room(*room, user)).collect();
        Ok(Welcome {
            token,
            rooms,
            role: it.role,
            account: it.account.is_some(),
            session,
            mine: it.mine,
            ..bare_welcome(self.durable.epoch, (user, it.name.clone()), at, &self.limits)
        })
    }

    /// The room as `user`, who is or will be a member, finds it.
    pub(super) fn joined_room(&self, room: RoomId, user: UserId) -> Option<JoinedRoom> {
        let it = self.durable.rooms.get(&room)?;
        Some(JoinedRoom {
            room,
            name: it.name.clone(),
            last_seq: it.last_seq,
            last_nth: it.last_nth,
            role: it.members.get(&user).map(|it| it.role).unwrap_or_default(),
            ended: it.has_ended,
        })
    }
}

fn bare_welcome(
    epoch: Epoch,
    (user, name): (UserId, UserName),
    at: UnixMillis,
    limits: &parlor_shared::Limits,
) -> Welcome {
    Welcome {
        protocol: PROTOCOL,
        epoch,
        user,
        name,
        token: None,
        at,
        features: Vec::new(),
        limits: limits.into(),
        rooms: Vec::new(),
        role: Role::Guest,
        account: false,
        session: SessionId(0),
        mine: Seq(0),
    }
}
