//! Properties of `Chat::apply` under any sequence of commands, cut into any batches, some of
//! which the disk refuses: one dense story per room, saved before said, heard by exactly those
//! who may hear it, and the same chat again when it is loaded from what was saved.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names the answer that it waits for; whatever else there may be one day is wrong"
)]

mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parlor_server::chat::{
    Act, Arrival, Chat, Command, ConnectionId, Effect, From, Heard, Monotonic, Record, TokenHash,
    Topic,
};
use parlor_shared::request::{CreateRoom, Join, Leave, Members, Nothing, Request, Say};
use parlor_shared::{
    Event, Fact, LOBBY_ID, Limits, Notice, Refusal, Reply, RequestId, ResumeToken, RoomEvent,
    RoomId, Seq, ServerFrame, UnixMillis, UserEvent, UserId,
};
use proptest::prelude::*;

use disk::Disk;

/// A token that no other number has.
fn fresh_token(number: u64) -> ResumeToken {
    let mut token = [0; 32];
    token[..8].copy_from_slice(&number.to_le_bytes());
    ResumeToken(token)
}

/// Each slot is a place of its own.
fn from_slot(slot: u64) -> From {
    let source = [10, 0, 0, slot as u8].into();
    From { source, is_private: true, device: None }
}

const SLOTS: u64 = 6;
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

fn limits() -> Limits {
    Limits {
        rooms: 5,
        rooms_joined: 3,
        rooms_made: 2,
        users: 5,
        sessions_per_user: 2,
        devices_remembered: 1,
        list_entries: 3,
        ..Limits::default()
    }
}

/// One thing that may happen. Small numbers, so that things meet.
#[derive(Clone, Debug)]
enum Op {
    Guest { slot: u64, name: u8 },
    Known { slot: u64, who: u8 },
    Ask { slot: u64, ask: Ask },
    Lost { slot: u64 },
    Pass { millis: u64 },
    ClockBack { millis: u64 },
    Commit,
    Full,
    Restart,
    Stop,
}

#[derive(Clone, Debug)]
enum Ask {
    Create(u8),
    Join(u8),
    Leave(u8),
    Members(u8, u8),
    Say { room: u8, device: bool, counter: u64, text: u8 },
    Exit,
    Goodbye,
    Ping,
}

