//! The app's archive in memory: orders wait in a queue, and what is not committed when the app
//! dies never was.

use std::collections::{BTreeMap, VecDeque};

use parlor_desktop::model::{
    ArchiveNews, Keep, KeptPending, KeptRoom, KeptSession, Opened, Own, Pin, Session, SessionId,
    blank,
};
use parlor_shared::reply::PersonName;
use parlor_shared::{DeviceId, Nth, RoomEvent, RoomId, Seq, UserId, UserName};

/// What is on disk.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) device: DeviceId,
    pub(crate) counter: u64,
    /// The latest first.
    sessions: Vec<Session>,
    /// The latest first.
    pins: Vec<Pin>,
    selected: BTreeMap<SessionId, RoomId>,
    rooms: BTreeMap<(SessionId, RoomId), Kept>,
    own: BTreeMap<SessionId, Own>,
    names: BTreeMap<(SessionId, UserId), UserName>,
    /// Orders that are not committed yet.
    pub(crate) queue: VecDeque<Keep>,
    /// Events of each room that are read when the app starts.
    newest: usize,
}

#[derive(Clone, Debug)]
struct Kept {
    room: KeptRoom,
    events: VecDeque<RoomEvent>,
}

impl Memory {
    pub(crate) fn new(device: &str, newest: usize) -> Self {
        Self {
            device: device.parse().expect("a device"),
            counter: 0,
            sessions: Vec::new(),
            pins: Vec::new(),
            selected: BTreeMap::new(),
            rooms: BTreeMap::new(),
            own: BTreeMap::new(),
            names: BTreeMap::new(),
            queue: VecDeque::new(),
            newest,
        }
    }

    /// What the model begins with.
    pub(crate) fn opened(&self) -> Opened {
        let current = self.sessions.first().filter(|it| it.signed_in);
        Opened {
            device: self.device,
            counter: self.counter,
            sessions: self.sessions.clone(),
            pins: self.pins.clone(),
            current: current.map(|it| Box::new(self.kept_session(it.clone()))),
        }
    }

    /// What is kept of a session, where there is one.
    pub(crate) fn kept_of(&self, id: SessionId) -> Option<KeptSession> {
        let session = self.sessions.iter().find(|it| it.id == id)?;
        Some(self.kept_session(session.clone()))
    }

    pub(crate) fn kept_session(&self, session: Session) -> KeptSession {
        let of_session = self.rooms.iter().filter(|((it, _), _)| *it == session.id);
        let rooms = of_session.map(|(_, kept)| {
            let from = kept.events.len().saturating_sub(self.newest);
            let newest = kept.events.iter().skip(from).cloned().collect();
            let first_kept = kept.events.front().map_or(Seq(0), |it| it.seq);
            KeptRoom { newest, first_kept, ..kept.room.clone() }
        });
        KeptSession {
            selected: self.selected.get(&session.id).copied(),
            rooms: rooms.collect(),
            own: self.own.get(&session.id).cloned().unwrap_or_default(),
            names: self.names_of(session.id),
            session,
        }
    }

    fn names_of(&self, id: SessionId) -> Vec<PersonName> {
        let mine = self.names.iter().filter(|((session, _), _)| *session == id);
        mine.map(|((_, user), name)| PersonName { user: *user, name: name.clone() }).collect()
    }

    /// Commits the first `count` orders; their answers.
    pub(crate) fn commit(&mut self, count: usize) -> Vec<ArchiveNews> {
        let count = count.min(self.queue.len());
        let batch: Vec<Keep> = self.queue.drain(..count).collect();
        batch.into_iter().filter_map(|keep| self.carry_out(keep)).collect()
    }

    fn room(&mut self, session: SessionId, room: RoomId) -> Option<&mut Kept> {
        self.rooms.get_mut(&(session, room))
    }

