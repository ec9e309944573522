//! `parlor-server admin …` against the real server: each command once, with what it did seen by
//! another client.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use parlor_shared::request::{Audit, Hello, Recover, Register, SetRole};
use parlor_shared::{Event, Fact, LOBBY_ID, Refusal, Reply, Request, Role, RoomRole, UserNews};
use serde_json::Value;

use crate::client::{Client, empty_hello, say};
use crate::harness::{PATIENCE, Setup, TestServer, wait_for};

mod alone;

/// What a command printed, and how it ended.
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    fn rows(&self) -> Vec<Value> {
        self.out.lines().map(|it| serde_json::from_str(it).expect(it)).collect()
    }
}

/// Runs a command as it is typed, on the server of a data folder.
fn admin(data: &Path, words: &[&str]) -> Told {
    let words: Vec<&str> = std::iter::once("admin").chain(words.iter().copied()).collect();
    let (ended, out) = Setup::on(data).run(&words);
    Told { code: ended.status.code(), out, err: ended.said }
}

/// The same where it has to go well; what it printed.
fn done(data: &Path, words: &[&str]) -> String {
    let told = admin(data, words);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{words:?}: {}", told.out);
    told.out
}

fn rows(data: &Path, words: &[&str]) -> Vec<Value> {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    let told = admin(data, &words);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""), "{words:?}: {}", told.out);
    told.rows()
}

/// The same where the server says no, or has to wait for somebody to say it right.
fn refused(data: &Path, words: &[&str], code: i32, sentence: &str) {
    let told = admin(data, words);
    assert_eq!((told.code, told.out.as_str()), (Some(code), ""), "{words:?}: {}", told.err);
    assert!(told.err.contains(sentence), "{words:?}: {}", told.err);
}

/// The next event of the own stream.
fn news(client: &mut Client) -> UserNews {
    loop {
        if let Event::User(event) = client.event(PATIENCE).expect("news") {
            return event.news;
        }
    }
}

/// The next event of a room besides that there is one and who comes and goes.
fn fact(client: &mut Client) -> Fact {
    loop {
        let event = client.room_event().expect("an event");
        if !matches!(event.fact, Fact::Opened { .. } | Fact::Joined {} | Fact::Left {}) {
            return event.fact;
        }
    }
}

fn started() -> (tempfile::TempDir, TestServer) {
    let data = tempfile::tempdir().expect("a folder");
    let server = Setup::on(data.path()).unhurried().start();
    (data, server)
}

#[test]
fn who_is_there_is_shown_in_a_table_and_as_json() {
    let (folder, server) = started();
    let data = folder.path();
    let ann = server.guest("Ann Lee");
    let mut lee = server.guest("李小龍");
    let bob = server.guest("bob");
    let bob_id = bob.user().0;
    lee.create("Küche").expect("a room");
    bob.vanish();
    let table = done(data, &["users"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].starts_with("ID  NAME     ROLE   HERE  LAST SEEN"), "{table}");
    assert!(lines[1].starts_with(&format!("{}   Ann Lee  guest  yes   20", ann.user())), "{table}");
    assert!(lines[2].starts_with(&format!("{}   李小龍   guest  yes   20", lee.user())), "{table}");
    assert_eq!(rows(data, &["users"]).len(), 3);
    let found = rows(data, &["users", "--find", "LEE"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["name"], &found[0]["user"]), (&"Ann Lee".into(), &ann.user().0.into()));
    assert_eq!(done(data, &["users", "--find", "nobody like that"]), "There is nobody.\n");
    let rooms = rows(data, &["rooms"]);
    let rooms: Vec<_> =
        rooms.iter().map(|it| (it["name"].clone(), it["members"].clone())).collect();
    assert_eq!(rooms, [("lobby".into(), 3.into()), ("Küche".into(), 1.into())]);
    assert!(done(data, &["rooms"]).contains("\n2   Küche  1\n"));
    // By id, by a number that nobody has for a name, and by what looks the same.
    for name in [&format!("id:{bob_id}"), &bob_id.to_string(), "bob", "BOB", "b0b"] {
        let sessions = rows(data, &["sessions", name]);
        assert_eq!(sessions.len(), 1, "{name}: {sessions:?}");
    }
    refused(
        data,
        &["sessions", "Ann"],
        67,
        "nobody is called Ann; it is part of the name of Ann Lee (id:",
    );
    refused(data, &["sessions", "zoë"], 67, "nobody is called zoë; `users` lists everybody");
    refused(data, &["sessions", "id:77"], 67, "nobody is called id:77");
    // A name that is the id of somebody else.
    let three = server.guest(&bob_id.to_string());
    refused(data, &["sessions", &bob_id.to_string()], 67, &format!("id:{}", three.user()));
    server.stop();
}

