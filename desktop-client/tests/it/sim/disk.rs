//! The server's disk in memory: what was committed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parlor_server::chat::{
    Fact as Found, KnownMessage, Question, Record, Stored, StoredRoom, StoredUser,
};
use parlor_shared::{
    ClientId, Epoch, Fact, LOBBY, LOBBY_ID, Nth, PageAt, RoomEntry, RoomEvent, RoomId, Seq,
    UnixMillis, UserId,
};

#[derive(Clone, Default)]
pub(crate) struct Disk {
    users: BTreeMap<UserId, StoredUser>,
    last_user: UserId,
    pub(crate) rooms: BTreeMap<RoomId, StoredRoom>,
    pub(crate) members: BTreeSet<(RoomId, UserId)>,
    events: BTreeMap<RoomId, Vec<Arc<RoomEvent>>>,
    said: BTreeMap<(UserId, ClientId), (RoomId, Seq)>,
    last_at: UnixMillis,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let mut disk = Self::default();
        let name = LOBBY.parse().expect("a name");
        disk.save(&Record::Room { room: LOBBY_ID, name, by: UserId(0) });
        disk
    }

    pub(crate) fn load(&self) -> Stored {
        Stored {
            epoch: Epoch([7; 8]),
            users: self.users.values().cloned().collect(),
            rooms: self.rooms.values().cloned().collect(),
            members: self.members.iter().copied().collect(),
            last_user: self.last_user,
            last_at: self.last_at,
        }
    }

    /// Everything that ever happened in a room, in order.
    pub(crate) fn story(&self, room: RoomId) -> &[Arc<RoomEvent>] {
        self.events.get(&room).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn save(&mut self, record: &Record) {
        match record {
            Record::User { user, name, token, at } => {
                let (user, token, seen_at) = (*user, *token, *at);
                self.last_user = self.last_user.max(user);
                let name = name.clone();
                self.users.insert(user, StoredUser { user, name, token, seen_at });
            }
            Record::Seen { user, at } => self.users.get_mut(user).expect("a user").seen_at = *at,
            Record::Freed { user } => _ = self.users.remove(user),
            Record::Room { room, name, by } => {
                let (room, name, made_by) = (*room, name.clone(), *by);
                let (last_seq, last_nth) = (Seq(0), Nth(0));
                let stored = StoredRoom { room, name, made_by, last_seq, last_nth };
                self.rooms.insert(room, stored);
            }
            Record::Event { event, .. } => self.save_event(event),
        }
    }

    fn save_event(&mut self, event: &Arc<RoomEvent>) {
        let room = self.rooms.get_mut(&event.room).expect("a room");
        assert_eq!(event.seq, room.last_seq.next(), "a hole in the stored story");
        room.last_seq = event.seq;
        match &event.fact {
            Fact::Opened { .. } | Fact::Joined {} => {
                self.members.insert((event.room, event.by));
            }
            Fact::Left {} => _ = self.members.remove(&(event.room, event.by)),
            Fact::Said { nth, client_id, .. } => {
                room.last_nth = *nth;
                let place = (event.room, event.seq);
                let double = self.said.insert((event.by, *client_id), place);
                assert_eq!(double, None, "{client_id} was stored twice");
            }
            _ => {}
        }
        self.last_at = event.at;
        self.events.entry(event.room).or_default().push(Arc::clone(event));
    }

    pub(crate) fn look_up(&self, question: Question) -> Found {
        let Question::ClientId { author, client_id } = question;
        let known = self.said.get(&(author, client_id)).map(|(room, seq)| {
            let event = &self.events[room][seq.0 as usize - 1];
            let Fact::Said { nth, text, .. } = &event.fact else { panic!("only what was said") };
            let (room, seq, nth, at) = (*room, *seq, *nth, event.at);
            Arc::new(KnownMessage { room, seq, nth, at, text: text.clone() })
        });
        let of_device = ClientId { device: client_id.device, counter: u64::MAX };
        let from = ClientId { device: client_id.device, counter: 0 };
        let range = self.said.range((author, from)..=(author, of_device));
        let highest = range.map(|((_, it), _)| it.counter).next_back();
        Found::ClientId { known, highest }
    }

    /// A page for a member: the events, and whether there are more.
    pub(crate) fn page(&self, room: RoomId, at: PageAt, limit: usize) -> (Vec<RoomEvent>, bool) {
        let story = self.story(room);
        let (from, to) = match at {
            PageAt::After(seq) => {
                let from = (seq.0 as usize).min(story.len());
                (from, (from + limit).min(story.len()))
            }
            PageAt::Before(seq) => {
                let to = (seq.0 as usize).saturating_sub(1).min(story.len());
                (to.saturating_sub(limit), to)
            }
            PageAt::Latest => (story.len().saturating_sub(limit), story.len()),
            PageAt::Around(_) => panic!("the app does not ask for this"),
        };
        let more = if matches!(at, PageAt::After(_)) { to < story.len() } else { from > 0 };
        (story[from..to].iter().map(|it| (**it).clone()).collect(), more)
    }

    pub(crate) fn list(&self, after: RoomId, limit: usize) -> (Vec<RoomEntry>, bool) {
        let mut later = self.rooms.values().filter(|it| it.room > after);
        let entry = |it: &StoredRoom| RoomEntry {
            room: it.room,
            name: it.name.clone(),
            members: self.members.iter().filter(|(room, _)| *room == it.room).count() as u64,
        };
        let rooms = later.by_ref().take(limit).map(entry).collect();
        (rooms, later.next().is_some())
    }
}
