//! Every data folder that an earlier Parlor made is opened by this one, with every event at its
//! place, and its people come back with their tokens.

use std::fs;
use std::path::{Path, PathBuf};

use parlor_shared::{LOBBY_ID, RoomEvent, RoomId, RoomRole, Seq, frame};

use crate::client::Client;
use crate::harness::{Setup, copy_folder};

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
        // Whoever made a room before there were roles owns it, and the lobby is nobody's.
        for it in &welcome.rooms {
            let role = if it.room == LOBBY_ID { RoomRole::Member } else { RoomRole::Owner };
            assert_eq!((it.role, it.ended), (role, false), "room {}", it.room);
        }
        let expected = fs::read_to_string(made.join("events.jsonl")).unwrap();
        assert_eq!(story(&mut client, &rooms), expected, "{}", made.display());
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
    let server = Setup::on(folder.path()).start();
    let (mut ann, mut ben) = (server.client(), server.client());
    let welcome = ann.hello("Ann").unwrap();
    ben.hello("Ben").unwrap();
    let garden = ann.create("garden").unwrap().room;
    ben.join("garden").unwrap();
    let texts = ["Hello.", "Two\nlines,\ta tab.", "שלום", "مرحبا", "你好", "👩‍👩‍👧‍👦 🇪🇺", "~ [EXIT] ~"];
    for (place, text) in texts.iter().enumerate() {
        ann.say(LOBBY_ID, &format!("ann-{}", place + 1), text).unwrap();
        ben.say(garden, &format!("ben-{}", place + 1), text).unwrap();
    }
    assert!(ben.leave(garden).is_ok());
    let events = story(&mut ann, &[LOBBY_ID, garden]);
    drop((ann, ben));
    server.stop();
    fs::create_dir_all(made.join("data")).unwrap();
    fs::copy(folder.path().join("parlor.sqlite"), made.join("data/parlor.sqlite")).unwrap();
    fs::write(made.join("token.txt"), welcome.token.unwrap().to_hex()).unwrap();
    fs::write(made.join("events.jsonl"), events).unwrap();
}
