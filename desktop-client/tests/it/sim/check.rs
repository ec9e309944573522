//! What has to be true once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parlor_desktop::model::{History, Intent, Room, What};
use parlor_server::chat::Chat;
use parlor_shared::{Fact, Limits, Reply, RoomEvent, RoomId, Seq, UserId};

use super::World;
use super::client::Client;

impl World {
    pub(super) fn check(&mut self) {
        self.check_the_server();
        for client in &self.clients {
            let me = client.model.me.as_ref().expect("everybody is back").user;
            self.check_what_was_said(client, me);
            self.check_rooms(client, me);
        }
        self.check_reading_to_the_end();
    }

    fn story(&self, room: RoomId) -> &[Arc<RoomEvent>] {
        self.server.disk.story(room)
    }

    fn check_the_server(&self) {
        let restored = Chat::new(self.server.disk.load(), Arc::new(Limits::default()));
        assert!(self.server.chat == restored, "the chat in memory is the chat on disk");
        for (user, ack) in &self.server.acked {
            let Reply::Said { room, client_id, seq, .. } = ack else { panic!("only says") };
            let event = &self.story(*room)[seq.0 as usize - 1];
            let is_it = matches!(&event.fact, Fact::Said { client_id: it, .. } if it == client_id);
            assert!(is_it && event.by == *user, "acked and lost: {client_id} at {room} {seq}");
        }
    }

    /// Everything that the app had saved was said exactly once, in the order of saying.
    fn check_what_was_said(&self, client: &Client, me: UserId) {
        let mut places: BTreeMap<&str, Vec<(RoomId, Seq)>> = BTreeMap::new();
        for room in self.server.disk.rooms().keys() {
            for event in self.story(*room).iter().filter(|it| it.by == me) {
                if let Fact::Said { text, .. } = &event.fact {
                    places.entry(text.as_str()).or_default().push((*room, event.seq));
                }
            }
        }
        let mut last = BTreeMap::new();
        for words in &client.words {
            let found = places.remove(words.text.as_str()).unwrap_or_default();
            assert_eq!(found.len(), 1, "{:?} must be said exactly once: {found:?}", words.text);
            let (room, seq) = found[0];
            assert_eq!(room, words.room, "{:?} is in another room", words.text);
            if !words.is_retried {
                let before = last.insert(room, seq);
                assert!(before < Some(seq), "{:?} overtook an earlier one", words.text);
            }
        }
        // The rest failed or was lost before it was saved: then nobody may have heard it, unless
        // it was stored and the person gave it up only afterwards.
        for (text, found) in places {
            assert_eq!(found.len(), 1, "{text:?} was said {found:?}");
        }
        let highest = self
            .server
            .disk
            .rooms()
            .keys()
            .flat_map(|room| self.story(*room))
            .filter(|it| it.by == me)
            .filter_map(|it| {
                if let Fact::Said { client_id, .. } = &it.fact {
                    return Some(client_id.counter);
                }
                None
            })
            .max();
        assert!(highest <= Some(client.memory.counter), "a counter was used and not kept");
    }