#[test]
fn lists_that_are_longer_than_an_answer_are_shown_to_their_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let setup = Setup::on(data).unhurried().limit("list_entries", 2).limit("audit_page", 3);
    let server = setup.start();
    let mut guests: Vec<Client> =
        ["ann", "bob", "cem", "dan", "eve"].iter().map(|it| server.guest(it)).collect();
    for name in ["one", "two", "three"] {
        guests[0].create(name).expect("a room");
    }
    assert_eq!(rows(data, &["users"]).len(), 5);
    assert_eq!(rows(data, &["rooms"]).len(), 4);
    for name in ["ann", "bob", "cem", "dan", "eve"] {
        done(data, &["mute", name, "--room", "lobby"]);
        done(data, &["ban", name, "--room", "three"]);
    }
    assert_eq!(rows(data, &["bans"]).len(), 5);
    assert_eq!(rows(data, &["bans", "--room", "three"]).len(), 5);
    assert_eq!(rows(data, &["bans", "--room", "two"]).len(), 0);
    let entries = |words: &[&str]| -> Vec<u64> {
        rows(data, words).iter().map(|it| it["entry"].as_u64().expect("a number")).collect()
    };
    assert_eq!(entries(&["audit"]), [8, 9, 10]);
    assert_eq!(entries(&["audit", "--all"]), (1..=10).collect::<Vec<u64>>());
    let table = done(data, &["audit", "--all"]);
    assert_eq!(table.lines().count(), 11, "{table}");
    assert!(table.contains("  parlor  mute  ann (id:"), "{table}");
    server.stop();
}

#[test]
fn ended_sessions_end_their_connections() {
    let (folder, server) = started();
    let data = folder.path();
    let mut ann = server.client();
    let name = Some("ann".parse().expect("a name"));
    let device = Some("Ann's 📱".parse().expect("a label"));
    let id = ann.send(Request::Hello(Hello { name, device, ..empty_hello() }));
    let Ok(Ok(Reply::Welcome(welcome))) = ann.answer(id) else { panic!("a welcome") };
    let table = done(data, &["sessions", "ann"]);
    assert!(table.contains("Ann's 📱") && table.contains("127.0.0.1"), "{table}");
    assert!(done(data, &["end-session", &welcome.session.to_string()]).contains("has ended"));
    assert!(ann.is_closed_within(PATIENCE));
    assert_eq!(
        done(data, &["sessions", "ann"]),
        format!("ann (id:{}) is not signed in anywhere.\n", welcome.user)
    );
    refused(data, &["end-session", "4711"], 77, &Refusal::NoSuchSession.to_string());
    let mut bob = server.guest("bob");
    assert!(done(data, &["end-sessions", "bob"]).contains("was signed in once"));
    assert!(bob.is_closed_within(PATIENCE));
    assert_eq!(bob.last_words, [Refusal::SessionEnded]);
    server.stop();
}

