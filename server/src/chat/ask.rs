//! What a request leads to: is it allowed, whose task is it, and how it is answered.

use parlor_shared::{Refusal, Reply, Request, Role, RoomId, ServerFrame, UserId};

use super::access::{self, Named, Standing, Target};
use super::{Asked, Brought, Chat, Effect, Fact, SHELL, refuse};

impl Chat {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are answered in one place")]
    pub(super) fn ask(
        &mut self,
        asked: Asked,
        is_signed_in: bool,
        request: Request,
        (brought, fact): (Brought, Option<Fact>),
        out: &mut Vec<Effect>,
    ) {
        let Asked { connection, id, .. } = asked;
        let start = out.len();
        let standing =
            if is_signed_in { self.standing(asked.user, &request) } else { Standing::default() };
        let allowed = access::may(&request, standing, self.target(asked.user, &request));
        // What one said one may ask about, whatever became of one's membership since.
        let is_resend = matches!(fact, Some(Fact::ClientId { known: Some(_), .. }));
        let allowed = if is_signed_in && is_resend { Ok(()) } else { allowed };
        let answer = match allowed {
            Err(refusal) => Err(refusal),
            Ok(()) if request.is_farewell() => {
                return self.goodbye(asked, Reply::Goodbye {}, out);
            }
            Ok(()) => match request {
                Request::SignOut(_) => return self.sign_out(asked, out),
                Request::DeleteAccount(it) => {
                    match self.delete_account(asked, it.messages, (&brought, fact), out) {
                        Ok(()) => return,
                        Err(refusal) => Err(refusal),
                    }
                }
                request => self.do_it(asked, request, brought, fact, out),
            },
        };
        out.push(match answer {
            Ok(ok) => Effect::Reply { to: connection, frame: ServerFrame::Ok { id, ok } },
            Err(refusal) => refuse(connection, id, refusal),
        });
        // Whoever ends its own connection hears the answer first.
        out[start..].sort_by_key(|it| matches!(it, Effect::Expel { .. }));
    }

    fn do_it(
        &mut self,
        asked: Asked,
        request: Request,
        brought: Brought,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let done = |()| Reply::Done {};
        match request {
            // The connection's own thread answers these; from anywhere else they are mistakes.
            Request::Hello(_) => Err(Refusal::HelloTwice),
            Request::History(_)
            | Request::Rooms(_)
            | Request::Forgot(_)
            | Request::Mine(_)
            | Request::Audit(_)
            | Request::Storage(_)
            | Request::Invites(_) => Err(Refusal::UnknownRequest),
            // These were dealt with before.
            Request::SignOut(_) | Request::Goodbye(_) | Request::DeleteAccount(_) => {
                Err(Refusal::UnknownRequest)
            }
            Request::Ping(_) => Ok(Reply::Pong {}),
            Request::CreateRoom(it) => self.create_room(asked, it.name, out),
            Request::Join(it) => self.join(asked, &it.name, out),
            Request::Leave(it) => self.leave(asked, it.room, out),
            Request::Members(it) => self.members(it.room, it.after),
            Request::Say(it) => self.say(asked, it, fact, out),
            Request::Announce(it) => self.announce(asked, it, fact, out),
            Request::Read(it) => self.read(asked, it, fact, out),
            Request::Register(it) => self.register(asked, it.email, brought, out),
            Request::Account(_) => self.account(asked, fact),
            Request::ChangePassword(_) => self.change_password(asked, brought, out),
            Request::NewRecoveryCodes(_) => self.new_recovery_codes(asked, brought, out),
            Request::SetEmail(it) => self.set_email(asked, it.email, &brought, out),
            Request::VerifyEmail(it) => self.verify_email(asked, &it.code, fact, out),
            Request::Recover(it) => self.recover(asked.at, &it, brought, fact, out),
            Request::Rename(it) => self.rename(asked, it.name, out),
            Request::Sessions(it) => Ok(self.sessions(asked, it.user)),
            Request::EndSession(it) => self.end_session(asked, it.session, out),
            Request::EndSessions(it) => Ok(self.end_sessions(asked, it.user, out)),
            Request::Claim(it) => self.claim(asked, &it.code, out).map(done),
            Request::Users(it) => Ok(self.users(it.after, it.find.as_ref())),
            Request::SetRole(it) => self.set_role(asked, it.user, it.role, out).map(done),
            Request::SetRoomRole(it) => self.set_room_role(asked, it, out).map(done),
            Request::Kick(it) => self.kick(asked, it, out).map(done),
            Request::Ban(it) => self.ban(asked, it, out),
            Request::Unban(it) => self.unban(asked, it.ban, out).map(done),
            Request::Bans(it) => Ok(self.bans(asked, it)),
            Request::Mute(it) => self.mute(asked, it, out).map(done),
            Request::Unmute(it) => {
                self.unmute(asked, it, out);
                Ok(Reply::Done {})
            }
            Request::EraseMessages(it) => self.erase_messages(asked, it, fact, out).map(done),
            Request::EndRoom(it) => self.end_room(asked, it, out).map(done),
            Request::Policy(_) => Ok(Reply::Policy(self.durable.policy)),
            Request::SetPolicy(it) => Ok(self.set_policy(asked, it, out)),
            Request::BackUp(_) => {
                self.audit(asked, "back_up", Default::default(), String::new(), out);
                out.push(Effect::BackUp);
                Ok(Reply::Done {})
            }
            Request::MakeInvite(it) => self.make_invite(asked, it, &brought, fact, out),
            Request::CancelInvite(it) => self.cancel_invite(asked, it.invite, fact, out).map(done),
            Request::MakeResetCode(it) => self.make_reset_code(asked, it.user, &brought, out),
        }
    }

