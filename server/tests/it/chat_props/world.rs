//! The world round the chat: a disk, connections and what they hear, batches that the disk may
//! refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parlor_server::chat::{
    Act, Arrival, Chat, Command, ConnectionId, Effect, From, Monotonic, Proof, Question, Record,
    SHELL, TokenHash, Topic,
};
use parlor_shared::request::{Request, Say};
use parlor_shared::{
    Code, Limits, Refusal, Reply, RequestId, ResumeToken, RoomId, Seq, ServerFrame, UnixMillis,
    UserId,
};

use super::asks::{Ask, Known, fresh_code, name_of, source};
use super::disk::Disk;
use super::sqlite::Sqlite;
use super::{DAY_MILLIS, Op, limits};

/// A token that no other number has.
fn fresh_token(number: u64) -> ResumeToken {
    let mut token = [0; 32];
    token[..8].copy_from_slice(&number.to_le_bytes());
    ResumeToken(token)
}

fn from_slot(slot: u64) -> From {
    From { source: source(slot), is_private: true, device: None }
}

/// A connection as delivery and its client see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hearer {
    pub(super) user: Option<UserId>,
    pub(super) listens: BTreeSet<Topic>,
    /// The last place that was heard, or from which on things will be heard.
    pub(super) places: BTreeMap<RoomId, Seq>,
    /// The same for the own stream.
    pub(super) mine: Seq,
}

/// Everything that a failed batch takes back.
#[derive(Clone)]
pub(super) struct State {
    pub(super) disk: Disk,
    pub(super) hearers: BTreeMap<ConnectionId, Hearer>,
    tokens: Vec<TokenHash>,
    /// Every code that anybody was ever shown.
    codes: Vec<Code>,
    /// What is saved in this batch, and what was asked of the store in it.
    pub(super) records: Vec<Record>,
    questions: Vec<Question>,
}

pub(super) struct World {
    chat: Chat,
    /// The real store, where there is one.
    store: Option<Sqlite>,
    limits: Arc<Limits>,
    now: u64,
    at: u64,
    made: u64,
    pub(super) slots: BTreeMap<u64, ConnectionId>,
    pub(super) state: State,
    committed: State,
    /// What this batch cannot take back, and who said hello in it.
    pub(super) gone: BTreeSet<ConnectionId>,
    hellos: BTreeSet<ConnectionId>,
}