#[test]
fn roles_are_given_and_taken_on_the_server_and_in_rooms() {
    let (folder, server) = started();
    let data = folder.path();
    let mut ann = server.guest("ann");
    let (mut bob, kitchen) = (server.guest("bob"), ann.create("kitchen").expect("a room").room);
    bob.join("kitchen").expect("joined");
    assert!(done(data, &["role", "ann", "owner"]).ends_with("is an owner now.\n"));
    assert_eq!(news(&mut ann), UserNews::RoleIs { role: Role::Owner });
    refused(data, &["role", "ann", "member"], 77, &Refusal::LastOwner.to_string());
    done(data, &["role", "bob", "admin"]);
    assert_eq!(news(&mut bob), UserNews::RoleIs { role: Role::Admin });
    assert!(matches!(bob.ask(Request::Audit(Audit { before: None })), Ok(Reply::Audit { .. })));
    assert!(done(data, &["users"]).contains("has no password"));
    assert!(done(data, &["role", "bob", "guest"]).contains("sees to this server no more"));
    assert_eq!(news(&mut bob), UserNews::RoleIs { role: Role::Guest });
    let denied = bob.ask(Request::SetRole(SetRole { user: bob.user(), role: Role::Admin }));
    assert_eq!(denied, Err(Refusal::NotAllowed));
    let told = done(data, &["room-role", "kitchen", "bob", "moderator"]);
    assert!(told.contains("is a moderator in kitchen (id:2) now"), "{told}");
    let role = RoomRole::Moderator;
    assert_eq!(news(&mut bob), UserNews::RoomRoleIs { room: kitchen, role });
    refused(data, &["room-role", "cellar", "bob", "owner"], 67, "no room that is open is called");
    server.stop();
}

#[test]
fn people_are_kicked_banned_and_let_in_again() {
    let (folder, server) = started();
    let data = folder.path();
    let (mut ann, mut bob) = (server.guest("ann"), server.guest("bob"));
    let kitchen = ann.create("kitchen").expect("a room").room;
    bob.join("kitchen").expect("joined");
    done(data, &["kick", "kitchen", "bob", "--reason", "the stove is hot"]);
    let said = fact(&mut ann);
    assert!(
        matches!(&said, Fact::Kicked { reason: Some(it), .. } if it.as_str() == "the stove is hot"),
        "{said:?}"
    );
    bob.join("kitchen").expect("who is kicked can come back");
    refused(data, &["kick", "id:99", "bob"], 77, &Refusal::NoSuchRoom.to_string());
    let told = done(data, &["ban", "bob", "--room", "kitchen", "--for", "2h"]);
    assert!(
        told.contains("is banned from kitchen (id:2) for 2 hours; `unban 1` ends it"),
        "{told}"
    );
    let said = fact(&mut ann);
    assert!(matches!(said, Fact::Banned { until: Some(_), .. }), "{said:?}");
    assert!(matches!(bob.join("kitchen"), Err(Refusal::Banned { until: Some(_) })));
    let bans = rows(data, &["bans", "--room", "kitchen"]);
    assert_eq!((&bans[0]["who"], &bans[0]["room"]), (&"bob".into(), &kitchen.0.into()));
    done(data, &["unban", "1"]);
    refused(data, &["unban", "1"], 77, &Refusal::NoSuchBan.to_string());
    bob.join("kitchen").expect("it is over");
    // Of the whole server, for good.
    let told = done(data, &["ban", "bob", "--reason", "enough"]);
    assert!(told.contains("is banned from this server for good; `unban 2` ends it"), "{told}");
    assert!(bob.is_closed_within(PATIENCE));
    let token = bob.token.expect("a token");
    assert!(matches!(server.client().resume(token), Err(Refusal::Banned { until: None })));
    assert!(done(data, &["users", "--find", "bob"]).contains("banned"));
    // A range of addresses, whose host bits do not matter; not the one that this comes from.
    let told = done(data, &["ban", "203.0.113.77/24", "--for", "1w"]);
    assert!(told.starts_with("203.0.113.0/24 is banned from this server for 1 week"), "{told}");
    let table = done(data, &["bans"]);
    assert!(table.contains("bob (id:") && table.contains("enough"), "{table}");
    assert!(table.contains("203.0.113.0/24"), "{table}");
    refused(data, &["ban", "127.0.0.0/8"], 77, &Refusal::NotYourself.to_string());
    done(data, &["unban", "2"]);
    server.client().resume(token).expect("let in again");
    done(data, &["unban", "3"]);
    assert_eq!(done(data, &["bans"]), "There are no bans.\n");
    server.stop();
}

