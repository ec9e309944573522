//! Accounts: a name with a password. Hashing happens elsewhere; what comes in here is what came
//! out of it.

use parlor_shared::event::CodeKind;
use parlor_shared::request::{Recover, WhatOfMessages};
use parlor_shared::{
    EmailAddress, Fact as Happening, Refusal, Reply, Role, Seq, ServerFrame, UnixMillis, UserId,
    UserNews,
};

use super::stored::StoredAccount;
use super::{
    Asked, Brought, Chat, Effect, Fact, KnownCode, MILLIS_PER_DAY, PasswordHash, Proof, Purpose,
    Record, Topic,
};

impl Chat {
    /// The guest stays who it is, with a password.
    pub(super) fn register(
        &mut self,
        asked: Asked,
        email: Option<EmailAddress>,
        brought: Brought,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let Asked { user, at, .. } = asked;
        let name = self.durable.users.get(&user).ok_or(Refusal::NotAllowed)?.name.skeleton();
        // Somebody older has a name that looks the same: an account is signed in to by name.
        if self.durable.user_names.get(&name) != Some(&user) {
            return Err(Refusal::NameTaken { suggestion: None });
        }
        let hash = brought.password.clone().ok_or(Refusal::Busy)?;
        self.set_password(user, hash, at, out);
        let codes = self.give_recovery_codes(user, &brought, out);
        let mail = email.is_some_and(|it| self.put_email(user, Some(it), &brought, at, out));
        self.tell_user(user, UserNews::Registered {}, at, out);
        Ok(Reply::Registered { codes, mail })
    }

    /// Sets a password; the first one makes an account of a guest.
    fn set_password(
        &mut self,
        user: UserId,
        hash: PasswordHash,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let Some(it) = self.durable.users.get_mut(&user) else { return };
        let new = || StoredAccount { credential: 0, email: None, is_verified: false };
        let account = it.account.get_or_insert_with(new);
        account.credential += 1;
        let credential = account.credential;
        out.push(Effect::Save(Record::Password { user, hash, credential }));
        if it.role == Role::Guest {
            it.role = Role::Member;
            out.push(Effect::Save(Record::Role { user, role: Role::Member }));
            self.tell_user(user, UserNews::RoleIs { role: Role::Member }, at, out);
        }
    }

    pub(super) fn account(&self, asked: Asked, fact: Option<Fact>) -> Result<Reply, Refusal> {
        let it = self.durable.users.get(&asked.user).and_then(|it| it.account.as_ref());
        let it = it.ok_or(Refusal::NotRegistered)?;
        let codes_left = match fact {
            Some(Fact::CodesLeft(left)) => left,
            _ => 0,
        };
        Ok(Reply::Account { email: it.email.clone(), verified: it.is_verified, codes_left })
    }

    /// Fails unless the asking user's password was given, and is still the same.
    pub(super) fn check_proof(&self, asked: Asked, proof: Option<Proof>) -> Result<(), Refusal> {
        match proof {
            Some(proof) if proof.user == asked.user && self.is_proven(proof) => Ok(()),
            Some(_) | None => Err(Refusal::WrongPassword),
        }
    }

    pub(super) fn change_password(
        &mut self,
        asked: Asked,
        brought: Brought,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let Asked { user, at, .. } = asked;
        self.check_proof(asked, brought.proof)?;
        let hash = brought.password.ok_or(Refusal::Busy)?;
        self.set_password(user, hash, at, out);
        self.spoil_reset_codes(user, out);
        let this = self.live.seat_of(asked.connection).map(|it| it.session);
        let sessions_ended = self.end_sessions_where(user, |it| Some(it) != this, at, out);
        self.tell_user(user, UserNews::PasswordChanged {}, at, out);
        Ok(Reply::PasswordChanged { sessions_ended })
    }

    /// A stranger with a code sets a new password. Whoever was signed in is so no more.
    pub(super) fn recover(
        &mut self,
        at: UnixMillis,
        recover: &Recover,
        brought: Brought,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let holder = self.durable.user_names.get(&recover.name.skeleton()).copied();
        let Some(Fact::Code(Some(KnownCode::Reset { user, kind }))) = fact else {
            return Err(Refusal::CodeUnknown);
        };
        if holder != Some(user) {
            return Err(Refusal::CodeUnknown);
        }
        let password = brought.password.ok_or(Refusal::Busy)?;
        self.set_password(user, password, at, out);
        let hash = super::TokenHash::of_code(&recover.code);
        out.push(Effect::Save(Record::CodeUsed { hash }));
        self.spoil_reset_codes(user, out);
        self.end_sessions_where(user, |_| true, at, out);
        self.tell_user(user, UserNews::PasswordReset { with: kind }, at, out);
        Ok(Reply::Recovered {})
    }

    /// Codes that were made for a password that was forgotten; recovery codes stay good.
    fn spoil_reset_codes(&self, user: UserId, out: &mut Vec<Effect>) {
        for kind in [CodeKind::Admin, CodeKind::Mail] {
            out.push(Effect::Save(Record::CodesGone { user, purpose: Purpose::Reset(kind) }));
        }
    }

    /// Ends a user for good.
    ///
    /// # Errors
    /// Why not; nothing has happened then. On success the answer is among the effects.
    pub(super) fn delete_account(
        &mut self,
        asked: Asked,
        messages: WhatOfMessages,
        (brought, fact): (&Brought, Option<Fact>),
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Asked { connection, user, id, at } = asked;
        let it = self.durable.users.get(&user).ok_or(Refusal::NotAllowed)?;
        if it.account.is_some() {
            self.check_proof(asked, brought.proof)?;
        }
        if it.role == Role::Owner && self.owners() == 1 {
            return Err(Refusal::LastOwner);
        }
        if messages == WhatOfMessages::Erase {
            let said_in = match fact {
                Some(Fact::RoomsOf(rooms)) => rooms,
                _ => Vec::new(),
            };
            for room in said_in {
                let through = self.durable.rooms.get(&room).map_or(Seq(0), |it| it.last_seq);
                self.happen(room, user, at, Happening::Erased { user, through }, out);
            }
        }
        for room in self.rooms_of(user) {
            self.happen(room, user, at, Happening::Left {}, out);
            for connection in self.live.connections_of(user) {
                out.push(Effect::Unlisten { connection, topic: Topic::Room(room) });
            }
            self.durable.remove_member(room, user);
        }
        let ok = Reply::AccountDeleted {};
        out.push(Effect::Reply { to: connection, frame: ServerFrame::Ok { id, ok } });
        self.end_sessions_where(user, |_| true, at, out);
        let kept_millis = self.limits.name_kept_days.saturating_mul(MILLIS_PER_DAY);
        let until = UnixMillis(at.0.saturating_add(kept_millis));
        let erase = messages == WhatOfMessages::Erase;
        self.drop_old_names(at, out);
        out.push(Effect::Save(Record::Deleted { user, erase, until }));
        let name = self.durable.users.get(&user).map(|it| it.name.clone());
        self.durable.remove_user(user);
        if let Some(name) = name {
            self.durable.old_names.insert(name.skeleton(), (name, user, until));
        }
        Ok(())
    }
}
