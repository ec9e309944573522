//! The server round its real brain: inbox, batches, a disk that may lose power, and wires that
//! may break. The same order as in the hub: save, commit, tell.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use parlor_server::chat::{
    Act, Arrival, Chat, Command, ConnectionId, Effect, From, Monotonic, TokenHash, Topic,
};
use parlor_shared::request::{History, Mine, Rooms};
use parlor_shared::{
    Limits, Refusal, Reply, Request, RequestFrame, RequestId, ResumeToken, ServerFrame, UnixMillis,
    UserId,
};

use super::Dice;
use super::disk::Disk;

/// Frames that may wait for one reader; beyond this it is slow, and cut.
const DOWN_MAX: usize = 7;
/// Events in a page, so that catching up takes several.
const PAGE_MAX: usize = 5;
/// When the first commit happened.
const EPOCH_MILLIS: u64 = 1_763_700_000_000;

pub(crate) struct Server {
    pub(crate) chat: Chat,
    pub(crate) disk: Disk,
    pub(crate) wires: BTreeMap<ConnectionId, Wire>,
    inbox: VecDeque<(ConnectionId, Act)>,
    last_connection: u64,
    limits: Arc<Limits>,
    /// Crashed, and not started again yet.
    pub(crate) is_down: bool,
    pub(crate) crashes: u64,
    pub(crate) cuts: u64,
    pub(crate) fulls: u64,
    /// Every acknowledged message: by whom, where.
    pub(crate) acked: Vec<(UserId, Reply)>,
}

/// One connection: frames under way in both directions.
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) up: VecDeque<RequestFrame>,
    pub(crate) down: VecDeque<ServerFrame>,
    topics: BTreeSet<Topic>,
    user: Option<UserId>,
    awaits_seat: bool,
    /// The server has said its last word.
    pub(crate) is_ending: bool,
}

/// How a batch ends.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Power {
    Stays,
    /// Goes before the commit.
    GoesBefore,
    /// Goes after the commit, before anybody is told.
    GoesAfter,
    /// Stays, but the disk is full.
    DiskFull,
}

impl Server {
    pub(crate) fn new() -> Self {
        let (disk, limits) = (Disk::new(), Arc::new(Limits::default()));
        Self {
            chat: Chat::new(disk.load(), Arc::clone(&limits)),
            disk,
            wires: BTreeMap::new(),
            inbox: VecDeque::new(),
            last_connection: 0,
            limits,
            is_down: false,
            crashes: 0,
            cuts: 0,
            fulls: 0,
            acked: Vec::new(),
        }
    }

    pub(crate) fn accept(&mut self) -> Option<ConnectionId> {
        if self.is_down {
            return None;
        }
        self.last_connection += 1;
        let id = ConnectionId(self.last_connection);
        self.wires.insert(id, Wire::default());
        Some(id)
    }

    /// The wire is gone, whoever cut it; what was on it is gone too.
    pub(crate) fn lose(&mut self, id: ConnectionId) {
        if self.wires.remove(&id).is_some() {
            self.inbox.push_back((id, Act::Lost { connection: id }));
        }
    }

    /// A connection's own thread takes one frame: answers a read, passes on the rest.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest goes to the hub as it is")]
    pub(crate) fn read(&mut self, id: ConnectionId, dice: &mut Dice, is_healing: bool) {
        let Some(wire) = self.wires.get_mut(&id).filter(|it| !it.awaits_seat && !it.is_ending)
        else {
            return;
        };
        let Some(RequestFrame { id: request_id, request }) = wire.up.pop_front() else { return };
        let act = match request {
            Request::Hello(hello) => {
                wire.awaits_seat = true;
                let arrival = match (hello.name, hello.token) {
                    (_, Some(token)) => Arrival::Known { hash: TokenHash::of_token(&token) },
                    (Some(name), None) => {
                        let mut token = [0; 32];
                        token[..8].copy_from_slice(&dice.roll().to_le_bytes());
                        token[8..16].copy_from_slice(&id.0.to_le_bytes());
                        let token = ResumeToken(token);
                        Arrival::Guest { name, token, invite: None, fact: None }
                    }
                    (None, None) => panic!("the app says who it is"),
                };
                let from = From {
                    source: IpAddr::V4(Ipv4Addr::LOCALHOST),
                    is_private: true,
                    device: None,
                };
                Act::Hello { connection: id, id: request_id, arrival, from }
            }
            Request::History(ask) => return self.answer_history(id, request_id, &ask),
            Request::Rooms(ask) => return self.answer_rooms(id, request_id, &ask),
            Request::Mine(ask) => return self.answer_mine(id, request_id, &ask),
            _ if !is_healing && dice.one_in(20) => {
                let refused = Refusal::RateLimited { retry_millis: 50 };
                wire.down.push_back(ServerFrame::refused(Some(request_id), refused));
                return;
            }
            request => {
                let brought = Box::default();
                Act::Ask { connection: id, id: request_id, request, brought, fact: None }
            }
        };
        self.inbox.push_back((id, act));
    }

    fn answer_history(&mut self, id: ConnectionId, request: RequestId, ask: &History) {
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let is_member = wire.user.is_some_and(|it| self.disk.is_member(ask.room, it));
        wire.down.push_back(if is_member {
            let limit = PAGE_MAX.min(ask.limit.unwrap_or(200) as usize);
            let (events, more) = self.disk.page(ask.room, ask.page, limit);
            let last_seq = self.disk.rooms()[&ask.room].last_seq;
            let names = self.disk.names(&events);
            let ok = Reply::Page { room: ask.room, events, more, last_seq, names };
            ServerFrame::Ok { id: request, ok }
        } else {
            ServerFrame::refused(Some(request), Refusal::NoSuchRoom)
        });
    }