    fn carry_out(&mut self, keep: Keep) -> Option<ArchiveNews> {
        match keep {
            Keep::Session(session) => {
                self.sessions.retain(|it| it.id != session.id);
                self.sessions.insert(0, session);
            }
            Keep::Pin(pin) => {
                self.pins.retain(|it| it.address != pin.address);
                self.pins.insert(0, pin);
            }
            Keep::ForgetPin(address) => self.pins.retain(|it| it.address != address),
            Keep::ForgetSession(id) => {
                self.sessions.retain(|it| it.id != id);
                self.selected.remove(&id);
                self.rooms.retain(|(session, _), _| *session != id);
                self.own.remove(&id);
                self.names.retain(|(session, _), _| *session != id);
            }
            Keep::OpenSession(id) => {
                let session = self.sessions.iter().find(|it| it.id == id)?.clone();
                let kept = Box::new(self.kept_session(session));
                return Some(ArchiveNews::SessionOpened(kept));
            }
            Keep::Selected { session, room } => _ = self.selected.insert(session, room),
            Keep::Room { session, room, name, read_seq, read_nth, last_seq, last_nth } => {
                let empty =
                    || Kept { room: empty_room(room, name.clone()), events: VecDeque::new() };
                let kept = self.rooms.entry((session, room)).or_insert_with(empty);
                kept.room.name = name;
                (kept.room.read_seq, kept.room.read_nth) = (read_seq, read_nth);
                (kept.room.last_seq, kept.room.last_nth) = (last_seq, last_nth);
            }
            Keep::ForgetRoom { session, room } => _ = self.rooms.remove(&(session, room)),
            Keep::Events { session, room, events, nth } => {
                let kept = self.room(session, room).expect("events come after their room");
                kept.keep_events(events, nth);
            }
            Keep::LoadOlder { ticket, session, room, before, limit } => {
                let events = match self.room(session, room) {
                    Some(kept) => kept.page(before, limit as usize),
                    None => Vec::new(),
                };
                return Some(ArchiveNews::Older { ticket, room, events });
            }
            Keep::Draft { session, room, text } => {
                if let Some(kept) = self.room(session, room) {
                    kept.room.draft = text;
                }
            }
            Keep::Pending { session, room, client_id, text, at, failed, held } => {
                self.counter = self.counter.max(client_id.counter);
                let kept = self.room(session, room).expect("messages come after their room");
                kept.keep_pending(KeptPending { client_id, text, at, failed, held });
                return Some(ArchiveNews::PendingSaved { room, client_id });
            }
            Keep::Own { session, own } => _ = self.own.insert(session, own),
            Keep::Names { session, names } => {
                for PersonName { user, name } in names {
                    self.names.insert((session, user), name);
                }
            }
            Keep::ForgetNames(id) => self.names.retain(|(session, _), _| *session != id),
            Keep::Erase { session, room, user, through } => {
                let kept = self.room(session, room).expect("erased after it was kept");
                for event in &mut kept.events {
                    if event.by == user && event.seq <= through {
                        blank(event);
                    }
                }
            }
            Keep::Settled { session, room, client_id } => {
                if let Some(kept) = self.room(session, room) {
                    kept.room.outbox.retain(|it| it.client_id != client_id);
                }
            }
        }
        None
    }
}

impl Kept {
    fn keep_pending(&mut self, pending: KeptPending) {
        let known = self.room.outbox.iter().position(|it| it.client_id == pending.client_id);
        match known {
            // One that is tried again goes to the end.
            Some(at) if self.room.outbox[at].failed.is_some() && pending.failed.is_none() => {
                self.room.outbox.remove(at);
                self.room.outbox.push(pending);
            }
            Some(at) => self.room.outbox[at] = pending,
            None => self.room.outbox.push(pending),
        }
    }

    fn keep_events(&mut self, events: Vec<RoomEvent>, nth: Nth) {
        for pair in events.windows(2) {
            assert_eq!(pair[0].seq.next(), pair[1].seq, "the model keeps contiguous events");
        }
        let (first, last) = (events[0].seq, events[events.len() - 1].seq);
        let oldest = self.events.front().map(|it| it.seq);
        if oldest == Some(last.next()) {
            for event in events.into_iter().rev() {
                self.events.push_front(event);
            }
            return;
        }
        let newest = self.events.back().map(|it| it.seq);
        assert!(newest.is_none_or(|it| it.next() == first), "a hole in what is kept");
        self.events.extend(events);
        self.room.kept_nth = nth;
    }

    fn page(&self, before: Seq, limit: usize) -> Vec<RoomEvent> {
        let older: Vec<_> = self.events.iter().filter(|it| it.seq < before).cloned().collect();
        older[older.len().saturating_sub(limit)..].to_vec()
    }
}

fn empty_room(room: RoomId, name: parlor_shared::RoomName) -> KeptRoom {
    KeptRoom {
        room,
        name,
        read_seq: Seq(0),
        read_nth: Nth(0),
        last_seq: Seq(0),
        last_nth: Nth(0),
        kept_nth: Nth(0),
        first_kept: Seq(0),
        newest: Vec::new(),
        draft: String::new(),
        outbox: Vec::new(),
    }
}
