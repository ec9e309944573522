//! The server's disk in memory: what was committed, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_server::chat::{Fact as Found, KnownMessage, Question, Record, Stored, StoredRoom};
use parlor_shared::reply::PersonName;
use parlor_shared::{
    ClientId, Epoch, Fact, LOBBY, LOBBY_ID, Nth, PageAt, RoomEntry, RoomEvent, RoomId, Seq,
    UserEvent, UserId, UserNews,
};

#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub(crate) stored: Stored,
    events: BTreeMap<RoomId, Vec<Arc<RoomEvent>>>,
    said: BTreeMap<(UserId, ClientId), (RoomId, Seq)>,
    /// Everybody's own stream; of read positions only the latest of each room.
    own: BTreeMap<(UserId, Seq), UserEvent>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let mut disk = Self::default();
        disk.stored.epoch = Epoch([7; 8]);
        let name = LOBBY.parse().expect("a name");
        disk.save(&Record::Room { room: LOBBY_ID, name, by: UserId(0) });
        disk
    }

    pub(crate) fn load(&self) -> Stored {
        self.stored.clone()
    }

    pub(crate) fn rooms(&self) -> &BTreeMap<RoomId, StoredRoom> {
        &self.stored.rooms
    }

    pub(crate) fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.stored.members.contains_key(&(room, user))
    }

    /// Everything that ever happened in a room, in order.
    pub(crate) fn story(&self, room: RoomId) -> &[Arc<RoomEvent>] {
        self.events.get(&room).map(Vec::as_slice).unwrap_or_default()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest is the chat's own to keep")]
    pub(crate) fn save(&mut self, record: &Record) {
        match record {
            Record::Event { event, .. } => self.save_event(event),
            Record::UserEvent { user, event } => {
                self.own.insert((*user, event.mine), (**event).clone());
            }
            Record::Read { room, user, seq, nth, mine } => {
                let is_older = |it: &UserEvent| matches!(it.news, UserNews::Read { room: of, .. } if of == *room);
                self.own.retain(|(of, _), it| of != user || !is_older(it));
                let news = UserNews::Read { room: *room, seq: *seq, nth: *nth };
                let event = UserEvent { mine: *mine, at: self.stored.last_at, news };
                self.own.insert((*user, *mine), event);
            }
            _ => {}
        }
        self.stored.keep(record);
    }

    fn save_event(&mut self, event: &Arc<RoomEvent>) {
        let room = &self.stored.rooms[&event.room];
        assert_eq!(event.seq, room.last_seq.next(), "a hole in the stored story");
        if let Fact::Said { client_id, .. } = &event.fact {
            let place = (event.room, event.seq);
            let double = self.said.insert((event.by, *client_id), place);
            assert_eq!(double, None, "{client_id} was stored twice");
        }
        self.events.entry(event.room).or_default().push(Arc::clone(event));
    }

    /// A page of somebody's own stream.
    pub(crate) fn mine(&self, user: UserId, after: Seq, limit: usize) -> (Vec<UserEvent>, bool) {
        let mut later = self.own.range((user, after.next())..=(user, Seq(u64::MAX)));
        let events = later.by_ref().take(limit).map(|(_, it)| it.clone()).collect();
        (events, later.next().is_some())
    }

    /// What those authors are called today who had another name then.
    pub(crate) fn names(&self, events: &[RoomEvent]) -> Vec<PersonName> {
        let mut names = BTreeMap::new();
        for event in events {
            if let Some(user) = self.stored.users.get(&event.by)
                && user.name != event.name
            {
                names.insert(event.by, user.name.clone());
            }
        }
        names.into_iter().map(|(user, name)| PersonName { user, name }).collect()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the app asks nothing else here")]
    pub(crate) fn look_up(&self, question: Question) -> Found {
        match question {
            Question::ClientId { author, client_id } => self.look_up_client_id(author, client_id),
            Question::NthAt { room, seq } => {
                let before = self.story(room).iter().take_while(|it| it.seq <= seq);
                let nth = before.filter(|it| matches!(it.fact, Fact::Said { .. })).count();
                Found::NthAt(Some(Nth(nth as u64)))
            }
            other => panic!("nobody asks for this: {other:?}"),
        }
    }

    fn look_up_client_id(&self, author: UserId, client_id: ClientId) -> Found {
        let known = self.said.get(&(author, client_id)).map(|(room, seq)| {
            let event = &self.events[room][seq.0 as usize - 1];
            let Fact::Said { nth, text, .. } = &event.fact else { panic!("only what was said") };
            let (room, seq, nth, at) = (*room, *seq, *nth, event.at);
            let (text, is_announcement) = (Some(text.clone()), false);
            Arc::new(KnownMessage { room, seq, nth, at, text, is_announcement })
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
        let mut later = self.stored.rooms.iter().filter(|(id, _)| **id > after);
        let entry = |(id, it): (&RoomId, &StoredRoom)| RoomEntry {
            room: *id,
            name: it.name.clone(),
            members: self.stored.members.keys().filter(|(room, _)| room == id).count() as u64,
        };
        let rooms = later.by_ref().take(limit).map(entry).collect();
        (rooms, later.next().is_some())
    }
}
