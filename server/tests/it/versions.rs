//! Every data folder that an earlier Parlor made is opened by this one, with every event at its
//! place, and its people come back with their tokens.

use std::fs;
use std::path::{Path, PathBuf};

use parlor_shared::request::{Hello, Request};
use parlor_shared::{
    JoinedRoom, LOBBY_ID, Refusal, Reply, Role, RoomEvent, RoomId, RoomRole, Seq, UserNews, frame,
};

use crate::client::{Client, empty_hello};
use crate::harness::{Setup, TestServer, copy_folder};

/// One folder per version that ended an issue; never edited, only added to.
fn folders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/folders")
}

/// Everything in the rooms that `token` is a member of, as lines.
fn story(client: &mut Client, rooms: &[RoomId]) -> String {
    let lines = |events: Vec<RoomEvent>| -> String {
        events.iter().map(|it| String::from_utf8(frame::line(it)).expect("UTF-8")).collect()
    };
    rooms.iter().map(|room| lines(client.after(*room, Seq(0)))).collect()
}

#[test]
fn every_earlier_data_folder_is_opened_with_every_event() {
    let mut opened = 0;
    for entry in fs::read_dir(folders()).unwrap() {
        let made = entry.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&made.join("data"), folder.path());
        let server = Setup::on(folder.path()).start();
        let mut client = server.client();
        let token = fs::read_to_string(made.join("token.txt")).unwrap();
        let welcome = client.resume(token.trim().parse().unwrap()).unwrap();
        let rooms: Vec<RoomId> = welcome.rooms.iter().map(|it| it.room).collect();
        match fs::read_to_string(made.join("rooms.jsonl")) {
            Ok(as_left) => assert_eq!(jsonl(&welcome.rooms), as_left, "{}", made.display()),
            // Whoever made a room before there were roles owns it, and the lobby is nobody's.
            Err(_) => {
                for it in &welcome.rooms {
                    let role = if it.room == LOBBY_ID { RoomRole::Member } else { RoomRole::Owner };
                    assert_eq!((it.role, it.ended), (role, false), "room {}", it.room);
                }
            }
        }
        let expected = fs::read_to_string(made.join("events.jsonl")).unwrap();
        assert_eq!(story(&mut client, &rooms), expected, "{}", made.display());
        let own = made.join("mine.jsonl");
        if own.exists() {
            assert_eq!(mine(&mut client), fs::read_to_string(own).unwrap(), "{}", made.display());
            signs_in(&server, PASSWORD);
            only_the_invited_come_in(&server);
        }
        // And the order goes on where it was.
        let last = welcome.rooms[0].last_seq;
        let next = client.say(rooms[0], "later-1", "Still here.").unwrap();
        assert_eq!(next, last.next());
        drop(client);
        server.stop();
        opened += 1;
    }
    assert!(opened > 0, "there is at least the first version's folder");
}

