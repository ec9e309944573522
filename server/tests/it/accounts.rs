//! The whole life of an account over sockets: from a guest to a former user.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names what it waits for; whatever else there may be one day is wrong"
)]
#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

use std::os::unix::fs::PermissionsExt as _;

use parlor_server::shell::way_into;
use parlor_shared::event::CodeKind;
use parlor_shared::request::{
    Claim, DeleteAccount, MakeResetCode, Nothing, Recover, Rename, SetRole, WhatOfMessages,
};
use parlor_shared::{
    Code, Event, Fact, LOBBY_ID, PageAt, Refusal, Reply, Request, Role, Seq, UserId, UserNews,
};

use crate::client::Client;
use crate::harness::{Setup, TestServer};

pub(crate) const WORD: &str = "correct horse battery";
const OTHER_WORD: &str = "staple of the battery";

pub(crate) fn server(setup: impl FnOnce(Setup) -> Setup) -> (tempfile::TempDir, TestServer) {
    let data = tempfile::tempdir().unwrap();
    let server = setup(Setup::on(data.path()).unhurried()).start();
    (data, server)
}

/// Somebody with an account.
pub(crate) fn account(server: &TestServer, name: &str) -> Client {
    let mut client = server.guest(name);
    client.register(WORD).unwrap();
    client
}

/// Whoever sits at the machine itself.
pub(crate) fn shell(server: &TestServer, data: &std::path::Path) -> Client {
    let mut shell = server.client();
    shell.resume(way_into(data).unwrap().token).unwrap();
    shell
}

fn recover(client: &mut Client, name: &str, code: Code) -> Result<Reply, Refusal> {
    let (name, password) = (name.parse().unwrap(), OTHER_WORD.parse().unwrap());
    client.ask(Request::Recover(Recover { name, code, password }))
}

fn rename(client: &mut Client, name: &str) -> Result<Reply, Refusal> {
    client.ask(Request::Rename(Rename { name: name.parse().unwrap() }))
}

fn delete(
    client: &mut Client,
    word: Option<&str>,
    messages: WhatOfMessages,
) -> Result<Reply, Refusal> {
    let password = word.map(|it| it.parse().unwrap());
    client.ask(Request::DeleteAccount(DeleteAccount { password, messages }))
}

#[test]
fn a_guest_becomes_an_account_and_finds_everything_on_a_second_device() {
    let (_data, server) = server(|it| it);
    let mut desk = server.guest("Ann");
    desk.say(LOBBY_ID, "desk-1", "Hello.").unwrap();
    let garden = desk.create("garden").unwrap().room;
    let codes = desk.register(WORD).unwrap();
    assert_eq!(codes.len(), 8);
    assert_eq!(desk.register(WORD), Err(Refusal::RegisteredAlready));
    let account = desk.ask(Request::Account(Nothing {})).unwrap();
    assert_eq!(account, Reply::Account { email: None, verified: false, codes_left: 8 });

    let mut phone = server.client();
    let welcome = phone.sign_in("Ann", WORD).unwrap();
    assert_eq!((welcome.user, welcome.role, welcome.account), (desk.user(), Role::Member, true));
    let rooms: Vec<_> = welcome.rooms.iter().map(|it| it.room).collect();
    assert_eq!(rooms, [LOBBY_ID, garden]);
    let began = |it: UserNews| matches!(it, UserNews::SessionBegan { .. });
    while !began(desk.news().unwrap()) {}
    // What is read on one is read on the other, and told to who comes later, too.
    let read = Request::Read(parlor_shared::request::Read { room: LOBBY_ID, seq: Seq(2) });
    assert!(matches!(phone.ask(read), Ok(Reply::Read { seq: Seq(2), .. })));
    assert!(matches!(desk.news(), Ok(UserNews::Read { room: LOBBY_ID, seq: Seq(2), .. })));
    // What is said and joined on one appears on the other.
    phone.say(garden, "phone-1", "From the garden.").unwrap();
    let heard = std::iter::from_fn(|| desk.room_event().ok()).find(|it| it.room == garden);
    let heard = heard.unwrap();
    let attic = desk.create("attic").unwrap().room;
    let entered = std::iter::from_fn(|| phone.notice().ok()).find_map(|it| match it {
        parlor_shared::Notice::EnteredRoom(joined) => Some(joined.room),
        _ => None,
    });
    assert_eq!((heard.room, entered), (garden, Some(attic)));
    let (mine, more) = phone.mine(Seq(0));
    assert!(!more && mine.windows(2).all(|it| it[0].mine < it[1].mine), "{mine:?}");
    assert!(mine.iter().any(|it| it.news == UserNews::Registered {}), "{mine:?}");
    server.stop();
}

