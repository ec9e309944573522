//! Making, joining and leaving rooms, and who is in them.

use std::ops::Bound;

use parlor_shared::{
    Fact as Happening, LOBBY_ID, MemberEntry, Notice, Nth, Refusal, Reply, RoomId, RoomName, Seq,
    UserId,
};

use super::durable::Room;
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
        let maker = self.durable.users.get_mut(&asked.user).ok_or(Refusal::HelloFirst)?;
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
            members: std::collections::BTreeSet::new(),
        };
        self.durable.rooms.insert(room, it);
        self.durable.room_names.insert(skeleton, room);
        let answer = self.enter(asked, room, Happening::Opened { title: name.clone() }, out);
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
            return self.joined_room(room).map(Reply::Joined).ok_or(Refusal::NoSuchRoom);
        }
        self.check_room_for_one_more(asked.user)?;
        self.enter(asked, room, Happening::Joined {}, out)
    }

    pub(super) fn leave(
        &mut self,
        asked: Asked,
        room: RoomId,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        if !self.durable.is_member(room, asked.user) {
            return Err(Refusal::NoSuchRoom);
        }
        let seq = self
            .happen(room, asked.user, asked.at, Happening::Left {}, out)
            .ok_or(Refusal::NoSuchRoom)?;
        self.durable.remove_member(room, asked.user);
        for connection in self.live.connections_of(asked.user) {
            out.push(Effect::Unlisten { connection, topic: Topic::Room(room) });
        }
        Ok(Reply::Left { room, seq })
    }

    pub(super) fn members(
        &self,
        asked: Asked,
        room: RoomId,
        after: Option<UserId>,
    ) -> Result<Reply, Refusal> {
        if !self.durable.is_member(room, asked.user) {
            return Err(Refusal::NoSuchRoom);
        }
        let it = self.durable.rooms.get(&room).ok_or(Refusal::NoSuchRoom)?;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut left = it.members.range((start, Bound::Unbounded));
        let members: Vec<MemberEntry> = left
            .by_ref()
            .take(self.limits.list_entries as usize)
            .filter_map(|user| {
                let name = self.durable.users.get(user)?.name.clone();
                Some(MemberEntry { user: *user, name, here: self.live.is_here(*user) })
            })
            .collect();
        Ok(Reply::Members { room, as_of: it.last_seq, members, more: left.next().is_some() })
    }

    /// Makes the asking user a member; its connections listen before the first thing happens.
    fn enter(
        &mut self,
        asked: Asked,
        room: RoomId,
        fact: Happening,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let before = self.joined_room(room).ok_or(Refusal::NoSuchRoom)?;
        self.durable.add_member(room, asked.user);
        for connection in self.live.connections_of(asked.user) {
            out.push(Effect::Listen { connection, topic: Topic::Room(room) });
        }
        self.happen(room, asked.user, asked.at, fact, out);
        Ok(Reply::Joined(before))
    }

    fn check_room_for_one_more(&self, user: UserId) -> Result<(), Refusal> {
        let joined = self.durable.users.get(&user).map_or(0, |it| it.rooms.len() as u64);
        if joined >= self.limits.rooms_joined {
            return Err(Refusal::TooManyRoomsJoined);
        }
        Ok(())
    }
}
