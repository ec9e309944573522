//! The real server: what is deleted is in no file any more, whatever ends it on the way.

use std::path::Path;
use std::time::{Duration, Instant};

use parlor_shared::request::{DeleteAccount, EraseMessages, PageAt, WhatOfMessages};
use parlor_shared::{Fact, LOBBY_ID, Refusal, Reply, Request, RoomEvent, RoomId, Seq, UserName};

use super::files_with;
use crate::client::Client;
use crate::harness::{self, PATIENCE, Setup, TestServer, copy_folder, is_long_run};
use crate::kill::SmallDisk;

/// P25.
const SOON: Duration = Duration::from_secs(60);
const SECRET: &[u8] = b"the unforgettable";

fn setup(data: &Path) -> Setup {
    let logs = data.join("chatlogs").to_str().expect("UTF-8").to_owned();
    Setup::on(data).unhurried().with("--chatlogs", logs)
}

fn erase(client: &mut Client, room: Option<RoomId>) -> Result<Reply, Refusal> {
    let user = client.user();
    client.ask(Request::EraseMessages(EraseMessages { user, room }))
}

fn delete(client: &mut Client, messages: WhatOfMessages) {
    let asked = Request::DeleteAccount(DeleteAccount { password: None, messages });
    assert_eq!(client.ask(asked), Ok(Reply::AccountDeleted {}));
}

/// Ann and Bob talk in the lobby and in the den; then Bob waits until his log has it.
fn talk(server: &TestServer, data: &Path) -> (Client, Client, RoomId) {
    let (mut ann, mut bob) = (server.guest("Zebulina"), server.guest("Bob"));
    let den = ann.create("den").expect("made").room;
    bob.join("den").expect("joined");
    for number in 1..=30 {
        let long = "!".repeat(number * 200);
        let text = format!("the unforgettable {number} {long}");
        ann.say(LOBBY_ID, &format!("ann-{number}"), &text).expect("said");
        ann.say(den, &format!("den-{number}"), &text).expect("said");
        bob.say(LOBBY_ID, &format!("bob-{number}"), "plain words").expect("said");
    }
    let logged = || (files_with(&data.join("chatlogs"), SECRET).len() == 2).then_some(());
    harness::wait_for(PATIENCE, logged).expect("both logs have it");
    (ann, bob, den)
}

fn gone_within_a_minute(data: &Path, what: &[u8]) {
    let gone = harness::wait_for(SOON, || files_with(data, what).is_empty().then_some(()));
    assert!(gone.is_some(), "still in {:?}", files_with(data, what));
}

/// How many of Ann's messages there are, and how many of them are blank.
fn blanks(client: &mut Client, room: RoomId) -> (usize, usize) {
    let events = client.after(room, Seq(0));
    let is_blank = |it: &&RoomEvent| matches!(it.fact, Fact::Blank { .. });
    let is_plain = |it: &&RoomEvent| matches!(&it.fact, Fact::Said { text, .. } if text.as_str().starts_with("the unforg"));
    let (blank, plain) = (events.iter().filter(is_blank), events.iter().filter(is_plain));
    let blank = blank.count();
    (blank + plain.count(), blank)
}

#[test]
fn erased_messages_are_in_no_file_a_minute_later() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path();
    let server = setup(data).start();
    let (mut ann, mut bob, den) = talk(&server, data);
    assert_eq!(erase(&mut ann, Some(LOBBY_ID)), Ok(Reply::Done {}));
    // At once, and only there.
    assert_eq!((blanks(&mut bob, LOBBY_ID), blanks(&mut bob, den)), ((30, 30), (30, 0)));
    let first = ann.after(LOBBY_ID, Seq(0));
    let first = first.iter().find(|it| matches!(it.fact, Fact::Blank { .. })).expect("one").seq;
    assert_eq!(ann.say(LOBBY_ID, "ann-1", "the unforgettable, again"), Ok(first));
    assert_eq!(erase(&mut ann, None), Ok(Reply::Done {}));
    gone_within_a_minute(data, SECRET);
    assert_eq!((blanks(&mut bob, LOBBY_ID), blanks(&mut bob, den)), ((30, 30), (30, 30)));
    // The log says that there was something.
    let said = harness::wait_for(PATIENCE, || {
        (files_with(&data.join("chatlogs"), b"\tblank\n").len() == 2).then_some(())
    });
    assert!(said.is_some(), "the logs do not come back");
    server.stop();
    let server = setup(data).start();
    let mut cid = server.guest("Cid");
    assert_eq!(blanks(&mut cid, LOBBY_ID), (30, 30));
    assert!(files_with(data, SECRET).is_empty() && !files_with(data, b"plain words").is_empty());
    server.stop();
    let (ended, said) = setup(data).run(&["check"]);
    assert!(ended.status.success(), "{said}{}", ended.said);
}

