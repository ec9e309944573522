//! The rooms one is in: entering, making, joining and leaving them, opening one to look at, what
//! was seen there, and the list of those one could join.

use std::collections::BTreeMap;

use parlor_shared::request::{CreateRoom, Join, Leave, Rooms};
use parlor_shared::{
    Fact, JoinedRoom, LOBBY_ID, Refusal, Request, RoomEntry, RoomEvent, RoomId, RoomName, Seq,
};

use super::asked::Asked;
use super::effect::{Keep, Turn};
use super::limits::{DIRECTORY_MAX, ROOMS_MAX};
use super::people::People;
use super::{
    Failure, KeptPending, KeptRoom, KeptSession, Listed, Model, Names, Pending, PendingState, Room,
    Trouble,
};

/// The list of open rooms on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Listing {
    is_wanted: bool,
    after: Option<RoomId>,
    incoming: BTreeMap<RoomId, Listed>,
}

impl KeptPending {
    fn restored(self) -> Pending {
        let state = match self.failed {
            Some(code) => PendingState::Failed(Failure::of_code(&code)),
            None if self.held => PendingState::Held,
            None => PendingState::Waiting,
        };
        Pending { client_id: self.client_id, text: self.text, at: self.at, state }
    }
}

impl KeptRoom {
    fn restored(self) -> (RoomId, Room) {
        let mut room = Room::new(self.name);
        (room.read_seq, room.read_nth) = (self.read_seq, self.read_nth);
        (room.last_seq, room.last_nth) = (self.last_seq, self.last_nth);
        room.fill(&self.newest, self.first_kept, self.kept_nth);
        room.draft = self.draft;
        room.outbox = self.outbox.into_iter().map(KeptPending::restored).collect();
        (self.room, room)
    }
}

impl Model {
    /// Takes over what the archive had of a session.
    pub(super) fn load_kept(&mut self, kept: KeptSession, turn: &mut Turn) {
        self.session = Some(kept.session.id);
        self.rooms = kept.rooms.into_iter().map(KeptRoom::restored).collect();
        self.own = kept.own;
        self.names = Names::restored(kept.names);
        self.selected = None;
        if let Some(room) = kept.selected.filter(|it| self.rooms.contains_key(it)) {
            self.select(room, turn);
        }
        self.select_some(turn);
        self.ask_about_held();
    }

    /// The rooms of a `welcome`: known ones go on, new ones begin, missing ones are left behind.
    pub(super) fn enter_rooms(&mut self, rooms: Vec<JoinedRoom>, turn: &mut Turn) {
        let left: Vec<_> = self
            .rooms
            .keys()
            .copied()
            .filter(|id| !rooms.iter().any(|it| it.room == *id))
            .collect();
        for id in left {
            self.is_no_member(id, turn);
        }
        for joined in rooms {
            self.enter(joined, true, turn);
        }
        self.select_some(turn);
    }

    fn enter(&mut self, joined: JoinedRoom, is_told_at_welcome: bool, turn: &mut Turn) {
        if self.rooms.len() >= ROOMS_MAX && !self.rooms.contains_key(&joined.room) {
            return;
        }
        let room = self.rooms.entry(joined.room).or_insert_with(|| {
            // What was said before one came is not unread.
            let mut room = Room::new(joined.name.clone());
            (room.read_seq, room.read_nth) = (joined.last_seq, joined.last_nth);
            // Another device may have been here before.
            room.read_is_guess = is_told_at_welcome;
            room
        });
        room.name = joined.name;
        (room.role, room.is_ended) = (joined.role, joined.ended);
        let unread_before = room.unread();
        room.is_told(joined.last_seq, joined.last_nth);
        // What was said while the connection was away was said while nobody looked.
        if self.selected == Some(joined.room) && unread_before == 0 && room.unread() > 0 {
            room.place_divider();
        }
        self.keep_room(joined.room, turn);
    }

