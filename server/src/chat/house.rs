//! Seeing to the server: its owner, roles, policy, invitations, the list of users, the audit log.

use std::ops::Bound;

use parlor_shared::reply::UserEntry;
use parlor_shared::request::{MakeInvite, SetPolicy};
use parlor_shared::{
    Code, InviteId, Line, Refusal, Reply, Role, RoomId, UnixMillis, UserId, UserNews,
};

use super::{Asked, Audited, Brought, Chat, Effect, Fact, MILLIS_PER_DAY, Record, TokenHash};

/// What a line of the audit log is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About {
    pub(super) user: Option<UserId>,
    pub(super) room: Option<RoomId>,
}

impl From<Option<UserId>> for About {
    fn from(user: Option<UserId>) -> Self {
        Self { user, room: None }
    }
}

/// An hour short of which is no backup plan, and a year.
const BACKUP_HOURS_MAX: u64 = 365 * 24;
const BACKUP_KEEP_MAX: u64 = 365;
const INVITE_USES_MAX: u64 = 1_000;
const INVITE_DAYS_MAX: u64 = 365;

impl Chat {
    /// Writes down what somebody did who keeps order.
    pub(super) fn audit(
        &self,
        asked: Asked,
        act: &'static str,
        about: About,
        says: String,
        out: &mut Vec<Effect>,
    ) {
        let Some(name) = self.durable.name_of(asked.user) else { return };
        let About { user, room } = about;
        let who = user.and_then(|it| self.durable.name_of(it));
        let (at, by) = (asked.at, asked.user);
        out.push(Effect::Save(Record::Audit(Audited { at, by, name, act, user, who, room, says })));
    }

    pub(super) fn owners(&self) -> usize {
        self.durable.users.values().filter(|it| it.role == Role::Owner).count()
    }

    /// Makes an owner of whoever knows the code, once.
    pub(super) fn claim(
        &mut self,
        asked: Asked,
        code: &Code,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let is_right = self.claim == Some(TokenHash::of_code(code));
        if !is_right || self.has_owner() || !self.durable.users.contains_key(&asked.user) {
            return Err(Refusal::CodeUnknown);
        }
        self.audit(asked, "claim", Some(asked.user).into(), String::new(), out);
        self.give_role(asked, asked.user, Role::Owner, out);
        Ok(())
    }

    pub(super) fn set_role(
        &mut self,
        asked: Asked,
        user: UserId,
        role: Role,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let it = self.durable.users.get(&user).ok_or(Refusal::NoSuchUser)?;
        // What one is without a higher role is not a matter of choice.
        let plain = if it.account.is_some() { Role::Member } else { Role::Guest };
        let role = if role.is_admin() { role } else { plain };
        if it.role == role {
            return Ok(());
        }
        if it.role == Role::Owner && self.owners() == 1 {
            return Err(Refusal::LastOwner);
        }
        self.audit(asked, "set_role", Some(user).into(), role.word().to_owned(), out);
        self.give_role(asked, user, role, out);
        Ok(())
    }

    fn give_role(&mut self, asked: Asked, user: UserId, role: Role, out: &mut Vec<Effect>) {
        if let Some(it) = self.durable.users.get_mut(&user) {
            it.role = role;
            out.push(Effect::Save(Record::Role { user, role }));
            self.tell_user(user, UserNews::RoleIs { role }, asked.at, out);
        }
    }

    pub(super) fn users(&self, after: Option<UserId>, find: Option<&Line>) -> Reply {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let find = find.map(|it| it.as_str().to_lowercase());
        let at = self.live.last_at;
        let is_over = |until: &Option<UnixMillis>| until.is_some_and(|it| it <= at);
        let mut left = self.durable.users.range((start, Bound::Unbounded)).filter(|(_, it)| {
            find.as_ref().is_none_or(|find| it.name.as_str().to_lowercase().contains(find))
        });
        let entry = |(user, it): (&UserId, &super::durable::User)| UserEntry {
            user: *user,
            name: it.name.clone(),
            role: it.role,
            account: it.account.is_some(),
            here: self.live.is_here(*user),
            seen_at: it.seen_at,
            banned: self.is_user_banned(*user, at),
            muted: self.durable.mutes.get(&(*user, None)).is_some_and(|it| !is_over(&it.until)),
        };
        let users = left.by_ref().take(self.limits.list_entries as usize).map(entry).collect();
        Reply::Users { users, more: left.next().is_some() }
    }

    fn is_user_banned(&self, user: UserId, at: UnixMillis) -> bool {
        let nowhere = std::net::IpAddr::from([0, 0, 0, 0]);
        !self.durable.bans.is_empty() && self.banned_until(Some(user), nowhere, at).is_some()
    }

    pub(super) fn set_policy(
        &mut self,
        asked: Asked,
        it: SetPolicy,
        out: &mut Vec<Effect>,
    ) -> Reply {
        let mut policy = self.durable.policy;
        policy.entry = it.entry.unwrap_or(policy.entry);
        policy.backup_hours = it.backup_hours.unwrap_or(policy.backup_hours).min(BACKUP_HOURS_MAX);
        let keep = it.backup_keep.unwrap_or(policy.backup_keep);
        policy.backup_keep = keep.clamp(1, BACKUP_KEEP_MAX);
        if policy != self.durable.policy {
            let says = format!(
                "entry {}, a backup every {} hours, {} kept",
                format!("{:?}", policy.entry).to_lowercase(),
                policy.backup_hours,
                policy.backup_keep
            );
            self.audit(asked, "set_policy", About::default(), says, out);
            self.durable.policy = policy;
            out.push(Effect::Save(Record::Policy(policy)));
        }
        Reply::Policy(policy)
    }

    pub(super) fn make_invite(
        &mut self,
        asked: Asked,
        it: MakeInvite,
        brought: &Brought,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        if let Some(Fact::Invites { count, .. }) = fact
            && count >= self.limits.invites
        {
            return Err(Refusal::TooManyInvites);
        }
        let code = *brought.codes.first().ok_or(Refusal::Busy)?;
        let by = self.durable.name_of(asked.user).ok_or(Refusal::NotAllowed)?;
        let uses = it.uses.unwrap_or(1).clamp(1, INVITE_USES_MAX);
        let default_millis = self.limits.invite_days.saturating_mul(MILLIS_PER_DAY);
        let millis = it.millis.unwrap_or(default_millis).clamp(1, INVITE_DAYS_MAX * MILLIS_PER_DAY);
        let until = UnixMillis(asked.at.0.saturating_add(millis));
        let invite = InviteId(self.durable.last.invite.0 + 1);
        self.durable.last.invite = invite;
        let (hash, at) = (TokenHash::of_code(&code), asked.at);
        out.push(Effect::Save(Record::Invite { invite, hash, by, at, until, uses }));
        let says = format!("invitation {invite} for {uses}, until {until}");
        self.audit(asked, "make_invite", About::default(), says, out);
        Ok(Reply::Invite { invite, code, until })
    }

    pub(super) fn cancel_invite(
        &mut self,
        asked: Asked,
        invite: InviteId,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if !matches!(fact, Some(Fact::Invites { has_one: true, .. })) {
            return Err(Refusal::NoSuchInvite);
        }
        out.push(Effect::Save(Record::InviteGone { invite }));
        let says = format!("invitation {invite}");
        self.audit(asked, "cancel_invite", About::default(), says, out);
        Ok(())
    }
}
