//! Talkers who note everything: what they tried, what was acknowledged, what they heard; and who
//! come back after a crash, send again what was never answered, and read everything.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use parlor_shared::{
    ClientId, Event, LOBBY_ID, Notice, Refusal, Reply, RequestId, ResumeToken, RoomEvent, RoomId,
    Seq, ServerFrame, UserId,
};

use crate::checker::{Outcome, Seen, Try};
use crate::client::{Client, Silence, say};
use crate::harness::{PATIENCE, TestServer};

/// One person with one device.
pub(crate) struct Talker {
    name: String,
    token: Option<ResumeToken>,
    user: Option<UserId>,
    client: Option<Client>,
    counter: u64,
    rooms: Vec<RoomId>,
    /// Said and not answered, in the order of saying.
    waiting: BTreeMap<RequestId, Try>,
    pub(crate) tries: Vec<Try>,
    /// What was heard on each of its connections.
    heard: Vec<Vec<RoomEvent>>,
    was_told: bool,
}

impl Talker {
    /// Comes in as a new guest; `None` when the server is gone before it says so.
    pub(crate) fn arrive(server: SocketAddr, name: &str) -> Option<Self> {
        let mut client = Client::try_connect(server).ok()?;
        let id = client.send_hello(Some(name), None);
        let Ok(Ok(Reply::Welcome(welcome))) = client.answer(id) else { return None };
        Some(Self {
            name: name.to_lowercase(),
            token: welcome.token,
            user: Some(welcome.user),
            client: Some(client),
            counter: 0,
            rooms: vec![LOBBY_ID],
            waiting: BTreeMap::new(),
            tries: Vec::new(),
            heard: vec![Vec::new()],
            was_told: false,
        })
    }

    /// Comes in with a token; false when the server is gone before it says so.
    pub(crate) fn come_back(&mut self, server: SocketAddr) -> bool {
        let Ok(mut client) = Client::try_connect(server) else { return false };
        let id = client.send_hello(None, self.token);
        match client.answer(id) {
            Ok(Ok(Reply::Welcome(welcome))) => {
                assert_eq!(Some(welcome.user), self.user, "the same guest");
                self.rooms = welcome.rooms.iter().map(|it| it.room).collect();
                self.client = Some(client);
                self.heard.push(Vec::new());
                true
            }
            Ok(other) => panic!("{} may not come back: {other:?}", self.name),
            Err(_) => false,
        }
    }

    /// The same person before anything was said here: who it is, and how far its counter got.
    pub(crate) fn fresh_copy(&self) -> Self {
        Self {
            name: self.name.clone(),
            token: self.token,
            user: self.user,
            client: None,
            counter: self.counter,
            rooms: Vec::new(),
            waiting: BTreeMap::new(),
            tries: self.tries.clone(),
            heard: vec![Vec::new()],
            was_told: false,
        }
    }

    pub(crate) fn token(&self) -> ResumeToken {
        self.token.expect("arrived")
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("connected")
    }

    /// Says something new without waiting for the answer.
    pub(crate) fn say(&mut self, room: RoomId) {
        self.counter += 1;
        let client_id: ClientId = format!("{}-{}", self.name, self.counter).parse().expect("an id");
        let text = format!("{} says number {}", self.name, self.counter);
        let by = self.user.expect("arrived");
        self.try_it(Try { by, room, client_id, text, outcome: Outcome::Unknown });
    }

    fn try_it(&mut self, it: Try) {
        let request = say(it.room, &it.client_id.to_string(), &it.text);
        let id = self.client().send(request);
        self.waiting.insert(id, it);
    }

    /// Says `texts` new things in each room, a few at once, until done or cut.
    pub(crate) fn talk(&mut self, texts: usize, at_once: usize) {
        for _ in 0..texts {
            for room in self.rooms.clone() {
                self.say(room);
            }
            while self.waiting.len() >= at_once {
                if !self.hear_one(PATIENCE) {
                    return;
                }
            }
        }
        while !self.waiting.is_empty() && self.hear_one(PATIENCE) {}
    }