    fn answer_mine(&mut self, id: ConnectionId, request: RequestId, ask: &Mine) {
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let Some(user) = wire.user else { return };
        let (events, more) = self.disk.mine(user, ask.after, 3);
        let last = self.disk.stored.users[&user].mine;
        let ok = Reply::Mine { events, more, last };
        wire.down.push_back(ServerFrame::Ok { id: request, ok });
    }

    fn answer_rooms(&mut self, id: ConnectionId, request: RequestId, ask: &Rooms) {
        let (rooms, more) = self.disk.list(ask.after.unwrap_or_default(), 2);
        if let Some(wire) = self.wires.get_mut(&id) {
            let ok = Reply::Rooms { rooms, more };
            wire.down.push_back(ServerFrame::Ok { id: request, ok });
        }
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.inbox.is_empty()
    }

    pub(crate) fn tick(&mut self) {
        self.inbox.push_back((ConnectionId(0), Act::Tick));
    }

    pub(crate) fn stop(&mut self, random: u64) {
        self.inbox.push_back((ConnectionId(0), Act::Stop { random }));
    }

    /// One batch of the hub.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not saved is released")]
    pub(crate) fn batch(&mut self, count: usize, now: u64, power: Power) {
        let count = count.min(self.inbox.len());
        let acts: Vec<_> = self.inbox.drain(..count).collect();
        let mut disk = self.disk.clone();
        let mut released = Vec::new();
        let (mut hellos, mut asks) = (BTreeSet::new(), Vec::new());
        let (mut told, mut again) = (Vec::new(), Vec::new());
        for (connection, act) in acts {
            let mut happens_anyway = false;
            match &act {
                Act::Hello { id, .. } => {
                    hellos.insert(connection);
                    asks.push((connection, *id));
                }
                // What only looks is asked again.
                Act::Ask { request: Request::Members(_) | Request::Ping(_), .. } => {
                    again.push((connection, act.clone()));
                }
                Act::Ask { id, .. } => asks.push((connection, *id)),
                // Who is gone is gone, whatever the disk says.
                Act::Lost { .. } | Act::Tick | Act::Stop { .. } => happens_anyway = true,
                Act::Forgot { .. } | Act::Mailed { .. } => panic!("nobody asks for it"),
            }
            let at = UnixMillis(EPOCH_MILLIS + now);
            let mut command = Command { now: Monotonic(now), at, act };
            if let Some(question) = self.chat.needs(&command) {
                command.learn(disk.look_up(question));
            }
            for effect in self.chat.apply(command) {
                match effect {
                    Effect::Save(record) => disk.save(&record),
                    other => {
                        if happens_anyway {
                            told.push(other.clone());
                        }
                        released.push(other);
                    }
                }
            }
        }
        match power {
            Power::GoesBefore => self.crash(),
            Power::GoesAfter => {
                self.disk = disk;
                self.crash();
            }
            Power::DiskFull => {
                self.fulls += 1;
                self.chat.roll_back(self.disk.load(), &hellos);
                for (connection, id) in asks {
                    if let Some(wire) = self.wires.get_mut(&connection) {
                        wire.awaits_seat = false;
                        let refused = Refusal::StorageFull;
                        wire.down.push_back(ServerFrame::refused(Some(id), refused));
                    }
                }
                for effect in told {
                    self.tell(effect);
                }
                self.inbox.extend(again);
            }
            Power::Stays => {
                self.disk = disk;
                for effect in released {
                    self.tell(effect);
                }
            }
        }
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.is_down = true;
        self.chat = Chat::new(self.disk.load(), Arc::clone(&self.limits));
        self.inbox.clear();
        self.wires.clear();
    }

    fn tell(&mut self, effect: Effect) {
        match effect {
            Effect::Save(_) => panic!("saved before"),
            Effect::Reply { to, frame } => {
                if let Some(wire) = self.wires.get_mut(&to) {
                    if let (Some(user), ServerFrame::Ok { ok: ok @ Reply::Said { .. }, .. }) =
                        (wire.user, &frame)
                    {
                        self.acked.push((user, ok.clone()));
                    }
                    wire.down.push_back(frame);
                }
            }
            Effect::Publish { topic, event } => {
                for wire in self.wires.values_mut().filter(|it| it.topics.contains(&topic)) {
                    wire.down.push_back(ServerFrame::Event(event.to_event()));
                }
            }
            Effect::Listen { connection, topic } => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    wire.topics.insert(topic);
                }
            }
            Effect::Unlisten { connection, topic } => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    wire.topics.remove(&topic);
                }
            }
            Effect::Seat { connection, user } => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    (wire.user, wire.awaits_seat) = (user, false);
                }
            }
            Effect::Expel { .. } | Effect::BackUp => panic!("nobody asks for it"),
            Effect::Close { connection } => {
                if let Some(wire) = self.wires.get_mut(&connection) {
                    wire.is_ending = true;
                }
            }
        }
    }

    /// Connections whose readers are too slow.
    pub(crate) fn cut_slow_readers(&mut self) {
        let is_slow = |it: &(&ConnectionId, &Wire)| it.1.down.len() > DOWN_MAX;
        let slow: Vec<_> = self.wires.iter().filter(is_slow).map(|(id, _)| *id).collect();
        for id in slow {
            self.cuts += 1;
            self.lose(id);
        }
    }
}
