//! A store in memory: what the chat saves, and what of that may never be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parlor_server::chat::{
    Fact as Found, KnownMessage, Question, Record, Stored, StoredRoom, StoredUser,
};
use parlor_shared::{
    Epoch, Fact, LOBBY, LOBBY_ID, Nth, RoomEvent, RoomId, Seq, UnixMillis, UserId,
};

/// The least that a store has to be.
#[derive(Clone, Default)]
pub(super) struct Disk {
    pub(super) users: BTreeMap<UserId, StoredUser>,
    last_user: UserId,
    pub(super) rooms: BTreeMap<RoomId, StoredRoom>,
    pub(super) members: BTreeSet<(RoomId, UserId)>,
    pub(super) events: BTreeMap<RoomId, Vec<Arc<RoomEvent>>>,
    last_at: UnixMillis,
}

impl Disk {
    pub(super) fn new() -> Self {
        let mut disk = Self::default();
        let name = LOBBY.parse().expect("a name");
        disk.save(&Record::Room { room: LOBBY_ID, name, by: UserId(0) });
        disk
    }

    pub(super) fn load(&self) -> Stored {
        Stored {
            epoch: Epoch([7; 8]),
            users: self.users.values().cloned().collect(),
            rooms: self.rooms.values().cloned().collect(),
            members: self.members.iter().copied().collect(),
            last_user: self.last_user,
            last_at: self.last_at,
        }
    }

    pub(super) fn last_seq(&self, room: RoomId) -> Seq {
        self.rooms.get(&room).map_or(Seq(0), |it| it.last_seq)
    }

    pub(super) fn save(&mut self, record: &Record) {
        match record {
            Record::User { user, name, token, at } => {
                assert!(*user > self.last_user, "a user id was given twice");
                self.last_user = *user;
                let (user, token, seen_at) = (*user, *token, *at);
                let stored = StoredUser { user, name: name.clone(), token, seen_at };
                let looks = name.skeleton();
                assert!(self.users.values().all(|it| it.name.skeleton() != looks), "a name twice");
                self.users.insert(user, stored);
            }
            Record::Seen { user, at } => {
                self.users.get_mut(user).expect("seen users exist").seen_at = *at;
            }
            Record::Freed { user } => {
                self.users.remove(user).expect("freed users existed");
                assert!(self.members.iter().all(|it| it.1 != *user), "a freed member");
            }
            Record::Room { room, name, by } => {
                let looks = name.skeleton();
                assert!(self.rooms.values().all(|it| it.name.skeleton() != looks), "a room twice");
                let (room, name, made_by) = (*room, name.clone(), *by);
                let (last_seq, last_nth) = (Seq(0), Nth(0));
                let stored = StoredRoom { room, name, made_by, last_seq, last_nth };
                assert!(self.rooms.insert(room, stored).is_none(), "a room id was given twice");
            }
            Record::Event { event, nth } => self.save_event(event, *nth),
        }
    }

    fn save_event(&mut self, event: &Arc<RoomEvent>, nth: Nth) {
        let room = self.rooms.get_mut(&event.room).expect("events are in rooms");
        assert_eq!(event.seq, room.last_seq.next(), "seq is dense");
        room.last_seq = event.seq;
        let place = (event.room, event.by);
        match &event.fact {
            Fact::Opened { title } => assert!(event.seq == Seq(1) && *title == room.name),
            Fact::Joined {} | Fact::Left {} | Fact::Said { .. } | Fact::Unknown => {}
        }
        match &event.fact {
            Fact::Opened { .. } | Fact::Joined {} => {
                assert!(self.members.insert(place), "joined twice");
            }
            Fact::Left {} => assert!(self.members.remove(&place), "left without being in"),
            Fact::Said { nth: said, client_id, .. } => {
                assert!(self.members.contains(&place), "said from outside");
                assert_eq!(*said, room.last_nth.next(), "nth is dense");
                room.last_nth = *said;
                assert!(self.find(event.by, *client_id).is_none(), "a client id twice");
            }
            Fact::Unknown => panic!("the chat says only what it knows"),
        }
        assert_eq!(nth, self.rooms[&event.room].last_nth);
        assert_eq!(event.name, self.users[&event.by].name, "the author's name at that moment");
        self.last_at = event.at;
        self.events.entry(event.room).or_default().push(Arc::clone(event));
    }

    pub(super) fn find(
        &self,
        by: UserId,
        client_id: parlor_shared::ClientId,
    ) -> Option<KnownMessage> {
        self.events.values().flatten().filter(|it| it.by == by).find_map(|it| match &it.fact {
            Fact::Said { nth, client_id: id, text } if *id == client_id => Some(KnownMessage {
                room: it.room,
                seq: it.seq,
                nth: *nth,
                at: it.at,
                text: text.clone(),
            }),
            Fact::Opened { .. } | Fact::Joined {} | Fact::Left {} | Fact::Said { .. } => None,
            Fact::Unknown => None,
        })
    }

    pub(super) fn look_up(&self, question: Question) -> Found {
        let Question::ClientId { author, client_id } = question;
        let mine = self.events.values().flatten().filter(|it| it.by == author);
        let counters = mine.filter_map(|it| match &it.fact {
            Fact::Said { client_id: id, .. } if id.device == client_id.device => Some(id.counter),
            Fact::Opened { .. } | Fact::Joined {} | Fact::Left {} | Fact::Said { .. } => None,
            Fact::Unknown => None,
        });
        Found::ClientId {
            highest: counters.max(),
            known: self.find(author, client_id).map(Arc::new),
        }
    }
}