/// `MAKE_FOLDER=NAME cargo test -p parlor-server -- --ignored make_a_data_folder`
#[test]
#[ignore = "makes test data: once at the end of each piece of work"]
fn make_a_data_folder_for_later_versions() {
    let name = std::env::var("MAKE_FOLDER").expect("MAKE_FOLDER names the folder");
    let made = folders().join(name);
    assert!(!made.exists(), "what earlier versions made is not made again");
    let folder = tempfile::tempdir().unwrap();
    let server = Setup::on(folder.path()).unhurried().limit("rename_millis", 0).start();
    let mut ann = server.client();
    let welcome = ann.hello("Ann").unwrap();
    let claim = server.wait_for_line("Claim code: ").unwrap();
    done(&mut ann, &format!(r#""claim":{{"code":"{claim}"}}"#));
    done(&mut ann, &format!(r#""register":{{"password":"{PASSWORD}"}}"#));
    let [mut ben, mut cid, mut dan, mut eve] =
        ["Ben", "Cid", "Dan", "Eve"].map(|name| server.guest(name));
    let garden = ann.create("garden").unwrap().room;
    for guest in [&mut ben, &mut cid, &mut dan, &mut eve] {
        guest.join("garden").unwrap();
    }
    let texts = ["Hello.", "Two\nlines,\ta tab.", "שלום", "مرحبا", "你好", "👩‍👩‍👧‍👦 🇪🇺", "~ [EXIT] ~"];
    for (place, text) in texts.iter().enumerate() {
        ann.say(LOBBY_ID, &format!("ann-{}", place + 1), text).unwrap();
        for (guest, name) in [(&mut ben, "ben"), (&mut cid, "cid"), (&mut dan, "dan")] {
            guest.say(garden, &format!("{name}-{}", place + 1), text).unwrap();
        }
    }
    assert!(ben.leave(garden).is_ok());
    done(&mut ben, r#""rename":{"name":"Benno"}"#);
    let of = |guest: &Client| guest.user().0;
    for act in [
        r#""announce":{"client_id":"ann-8","text":"Tea at five."}"#.to_owned(),
        format!(r#""erase_messages":{{"user":{}}}"#, of(&cid)),
        format!(r#""set_room_role":{{"room":2,"user":{},"role":"moderator"}}"#, of(&eve)),
        format!(r#""kick":{{"room":2,"user":{},"reason":"Flooding"}}"#, of(&dan)),
        format!(r#""ban":{{"user":{},"room":2}}"#, of(&dan)),
        format!(r#""mute":{{"user":{},"room":2,"reason":"Not so loud"}}"#, of(&cid)),
        r#""ban":{"network":"10.9.0.0/16","reason":"Robots"}"#.to_owned(),
        r#""create_room":{"name":"cellar"}"#.to_owned(),
        r#""end_room":{"room":3,"reason":"Too cold"}"#.to_owned(),
        r#""read":{"room":1,"seq":6}"#.to_owned(),
        r#""set_policy":{"entry":"invite","backup_hours":0}"#.to_owned(),
        r#""make_invite":{"uses":3}"#.to_owned(),
    ] {
        done(&mut ann, &act);
    }
    done(&mut dan, r#""delete_account":{"messages":"keep"}"#);
    signs_in(&server, PASSWORD);
    let rooms: Vec<RoomId> = {
        let mut again = server.client();
        let welcome = again.resume(welcome.token.unwrap()).unwrap();
        fs::create_dir_all(made.join("data")).unwrap();
        fs::write(made.join("rooms.jsonl"), jsonl(&welcome.rooms)).unwrap();
        welcome.rooms.iter().map(|it| it.room).collect()
    };
    let events = story(&mut ann, &rooms);
    fs::write(made.join("mine.jsonl"), mine(&mut ann)).unwrap();
    drop((ann, ben, cid, eve));
    server.stop();
    fs::copy(folder.path().join("parlor.sqlite"), made.join("data/parlor.sqlite")).unwrap();
    fs::write(made.join("token.txt"), welcome.token.unwrap().to_hex()).unwrap();
    fs::write(made.join("events.jsonl"), events).unwrap();
}

/// Of Ann, in every folder in which there are accounts.
const PASSWORD: &str = "seven herons over a pond";

fn jsonl(rooms: &[JoinedRoom]) -> String {
    rooms.iter().map(|it| String::from_utf8(frame::line(it)).expect("UTF-8")).collect()
}

/// The own stream, sign-ins apart: a look at the folder is one more of them.
fn mine(client: &mut Client) -> String {
    let Reply::Mine { events, .. } = done(client, r#""mine":{"after":0}"#) else {
        panic!("mine was answered otherwise")
    };
    let lasting = events.iter().filter(|it| !matches!(it.news, UserNews::SessionBegan { .. }));
    lasting.map(|it| String::from_utf8(frame::line(it)).expect("UTF-8")).collect()
}

/// Asks what stands there, and is not refused.
fn done(client: &mut Client, request: &str) -> Reply {
    let asked = frame::parse_request(&format!(r#"{{"id":1,{request}}}"#)).expect(request);
    client.ask(asked.request).expect(request)
}

fn signs_in(server: &TestServer, password: &str) {
    let hello =
        Hello { name: "Ann".parse().ok(), password: password.parse().ok(), ..empty_hello() };
    match server.client().ask(Request::Hello(hello)) {
        Ok(Reply::Welcome(it)) => assert!(it.account && it.role == Role::Owner, "{it:?}"),
        other => panic!("the password was answered {other:?}"),
    }
}

fn only_the_invited_come_in(server: &TestServer) {
    assert_eq!(server.client().hello("Zoe").expect_err("no invitation"), Refusal::InviteNeeded);
}
