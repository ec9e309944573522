//! Who hears what: delivery in small, and what has to be true of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use parlor_server::chat::{ConnectionId, Effect, Heard, Record, SHELL, Topic};
use parlor_shared::{Event, Fact, Notice, Reply, RoomEvent, ServerFrame, UserEvent, UserId};

use super::world::World;

impl World {
    /// What store and delivery do with the effects, and what has to be true of them.
    pub(super) fn perform(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Seat { connection, user } = effect {
                self.state.hearers.entry(*connection).or_default().user = *user;
            }
        }
        let (mut saved, mut saved_own) = (Vec::new(), BTreeSet::new());
        for effect in effects {
            match effect {
                Effect::Save(record) => {
                    self.state.disk.save(record);
                    self.state.records.push(record.clone());
                    match record {
                        Record::Event { event, .. } => saved.push(Arc::clone(event)),
                        Record::UserEvent { user, event } => {
                            saved_own.insert((*user, event.mine));
                        }
                        Record::Read { user, mine, .. } => _ = saved_own.insert((*user, *mine)),
                        _ => {}
                    }
                }
                Effect::Publish { topic, event: Heard::Room(event) } => {
                    assert_eq!(*topic, Topic::Room(event.room));
                    assert!(saved.iter().any(|it| Arc::ptr_eq(it, event)), "said before saved");
                    self.hear(event);
                }
                Effect::Publish { topic, event: Heard::Notice(notice) } => {
                    self.check_notice(*topic, notice);
                }
                Effect::Listen { connection, topic } => {
                    let hearer = self.state.hearers.entry(*connection).or_default();
                    hearer.listens.insert(*topic);
                    if let Topic::Room(room) = topic {
                        hearer.places.insert(*room, self.state.disk.last_seq(*room));
                    }
                }
                Effect::Unlisten { connection, topic } => {
                    let hearer = self.state.hearers.entry(*connection).or_default();
                    assert!(hearer.listens.remove(topic), "was not listening");
                }
                Effect::Publish { topic, event: Heard::User(event) } => {
                    let Topic::User(of) = topic else { panic!("{event:?} to {topic:?}") };
                    assert!(saved_own.contains(&(*of, event.mine)), "said before saved");
                    self.hear_own(*of, event);
                }
                Effect::Close { connection } => self.end(*connection),
                Effect::Expel { connection, .. } => {
                    let hearer = &self.state.hearers[connection];
                    assert!(hearer.listens.is_empty(), "whoever is put out hears nothing more");
                    self.end(*connection);
                }
                Effect::Reply { to, frame } => self.check_places(*to, frame),
                Effect::Seat { .. } | Effect::BackUp => {}
            }
        }
        self.check_listeners();
    }

    /// No disk can undo that a connection is over.
    fn end(&mut self, connection: ConnectionId) {
        self.state.hearers.remove(&connection);
        self.slots.retain(|_, it| *it != connection);
        self.gone.insert(connection);
    }

    /// Everybody who is a member at this place hears it, as the next thing; nobody else.
    fn hear(&mut self, event: &RoomEvent) {
        let leaves = match &event.fact {
            Fact::Left {} => Some(event.by),
            Fact::Kicked { user, .. } | Fact::Banned { user, .. } => Some(*user),
            _ => None,
        };
        for hearer in self.state.hearers.values_mut() {
            let Some(user) = hearer.user else {
                assert!(!hearer.listens.contains(&Topic::Room(event.room)), "a stranger hears");
                continue;
            };
            let may = self.state.disk.is_member(event.room, user) || leaves == Some(user);
            let does = hearer.listens.contains(&Topic::Room(event.room));
            assert_eq!(may, does, "user {user} and {event:?}");
            if does {
                let place = hearer.places.get_mut(&event.room).expect("a place");
                assert_eq!(event.seq, place.next(), "a hole or a double for user {user}");
                *place = event.seq;
            }
        }
    }

    /// Every connection of the user hears it, nobody else, and places only grow.
    fn hear_own(&mut self, of: UserId, event: &UserEvent) {
        let topic = Topic::User(of);
        for hearer in self.state.hearers.values_mut() {
            let hears = hearer.listens.contains(&topic);
            // Who is being put out hears nothing any more.
            let is_theirs = hearer.user == Some(of) && !hearer.listens.is_empty();
            assert_eq!(is_theirs, hears, "{event:?} of user {of}");
            if hears {
                assert!(event.mine > hearer.mine, "the own stream grows");
                hearer.mine = event.mine;
            }
        }
    }

    fn check_notice(&self, topic: Topic, notice: &Notice) {
        // Whoever is put out has stopped listening before it is told.
        let is_here = |it: &&super::world::Hearer, user: &UserId| {
            it.user == Some(*user) && !it.listens.is_empty()
        };
        let connected =
            |user: &UserId| self.state.hearers.values().filter(|it| is_here(it, user)).count();
        match notice {
            Notice::WentAway { room, user, name } => {
                assert_eq!(topic, Topic::Room(*room));
                assert_eq!(*name, self.state.disk.stored.users[user].name);
                assert!(self.state.disk.is_member(*room, *user));
                // The one that said goodbye is closed right after.
                assert!(connected(user) <= 1, "away with a connection");
            }
            Notice::IsBack { room, user, .. } => {
                assert_eq!(topic, Topic::Room(*room));
                assert_eq!(connected(user), 1, "back with the first connection");
            }
            Notice::RoomListed { room, name } => {
                assert_eq!(topic, Topic::Everyone);
                assert_eq!(*name, self.state.disk.stored.rooms[room].name);
            }
            Notice::RoomUnlisted { room } => {
                assert_eq!(topic, Topic::Everyone);
                assert!(self.state.disk.stored.rooms[room].has_ended);
            }
            Notice::EnteredRoom(_) | Notice::LeftRoom { .. } => {
                panic!("is told to single connections: {notice:?}")
            }
            Notice::Ping {} | Notice::GoingAway { .. } | Notice::Unknown => {
                panic!("not from here: {notice:?}")
            }
        }
    }

    /// `last_seq` in an answer is where live hearing begins: no gap, no overlap.
    fn check_places(&self, to: ConnectionId, frame: &ServerFrame) {
        if let ServerFrame::Event(Event::Notice(Notice::EnteredRoom(joined))) = frame {
            assert!(self.state.hearers[&to].listens.contains(&Topic::Room(joined.room)));
        }
        let ServerFrame::Ok { ok, .. } = frame else { return };
        let joined = match ok {
            Reply::Welcome(welcome) => &welcome.rooms[..],
            Reply::Joined(joined) => std::slice::from_ref(joined),
            _ => return,
        };
        for it in joined {
            let heard = self.state.hearers[&to].places[&it.room];
            let own = |it: &&Arc<RoomEvent>| Some(it.by) == self.state.hearers[&to].user;
            let newest = self.state.disk.events.get(&it.room).and_then(|it| it.last());
            // The own arrival is the first thing that is heard live; it is told after the answer.
            let expected = if heard > it.last_seq {
                assert!(newest.filter(own).is_some());
                it.last_seq.next()
            } else {
                it.last_seq
            };
            assert_eq!(heard, expected, "in room {}", it.room);
        }
    }

    /// Between commands everybody listens to exactly what they may hear.
    pub(super) fn check_listeners(&self) {
        for (connection, hearer) in &self.state.hearers {
            let mut expected = BTreeSet::new();
            if let Some(user) = hearer.user.filter(|it| *it != SHELL) {
                expected.extend([Topic::Everyone, Topic::User(user)]);
                expected.extend(self.state.disk.rooms_of(user).into_iter().map(Topic::Room));
            }
            assert_eq!(hearer.listens, expected, "{connection:?}");
        }
    }
}