#[test]
fn the_muted_are_silent_and_the_rooms_that_end_are_too() {
    let (folder, server) = started();
    let data = folder.path();
    let mut ann = server.guest("ann");
    let kitchen = ann.create("kitchen").expect("a room").room;
    let told = done(data, &["mute", "ann", "--room", "kitchen", "--for", "10m"]);
    assert!(told.contains("can read and not write in kitchen (id:2) for 10 minutes"), "{told}");
    assert!(matches!(ann.say(kitchen, "d-1", "x"), Err(Refusal::Muted { until: Some(_) })));
    ann.say(LOBBY_ID, "d-2", "only there").expect("said");
    done(data, &["unmute", "ann", "--room", "kitchen"]);
    ann.say(kitchen, "d-3", "again").expect("said");
    done(data, &["mute", "ann"]);
    assert!(matches!(ann.say(LOBBY_ID, "d-4", "x"), Err(Refusal::Muted { until: None })));
    assert!(done(data, &["users"]).contains("muted"));
    done(data, &["unmute", "ann"]);
    ann.say(LOBBY_ID, "d-5", "again").expect("said");
    assert!(done(data, &["end-room", "kitchen", "--reason", "moved"]).contains("has ended"));
    assert_eq!(ann.say(kitchen, "d-6", "x"), Err(Refusal::RoomEnded));
    refused(data, &["end-room", "lobby"], 77, &Refusal::NotAllowed.to_string());
    refused(data, &["end-room", "kitchen"], 67, "one that has ended is named by its id");
    done(data, &["announce", "Tea", "at", "five."]);
    let heard = loop {
        if let Fact::Announced { text, .. } = fact(&mut ann) {
            break text;
        }
    };
    assert_eq!(heard.as_str(), "Tea at five.");
    refused(data, &["announce", " "], 64, &Refusal::TextEmpty.to_string());
    server.stop();
}