    /// Takes one line; false when there is none in time, or never more.
    pub(crate) fn hear_one(&mut self, patience: Duration) -> bool {
        let frame = match self.client().frame(patience) {
            Ok(frame) => frame,
            Err(Silence::Closed | Silence::Late) => return false,
        };
        match frame {
            ServerFrame::Ok { id, ok } => {
                if let Some(it) = self.waiting.remove(&id) {
                    let Reply::Said { seq, .. } = ok else { panic!("answered {ok:?}") };
                    self.tries.push(Try { outcome: Outcome::Ok(seq), ..it });
                }
            }
            ServerFrame::Refused { id: Some(id), refused, .. } => {
                if let Some(it) = self.waiting.remove(&id) {
                    let sure = matches!(refused, Refusal::StorageFull | Refusal::NoSuchRoom);
                    assert!(sure, "refused {refused:?}");
                    self.tries.push(Try { outcome: Outcome::Rejected, ..it });
                }
            }
            ServerFrame::Refused { id: None, .. } => {}
            ServerFrame::Event(Event::Room(event)) => {
                self.heard.last_mut().expect("a connection").push(event);
            }
            ServerFrame::Event(Event::Notice(Notice::GoingAway { .. })) => self.was_told = true,
            ServerFrame::Event(Event::User(_) | Event::Notice(_)) => {}
        }
        true
    }

    /// The connection is over: what was not answered is unknown. Hears what is still in the pipe.
    pub(crate) fn cut(&mut self) {
        if let Some(client) = &self.client {
            client.stream.shutdown(std::net::Shutdown::Write).ok();
            while self.hear_one(PATIENCE) {}
        }
        self.client = None;
        self.tries.extend(std::mem::take(&mut self.waiting).into_values());
    }

    /// Sends again whatever is still unknown, with the same client ids, in the old order.
    pub(crate) fn resend(&mut self) {
        let settled: BTreeSet<ClientId> = self
            .tries
            .iter()
            .filter(|it| it.outcome != Outcome::Unknown)
            .map(|it| it.client_id)
            .collect();
        let open: BTreeMap<u64, Try> = self
            .tries
            .iter()
            .filter(|it| !settled.contains(&it.client_id))
            .map(|it| (it.client_id.counter, it.clone()))
            .collect();
        for it in open.into_values() {
            self.try_it(it);
        }
        while !self.waiting.is_empty() {
            assert!(self.hear_one(PATIENCE), "a resend is answered");
        }
    }

    /// The server said that it goes.
    pub(crate) fn was_told(&self) -> bool {
        self.was_told
    }

    /// How many were acknowledged.
    pub(crate) fn acked(&self) -> usize {
        self.tries.iter().filter(|it| matches!(it.outcome, Outcome::Ok(_))).count()
    }

    /// What it tried and heard goes into the record.
    pub(crate) fn report(&mut self, seen: &mut Seen) {
        seen.tries.append(&mut self.tries);
        for heard in &mut self.heard {
            seen.heard(&self.name, std::mem::take(heard));
        }
    }
}

/// After whatever happened: everybody comes back, sends again what is unknown, reads everything,
/// and the record has to be right.
pub(crate) fn settle(server: &TestServer, mut talkers: Vec<Talker>) -> Seen {
    let mut seen = Seen::default();
    for talker in &mut talkers {
        talker.cut();
        talker.report(&mut seen);
    }
    let tries = seen.tries.clone();
    for talker in &mut talkers {
        assert!(talker.come_back(server.address), "the server is there again");
        talker.tries = tries.iter().filter(|it| Some(it.by) == talker.user).cloned().collect();
        talker.resend();
        talker.report(&mut seen);
    }
    for talker in &mut talkers {
        for room in talker.rooms.clone() {
            let events = talker.client().after(room, Seq(0));
            let known = seen.rooms.entry(room).or_insert_with(|| events.clone());
            assert_eq!(*known, events, "two readers of room {room}");
        }
    }
    seen.assert_right();
    seen
}
