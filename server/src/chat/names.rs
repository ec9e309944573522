//! Names: who may have which, and taking another one.

use parlor_shared::{
    Fact as Happening, Refusal, Reply, RoomId, UnixMillis, UserId, UserName, UserNews,
};

use super::presence::Paced;
use super::{Asked, Chat, Effect, MILLIS_PER_DAY, Record};

/// Numbers tried behind a taken name for a suggestion.
const SUGGESTIONS_TRIED: u32 = 100;

impl Chat {
    /// Makes sure that `user`, or somebody new, may have that name; a guest that was away too long
    /// gives it back.
    pub(super) fn check_name_is_free(
        &mut self,
        name: &UserName,
        user: Option<UserId>,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let skeleton = name.skeleton();
        let taken = |it: &Self| Refusal::NameTaken { suggestion: it.suggest(name, at) };
        if let Some((_, holder, until)) = self.durable.old_names.get(&skeleton)
            && Some(*holder) != user
            && *until > at
        {
            return Err(taken(self));
        }
        match self.durable.user_names.get(&skeleton) {
            Some(&holder) if Some(holder) == user => Ok(()),
            Some(&holder) if self.is_name_expired(holder, at) => {
                self.free(holder, at, out);
                Ok(())
            }
            Some(_) => Err(taken(self)),
            None => Ok(()),
        }
    }

    /// Only guests without any role are forgotten.
    fn is_name_expired(&self, holder: UserId, at: UnixMillis) -> bool {
        let idle_max = self.limits.guest_idle_days.saturating_mul(MILLIS_PER_DAY);
        let is_idle = |it: &super::durable::User| {
            it.account.is_none() && it.role.is_guest() && at.since(it.seen_at) > idle_max
        };
        !self.live.is_here(holder) && self.durable.users.get(&holder).is_some_and(is_idle)
    }

    /// Ends a guest that was away too long: it leaves its rooms, and its name is free.
    fn free(&mut self, user: UserId, at: UnixMillis, out: &mut Vec<Effect>) {
        for room in self.rooms_of(user) {
            self.happen(room, user, at, Happening::Left {}, out);
        }
        out.push(Effect::Save(Record::Freed { user }));
        self.durable.remove_user(user);
    }

    pub(super) fn rooms_of(&self, user: UserId) -> Vec<RoomId> {
        self.durable.users.get(&user).into_iter().flat_map(|it| it.rooms.iter().copied()).collect()
    }

    fn suggest(&self, name: &UserName, at: UnixMillis) -> Option<UserName> {
        let is_free = |it: &UserName| {
            let skeleton = it.skeleton();
            let is_kept =
                self.durable.old_names.get(&skeleton).is_some_and(|(.., until)| *until > at);
            !is_kept && !self.durable.user_names.contains_key(&skeleton)
        };
        (2..2 + SUGGESTIONS_TRIED).map(|number| name.numbered(number)).find(is_free)
    }

    /// Forgets the old names that are kept no longer.
    pub(super) fn drop_old_names(&mut self, at: UnixMillis, out: &mut Vec<Effect>) {
        let before = self.durable.old_names.len();
        self.durable.old_names.retain(|_, (.., until)| *until > at);
        if self.durable.old_names.len() < before {
            out.push(Effect::Save(Record::OldNamesGone { until: at }));
        }
    }

    /// Another name: everybody in one's rooms hears it, and nobody else gets the old one for a
    /// while.
    pub(super) fn rename(
        &mut self,
        asked: Asked,
        name: UserName,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let Asked { user, at, .. } = asked;
        name.check_new()?;
        let was = self.durable.users.get(&user).ok_or(Refusal::NotAllowed)?.name.clone();
        if was == name {
            return Ok(Reply::Renamed { name });
        }
        let kept_millis = self.limits.name_kept_days.saturating_mul(MILLIS_PER_DAY);
        let mut olds: Vec<(UnixMillis, UserName)> = self
            .durable
            .old_names
            .values()
            .filter(|(_, holder, _)| *holder == user)
            .map(|(old, _, until)| (*until, old.clone()))
            .collect();
        olds.sort_by_key(|(until, _)| *until);
        self.drop_old_names(at, out);
        self.check_name_is_free(&name, Some(user), at, out)?;
        // Everybody in all of one's rooms hears of it, so it is not for every moment.
        let pause_millis = self.limits.rename_millis;
        if let Some(retry_millis) = self.live.too_soon(Paced::Renaming, user, at, pause_millis) {
            return Err(Refusal::RateLimited { retry_millis });
        }
        let until = UnixMillis(at.0.saturating_add(kept_millis));
        let is_full = olds.len() as u64 >= self.limits.names_kept.max(1);
        let released = olds.into_iter().next().filter(|_| is_full).map(|(_, old)| old);
        let looks = name.skeleton();
        if self.durable.user_names.get(&was.skeleton()) == Some(&user) {
            self.durable.user_names.remove(&was.skeleton());
        }
        if let Some(old) = &released {
            self.durable.old_names.remove(&old.skeleton());
        }
        self.durable.old_names.remove(&looks);
        if was.skeleton() != looks {
            self.durable.old_names.insert(was.skeleton(), (was.clone(), user, until));
        }
        self.durable.user_names.insert(looks, user);
        if let Some(it) = self.durable.users.get_mut(&user) {
            it.name = name.clone();
        }
        out.push(Effect::Save(Record::Renamed { user, name: name.clone(), until, released }));
        for room in self.rooms_of(user) {
            self.happen(room, user, at, Happening::Renamed { was: was.clone() }, out);
        }
        self.tell_user(user, UserNews::NameIs { name: name.clone() }, at, out);
        Ok(Reply::Renamed { name })
    }
}