    fn check_rooms(&self, client: &Client, me: UserId) {
        let disk = &self.server.disk;
        let mine: BTreeSet<_> =
            disk.stored.members.keys().filter(|(_, it)| *it == me).map(|(room, _)| *room).collect();
        let shown: BTreeSet<_> =
            client.model.rooms.iter().filter(|(_, it)| it.is_member).map(|(id, _)| *id).collect();
        assert_eq!(shown, mine, "{} is in its rooms", client.name);
        for id in mine {
            let room = &client.model.rooms[&id];
            let place = format!("{} in {}", client.name, room.name);
            assert_eq!(room.outbox.len(), 0, "{place}: something is still to be said");
            self.check_timeline(client, id, room, &place);
            let read_later = |it: &&Arc<RoomEvent>| {
                it.seq > room.read_seq && matches!(it.fact, Fact::Said { .. })
            };
            let unread = self.story(id).iter().filter(read_later).count() as u64;
            assert_eq!(room.unread(), unread, "{place}: unread after {}", room.read_seq);
            let told = disk.stored.members[&(id, me)].read_seq;
            assert_eq!(told, room.read_seq, "{place}: the server knows what was read");
            if let Some(divider) = room.divider {
                let index = room.timeline.index_of(divider).expect("a divider is at a row");
                let row = room.timeline.get(index).expect("a row");
                assert!(row.text().is_some(), "{place}: the divider is at a message");
            }
        }
        if let Some((id, room)) = client.model.open_room() {
            let members: BTreeSet<_> = room.members.keys().copied().collect();
            let all = disk.stored.members.keys();
            let there: BTreeSet<_> =
                all.filter(|(it, _)| *it == id).map(|(_, user)| *user).collect();
            for (user, member) in &room.members {
                let called = &disk.stored.users[user].name;
                assert_eq!(member.name, *called, "{} knows what people are called", client.name);
            }
            assert_eq!(members, there, "{} sees who is in {}", client.name, room.name);
            let all_here = room.members.values().all(|it| it.here);
            assert!(all_here, "{} sees that everybody is here: {:?}", client.name, room.members);
        }
        let kept = client.memory.opened().current.expect("everybody is signed in");
        for it in kept.rooms.iter().filter(|it| shown.contains(&it.room)) {
            assert!(it.outbox.is_empty(), "{}: the archive still wants to send", client.name);
            assert_eq!(it.read_seq, client.model.rooms[&it.room].read_seq);
            assert_eq!(it.draft, client.model.rooms[&it.room].draft);
            let last = it.newest.last().map(|it| it.seq);
            assert_eq!(last, Some(disk.rooms()[&it.room].last_seq), "the archive has the newest");
            assert_eq!(it.kept_nth, disk.rooms()[&it.room].last_nth, "and counts them");
        }
    }

    fn check_timeline(&self, client: &Client, id: RoomId, room: &Room, place: &str) {
        let story = self.story(id);
        let timeline = &room.timeline;
        assert_eq!(timeline.len(), story.len(), "{place}: all of the story, nothing else");
        assert_eq!(room.history, History::Complete, "{place}: there is nothing above");
        let mut nth = 0;
        for ((seq, row), event) in timeline.iter().zip(story) {
            assert_eq!((seq, row.by), (event.seq, event.by), "{place}");
            assert_eq!(*row.name, event.name, "{place}");
            if let Some(user) = self.server.disk.stored.users.get(&row.by) {
                let called = client.model.names.of(row.by, &row.name);
                assert_eq!(*called, user.name, "{place}: old messages follow a new name");
            }
            let is_same = match (&row.what, &event.fact) {
                (What::Said(text), Fact::Said { text: told, nth: place, .. }) => {
                    nth = place.0;
                    text == told
                }
                (What::Opened(name), Fact::Opened { title }) => name == title,
                (What::Joined, Fact::Joined {}) | (What::Left, Fact::Left {}) => true,
                (What::Act(act), fact) => **act == *fact,
                _ => false,
            };
            assert!(is_same, "{place}: {row:?} is not {event:?}");
            assert_eq!(row.nth.0, nth, "{place}: messages up to {seq}");
        }
    }

    /// Everything seen, nothing unread, and so after a restart.
    fn check_reading_to_the_end(&mut self) {
        for i in 0..self.clients.len() {
            let rooms: Vec<_> = self.clients[i].model.rooms.keys().copied().collect();
            for &room in &rooms {
                let seq = self.clients[i].model.rooms[&room].timeline.last_seq();
                self.want(i, Intent::Seen { room, seq });
                assert_eq!(self.clients[i].model.rooms[&room].unread(), 0);
            }
            while !self.clients[i].memory.queue.is_empty() {
                self.archive_works(i);
            }
            let before = self.clients[i].model.rooms.clone();
            self.crash_app(i);
            for (id, room) in &self.clients[i].model.rooms {
                assert_eq!(room.unread(), 0, "after a restart everything is still read");
                assert_eq!(room.timeline.last_seq(), before[id].timeline.last_seq());
            }
        }
    }
}