    pub(super) fn keep_room(&self, id: RoomId, turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get(&id)) else { return };
        turn.keep(Keep::Room {
            session,
            room: id,
            name: room.name.clone(),
            read_seq: room.read_seq,
            read_nth: room.read_nth,
            last_seq: room.last_seq,
            last_nth: room.last_nth,
        });
    }

    /// One is not in this room any more. What could not be sent stays to be looked at.
    pub(super) fn is_no_member(&mut self, id: RoomId, turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        if room.is_spent() || (room.is_leaving && room.has_said_all()) {
            self.forget_room(id, turn);
            return;
        }
        room.is_member = false;
        room.sync.lose_connection();
        room.people = People::Unknown;
        for pending in &mut room.outbox {
            if pending.state.is_under_way() {
                pending.state = PendingState::Failed(Failure::Refused(Refusal::NoSuchRoom));
                turn.keep(pending.to_keep(session, id));
            }
        }
    }

    pub(super) fn forget_room(&mut self, id: RoomId, turn: &mut Turn) {
        if self.rooms.remove(&id).is_none() {
            return;
        }
        if let Some(session) = self.session {
            turn.keep(Keep::ForgetRoom { session, room: id });
        }
        if self.selected == Some(id) {
            self.selected = None;
            self.select_some(turn);
        }
    }

    // ---- Looking ----

    pub(super) fn select(&mut self, id: RoomId, turn: &mut Turn) {
        if self.selected == Some(id) || !self.rooms.contains_key(&id) {
            return;
        }
        if let Some(room) = self.selected.and_then(|it| self.rooms.get_mut(&it)) {
            room.close();
        }
        self.selected = Some(id);
        if let Some(room) = self.rooms.get_mut(&id) {
            room.place_divider();
        }
        if let Some(session) = self.session {
            turn.keep(Keep::Selected { session, room: id });
        }
    }

    /// Opens the lobby, or whichever room comes first, where none is open.
    fn select_some(&mut self, turn: &mut Turn) {
        if self.selected.is_some_and(|it| self.rooms.contains_key(&it)) {
            return;
        }
        self.selected = None;
        let lobby = self.rooms.contains_key(&LOBBY_ID).then_some(LOBBY_ID);
        if let Some(room) = lobby.or_else(|| self.rooms.keys().next().copied()) {
            self.select(room, turn);
        }
    }

    /// The person saw everything up to `seq`.
    pub(super) fn see(&mut self, id: RoomId, seq: Seq, turn: &mut Turn) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let seq = seq.min(room.timeline.last_seq());
        if seq <= room.read_seq {
            return;
        }
        let row = room.timeline.index_of(seq).and_then(|it| room.timeline.get(it));
        let Some(nth) = row.map(|it| it.nth) else { return };
        room.read_seq = seq;
        room.read_nth = room.read_nth.max(nth);
        self.keep_room(id, turn);
    }

    // ---- Making, joining, leaving ----

    pub(super) fn want_room(&mut self, name: &str, turn: &mut Turn) {
        match name.parse::<RoomName>().and_then(|it| it.check_new().map(|()| it)) {
            Err(refusal) => self.trouble = Some(Trouble::BadRoomName(refusal)),
            Ok(_) if !self.is_online() => self.trouble = Some(Trouble::NotConnected),
            Ok(name) => {
                let is_same = |it: &Room| it.name.skeleton() == name.skeleton() && it.is_member;
                let mine = self.rooms.iter().find(|(_, it)| is_same(it)).map(|(id, _)| *id);
                if let Some(id) = mine {
                    self.select(id, turn);
                } else if !self.is_entering() {
                    let request = Request::CreateRoom(CreateRoom { name: name.clone() });
                    self.asked.ask(request, Asked::Create { name }, turn);
                }
            }
        }
    }

    pub(super) fn join_listed(&mut self, id: RoomId, turn: &mut Turn) {
        if self.rooms.get(&id).is_some_and(|it| it.is_member) {
            self.select(id, turn);
        } else if !self.is_online() {
            self.trouble = Some(Trouble::NotConnected);
        } else if let Some(listed) = self.directory.get(&id)
            && !self.is_entering()
        {
            let name = listed.name.clone();
            self.ask_to_join(name, turn);
        }
    }

    pub(super) fn ask_to_join(&mut self, name: RoomName, turn: &mut Turn) {
        let request = Request::Join(Join { name: name.clone() });
        self.asked.ask(request, Asked::Join { name }, turn);
    }

    /// A room is being made or joined: one at a time.
    fn is_entering(&self) -> bool {
        self.asked.any(|it| matches!(it, Asked::Join { .. } | Asked::Create { .. }))
    }

    pub(super) fn joined(&mut self, joined: JoinedRoom, turn: &mut Turn) {
        let (id, name) = (joined.room, joined.name.clone());
        self.enter(joined, false, turn);
        self.list_room(id, name);
        self.select(id, turn);
    }

    /// Another device of one's own joined it.
    pub(super) fn joined_elsewhere(&mut self, joined: JoinedRoom, turn: &mut Turn) {
        let (id, name) = (joined.room, joined.name.clone());
        self.enter(joined, false, turn);
        self.list_room(id, name);
        self.select_some(turn);
    }

    pub(super) fn leave_room(&mut self, id: RoomId, turn: &mut Turn) {
        match self.rooms.get_mut(&id) {
            Some(room) if room.is_member => room.is_leaving = true,
            Some(_) => self.forget_room(id, turn),
            None => {}
        }
    }

    /// Leaves the rooms in which everything that was to be said is said.
    pub(super) fn ask_to_leave(&mut self, turn: &mut Turn) {
        for (&room, it) in &self.rooms {
            let is_ready = it.is_leaving && it.is_member && it.has_said_all();
            if is_ready
                && !self.asked.any(|it| matches!(it, Asked::Leave { room: of } if *of == room))
            {
                self.asked.ask(Request::Leave(Leave { room }), Asked::Leave { room }, turn);
            }
        }
    }

    pub(super) fn leave_refused(&mut self, id: RoomId, refusal: Refusal, turn: &mut Turn) {
        if refusal == Refusal::NoSuchRoom {
            self.forget_room(id, turn);
        } else if !matches!(refusal, Refusal::RateLimited { .. })
            && let Some(room) = self.rooms.get_mut(&id)
        {
            room.is_leaving = false;
            self.trouble = Some(Trouble::RoomRefused(refusal));
        }
    }

    /// An event of a room that the model does not have: where one came in through another
    /// connection, a new `welcome` tells all that is needed.
    pub(super) fn is_told_of_new_room(&self, event: &RoomEvent) -> bool {
        let came = matches!(event.fact, Fact::Joined {} | Fact::Opened { .. });
        came && event.by == self.my_id() && self.is_online() && !self.is_entering()
    }

    // ---- The list of open rooms ----

    pub(super) fn list_rooms(&mut self) {
        self.listing = Listing { is_wanted: true, ..Listing::default() };
    }

    /// A room that was just made, with its maker in it.
    pub(super) fn list_room(&mut self, room: RoomId, name: RoomName) {
        if self.directory.len() < DIRECTORY_MAX {
            self.directory.entry(room).or_insert(Listed { room, name, members: 1 });
        }
    }

    pub(super) fn ask_for_lists(&mut self, turn: &mut Turn) {
        self.ask_for_members(turn);
        if self.listing.is_wanted && !self.asked.any(|it| *it == Asked::Rooms) {
            let request = Request::Rooms(Rooms { after: self.listing.after });
            self.asked.ask(request, Asked::Rooms, turn);
        }
    }

    pub(super) fn hear_rooms(&mut self, rooms: Vec<RoomEntry>, more: bool) {
        let is_last = !more || rooms.is_empty();
        for RoomEntry { room, name, members } in rooms {
            self.listing.after = self.listing.after.max(Some(room));
            if self.listing.incoming.len() < DIRECTORY_MAX {
                self.listing.incoming.insert(room, Listed { room, name, members });
            }
        }
        if is_last || self.listing.incoming.len() >= DIRECTORY_MAX {
            self.directory = std::mem::take(&mut self.listing).incoming;
        }
    }

    pub(super) fn rooms_refused(&mut self, again: bool) {
        self.listing.is_wanted = again;
    }
}
