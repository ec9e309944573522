//! Making, joining and leaving rooms, and who is in them.

use std::ops::Bound;

use parlor_shared::{
    Fact as Happening, LOBBY_ID, MemberEntry, Notice, Nth, Refusal, Reply, RoomId, RoomName,
    RoomRole, Seq, ServerFrame, UserId,
};

use super::durable::{Member, Room};
use super::{Asked, Chat, Effect, Heard, Record, Topic};

impl Chat {
    pub(super) fn create_room(
        &mut self,
        asked: Asked,
        name: RoomName,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        name.check_new()?;
        let skeleton = name.skeleton();
        if self.durable.room_names.contains_key(&skeleton) {
            return Err(Refusal::RoomTaken);
        }
        if self.durable.rooms.len() as u64 >= self.limits.rooms {
            return Err(Refusal::TooManyRooms);
        }
        self.check_room_for_one_more(asked.user)?;
        let maker = self.durable.users.get_mut(&asked.user).ok_or(Refusal::NotAllowed)?;
        if maker.rooms_made >= self.limits.rooms_made {
            return Err(Refusal::TooManyRoomsMade);
        }
        maker.rooms_made += 1;
        let last = self.durable.rooms.last_key_value().map_or(LOBBY_ID, |(room, _)| *room);
        let room = RoomId(last.0 + 1);
        out.push(Effect::Save(Record::Room { room, name: name.clone(), by: asked.user }));
        let it = Room {
            name: name.clone(),
            last_seq: Seq(0),
            last_nth: Nth(0),
            has_ended: false,
            members: std::collections::BTreeMap::new(),
        };
        self.durable.rooms.insert(room, it);
        self.durable.room_names.insert(skeleton, room);
        let fact = Happening::Opened { title: name.clone() };
        let answer = self.enter(asked, room, RoomRole::Owner, fact, out);
        let notice = Notice::RoomListed { room, name };
        out.push(Effect::Publish { topic: Topic::Everyone, event: Heard::Notice(notice) });
        answer
    }

    pub(super) fn join(
        &mut self,
        asked: Asked,
        name: &RoomName,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let room = *self.durable.room_names.get(&name.skeleton()).ok_or(Refusal::NoSuchRoom)?;
        if self.durable.is_member(room, asked.user) {
            // A resend, or another device was first: the answer is the same as then.
            let joined = self.joined_room(room, asked.user);
            return joined.map(Reply::Joined).ok_or(Refusal::NoSuchRoom);
        }
        if let Some(until) = self.banned_from(room, asked.user, asked.at) {
            return Err(Refusal::Banned { until });
        }
        if self.durable.rooms.get(&room).is_none_or(|it| it.has_ended) {
            return Err(Refusal::RoomEnded);
        }
        self.check_room_for_one_more(asked.user)?;
        self.enter(asked, room, RoomRole::Member, Happening::Joined {}, out)
    }

    pub(super) fn leave(
        &mut self,
        asked: Asked,
        room: RoomId,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let seq = self
            .happen(room, asked.user, asked.at, Happening::Left {}, out)
            .ok_or(Refusal::NoSuchRoom)?;
        self.durable.remove_member(room, asked.user);
        for connection in self.live.connections_of(asked.user) {
            out.push(Effect::Unlisten { connection, topic: Topic::Room(room) });
        }
        self.tell_other_devices(asked, Notice::LeftRoom { room }, out);
        Ok(Reply::Left { room, seq })
    }

    pub(super) fn members(&self, room: RoomId, after: Option<UserId>) -> Result<Reply, Refusal> {
        let it = self.durable.rooms.get(&room).ok_or(Refusal::NoSuchRoom)?;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut left = it.members.range((start, Bound::Unbounded));
        let members: Vec<MemberEntry> = left
            .by_ref()
            .take(self.limits.list_entries as usize)
            .filter_map(|(user, member)| {
                let name = self.durable.users.get(user)?.name.clone();
                let (here, role) = (self.live.is_here(*user), member.role);
                let muted = self.is_muted(*user, room, self.live.last_at).is_some();
                Some(MemberEntry { user: *user, name, here, role, muted })
            })
            .collect();
        Ok(Reply::Members { room, as_of: it.last_seq, members, more: left.next().is_some() })
    }

    /// Makes the asking user a member; its connections listen before the first thing happens.
    fn enter(
        &mut self,
        asked: Asked,
        room: RoomId,
        role: RoomRole,
        fact: Happening,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        if !self.durable.users.contains_key(&asked.user) {
            return Err(Refusal::NotAllowed);
        }
        self.durable.add_member(room, asked.user, Member { role, ..Member::default() });
        // As it was before one's own coming, which is the first thing that is heard live.
        let before = self.joined_room(room, asked.user).ok_or(Refusal::NoSuchRoom)?;
        for connection in self.live.connections_of(asked.user) {
            out.push(Effect::Listen { connection, topic: Topic::Room(room) });
        }
        self.tell_other_devices(asked, Notice::EnteredRoom(before.clone()), out);
        self.happen(room, asked.user, asked.at, fact, out);
        Ok(Reply::Joined(before))
    }

    /// What the asking connection is answered, the user's others are told.
    fn tell_other_devices(&self, asked: Asked, notice: Notice, out: &mut Vec<Effect>) {
        for to in self.live.connections_of(asked.user).filter(|it| *it != asked.connection) {
            let event = parlor_shared::Event::Notice(notice.clone());
            out.push(Effect::Reply { to, frame: ServerFrame::Event(event) });
        }
    }

    fn check_room_for_one_more(&self, user: UserId) -> Result<(), Refusal> {
        let joined = self.durable.users.get(&user).map_or(0, |it| it.rooms.len() as u64);
        if joined >= self.limits.rooms_joined {
            return Err(Refusal::TooManyRoomsJoined);
        }
        Ok(())
    }
}