#[test]
fn somebody_who_deletes_the_account_is_in_no_file_a_minute_later() {
    for messages in [WhatOfMessages::Erase, WhatOfMessages::Keep] {
        let home = tempfile::tempdir().expect("a folder");
        let data = home.path();
        let server = setup(data).start();
        let (mut ann, mut bob, den) = talk(&server, data);
        delete(&mut ann, messages);
        let former = UserName::former();
        let events = bob.page(den, PageAt::Latest, Some(20)).expect("a page").0;
        assert!(events.iter().any(|it| it.name == former), "{events:?}");
        assert!(events.iter().all(|it| it.name.as_str() != "Zebulina"));
        if messages == WhatOfMessages::Erase {
            gone_within_a_minute(data, SECRET);
            assert_eq!(blanks(&mut bob, LOBBY_ID), (30, 30));
        }
        gone_within_a_minute(&data.join("chatlogs"), b"Zebulina");
        // The name is nobody else's for a while.
        assert!(matches!(server.client().hello("Zebulina"), Err(Refusal::NameTaken { .. })));
        server.stop();
        let db = rusqlite::Connection::open(data.join("parlor.sqlite")).expect("a database");
        let pending = "SELECT count(*) FROM erasure";
        let pending: i64 = db.query_row(pending, [], |it| it.get(0)).expect("a number");
        assert_eq!(pending, 0);
        let named = "SELECT count(*) FROM event WHERE name = 'Zebulina' OR body LIKE '%Zebulina%'";
        let named: i64 = db.query_row(named, [], |it| it.get(0)).expect("a number");
        assert_eq!(named, 0);
        let (ended, said) = setup(data).run(&["check"]);
        assert!(ended.status.success(), "{said}{}", ended.said);
    }
}

/// Killed at any write while it erases, it goes on after the next start.
#[test]
fn killed_while_it_erases_it_erases_all() {
    let home = tempfile::tempdir().expect("a folder");
    let lived = home.path().join("lived");
    let little = |data: &Path| Setup::on(data).unhurried().limit("erase_rows", 3);
    let server = little(&lived).start();
    let mut ann = server.guest("Ann");
    for number in 1..=30 {
        ann.say(LOBBY_ID, &format!("ann-{number}"), "the unforgettable").expect("said");
    }
    let token = ann.token.expect("a token");
    server.stop();
    let (mut killed, mut asked_again) = (0, 0);
    for call in ["pwrite64", "fdatasync", "ftruncate"] {
        let stride = if is_long_run() || call != "pwrite64" { 1 } else { 5 };
        for when in (1..).step_by(stride) {
            let data = home.path().join(format!("{call}-{when}"));
            copy_folder(&lived, &data);
            let faulty = little(&data).injecting(call, "signal=KILL", &when.to_string());
            let mut was_killed = true;
            if let Ok(mut server) = faulty.try_start() {
                let mut ann = server.client();
                let id = ann.send_hello(None, Some(token));
                if let Ok(Ok(Reply::Welcome(it))) = ann.answer(id) {
                    let user = it.user;
                    let it = EraseMessages { user, room: Some(LOBBY_ID) };
                    let id = ann.send(Request::EraseMessages(it));
                    ann.answer(id).ok();
                }
                let done = harness::wait_for(PATIENCE, || {
                    (server.has_ended() || files_with(&data, SECRET).is_empty()).then_some(())
                });
                assert!(done.is_some(), "neither killed nor done");
                was_killed = server.has_ended();
                server.kill();
            }
            let server = little(&data).start();
            let mut ann = server.client();
            ann.resume(token).expect("a welcome");
            if ann.after(LOBBY_ID, Seq(0)).iter().any(|it| matches!(it.fact, Fact::Said { .. })) {
                asked_again += 1;
                assert_eq!(erase(&mut ann, Some(LOBBY_ID)), Ok(Reply::Done {}));
            }
            gone_within_a_minute(&data, SECRET);
            server.stop();
            let (ended, said) = little(&data).run(&["check"]);
            assert!(ended.status.success(), "{said}{}", ended.said);
            std::fs::remove_dir_all(&data).expect("removed");
            if !was_killed {
                break;
            }
            killed += 1;
        }
    }
    println!("{killed} kills, {asked_again} before it was decided");
    assert!(killed - asked_again > 5, "{killed} kills, {asked_again} before it was decided");
}