#[test]
fn what_somebody_said_is_erased_by_whoever_types_the_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    // Who erases twice in a row is told to wait by the server, and waits.
    let server = Setup::on(data).unhurried().limit("erase_millis", 1_000).start();
    let (mut ann, mut bob) = (server.guest("ann"), server.guest("bob"));
    let kitchen = ann.create("kitchen").expect("a room").room;
    bob.join("kitchen").expect("joined");
    for (n, room) in [(1, LOBBY_ID), (2, kitchen)] {
        ann.ask(say(room, &format!("d-{n}"), "secret plans")).expect("said");
    }
    let typing = |answer: &str| {
        let mut command = Setup::on(data).command();
        command.args(["admin", "erase", "ann", "--room", "kitchen"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut input = child.stdin.take().expect("piped");
        input.write_all(answer.as_bytes()).expect("it reads");
        drop(input);
        child.wait_with_output().expect("it ends")
    };
    // Readers are shown nothing of it from that event on; that is tested elsewhere.
    let user = ann.user();
    let mut erased = || loop {
        let event = bob.room_event().expect("an event");
        if matches!(event.fact, Fact::Erased { user: it, .. } if it == user) {
            return event.room;
        }
    };
    for wrong in ["yes\n", "bob\n", ""] {
        let told = typing(wrong);
        assert_eq!(told.status.code(), Some(64));
        let asked = String::from_utf8(told.stderr).expect("UTF-8");
        assert!(asked.contains("erases for good all that ann (id:"), "{asked}");
        assert!(asked.contains("nothing was erased"), "{asked}");
    }
    assert_eq!(done(data, &["audit"]), "Nothing was done yet.\n");
    let told = typing("ann\n");
    assert!(told.status.success(), "{told:?}");
    assert_eq!(erased(), kitchen);
    assert!(done(data, &["erase", "ann", "--yes"]).contains("ever said anywhere is erased"));
    let mut everywhere = [erased(), erased()];
    everywhere.sort();
    assert_eq!(everywhere, [LOBBY_ID, kitchen]);
    server.stop();
}

#[test]
fn newcomers_need_the_invitations_that_are_made_here() {
    let (folder, server) = started();
    let data = folder.path();
    assert!(done(data, &["policy"]).contains("open: everybody, as a guest"));
    let told = done(data, &["policy", "--entry", "invite", "--backup-hours", "0"]);
    assert!(told.contains("newcomers need an invitation") && told.contains("never"), "{told}");
    assert_eq!(rows(data, &["policy"])[0]["entry"], "invite");
    assert_eq!(server.client().hello("ann"), Err(Refusal::InviteNeeded));
    let told = done(data, &["invite", "--uses", "2", "--for", "3d"]);
    let code = told.lines().next().expect("a code").parse().expect("a code");
    let hello = |name: &str| Hello {
        name: Some(name.parse().expect("a name")),
        invite: Some(code),
        ..empty_hello()
    };
    let mut ann = server.client();
    let id = ann.send(Request::Hello(hello("ann")));
    assert!(matches!(ann.answer(id), Ok(Ok(Reply::Welcome(_)))));
    let invites = rows(data, &["invites"]);
    assert_eq!((invites.len(), &invites[0]["uses_left"]), (1, &1.into()));
    done(data, &["cancel-invite", "1"]);
    refused(data, &["cancel-invite", "1"], 77, &Refusal::NoSuchInvite.to_string());
    assert_eq!(done(data, &["invites"]), "There are no invitations.\n");
    let mut bob = server.client();
    let id = bob.send(Request::Hello(hello("bob")));
    assert!(matches!(bob.answer(id), Ok(Err(_))));
    let json = rows(data, &["invite"]);
    assert!(json[0]["invite"]["code"].is_string(), "{json:?}");
    refused(data, &["invite", "--for", "forever"], 64, "an invitation ends one day");
    done(data, &["policy", "--entry", "open"]);
    bob.hello("bob").expect("open again");
    server.stop();
}

#[test]
fn who_forgot_the_password_sets_another_one_with_a_code_from_here() {
    let (folder, server) = started();
    let data = folder.path();
    let mut ann = server.guest("ann");
    let password = "quite a long old one".parse().expect("a password");
    ann.ask(Request::Register(Register { password, email: None })).expect("registered");
    let told = done(data, &["reset-code", "ann"]);
    assert!(told.contains("Hand it to nobody else"), "{told}");
    let code = told.lines().next().expect("a code").parse().expect("a code");
    let (name, password) = ("ann".parse().expect("a name"), "another long new one".parse());
    let password = password.expect("a password");
    let recover = Request::Recover(Recover { name, code, password });
    assert_eq!(server.client().ask(recover.clone()), Ok(Reply::Recovered {}));
    assert!(ann.is_closed_within(PATIENCE));
    assert_eq!(server.client().ask(recover), Err(Refusal::CodeUnknown), "once");
    server.stop();
}

#[test]
fn a_backup_is_made_and_shown() {
    let (folder, server) = started();
    let data = folder.path();
    let mut ann = server.guest("ann");
    ann.say(LOBBY_ID, "d-1", "keep this").expect("said");
    let table = done(data, &["storage"]);
    assert!(table.contains("\nEvents:           2\n"), "{table}");
    done(data, &["backup-now"]);
    let made = wait_for(PATIENCE, || {
        let storage = rows(data, &["storage"]).remove(0);
        storage["last_backup"]["bytes"].as_u64()
    });
    assert!(made.is_some_and(|it| it > 0), "{made:?}");
    assert!(fs::read_dir(data.join("backups")).expect("a folder").next().is_some());
    let table = done(data, &["storage"]);
    assert!(table.contains("KiB") && table.contains("\nLatest backup:    20"), "{table}");
    server.stop();
}
