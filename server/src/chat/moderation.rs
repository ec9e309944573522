//! Keeping order: kicks, bans, mutes, roles in rooms, erasing, ending a room, announcing.
//!
//! Whether somebody may was decided before; here is what it means.

use std::net::IpAddr;

use parlor_shared::reply::BanEntry;
use parlor_shared::request::{
    Announce, Ban, Bans, EndRoom, EraseMessages, Kick, Mute, SetRoomRole, Unmute,
};
use parlor_shared::{
    BanId, Fact as Happening, LOBBY_ID, Line, Notice, Refusal, Reply, RoomId, Seq, UnixMillis,
    UserId, UserNews,
};

use super::house::About;
use super::presence::Paced;
use super::{
    Asked, Chat, ConnectionId, Effect, Fact, Heard, Record, StoredBan, StoredMute, Topic, Whom,
};

impl Chat {
    pub(super) fn kick(
        &mut self,
        asked: Asked,
        kick: Kick,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Kick { room, user, reason } = kick;
        let who = self.durable.name_of(user).ok_or(Refusal::NoSuchUser)?;
        let says = reason.as_ref().map(ToString::to_string).unwrap_or_default();
        self.audit(asked, "kick", About { user: Some(user), room: Some(room) }, says, out);
        let fact = Happening::Kicked { user, who, reason: reason.clone() };
        self.happen(room, asked.user, asked.at, fact, out);
        self.put_out(asked, room, user, (None, false, reason), out);
        Ok(())
    }

    /// Ends the membership of somebody who just heard why.
    fn put_out(
        &mut self,
        asked: Asked,
        room: RoomId,
        user: UserId,
        (until, for_good, reason): (Option<UnixMillis>, bool, Option<Line>),
        out: &mut Vec<Effect>,
    ) {
        self.durable.remove_member(room, user);
        for connection in self.live.connections_of(user) {
            out.push(Effect::Unlisten { connection, topic: Topic::Room(room) });
        }
        let title = self.durable.rooms.get(&room).map(|it| it.name.clone());
        let by = self.durable.name_of(asked.user);
        if let (Some(title), Some(name)) = (title, by) {
            let news = UserNews::PutOut { room, title, name, until, for_good, reason };
            self.tell_user(user, news, asked.at, out);
        }
    }