    /// How whoever asks stands to what is asked about.
    pub(super) fn standing(&self, user: UserId, request: &Request) -> Standing {
        if user == SHELL {
            return Standing { role: Some(Role::Owner), is_account: false, in_room: None };
        }
        let Some(it) = self.durable.users.get(&user) else { return Standing::default() };
        let (room, _) = self.about(user, request);
        Standing {
            role: Some(it.role),
            is_account: it.account.is_some(),
            in_room: room.and_then(|room| self.durable.member(room, user)).map(|it| it.role),
        }
    }

    pub(super) fn target(&self, user: UserId, request: &Request) -> Target {
        let (room, is) = self.about(user, request);
        let has_room = room.is_none_or(|it| self.durable.rooms.contains_key(&it));
        Target { has_room, names_room: room.is_some(), is }
    }

    /// The room and the user that a request is about.
    fn about(&self, user: UserId, request: &Request) -> (Option<RoomId>, Named) {
        let named = |it: UserId, room| self.named(user, it, room);
        let nobody = Named::Nobody;
        match request {
            Request::Leave(it) => (Some(it.room), nobody),
            Request::Members(it) => (Some(it.room), nobody),
            Request::Say(it) => (Some(it.room), nobody),
            Request::History(it) => (Some(it.room), nobody),
            Request::Read(it) => (Some(it.room), nobody),
            Request::EndRoom(it) => (Some(it.room), nobody),
            Request::Bans(it) => (it.room, nobody),
            Request::Kick(it) => (Some(it.room), named(it.user, Some(it.room))),
            Request::SetRoomRole(it) => (Some(it.room), named(it.user, Some(it.room))),
            Request::Ban(it) => (it.room, it.user.map_or(nobody, |user| named(user, it.room))),
            Request::Unban(it) => match self.durable.bans.get(&it.ban) {
                Some(ban) => (ban.room, nobody),
                None => (None, Named::Nothing),
            },
            Request::Mute(it) => (it.room, named(it.user, it.room)),
            Request::Unmute(it) => (it.room, named(it.user, it.room)),
            // Also those who went for good can have said what has to go.
            Request::EraseMessages(it) => {
                let was_here = it.user > SHELL && it.user <= self.durable.last.user;
                let is = named(it.user, it.room);
                let former = Named::Other { role: Role::Guest, in_room: None };
                (it.room, if is == Named::Nothing && was_here { former } else { is })
            }
            Request::SetRole(it) => (None, named(it.user, None)),
            Request::MakeResetCode(it) => (None, named(it.user, None)),
            Request::Sessions(it) => (None, it.user.map_or(nobody, |it| named(it, None))),
            Request::EndSessions(it) => (None, it.user.map_or(nobody, |it| named(it, None))),
            Request::EndSession(it) => match self.durable.sessions.get(&it.session) {
                Some(session) => (None, named(session.user, None)),
                None => (None, Named::Nothing),
            },
            Request::Hello(_)
            | Request::CreateRoom(_)
            | Request::Join(_)
            | Request::Rooms(_)
            | Request::Ping(_)
            | Request::Goodbye(_)
            | Request::Recover(_)
            | Request::Forgot(_)
            | Request::Register(_)
            | Request::Account(_)
            | Request::ChangePassword(_)
            | Request::NewRecoveryCodes(_)
            | Request::SetEmail(_)
            | Request::VerifyEmail(_)
            | Request::Rename(_)
            | Request::DeleteAccount(_)
            | Request::SignOut(_)
            | Request::Mine(_)
            | Request::Claim(_)
            | Request::Users(_)
            | Request::Announce(_)
            | Request::Audit(_)
            | Request::Policy(_)
            | Request::SetPolicy(_)
            | Request::Storage(_)
            | Request::BackUp(_)
            | Request::MakeInvite(_)
            | Request::Invites(_)
            | Request::CancelInvite(_) => (None, nobody),
        }
    }

    fn named(&self, asker: UserId, it: UserId, room: Option<RoomId>) -> Named {
        match self.durable.users.get(&it) {
            None => Named::Nothing,
            Some(_) if it == asker => Named::Own,
            Some(user) => Named::Other {
                role: user.role,
                in_room: room.and_then(|room| self.durable.member(room, it)).map(|it| it.role),
            },
        }
    }
}