fn asks() -> impl Strategy<Value = Ask> {
    prop_oneof![
        2 => (0..4_u8).prop_map(Ask::Create),
        4 => (0..4_u8).prop_map(Ask::Join),
        2 => (1..4_u8).prop_map(Ask::Leave),
        1 => (1..4_u8, 0..4_u8).prop_map(|(room, after)| Ask::Members(room, after)),
        12 => (1..4_u8, any::<bool>(), 1..6_u64, 0..2_u8)
            .prop_map(|(room, device, counter, text)| Ask::Say { room, device, counter, text }),
        1 => Just(Ask::Exit),
        1 => Just(Ask::Goodbye),
        1 => Just(Ask::Ping),
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    let slot = || 0..SLOTS;
    prop_oneof![
        4 => (slot(), 0..8_u8).prop_map(|(slot, name)| Op::Guest { slot, name }),
        4 => (slot(), 0..6_u8).prop_map(|(slot, who)| Op::Known { slot, who }),
        24 => (slot(), asks()).prop_map(|(slot, ask)| Op::Ask { slot, ask }),
        2 => slot().prop_map(|slot| Op::Lost { slot }),
        3 => prop_oneof![1..30_000_u64, Just(DAY_MILLIS), Just(31 * DAY_MILLIS)]
            .prop_map(|millis| Op::Pass { millis }),
        1 => prop_oneof![Just(1_000_u64), Just(DAY_MILLIS)]
            .prop_map(|millis| Op::ClockBack { millis }),
        5 => Just(Op::Commit),
        1 => Just(Op::Full),
        1 => Just(Op::Restart),
        1 => Just(Op::Stop),
    ]
}

/// A connection as delivery and its client see it.
#[derive(Clone, Debug, Default)]
struct Hearer {
    user: Option<UserId>,
    listens: BTreeSet<Topic>,
    /// The last place that was heard, or from which on things will be heard.
    places: BTreeMap<RoomId, Seq>,
    /// The same for the own stream.
    mine: Seq,
}

/// Everything that a failed batch takes back.
#[derive(Clone)]
struct State {
    disk: Disk,
    hearers: BTreeMap<ConnectionId, Hearer>,
    tokens: Vec<TokenHash>,
}

struct World {
    chat: Chat,
    limits: Arc<Limits>,
    now: u64,
    at: u64,
    made: u64,
    slots: BTreeMap<u64, ConnectionId>,
    state: State,
    committed: State,
    /// What this batch cannot take back, and who said hello in it.
    gone: BTreeSet<ConnectionId>,
    hellos: BTreeSet<ConnectionId>,
}

impl World {
    fn new() -> Self {
        let (limits, disk) = (Arc::new(limits()), Disk::new());
        let state = State { disk, hearers: BTreeMap::new(), tokens: Vec::new() };
        Self {
            chat: Chat::new(state.disk.load(), Arc::clone(&limits)),
            limits,
            now: 1,
            at: 1_000 * DAY_MILLIS,
            made: 0,
            slots: BTreeMap::new(),
            committed: state.clone(),
            state,
            gone: BTreeSet::new(),
            hellos: BTreeSet::new(),
        }
    }

    /// The slot's connection, a fresh one when its last has ended.
    fn connection(&mut self, slot: u64) -> ConnectionId {
        let made = &mut self.made;
        let connection = *self.slots.entry(slot).or_insert_with(|| {
            *made += 1;
            ConnectionId(*made)
        });
        self.state.hearers.entry(connection).or_default();
        self.committed.hearers.entry(connection).or_default();
        connection
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Guest { slot, name } => {
                self.made += 1;
                let token = fresh_token(self.made);
                let hash = TokenHash::of_token(&token);
                let name =
                    ["Ann", "ANN", "Bob", "Cleo", "Dan", "Eve", "Fay", "Аnn"][usize::from(name)];
                let name = name.parse().expect("a name");
                self.hello(
                    slot,
                    Arrival::Guest { name, token, invite: None, fact: None },
                    Some(hash),
                );
            }
            Op::Known { slot, who } => {
                let hash = self.state.tokens.get(usize::from(who)).copied();
                let hash = hash.unwrap_or(TokenHash([0; 32]));
                self.hello(slot, Arrival::Known { hash }, None);
            }
            Op::Ask { slot, ask } => self.ask(slot, ask),
            Op::Lost { slot } => {
                let connection = self.connection(slot);
                self.slots.remove(&slot);
                self.gone.insert(connection);
                let effects = self.apply(Act::Lost { connection });
                assert!(effects.contains(&Effect::Close { connection }));
            }
            Op::Pass { millis } => {
                (self.now, self.at) = (self.now + millis, self.at + millis);
                self.tick();
            }
            Op::ClockBack { millis } => self.at -= millis,
            Op::Commit => self.commit(),
            Op::Full => self.fail(),
            Op::Restart => self.restart(),
            Op::Stop => {
                let seated: Vec<_> =
                    self.state.hearers.iter().filter(|it| it.1.user.is_some()).collect();
                let seated: BTreeSet<_> = seated.iter().map(|it| *it.0).collect();
                let effects = self.chat.clone().apply(self.command(Act::Stop { random: 9 }));
                let told = effects.iter().filter_map(|it| match it {
                    Effect::Reply { to, frame: ServerFrame::Event(_) } => Some(*to),
                    _ => None,
                });
                assert_eq!(told.collect::<BTreeSet<_>>(), seated, "everybody is told once");
            }
        }
    }

    fn command(&self, act: Act) -> Command {
        Command { now: Monotonic(self.now), at: UnixMillis(self.at), act }
    }

    fn tick(&mut self) {
        let due = self.chat.next_wakeup().is_some_and(|it| it.0 <= self.now);
        let effects = self.apply(Act::Tick);
        // Not the other way round: who came and went in a batch that the disk refused is nobody.
        assert!(due || effects.is_empty(), "time passed before it was due");
        assert!(self.chat.next_wakeup().is_none_or(|it| it.0 > self.now));
    }

    fn hello(&mut self, slot: u64, arrival: Arrival, fresh: Option<TokenHash>) {
        let connection = self.connection(slot);
        let was = self.state.hearers[&connection].user;
        if was.is_none() {
            self.hellos.insert(connection);
        }
        let id = RequestId(self.made);
        let effects = self.apply(Act::Hello { connection, id, arrival, from: from_slot(slot) });
        let seats: Vec<_> = effects
            .iter()
            .filter_map(|it| if let Effect::Seat { user, .. } = it { Some(*user) } else { None })
            .collect();
        assert_eq!(seats.len(), 1, "the connection's thread waits for exactly one word");
        match self.answer(&effects, connection, id) {
            Ok(Reply::Welcome(welcome)) => {
                assert_eq!(seats[0], Some(welcome.user));
                assert_eq!(welcome.token.is_some(), fresh.is_some());
                self.state.tokens.extend(fresh);
                let rooms: Vec<_> = welcome.rooms.iter().map(|it| it.room).collect();
                let mine = self.state.disk.rooms_of(welcome.user);
                assert_eq!(rooms, mine, "welcome names the rooms, by id");
            }
            Ok(other) => panic!("hello was answered {other:?}"),
            Err(_) => assert_eq!(seats[0], was),
        }
    }

    fn ask(&mut self, slot: u64, ask: Ask) {
        let connection = self.connection(slot);
        self.made += 1;
        let id = RequestId(self.made);
        let room = |it: u8| RoomId(u64::from(it));
        let name = |it: u8| ["lobby", "Garden", "garden", "attic"][usize::from(it)];
        let ends = matches!(ask, Ask::Exit | Ask::Goodbye);
        let said = |room, client_id: String, text: &str| {
            let (client_id, text) =
                (client_id.parse().expect("an id"), text.parse().expect("a text"));
            Request::Say(Say { room, client_id, text })
        };
        let request = match ask {
            Ask::Create(it) => {
                Request::CreateRoom(CreateRoom { name: name(it).parse().expect("a name") })
            }
            Ask::Join(it) => Request::Join(Join { name: name(it).parse().expect("a name") }),
            Ask::Leave(it) => Request::Leave(Leave { room: room(it) }),
            Ask::Members(it, after) => Request::Members(Members {
                room: room(it),
                after: (after > 0).then_some(UserId(u64::from(after))),
            }),
            Ask::Say { room: it, device, counter, text } => {
                let device = if device { "phone" } else { "desk" };
                said(room(it), format!("{device}-{counter}"), ["one", "two"][usize::from(text)])
            }
            Ask::Exit => said(LOBBY_ID, "x-1".to_owned(), "[EXIT]"),
            Ask::Goodbye => Request::Goodbye(Nothing {}),
            Ask::Ping => Request::Ping(Nothing {}),
        };
        let user = self.state.hearers[&connection].user;
        let before = self.state.disk.clone();
        let asked = request.clone();
        let effects =
            self.apply(Act::Ask { connection, id, request, brought: Box::default(), fact: None });
        let answer = self.answer(&effects, connection, id);
        let Some(user) = user else {
            assert_eq!(answer, Err(Refusal::HelloFirst));
            return;
        };
        if let Request::Say(say) = &asked
            && !ends
        {
            self.check_said(&before, user, say, answer);
        } else if let (Request::Members(asked), Ok(Reply::Members { as_of, members, more, .. })) =
            (&asked, &answer)
        {
            assert_eq!(*as_of, before.last_seq(asked.room));
            let after = asked.after.unwrap_or_default();
            let mut there = before.members_of(asked.room);
            there.retain(|it| *it > after);
            let shown: Vec<_> = members.iter().map(|it| it.user).collect();
            assert!(there.starts_with(&shown) && *more == (shown.len() < there.len()));
        } else if ends {
            assert_eq!(answer, Ok(Reply::Goodbye {}));
            assert!(effects.contains(&Effect::Close { connection }));
            self.slots.remove(&slot);
            self.gone.insert(connection);
        }
    }

    /// The same client id always means the same message.
    fn check_said(&self, before: &Disk, user: UserId, say: &Say, answer: Result<Reply, Refusal>) {
        match (before.find(user, say.client_id), answer) {
            (Some(first), Ok(Reply::Said { room, client_id, seq, nth, at, .. })) => {
                assert_eq!((room, client_id), (say.room, say.client_id));
                assert_eq!((room, seq, nth, at), (first.room, first.seq, first.nth, first.at));
                assert_eq!(first.text.as_ref(), Some(&say.text));
                assert_eq!(before.last_seq(room), self.state.disk.last_seq(room), "said twice");
            }
            (Some(first), answer) => {
                assert_eq!(answer, Err(Refusal::Conflict));
                assert!(first.text.as_ref() != Some(&say.text) || first.room != say.room);
            }
            (None, Ok(Reply::Said { room, seq, .. })) => {
                assert_eq!(seq, before.last_seq(room).next());
                let row = self.state.disk.find(user, say.client_id).expect("saved");
                assert_eq!(
                    (row.room, row.seq, row.text.as_ref()),
                    (say.room, seq, Some(&say.text))
                );
            }
            (None, answer) => {
                assert_eq!(answer, Err(Refusal::NoSuchRoom));
                assert!(!before.is_member(say.room, user));
            }
        }
    }

    /// The one answer to a request.
    fn answer(
        &self,
        effects: &[Effect],
        connection: ConnectionId,
        asked: RequestId,
    ) -> Result<Reply, Refusal> {
        let mut answers = effects.iter().filter_map(|it| match it {
            Effect::Reply { frame: ServerFrame::Event(_), .. } => None,
            Effect::Reply { to, frame } => Some((*to, frame.clone())),
            _ => None,
        });
        let (to, frame) = answers.next().expect("every request is answered");
        assert_eq!((to, answers.next()), (connection, None), "one answer, to the asker");
        match frame {
            ServerFrame::Ok { id, ok } if id == asked => Ok(ok),
            ServerFrame::Refused { id, refused, .. } if id == Some(asked) => Err(refused),
            other => panic!("answered {other:?}"),
        }
    }

    fn apply(&mut self, act: Act) -> Vec<Effect> {
        let mut command = self.command(act);
        if let Some(question) = self.chat.needs(&command) {
            command.learn(self.state.disk.look_up(question, UnixMillis(self.at)));
        }
        let mut twin = self.chat.clone();
        let effects = self.chat.apply(command.clone());
        assert_eq!(twin.apply(command), effects, "the same command has the same effects");
        self.perform(&effects);
        effects
    }

    /// What store and delivery do with the effects, and what has to be true of them.
    fn perform(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Seat { connection, user } = effect {
                self.state.hearers.entry(*connection).or_default().user = *user;
            }
        }
        let mut saved = Vec::new();
        for effect in effects {
            match effect {
                Effect::Save(record) => {
                    self.state.disk.save(record);
                    if let Record::Event { event, .. } = record {
                        saved.push(Arc::clone(event));
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
                    self.hear_own(*topic, event);
                }
                Effect::Close { connection } | Effect::Expel { connection, .. } => {
                    self.state.hearers.remove(connection);
                }
                Effect::Reply { to, frame } => self.check_places(*to, frame),
                Effect::Seat { .. } | Effect::BackUp => {}
            }
        }
        self.check_listeners();
    }

    /// Everybody who is a member at this place hears it, as the next thing; nobody else.
    fn hear(&mut self, event: &RoomEvent) {
        let leaves = matches!(event.fact, Fact::Left {}).then_some(event.by);
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
    fn hear_own(&mut self, topic: Topic, event: &UserEvent) {
        let Topic::User(of) = topic else { panic!("{event:?} to {topic:?}") };
        for hearer in self.state.hearers.values_mut() {
            assert_eq!(hearer.user == Some(of), hearer.listens.contains(&topic), "of user {of}");
            if hearer.user == Some(of) {
                assert!(event.mine > hearer.mine, "the own stream grows");
                hearer.mine = event.mine;
            }
        }
    }

    fn check_notice(&self, topic: Topic, notice: &Notice) {
        let connected =
            |user: &UserId| self.state.hearers.values().filter(|it| it.user == Some(*user)).count();
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
    fn check_listeners(&self) {
        for (connection, hearer) in &self.state.hearers {
            let mut expected = BTreeSet::new();
            if let Some(user) = hearer.user {
                expected.extend([Topic::Everyone, Topic::User(user)]);
                expected.extend(self.state.disk.rooms_of(user).into_iter().map(Topic::Room));
            }
            assert_eq!(hearer.listens, expected, "{connection:?}");
        }
    }

    fn commit(&mut self) {
        let again = Chat::new(self.state.disk.load(), Arc::clone(&self.limits));
        assert!(
            again == self.chat,
            "what was saved makes another chat:\n{again:?}\n{:?}",
            self.chat
        );
        self.committed = self.state.clone();
        self.gone.clear();
        self.hellos.clear();
    }

    /// The disk was full: what it refused never happened, but who is gone is gone.
    fn fail(&mut self) {
        self.state = self.committed.clone();
        for connection in std::mem::take(&mut self.gone) {
            self.state.hearers.remove(&connection);
        }
        let hellos = std::mem::take(&mut self.hellos);
        self.chat.roll_back(self.state.disk.load(), &hellos);
        for connection in hellos {
            if let Some(hearer) = self.state.hearers.get_mut(&connection) {
                *hearer = Hearer::default();
            }
        }
        self.check_listeners();
        self.commit();
    }

    /// Everybody is cut off; what was not committed is lost.
    fn restart(&mut self) {
        self.state = self.committed.clone();
        self.state.hearers.clear();
        self.slots.clear();
        self.chat = Chat::new(self.state.disk.load(), Arc::clone(&self.limits));
        self.commit();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_commands_in_any_batches_make_one_story(
        ops in proptest::collection::vec(ops(), 1..160),
    ) {
        let mut world = World::new();
        for op in ops {
            world.run(op);
        }
        world.commit();
        // One story: what the store has is 1, 2, 3 … in every room.
        for (room, events) in &world.state.disk.events {
            for (place, event) in (1..).zip(events) {
                prop_assert_eq!((event.room, event.seq), (*room, Seq(place)));
            }
        }
    }
}