    pub(super) fn ban(
        &mut self,
        asked: Asked,
        ban: Ban,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let until = ban.millis.map(|it| UnixMillis(asked.at.0.saturating_add(it)));
        let whom = match (ban.user, ban.network, ban.room) {
            (Some(user), None, _) => Whom::User(user),
            (None, Some(network), None) => Whom::Network(network),
            _ => return Err(Refusal::Malformed),
        };
        if let Whom::Network(network) = whom {
            let here = [IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)];
            let own = self.live.seat_of(asked.connection).map(|it| it.source);
            if here.into_iter().chain(own).any(|it| network.contains(it)) {
                return Err(Refusal::NotYourself);
            }
        }
        self.drop_bans(|it| it.whom == whom && it.room == ban.room, out);
        self.drop_bans(|it| it.until.is_some_and(|until| until <= asked.at), out);
        if self.durable.bans.len() as u64 >= self.limits.bans {
            return Err(Refusal::TooManyBans);
        }
        let says = format!(
            "{}{}{}",
            ban.network.map(|it| format!("{it} ")).unwrap_or_default(),
            until.map_or("for good".to_owned(), |it| format!("until {it}")),
            ban.reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default()
        );
        self.audit(asked, "ban", About { user: ban.user, room: ban.room }, says, out);
        let id = BanId(self.durable.last.ban.0 + 1);
        let stored = StoredBan {
            ban: id,
            whom: whom.clone(),
            room: ban.room,
            until,
            reason: ban.reason.clone(),
            at: asked.at,
            by: self.durable.name_of(asked.user).ok_or(Refusal::NotAllowed)?,
        };
        out.push(Effect::Save(Record::Ban(stored.clone())));
        self.durable.last.ban = id;
        self.durable.bans.insert(id, stored);
        match (whom, ban.room) {
            (Whom::User(user), Some(room)) => {
                if self.durable.is_member(room, user)
                    && let Some(who) = self.durable.name_of(user)
                {
                    let reason = ban.reason.clone();
                    let fact = Happening::Banned { user, who, until, reason };
                    self.happen(room, asked.user, asked.at, fact, out);
                    let why = (until, until.is_none(), ban.reason);
                    self.put_out(asked, room, user, why, out);
                }
            }
            (Whom::User(_) | Whom::Network(_), _) => self.expel_banned(asked.at, out),
        }
        Ok(Reply::Banned { ban: id })
    }

    /// Ends the connections of those who may not be here any more.
    fn expel_banned(&mut self, at: UnixMillis, out: &mut Vec<Effect>) {
        let banned: Vec<(ConnectionId, Option<UnixMillis>)> = self
            .live
            .seats()
            .filter_map(|(connection, seat)| {
                Some((connection, self.banned_until(Some(seat.user), seat.source, at)?))
            })
            .collect();
        for (connection, until) in banned {
            self.expel(vec![connection], &Refusal::Banned { until }, at, out);
        }
    }

    /// Until when that user, or somebody new, may not come in from there; `Some(None)` is for
    /// good. Networks do not keep admins out: one of them has to be able to end the ban.
    pub(super) fn banned_until(
        &self,
        user: Option<UserId>,
        source: IpAddr,
        at: UnixMillis,
    ) -> Option<Option<UnixMillis>> {
        if user == Some(super::SHELL) {
            return None;
        }
        let is_admin =
            user.and_then(|it| self.durable.users.get(&it)).is_some_and(|it| it.role.is_admin());
        self.durable
            .bans
            .values()
            .filter(|it| it.room.is_none() && it.until.is_none_or(|until| until > at))
            .filter(|it| match &it.whom {
                Whom::User(banned) => user == Some(*banned),
                Whom::Network(network) => !is_admin && network.contains(source),
            })
            .map(|it| it.until)
            .max_by_key(|it| it.map_or(u64::MAX, |it| it.0))
    }

    /// The same for one room.
    pub(super) fn banned_from(
        &self,
        room: RoomId,
        user: UserId,
        at: UnixMillis,
    ) -> Option<Option<UnixMillis>> {
        let is_it = |it: &&StoredBan| {
            it.room == Some(room)
                && it.whom == Whom::User(user)
                && it.until.is_none_or(|until| until > at)
        };
        self.durable.bans.values().find(is_it).map(|it| it.until)
    }

    fn drop_bans(&mut self, ends: impl Fn(&StoredBan) -> bool, out: &mut Vec<Effect>) {
        self.durable.bans.retain(|ban, it| {
            let is_over = ends(it);
            if is_over {
                out.push(Effect::Save(Record::BanGone { ban: *ban }));
            }
            !is_over
        });
    }

    pub(super) fn unban(
        &mut self,
        asked: Asked,
        ban: BanId,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let it = self.durable.bans.remove(&ban).ok_or(Refusal::NoSuchBan)?;
        out.push(Effect::Save(Record::BanGone { ban }));
        let (user, says) = match it.whom {
            Whom::User(user) => (Some(user), String::new()),
            Whom::Network(network) => (None, network.to_string()),
        };
        self.audit(asked, "unban", About { user, room: it.room }, says, out);
        Ok(())
    }

    pub(super) fn bans(&self, asked: Asked, bans: Bans) -> Reply {
        let after = bans.after.unwrap_or(BanId(0));
        let mut left = self
            .durable
            .bans
            .range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
            .map(|(_, it)| it)
            .filter(|it| bans.room.is_none_or(|room| it.room == Some(room)))
            .filter(|it| it.until.is_none_or(|until| until > asked.at));
        let entry = |it: &StoredBan| {
            let (user, network) = match it.whom {
                Whom::User(user) => (Some(user), None),
                Whom::Network(network) => (None, Some(network)),
            };
            BanEntry {
                ban: it.ban,
                user,
                who: user.and_then(|it| self.durable.name_of(it)),
                network,
                room: it.room,
                until: it.until,
                reason: it.reason.clone(),
                at: it.at,
                name: it.by.clone(),
            }
        };
        let bans = left.by_ref().take(self.limits.list_entries as usize).map(entry).collect();
        Reply::Bans { bans, more: left.next().is_some() }
    }

    pub(super) fn mute(
        &mut self,
        asked: Asked,
        mute: Mute,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Mute { user, room, millis, reason } = mute;
        let until = millis.map(|it| UnixMillis(asked.at.0.saturating_add(it)));
        let who = self.durable.name_of(user).ok_or(Refusal::NoSuchUser)?;
        let is_new = !self.durable.mutes.contains_key(&(user, room));
        if is_new && self.durable.mutes.len() as u64 >= self.limits.bans {
            return Err(Refusal::TooManyBans);
        }
        let says = format!(
            "{}{}",
            until.map_or("for good".to_owned(), |it| format!("until {it}")),
            reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default()
        );
        self.audit(asked, "mute", About { user: Some(user), room }, says, out);
        let stored = StoredMute { user, room, until };
        out.push(Effect::Save(Record::Mute(stored.clone())));
        self.durable.mutes.insert((user, room), stored);
        if let Some(room) = room {
            let fact = Happening::Muted { user, who, until, reason: reason.clone() };
            self.happen(room, asked.user, asked.at, fact, out);
        }
        self.tell_user(user, UserNews::MutedIn { room, until, reason }, asked.at, out);
        Ok(())
    }

    pub(super) fn unmute(&mut self, asked: Asked, unmute: Unmute, out: &mut Vec<Effect>) {
        let Unmute { user, room } = unmute;
        if self.durable.mutes.remove(&(user, room)).is_none() {
            return;
        }
        out.push(Effect::Save(Record::MuteGone { user, room }));
        let about = About { user: Some(user), room };
        self.audit(asked, "unmute", about, String::new(), out);
        if let (Some(room), Some(who)) = (room, self.durable.name_of(user)) {
            self.happen(room, asked.user, asked.at, Happening::Unmuted { user, who }, out);
        }
        self.tell_user(user, UserNews::UnmutedIn { room }, asked.at, out);
    }

    /// Fails while somebody may not write in a room.
    pub(super) fn check_may_write(
        &self,
        user: UserId,
        room: RoomId,
        at: UnixMillis,
    ) -> Result<(), Refusal> {
        if self.durable.rooms.get(&room).is_none_or(|it| it.has_ended) {
            return Err(Refusal::RoomEnded);
        }
        match self.is_muted(user, room, at) {
            Some(until) => Err(Refusal::Muted { until }),
            None => Ok(()),
        }
    }

    /// Until when somebody may not write in a room; `Some(None)` is for good.
    pub(super) fn is_muted(
        &self,
        user: UserId,
        room: RoomId,
        at: UnixMillis,
    ) -> Option<Option<UnixMillis>> {
        if self.durable.mutes.is_empty() {
            return None;
        }
        [None, Some(room)]
            .into_iter()
            .filter_map(|place| self.durable.mutes.get(&(user, place)))
            .find(|it| it.until.is_none_or(|until| until > at))
            .map(|it| it.until)
    }

    pub(super) fn set_room_role(
        &mut self,
        asked: Asked,
        it: SetRoomRole,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let SetRoomRole { room, user, role } = it;
        let who = self.durable.name_of(user).ok_or(Refusal::NoSuchUser)?;
        let there = self.durable.rooms.get_mut(&room).ok_or(Refusal::NoSuchRoom)?;
        let member = there.members.get_mut(&user).ok_or(Refusal::NoSuchUser)?;
        if member.role == role {
            return Ok(());
        }
        member.role = role;
        out.push(Effect::Save(Record::RoomRole { room, user, role }));
        let about = About { user: Some(user), room: Some(room) };
        self.audit(asked, "set_room_role", about, role.word().to_owned(), out);
        self.happen(room, asked.user, asked.at, Happening::RoleGiven { user, who, role }, out);
        self.tell_user(user, UserNews::RoomRoleIs { room, role }, asked.at, out);
        Ok(())
    }

    /// The texts of all that somebody said go; the store does it when it keeps the event.
    pub(super) fn erase_messages(
        &mut self,
        asked: Asked,
        it: EraseMessages,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let EraseMessages { user, room } = it;
        // Everybody's chat logs are written anew, so it is not for every moment.
        let pause_millis = self.limits.erase_millis;
        if let Some(retry_millis) = self.live.too_soon(Paced::Erasing, user, asked.at, pause_millis)
        {
            return Err(Refusal::RateLimited { retry_millis });
        }
        let rooms = match (room, fact) {
            (Some(room), _) => vec![room],
            (None, Some(Fact::RoomsOf(rooms))) => rooms,
            (None, _) => Vec::new(),
        };
        if user != asked.user {
            let about = About { user: Some(user), room };
            self.audit(asked, "erase_messages", about, String::new(), out);
        }
        for room in rooms {
            let through = self.durable.rooms.get(&room).map_or(Seq(0), |it| it.last_seq);
            self.happen(room, asked.user, asked.at, Happening::Erased { user, through }, out);
        }
        Ok(())
    }

    pub(super) fn end_room(
        &mut self,
        asked: Asked,
        it: EndRoom,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let EndRoom { room, reason } = it;
        let there = self.durable.rooms.get_mut(&room).ok_or(Refusal::NoSuchRoom)?;
        if there.has_ended {
            return Ok(());
        }
        // Everybody has to have one place.
        if room == LOBBY_ID {
            return Err(Refusal::NotAllowed);
        }
        there.has_ended = true;
        let says = reason.as_ref().map(ToString::to_string).unwrap_or_default();
        self.audit(asked, "end_room", About { user: None, room: Some(room) }, says, out);
        self.happen(room, asked.user, asked.at, Happening::Ended { reason }, out);
        let notice = Heard::Notice(Notice::RoomUnlisted { room });
        out.push(Effect::Publish { topic: Topic::Everyone, event: notice });
        Ok(())
    }

    /// Says something to everybody, in the room that everybody is in.
    pub(super) fn announce(
        &mut self,
        asked: Asked,
        it: Announce,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let (said, is_new) =
            self.put_message(asked, LOBBY_ID, it.client_id, it.text, true, fact, out)?;
        if is_new && let Reply::Said { seq, .. } = said {
            // Where it stands, not what it says: that can be erased, and this cannot.
            let about = About { user: None, room: Some(LOBBY_ID) };
            self.audit(asked, "announce", about, format!("at {seq}"), out);
        }
        Ok(said)
    }
}