#[test]
fn a_recovery_code_sets_a_password_once_and_ends_all_sessions() {
    let (_data, server) = server(|it| it.limit("tries_at_once", 100));
    let mut ann = server.guest("Ann");
    let codes = ann.register(WORD).unwrap();
    server.guest("Ben").register(WORD).unwrap();
    let mut stranger = server.client();
    assert_eq!(recover(&mut stranger, "Ben", codes[0]), Err(Refusal::CodeUnknown), "not Ben's");
    assert_eq!(recover(&mut stranger, "Nobody", codes[0]), Err(Refusal::CodeUnknown));
    assert_eq!(recover(&mut stranger, "ann", codes[0]), Ok(Reply::Recovered {}));
    let (after, why) = ann.put_out();
    assert_eq!(why, Refusal::SessionEnded);
    assert!(after.as_millis() < 1_000, "{after:?}");
    assert_eq!(recover(&mut stranger, "Ann", codes[0]), Err(Refusal::CodeUnknown), "used");
    assert_eq!(server.client().resume(ann.token.unwrap()), Err(Refusal::TokenUnknown));
    assert_eq!(stranger.sign_in("Ann", WORD), Err(Refusal::WrongPassword));
    stranger.sign_in("Ann", OTHER_WORD).unwrap();
    let (mine, _) = stranger.mine(Seq(0));
    let with = CodeKind::Recovery;
    assert!(mine.iter().any(|it| it.news == UserNews::PasswordReset { with }), "a notice");
    let account = stranger.ask(Request::Account(Nothing {})).unwrap();
    assert!(matches!(account, Reply::Account { codes_left: 7, .. }), "{account:?}");
    server.stop();
}

