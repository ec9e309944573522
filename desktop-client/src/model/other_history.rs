//! The server was set back to a backup, or began anew: what was read from it means nothing any
//! more, what the person wrote means everything.
//!
//! Events are forgotten; drafts and the outbox go to the room of the same name, and nothing of
//! the outbox is sent before the person says so.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use parlor_shared::id::ID_MAX;
use parlor_shared::{JoinedRoom, Nth, RoomId, Seq};

use super::effect::{Keep, Turn};
use super::own_stream::Own;
use super::{Model, Names, PendingState, Room, Trouble};

impl Room {
    /// What was written in a room of the same name.
    fn take_over(&mut self, other: Self) {
        self.outbox.extend(other.outbox);
        self.outbox.make_contiguous().sort_by_key(|it| it.client_id.counter);
        if self.draft.is_empty() {
            self.draft = other.draft;
        }
    }
}

impl Model {
    /// The told rooms can be the ones that are kept: none ends before its cursor.
    pub(super) fn continues(&self, told: &[JoinedRoom]) -> bool {
        told.iter().all(|it| {
            let room = self.rooms.get(&it.room);
            room.is_none_or(|room| room.timeline.last_seq() <= it.last_seq)
        })
    }

    pub(super) fn begin_other_history(&mut self, told: &[JoinedRoom], turn: &mut Turn) {
        let Some(session) = self.session else { return };
        let old = std::mem::take(&mut self.rooms);
        // Its own stream is another one, too; whether one has an account is told anew.
        self.own = Own { account: self.own.account, ..Own::default() };
        self.keep_own(turn);
        self.names = Names::default();
        turn.keep(Keep::ForgetNames(session));
        let selected = self.selected.take().and_then(|id| old.get(&id)).map(|it| it.name.clone());
        let mut rooms = BTreeMap::new();
        let mut homeless = ID_MAX;
        for (old_id, mut room) in old {
            turn.keep(Keep::ForgetRoom { session, room: old_id });
            room.forget_events();
            room.remove_divider();
            let place = told.iter().find(|it| it.name == room.name);
            let id = match place {
                Some(it) => it.room,
                None if room.is_spent() => continue,
                None => {
                    // No server gives an id so high, so nothing collides with it.
                    homeless -= 1;
                    room.is_member = false;
                    RoomId(homeless)
                }
            };
            let last = place.map_or((Seq(0), Nth(0)), |it| (it.last_seq, it.last_nth));
            (room.read_seq, room.read_nth) = (room.read_seq.min(last.0), room.read_nth.min(last.1));
            for pending in &mut room.outbox {
                if pending.state.is_under_way() {
                    pending.state = PendingState::Held;
                }
            }
            match rooms.entry(id) {
                Entry::Vacant(entry) => _ = entry.insert(room),
                // Two rooms had that name, one of them left long ago.
                Entry::Occupied(mut entry) => entry.get_mut().take_over(room),
            }
        }
        self.rooms = rooms;
        if let Some(name) = selected {
            self.selected = self.rooms.iter().find(|(_, it)| it.name == name).map(|(id, _)| *id);
        }
        if let Some(room) = self.selected {
            turn.keep(Keep::Selected { session, room });
        }
        let ids: Vec<_> = self.rooms.keys().copied().collect();
        for id in ids {
            self.keep_anew(id, turn);
        }
        self.trouble = Some(Trouble::OtherHistory);
    }

    fn keep_anew(&self, id: RoomId, turn: &mut Turn) {
        self.keep_room(id, turn);
        let (Some(session), Some(room)) = (self.session, self.rooms.get(&id)) else { return };
        let Room { draft, outbox, .. } = room;
        if !draft.is_empty() {
            turn.keep(Keep::Draft { session, room: id, text: draft.clone() });
        }
        for pending in outbox {
            turn.keep(pending.to_keep(session, id));
        }
    }
}
