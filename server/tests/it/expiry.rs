//! What has an end: sessions, codes, invitations, bans, old names. Time is given, nobody waits.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names what it waits for; whatever else there may be one day is wrong"
)]

use std::sync::Arc;

use parlor_server::chat::{
    Act, Arrival, Brought, Chat, Command, ConnectionId, Effect, From, Monotonic, Proof, Record,
    Stored, TokenHash,
};
use parlor_server::store::Store;
use parlor_shared::request::{Nothing, Recover, Register, Rename};
use parlor_shared::{
    Code, Limits, Refusal, Reply, Request, RequestId, ResumeToken, ServerFrame, UnixMillis, UserId,
};
use tempfile::TempDir;

const DAY: u64 = 24 * 60 * 60 * 1000;
const START: u64 = 1_800_000_000_000;

/// The chat over a real store, with a clock that is set.
struct House {
    chat: Chat,
    store: Store,
    at: u64,
    made: u64,
    _folder: TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let stored: Stored = store.load().expect("it can be loaded");
        let chat = Chat::new(stored, Arc::new(Limits::default()));
        Self { chat, store, at: START, made: 0, _folder: folder }
    }

    fn apply(&mut self, act: Act) -> Result<Reply, Refusal> {
        let at = UnixMillis(self.at);
        let mut command = Command { now: Monotonic(self.at - START), at, act };
        let mut batch = self.store.begin().expect("a batch");
        if let Some(question) = self.chat.needs(&command) {
            command.learn(batch.look_up(question, at).expect("it can be looked up"));
        }
        let mut answer = None;
        for effect in self.chat.apply(command) {
            match effect {
                Effect::Save(record) => {
                    let record: Record = record;
                    batch.save(&record).expect("it is saved");
                }
                Effect::Reply { frame: ServerFrame::Ok { ok, .. }, .. } => answer = Some(Ok(ok)),
                Effect::Reply { frame: ServerFrame::Refused { refused, .. }, .. } => {
                    answer = Some(Err(refused));
                }
                _ => {}
            }
        }
        batch.commit().expect("it is committed");
        answer.expect("an answer")
    }

    fn hello(&mut self, arrival: Arrival) -> (ConnectionId, Result<Reply, Refusal>) {
        self.made += 1;
        let connection = ConnectionId(self.made);
        let source = [10, 0, 0, 1].into();
        let from = From { source, is_private: true, device: None };
        let id = RequestId(1);
        (connection, self.apply(Act::Hello { connection, id, arrival, from }))
    }

    fn guest(&mut self, name: &str) -> (ConnectionId, Result<Reply, Refusal>) {
        let token = token(self.made);
        let name = name.parse().expect("a name");
        self.hello(Arrival::Guest { name, token, invite: None, fact: None })
    }

    fn come_back(&mut self, token: ResumeToken) -> Result<Reply, Refusal> {
        let hash = TokenHash::of_token(&token);
        let (connection, answer) = self.hello(Arrival::Known { hash });
        if answer.is_ok() {
            self.ask(connection, Request::Goodbye(Nothing {}), Brought::default()).expect("bye");
        }
        answer
    }

    fn ask(
        &mut self,
        connection: ConnectionId,
        request: Request,
        brought: Brought,
    ) -> Result<Reply, Refusal> {
        let (id, brought) = (RequestId(2), Box::new(brought));
        self.apply(Act::Ask { connection, id, request, brought, fact: None })
    }

    /// A guest with an account, who has gone again; the recovery codes.
    fn account(&mut self, name: &str) -> Vec<Code> {
        let (connection, welcome) = self.guest(name);
        assert!(welcome.is_ok(), "{welcome:?}");
        let codes = (0..9).map(|it| Code::from_random([it; Code::BYTES])).collect();
        let brought = Brought { password: Some(hash()), codes, ..Brought::default() };
        let password = "correct horse battery".parse().expect("a password");
        let register = Request::Register(Register { password, email: None });
        let Ok(Reply::Registered { codes, .. }) = self.ask(connection, register, brought) else {
            panic!("not registered")
        };
        self.ask(connection, Request::Goodbye(Nothing {}), Brought::default()).expect("goodbye");
        codes
    }

    fn recover(&mut self, name: &str, code: Code) -> Result<Reply, Refusal> {
        self.made += 1;
        let (name, password) =
            (name.parse().expect("a name"), "another good word".parse().expect("a password"));
        let brought = Brought { password: Some(hash()), ..Brought::default() };
        let request = Request::Recover(Recover { name, code, password });
        self.ask(ConnectionId(self.made), request, brought)
    }
}

fn hash() -> parlor_server::chat::PasswordHash {
    parlor_server::chat::PasswordHash("a hash".into())
}

fn token(number: u64) -> ResumeToken {
    ResumeToken([number as u8 + 1; 32])
}

#[test]
fn an_accounts_session_ends_when_it_is_idle_or_old_and_a_guests_does_not() {
    let mut house = House::new();
    house.account("Ann");
    house.at += 29 * DAY;
    assert!(house.come_back(token(0)).is_ok(), "used within thirty days");
    house.at += 31 * DAY;
    assert_eq!(house.come_back(token(0)), Err(Refusal::SessionEnded), "not used for thirty days");
    let proof = Proof { user: UserId(1), credential: 1 };
    let (connection, welcome) = house.hello(Arrival::Account { proof, token: token(100) });
    assert!(welcome.is_ok(), "{welcome:?}");
    house.ask(connection, Request::Goodbye(Nothing {}), Brought::default()).expect("goodbye");
    for _ in 0..4 {
        house.at += 22 * DAY;
        assert!(house.come_back(token(100)).is_ok(), "in use, and younger than ninety days");
    }
    house.at += 3 * DAY;
    assert_eq!(house.come_back(token(100)), Err(Refusal::SessionEnded), "ninety days old");

    let mut house = House::new();
    house.guest("Gus").1.expect("a welcome");
    house.at += 200 * DAY;
    assert!(house.come_back(token(0)).is_ok(), "nobody wanted the name");
}

#[test]
fn an_admins_code_ends_after_a_day_and_a_recovery_code_never() {
    let mut house = House::new();
    let codes = house.account("Ann");
    let (shell, _) = house.hello(Arrival::Shell);
    let reset = |house: &mut House, number: u8| {
        let code = Code::from_random([number; Code::BYTES]);
        let request = parlor_shared::request::MakeResetCode { user: UserId(1) };
        let brought = Brought { codes: vec![code], ..Brought::default() };
        house.ask(shell, Request::MakeResetCode(request), brought).expect("a code");
        code
    };
    let code = reset(&mut house, 50);
    house.at += DAY + 1;
    assert_eq!(house.recover("Ann", code), Err(Refusal::CodeUnknown), "a day is over");
    let code = reset(&mut house, 51);
    house.at += DAY - 1;
    assert_eq!(house.recover("Ann", code), Ok(Reply::Recovered {}));
    house.at += 5_000 * DAY;
    assert_eq!(house.recover("Ann", codes[3]), Ok(Reply::Recovered {}), "years later");
}

#[test]
fn an_old_name_is_kept_for_thirty_days() {
    let mut house = House::new();
    let (connection, _) = house.guest("Ann");
    let rename = Request::Rename(Rename { name: "Anna".parse().expect("a name") });
    assert!(house.ask(connection, rename, Brought::default()).is_ok());
    house.at += 30 * DAY - 1;
    assert!(matches!(house.guest("ann").1, Err(Refusal::NameTaken { .. })));
    house.at += 2;
    assert!(house.guest("ann").1.is_ok(), "thirty days are over");
}