#[test]
fn an_admins_code_is_good_once() {
    let (data, server) = server(|it| it.limit("tries_at_once", 100));
    let mut ann = account(&server, "Ann");
    let mut shell = shell(&server, data.path());
    let mut make = || match shell.ask(Request::MakeResetCode(MakeResetCode { user: ann.user() })) {
        Ok(Reply::ResetCode { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    let (old, new) = (make(), make());
    let mut stranger = server.client();
    assert_eq!(recover(&mut stranger, "Ann", old), Err(Refusal::CodeUnknown), "replaced");
    assert_eq!(recover(&mut stranger, "Ann", new), Ok(Reply::Recovered {}));
    assert_eq!(ann.put_out().1, Refusal::SessionEnded);
    assert_eq!(recover(&mut stranger, "Ann", new), Err(Refusal::CodeUnknown), "used");
    server.stop();
}

#[test]
fn passwords_that_anybody_would_try_are_refused() {
    let (_data, server) = server(|it| it);
    let mut guest = server.guest("Annabelle");
    for (word, refusal) in [
        ("short", Refusal::PasswordTooShort),
        ("password1", Refusal::PasswordWeak),
        ("annabelle", Refusal::PasswordWeak),
        (&"x".repeat(1_025), Refusal::PasswordTooLong),
    ] {
        // As a program would send it that does not look.
        let id = format!("{{\"id\":99,\"register\":{{\"password\":\"{word}\"}}}}\n");
        guest.send_bytes(id.as_bytes());
        let answer = guest.answer(parlor_shared::RequestId(99)).unwrap();
        assert_eq!(answer, Err(refusal), "{word}");
    }
    guest.register(WORD).unwrap();
    server.stop();
}

#[test]
fn who_guesses_learns_nothing_and_is_slowed_down() {
    let (_data, server) = server(|it| it);
    account(&server, "Ann");
    server.guest("Ben");
    let say = |name: &str| {
        let mut stranger = server.client();
        let hello = format!(
            "{{\"id\":1,\"hello\":{{\"protocol\":1,\"app\":\"t\",\"name\":\"{name}\",\
             \"password\":\"wrong horse battery\"}}}}\n"
        );
        stranger.send_bytes(hello.as_bytes());
        stranger.line(crate::harness::PATIENCE).unwrap()
    };
    let [wrong, guest, nobody] = ["Ann", "Ben", "Nobody"].map(say);
    assert!(wrong.contains("wrong_password"), "{wrong}");
    assert_eq!((&wrong, &wrong), (&guest, &nobody), "the same bytes");
    for _ in 0..4 {
        say("Ann");
    }
    // Also with the right one: otherwise it would not be slowed at all.
    match server.client().sign_in("Ann", WORD) {
        Err(Refusal::Throttled { retry_millis }) => {
            assert!((1..=180_000).contains(&retry_millis), "{retry_millis}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.client().sign_in("Ben", WORD), Err(Refusal::WrongPassword), "others may try");
    server.stop();
}

#[test]
fn a_new_name_is_heard_and_the_old_one_is_kept() {
    let (_data, server) = server(|it| it);
    let (mut ann, mut ben) = (account(&server, "Ann"), server.guest("Ben"));
    ann.say(LOBBY_ID, "desk-1", "Hello.").unwrap();
    assert!(matches!(rename(&mut ann, "BEN"), Err(Refusal::NameTaken { .. })), "looks the same");
    assert!(matches!(rename(&mut ann, "Anna"), Ok(Reply::Renamed { .. })));
    let renamed = std::iter::from_fn(|| ben.room_event().ok())
        .find(|it| matches!(it.fact, Fact::Renamed { .. }))
        .unwrap();
    assert_eq!((renamed.by, renamed.name.as_str()), (ann.user(), "Anna"));
    for old in ["Ann", "ANN", "Ａｎｎ"] {
        let refused = server.client().hello(old);
        assert!(matches!(refused, Err(Refusal::NameTaken { .. })), "{old}: {refused:?}");
    }
    assert!(matches!(rename(&mut ann, "Annie"), Err(Refusal::RateLimited { .. })), "so soon");
    server.client().sign_in("Anna", WORD).unwrap();
    assert_eq!(server.client().sign_in("Ann", WORD), Err(Refusal::WrongPassword), "not by the old");
    server.stop();
}

#[test]
fn who_goes_for_good_leaves_the_words_or_takes_them_along() {
    let (data, server) = server(|it| it);
    let mut reader = server.guest("Reader");
    for (name, what) in [("Ann", WhatOfMessages::Keep), ("Ben", WhatOfMessages::Erase)] {
        let mut goer = account(&server, name);
        let seq = goer.say(LOBBY_ID, "desk-1", "Some words.").unwrap();
        assert_eq!(delete(&mut goer, None, what), Err(Refusal::WrongPassword));
        assert_eq!(delete(&mut goer, Some(OTHER_WORD), what), Err(Refusal::WrongPassword));
        assert_eq!(delete(&mut goer, Some(WORD), what), Ok(Reply::AccountDeleted {}));
        assert!(goer.is_closed_within(crate::harness::PATIENCE));
        assert_eq!(server.client().resume(goer.token.unwrap()), Err(Refusal::TokenUnknown));
        let taken = server.client().hello(name);
        assert!(matches!(taken, Err(Refusal::NameTaken { .. })), "{taken:?}");
        let (page, _) = reader.page(LOBBY_ID, PageAt::Around(seq), Some(1)).unwrap();
        let said = page.iter().find(|it| it.seq == seq).unwrap();
        match what {
            WhatOfMessages::Keep => assert!(matches!(said.fact, Fact::Said { .. }), "{said:?}"),
            WhatOfMessages::Erase => assert!(matches!(said.fact, Fact::Blank { .. }), "{said:?}"),
        }
    }
    let mut owner = account(&server, "Olga");
    let role = Role::Owner;
    let owns = Request::SetRole(SetRole { user: owner.user(), role });
    assert!(shell(&server, data.path()).ask(owns).is_ok());
    assert_eq!(delete(&mut owner, Some(WORD), WhatOfMessages::Keep), Err(Refusal::LastOwner));
    server.stop();
}

#[test]
fn the_printed_code_makes_one_owner() {
    let (data, server) = server(|it| it);
    let code: Code = server.wait_for_line("Claim code: ").unwrap().parse().unwrap();
    let (mut ann, mut ben) = (account(&server, "Ann"), account(&server, "Ben"));
    let claim = |client: &mut Client, code| client.ask(Request::Claim(Claim { code }));
    let wrong = Code::from_random([1; Code::BYTES]);
    assert_eq!(claim(&mut ann, wrong), Err(Refusal::CodeUnknown));
    assert_eq!(claim(&mut ann, code), Ok(Reply::Done {}));
    assert!(
        ann.events.iter().any(|it| matches!(
            it,
            Event::User(it) if it.news == UserNews::RoleIs { role: Role::Owner }
        )) || std::iter::from_fn(|| ann.news().ok())
            .any(|it| it == UserNews::RoleIs { role: Role::Owner })
    );
    assert_eq!(claim(&mut ben, code), Err(Refusal::CodeUnknown), "there is an owner");
    server.stop();
    let server = Setup::on(data.path()).start();
    assert!(server.wait_for_line("Data folder: ").is_some());
    let mut again = server.client();
    assert_eq!(again.resume(ann.token.unwrap()).unwrap().role, Role::Owner);
    assert_eq!(claim(&mut again, code), Err(Refusal::CodeUnknown), "the code is gone");
    server.stop();
}

#[test]
fn the_shell_comes_in_while_the_server_runs_and_nobody_else_may_read_how() {
    let (data, server) = server(|it| it);
    let file = data.path().join("shell.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let token = way_into(data.path()).unwrap().token;
    let mut shell = server.client();
    let welcome = shell.resume(token).unwrap();
    assert_eq!((welcome.user, welcome.role), (UserId(0), Role::Owner));
    assert!(shell.ask(Request::Policy(Nothing {})).is_ok());
    // It is nobody: it is in no room and nobody sees it.
    assert_eq!(shell.say(LOBBY_ID, "x-1", "Hello."), Err(Refusal::NoSuchRoom));
    server.stop();
    assert!(!file.exists(), "the way in is closed");
    let server = Setup::on(data.path()).start();
    assert_ne!(way_into(data.path()).unwrap().token, token);
    assert_eq!(server.client().resume(token), Err(Refusal::TokenUnknown));
    server.stop();
}