impl World {
    pub(super) fn new() -> Self {
        let (limits, disk) = (Arc::new(limits()), Disk::new());
        let state = State {
            disk,
            hearers: BTreeMap::new(),
            tokens: Vec::new(),
            codes: Vec::new(),
            records: Vec::new(),
            questions: Vec::new(),
        };
        let mut chat = Chat::new(state.disk.load(), Arc::clone(&limits));
        chat.may_be_claimed_with(TokenHash::of_code(&fresh_code(0)));
        Self {
            chat,
            store: None,
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

    /// With a real store, which has to load what the records say.
    pub(super) fn with_store() -> Self {
        Self { store: Some(Sqlite::new(&limits())), ..Self::new() }
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

    pub(super) fn run(&mut self, op: Op) {
        match op {
            Op::Guest { slot, name, code } => {
                self.made += 1;
                let token = fresh_token(self.made);
                let hash = TokenHash::of_token(&token);
                let codes = &self.state.codes;
                let pick = |it: u8| codes.get(usize::from(it) % codes.len().max(1));
                let invite = code.and_then(pick).map(TokenHash::of_code);
                let name = name_of(name);
                self.hello(slot, Arrival::Guest { name, token, invite, fact: None }, Some(hash));
            }
            Op::Known { slot, who } => {
                let hash = self.state.tokens.get(usize::from(who)).copied();
                let hash = hash.unwrap_or(TokenHash([0; 32]));
                self.hello(slot, Arrival::Known { hash }, None);
            }
            Op::SignIn { slot, user, is_old } => {
                self.made += 1;
                let token = fresh_token(self.made);
                let credential = self.credential(UserId(user));
                let Some(credential) = credential.checked_sub(u64::from(is_old)) else { return };
                let proof = Proof { user: UserId(user), credential };
                let hash = TokenHash::of_token(&token);
                self.hello(slot, Arrival::Account { proof, token }, Some(hash));
            }
            Op::Shell { slot } => self.hello(slot, Arrival::Shell, None),
            Op::Ask { slot, ask } => self.ask(slot, ask),
            Op::Lost { slot } => {
                let connection = self.connection(slot);
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

    /// The number of somebody's password.
    fn credential(&self, user: UserId) -> u64 {
        let account = self.state.disk.stored.users.get(&user).and_then(|it| it.account.as_ref());
        account.map_or(0, |it| it.credential)
    }

    fn ask(&mut self, slot: u64, ask: Ask) {
        let connection = self.connection(slot);
        self.made += 1;
        let id = RequestId(self.made);
        let user = self.state.hearers[&connection].user;
        let known = Known {
            codes: &self.state.codes,
            user: user.unwrap_or(SHELL),
            credential: self.credential(user.unwrap_or(SHELL)),
            number: self.made,
        };
        let (request, brought) = known.request(ask);
        let before = self.state.disk.clone();
        let asked = request.clone();
        let codes = brought.codes.clone();
        let brought = Box::new(brought);
        let effects = self.apply(Act::Ask { connection, id, request, brought, fact: None });
        let answer = self.answer(&effects, connection, id);
        let Some(user) = user else {
            // A stranger has nothing but codes.
            if !matches!(asked, Request::Recover(_)) {
                assert_eq!(answer, Err(Refusal::HelloFirst));
            }
            return;
        };
        if answer.is_ok() {
            self.state.codes.extend(codes);
        }
        let is_end = matches!(
            answer,
            Ok(Reply::Goodbye {} | Reply::SignedOut {} | Reply::AccountDeleted {})
        );
        assert!(!is_end || !self.state.hearers.contains_key(&connection), "the connection ends");
        if let Request::Say(say) = &asked
            && !asked.is_farewell()
        {
            self.check_said(&before, user, say, answer);
        } else if asked.is_farewell() {
            assert_eq!(answer, Ok(Reply::Goodbye {}));
        } else if let (Request::Members(asked), Ok(Reply::Members { as_of, members, more, .. })) =
            (&asked, &answer)
        {
            assert_eq!(*as_of, before.last_seq(asked.room));
            let after = asked.after.unwrap_or_default();
            let mut there = before.members_of(asked.room);
            there.retain(|it| *it > after);
            let shown: Vec<_> = members.iter().map(|it| it.user).collect();
            assert!(there.starts_with(&shown) && *more == (shown.len() < there.len()));
        }
    }

    /// The same client id always means the same message.
    fn check_said(&self, before: &Disk, user: UserId, say: &Say, answer: Result<Reply, Refusal>) {
        match (before.find(user, say.client_id), answer) {
            (Some(first), Ok(Reply::Said { room, client_id, seq, nth, at, erased })) => {
                assert_eq!((room, client_id), (say.room, say.client_id));
                assert_eq!((room, seq, nth, at), (first.room, first.seq, first.nth, first.at));
                assert!(first.text.as_ref().is_none_or(|it| *it == say.text));
                assert_eq!(erased, first.text.is_none());
                assert_eq!(before.last_seq(room), self.state.disk.last_seq(room), "said twice");
            }
            (Some(first), answer) => {
                assert_eq!(answer, Err(Refusal::Conflict));
                let is_other = first.text.is_some_and(|it| it != say.text);
                assert!(is_other || first.room != say.room || first.is_announcement);
            }
            (None, Ok(Reply::Said { room, seq, .. })) => {
                assert_eq!(seq, before.last_seq(room).next());
                let row = self.state.disk.find(user, say.client_id).expect("saved");
                let text = row.text.as_ref();
                assert_eq!((row.room, row.seq, text), (say.room, seq, Some(&say.text)));
            }
            (None, Err(refusal)) => {
                let is_member = before.is_member(say.room, user);
                let room = before.stored.rooms.get(&say.room);
                match refusal {
                    Refusal::NoSuchRoom => assert!(!is_member),
                    Refusal::RoomEnded => assert!(is_member && room.is_some_and(|it| it.has_ended)),
                    Refusal::Muted { .. } => {
                        let places = [None, Some(say.room)];
                        let is_muted =
                            |it: &Option<RoomId>| before.stored.mutes.contains_key(&(user, *it));
                        assert!(is_member && places.iter().any(is_muted));
                    }
                    other => panic!("saying was refused: {other:?}"),
                }
            }
            (None, other) => panic!("saying was answered {other:?}"),
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
            self.state.questions.push(question);
        }
        let mut twin = self.chat.clone();
        let effects = self.chat.apply(command.clone());
        assert_eq!(twin.apply(command), effects, "the same command has the same effects");
        self.perform(&effects);
        effects
    }

    pub(super) fn commit(&mut self) {
        let again = Chat::new(self.state.disk.load(), Arc::clone(&self.limits));
        assert!(
            again == self.chat,
            "what was saved makes another chat:\n{again:?}\n{:?}",
            self.chat
        );
        let records = std::mem::take(&mut self.state.records);
        let questions = std::mem::take(&mut self.state.questions);
        if let Some(store) = &mut self.store {
            store.save(&records);
            store.check(&self.state.disk, &questions, UnixMillis(self.at));
        }
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