/// On a full disk there is room for erasing, and for nothing else.
#[test]
fn a_full_disk_erases_and_saves_nothing_else_until_there_is_room() {
    let Some(disk) = SmallDisk::of(12 * 1024) else { return };
    let data = disk.data();
    let server = Setup::on(&data).unhurried().limit("ballast_bytes", 1 << 20).start();
    let (mut ann, mut bob) = (server.guest("Ann"), server.guest("Bob"));
    for number in 1..=50 {
        ann.say(LOBBY_ID, &format!("ann-{number}"), "the unforgettable").expect("said");
    }
    let ballast = data.join("ballast");
    assert_eq!(ballast.metadata().expect("it is there").len(), 1 << 20);
    disk.fill(64 * 1024);
    let mut number = 0;
    let mut say = |bob: &mut Client| {
        number += 1;
        bob.say(LOBBY_ID, &format!("bob-{number}"), &"x".repeat(4_000))
    };
    let full = harness::wait_for(PATIENCE, || say(&mut bob).err());
    assert_eq!(full, Some(Refusal::StorageFull));
    assert!(ballast.exists(), "what is said has none of it");
    assert_eq!(erase(&mut ann, None), Ok(Reply::Done {}));
    assert_eq!(blanks(&mut bob, LOBBY_ID), (50, 50));
    let gone = || files_with(&data, SECRET).is_empty().then_some(());
    assert!(harness::wait_for(SOON, gone).is_some(), "{:?}", files_with(&data, SECRET));
    assert!(!ballast.exists());
    for _ in 0..20 {
        assert_eq!(say(&mut bob), Err(Refusal::StorageFull));
    }
    assert_eq!(bob.ping(), Ok(Reply::Pong {}));
    // Somebody who goes for good can go. The first try may find the room taken.
    let mut cid = server.client();
    cid.resume(bob.token.expect("a token")).expect("a welcome");
    delete(&mut cid, WhatOfMessages::Erase);
    std::fs::remove_file(disk.filler()).expect("room again");
    let recovered = harness::wait_for(Duration::from_secs(5), || {
        let mut dan = server.client();
        dan.hello("Dan").ok().map(|_| dan)
    });
    let mut dan = recovered.expect("recovery within 5 s");
    dan.say(LOBBY_ID, "dan-1", "room again").expect("said");
    assert!(ballast.exists());
    server.stop();
    let (ended, said) = Setup::on(&data).run(&["check"]);
    assert!(ended.status.success(), "{said}{}", ended.said);
}

/// Not a test but a measurement: `cargo test --release -p parlor-server --test it -- --ignored
/// --nocapture how_erasing_is_felt`.
#[test]
#[ignore = "a measurement"]
fn how_erasing_is_felt_by_who_talks() {
    let home = tempfile::tempdir().expect("a folder");
    let rows = std::env::var("ERASE_ROWS").map_or(500, |it| it.parse().unwrap());
    let server = Setup::on(home.path()).unhurried().limit("erase_rows", rows).start();
    let mut ann = server.guest("Ann");
    let text = format!("the unforgettable {}", "x".repeat(180));
    let (mut sent, mut answered) = (0, 0);
    while answered < 100_000 {
        while sent < 100_000 && sent - answered < 500 {
            sent += 1;
            ann.send(crate::client::say(LOBBY_ID, &format!("ann-{sent}"), &text));
        }
        let line = ann.line(PATIENCE).expect("a line");
        answered += usize::from(line.contains("\"ok\""));
    }
    let mut bob = server.guest("Bob");
    let mut number = 0;
    let mut acks = |bob: &mut Client, is_over: &mut dyn FnMut() -> bool| {
        let mut waits = Vec::new();
        while !is_over() {
            number += 1;
            let began = Instant::now();
            bob.say(LOBBY_ID, &format!("bob-{number}"), "while it erases").expect("said");
            bob.events.clear();
            waits.push(began.elapsed());
        }
        waits.sort();
        let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
        println!(
            "{} acks: p50 {:?}, p99 {:?}, highest {:?}",
            waits.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    };
    let until = Instant::now() + Duration::from_secs(3);
    acks(&mut bob, &mut || Instant::now() > until);
    let token = ann.token.expect("a token");
    ann.vanish();
    let mut ann = server.client();
    ann.resume(token).expect("a welcome");
    let began = Instant::now();
    assert_eq!(erase(&mut ann, Some(LOBBY_ID)), Ok(Reply::Done {}));
    let mut looked = Instant::now();
    let file = home.path().join("parlor.sqlite");
    let reader = rusqlite::Connection::open(&file).expect("a database");
    acks(&mut bob, &mut || {
        if looked.elapsed() < Duration::from_millis(50) {
            return false;
        }
        looked = Instant::now();
        let left = "SELECT count(*) FROM erasure";
        reader.query_row(left, [], |it| it.get::<_, i64>(0)).expect("a number") == 0
    });
    println!("100,000 messages erased in {:?}", began.elapsed());
    drop(reader);
    server.stop();
    assert!(files_with(home.path(), SECRET).is_empty());
}
