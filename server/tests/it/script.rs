//! The same conversation through the real server, line by line: `script.txt` holds what everybody
//! sends and everything that everybody hears.
//!
//! `UPDATE_SCRIPT=1 cargo test -p parlor-server script` writes what is heard into the file; look
//! at the difference before it is committed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use parlor_shared::request::PageAt;
use parlor_shared::{
    Event, Fact, LOBBY_ID, Notice, Refusal, Reply, Request, RoomId, Seq, ServerFrame, frame,
};

use crate::client::{Client, Silence};
use crate::harness::{PATIENCE, Setup, TestServer};

pub(crate) const SCRIPT: &str = include_str!("script.txt");
/// Long enough that nothing more comes, when the script is written anew.
const QUIET: Duration = Duration::from_millis(300);

fn server(setup: impl FnOnce(Setup) -> Setup) -> (tempfile::TempDir, TestServer) {
    let data = tempfile::tempdir().expect("a folder");
    let server = setup(Setup::on(data.path())).start();
    (data, server)
}

/// What is different in every run is made the same: times, tokens, the epoch.
fn plain(line: &str) -> String {
    let mut plain = line.to_owned();
    for (field, stop, put) in [
        ("\"at\":", &[',', '}'][..], "0"),
        ("\"token\":\"", &['"'], "secret"),
        ("\"epoch\":\"", &['"'], "epoch"),
    ] {
        let mut from = 0;
        while let Some(at) = plain[from..].find(field).map(|it| from + it + field.len()) {
            let end = plain[at..].find(stop).map_or(plain.len(), |it| at + it);
            plain.replace_range(at..end, put);
            from = at + put.len();
        }
    }
    plain
}

/// Runs the script; gives back what happened, in the form of the script.
pub(crate) fn play(connect: impl Fn() -> Client, script: &str, writes: bool) -> String {
    let (mut people, mut tokens) = (BTreeMap::new(), BTreeMap::<String, String>::new());
    let mut played = String::new();
    for line in script.lines() {
        let Some((who, rest)) = line.split_once(['>', '<', '!']) else {
            played.push_str(&format!("{line}\n"));
            continue;
        };
        if line.starts_with('#') {
            played.push_str(&format!("{line}\n"));
            continue;
        }
        let told = rest.trim_start();
        match line.as_bytes()[who.len()] {
            b'>' => {
                let client = people.entry(who.to_owned()).or_insert_with(&connect);
                // `@ann` stands for the token that ann was given.
                let mut sent = told.to_owned();
                for (name, token) in &tokens {
                    sent = sent.replace(&format!("@{name}"), token);
                }
                client.send_bytes(format!("{sent}\n").as_bytes());
                played.push_str(&format!("{line}\n"));
                if writes {
                    for (who, client) in &mut people {
                        played.push_str(&hear_all(who, client, &mut tokens));
                    }
                    people.retain(|_, it| !matches!(it.line(QUIET), Err(Silence::Closed)));
                }
            }
            _ if writes => {}
            b'<' => {
                let client: &mut Client = people.get_mut(who).expect("connected");
                let heard = client.line(PATIENCE);
                let heard = heard.unwrap_or_else(|why| panic!("{who} waits for {told}: {why:?}"));
                note_token(who, &heard, &mut tokens);
                let heard = plain(&heard);
                assert_eq!(heard, told, "{who} heard something else");
                played.push_str(&format!("{who}< {heard}\n"));
            }
            _ => {
                let mut client: Client = people.remove(who).expect("connected");
                assert_eq!(client.line(PATIENCE), Err(Silence::Closed), "{who} should be cut");
                played.push_str(&format!("{line}\n"));
            }
        }
    }
    for (who, client) in &mut people {
        assert_eq!(client.ping(), Ok(Reply::Pong {}), "{who} heard more than the script says");
        assert!(client.events.is_empty(), "{who} heard more: {:?}", client.events);
    }
    played
}

fn note_token(who: &str, line: &str, tokens: &mut BTreeMap<String, String>) {
    if let Some(token) = line.split("\"token\":\"").nth(1).and_then(|it| it.split('"').next()) {
        tokens.insert(who.to_owned(), token.to_owned());
    }
}

fn hear_all(who: &str, client: &mut Client, tokens: &mut BTreeMap<String, String>) -> String {
    let mut heard = String::new();
    loop {
        match client.line(QUIET) {
            Ok(line) => {
                note_token(who, &line, tokens);
                heard.push_str(&format!("{who}< {}\n", plain(&line)));
            }
            Err(Silence::Late) => return heard,
            Err(Silence::Closed) => return heard + &format!("{who}!\n"),
        }
    }
}

#[test]
fn the_script_is_played_as_it_is_written() {
    let writes = std::env::var_os("UPDATE_SCRIPT").is_some();
    let (_data, server) = server(|it| it.limit("away_millis", 3_600_000));
    let played = play(|| server.client(), SCRIPT, writes);
    if writes {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/script.txt");
        std::fs::write(path, played).expect("the script is written");
    } else {
        assert_eq!(played, SCRIPT);
    }
    server.stop();
}

/// The conversation of the protocol's page, through the real `nc`, as a stranger would do it.
#[test]
fn the_conversation_in_the_readme_works_through_nc() {
    let readme = include_str!("../../../shared/README.md");
    let block = readme.split("```nc\n").nth(1).and_then(|it| it.split("```").next());
    let conversation = block.expect("a conversation");
    let (_data, server) = server(|it| it);
    let (ip, port) = (server.address.ip().to_string(), server.address.port().to_string());
    // Without -N and -q: it ends because the server closes after the goodbye, or not at all.
    let mut nc = Command::new("timeout");
    let nc = nc.args(["20", "nc", &ip, &port]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut nc = nc.spawn().expect("nc is installed");
    let mut input = nc.stdin.take().expect("piped");
    input.write_all(conversation.as_bytes()).expect("nc reads");
    drop(input);
    let heard = nc.wait_with_output().expect("nc ends");
    assert!(heard.status.success(), "the server did not close: {}", heard.status);
    let heard = String::from_utf8(heard.stdout).expect("UTF-8");
    let (mut answered, mut said, mut events) = (Vec::new(), Vec::new(), 0);
    for line in heard.lines() {
        match serde_json::from_str::<ServerFrame>(line).expect(line) {
            ServerFrame::Ok { id, ok } => {
                answered.push(id.0);
                if let Reply::Said { room, client_id, seq, .. } = ok {
                    said.push((room, client_id.to_string(), seq));
                }
            }
            ServerFrame::Refused { refused, .. } => panic!("refused {refused:?}: {line}"),
            ServerFrame::Event(_) => events += 1,
        }
    }
    let asked = conversation.lines().count() as u64;
    assert_eq!(answered, (1..=asked).collect::<Vec<_>>(), "answers come in order:\n{heard}");
    assert_eq!(said[1], said[2], "the resend is answered as the first time");
    assert!(events >= 5, "one hears oneself:\n{heard}");
    server.stop();
}

#[test]
fn a_taken_name_is_refused_with_a_suggestion_and_can_be_tried_again() {
    let (_data, server) = server(|it| it);
    let ann = server.guest("Ann");
    for name in ["Ann", "ANN", "Ａｎｎ", " ann "] {
        let mut other = server.client();
        let Err(Refusal::NameTaken { suggestion: Some(free) }) = other.hello(name) else {
            panic!("{name} was not taken")
        };
        let welcome = other.hello(free.as_str()).expect("the suggestion is free");
        assert_eq!(welcome.name, free);
        assert_ne!(welcome.user, ann.user());
    }
    for (at, (name, code)) in [
        ("  ", "name_empty"),
        ("System", "name_reserved"),
        ("SERVER", "name_reserved"),
        ("Аnn", "name_mixed"),
        ("An\u{200b}n", "name_invisible"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut other = server.client();
        other.send_bytes(
            format!(
                "{{\"id\":1,\"hello\":{{\"protocol\":1,\"app\":\"t\",\"name\":\"{name}\"}}}}\n"
            )
            .as_bytes(),
        );
        let Ok(ServerFrame::Refused { id: Some(_), refused, .. }) = other.frame(PATIENCE) else {
            panic!("{name:?} was not refused")
        };
        assert_eq!(refused.code(), code);
        other.hello(&format!("Guest {at}")).expect("another try");
    }
    server.stop();
}

#[test]
fn exit_alone_signs_out_and_inside_a_text_is_text() {
    let (_data, server) = server(|it| it);
    let (mut ann, mut bob) = (server.guest("Ann"), server.guest("Bob"));
    let text = "say [EXIT] to leave";
    let seq = ann.say(LOBBY_ID, "a-1", text).expect("text");
    let answer = ann.ask(crate::client::say(LOBBY_ID, "a-2", " [EXIT]\n"));
    assert_eq!(answer, Ok(Reply::Goodbye {}));
    assert!(ann.is_closed_within(PATIENCE));
    let heard = loop {
        let event = bob.room_event().expect("the text");
        if matches!(event.fact, Fact::Said { .. }) {
            break event;
        }
    };
    assert!(matches!(&heard.fact, Fact::Said { text: it, .. } if it.as_str() == text));
    let notice = bob.notice().expect("the others are told");
    let Notice::WentAway { room, user, .. } = notice else { panic!("{notice:?}") };
    assert_eq!((room, user), (LOBBY_ID, ann.user()));
    // It was no message: nothing is in the history, and membership and place stay.
    assert_eq!(bob.after(LOBBY_ID, seq), []);
    let Ok(Reply::Members { members, .. }) = bob.members(LOBBY_ID) else { panic!("members") };
    let entry = members.iter().find(|it| it.user == ann.user()).expect("still a member");
    assert!(!entry.here);
    let mut again = server.client();
    let welcome = again.resume(ann.token.expect("a token")).expect("the same guest");
    assert_eq!((welcome.user, welcome.token), (ann.user(), None));
    assert!(matches!(bob.notice(), Ok(Notice::IsBack { user, .. }) if user == ann.user()));
    server.stop();
}

#[test]
fn rooms_are_made_found_and_left_by_name() {
    let (_data, server) = server(|it| it);
    let (mut ann, mut bob) = (server.guest("Ann"), server.guest("Bob"));
    let garden = ann.create("Garden").expect("made");
    assert!(matches!(bob.notice(), Ok(Notice::RoomListed { room, .. }) if room == garden.room));
    assert_eq!(bob.create("GARDEN").map(drop), Err(Refusal::RoomTaken));
    // What one is not in cannot be told from what is not there.
    for room in [garden.room, RoomId(999)] {
        assert_eq!(bob.say(room, "b-1", "hello"), Err(Refusal::NoSuchRoom));
        assert_eq!(bob.page(room, PageAt::Latest, None), Err(Refusal::NoSuchRoom));
        assert_eq!(bob.members(room), Err(Refusal::NoSuchRoom));
        assert_eq!(bob.leave(room), Err(Refusal::NoSuchRoom));
    }
    assert_eq!(bob.join("nowhere").map(drop), Err(Refusal::NoSuchRoom));
    assert_eq!(bob.join("garden").expect("joined").room, garden.room);
    ann.say(garden.room, "a-1", "hello").expect("said");
    let Ok(Reply::Left { seq, .. }) = bob.leave(garden.room) else { panic!("left") };
    assert_eq!(seq, Seq(4));
    ann.say(garden.room, "a-2", "is he gone?").expect("said");
    assert_eq!(ann.ping(), Ok(Reply::Pong {}));
    assert_eq!(bob.ping(), Ok(Reply::Pong {}));
    let heard: Vec<_> = bob
        .events
        .iter()
        .filter_map(|it| if let Event::Room(it) = it { Some((it.room, it.seq)) } else { None })
        .filter(|it| it.0 == garden.room)
        .collect();
    let expected: Vec<_> = (2..=4).map(|it| (garden.room, Seq(it))).collect();
    assert_eq!(heard, expected, "own coming to own leaving, nothing above");
    let Ok(Reply::Rooms { rooms, more: false }) = bob.rooms() else { panic!("rooms") };
    let shown: Vec<_> = rooms.iter().map(|it| (it.name.as_str(), it.members)).collect();
    assert_eq!(shown, [("lobby", 2), ("Garden", 1)]);
    server.stop();
}

#[test]
fn history_is_read_after_before_around_and_latest() {
    let (_data, server) = server(Setup::unhurried);
    let mut ann = server.guest("Ann");
    for number in 1..=30 {
        ann.say(LOBBY_ID, &format!("a-{number}"), &format!("text {number}")).expect("said");
    }
    // Seq 1 is Ann's coming.
    let mut seqs = |page, limit| {
        let (events, more) = ann.page(LOBBY_ID, page, Some(limit)).expect("a page");
        (events.iter().map(|it| it.seq.0).collect::<Vec<_>>(), more)
    };
    let range = |from: u64, to: u64| (from..=to).collect::<Vec<_>>();
    assert_eq!(seqs(PageAt::Latest, 5), (range(27, 31), true));
    assert_eq!(seqs(PageAt::Latest, 31), (range(1, 31), false));
    assert_eq!(seqs(PageAt::After(Seq(0)), 5), (range(1, 5), true));
    assert_eq!(seqs(PageAt::After(Seq(26)), 5), (range(27, 31), false));
    assert_eq!(seqs(PageAt::After(Seq(31)), 5), (vec![], false));
    assert_eq!(seqs(PageAt::After(Seq(99)), 5), (vec![], false));
    assert_eq!(seqs(PageAt::Before(Seq(6)), 5), (range(1, 5), false));
    assert_eq!(seqs(PageAt::Before(Seq(7)), 5), (range(2, 6), true));
    assert_eq!(seqs(PageAt::Before(Seq(1)), 5), (vec![], false));
    let (around, more) = seqs(PageAt::Around(Seq(15)), 5);
    assert!(around.len() == 5 && around.contains(&15) && more, "{around:?}");
    assert_eq!(around, range(around[0], around[0] + 4));
    assert_eq!(seqs(PageAt::Around(Seq(15)), 1), (vec![15], true));
    assert_eq!(seqs(PageAt::Around(Seq(15)), 100), (range(1, 31), false));
    assert_eq!(seqs(PageAt::After(Seq(0)), 0).0, range(1, 1), "a page has at least one event");
    server.stop();
}

/// A lost connection is no news for 15 seconds (here less), and none at all for who is back.
#[test]
fn away_is_told_after_the_grace_and_a_reconnect_makes_no_noise() {
    let (_data, server) = server(|it| it.limit("away_millis", 400));
    let (ann, mut bob) = (server.guest("Ann"), server.guest("Bob"));
    let (user, token) = (ann.user(), ann.token.expect("a token"));
    ann.vanish();
    let mut ann = server.client();
    ann.resume(token).expect("back in time");
    let began = std::time::Instant::now();
    ann.vanish();
    let notice = bob.notice().expect("a notice");
    assert!(matches!(notice, Notice::WentAway { user: it, .. } if it == user), "{notice:?}");
    assert!(began.elapsed() >= Duration::from_millis(395), "told after {:?}", began.elapsed());
    let mut ann = server.client();
    ann.resume(token).expect("back");
    assert!(matches!(bob.notice(), Ok(Notice::IsBack { user: it, .. }) if it == user));
    assert!(bob.events.is_empty(), "and not a word about the first time: {:?}", bob.events);
    server.stop();
}

/// What is missed while away is read from one's place on, and live goes on without a gap.
#[test]
fn whoever_was_away_resumes_without_a_gap() {
    let (_data, server) = server(Setup::unhurried);
    let (mut ann, mut bob) = (server.guest("Ann"), server.guest("Bob"));
    ann.say(LOBBY_ID, "a-1", "first").expect("said");
    assert_eq!(bob.ping(), Ok(Reply::Pong {}));
    let place = Seq(3);
    let token = bob.token.expect("a token");
    bob.vanish();
    let mut missed: Vec<_> = (2..=500)
        .map(|it| ann.say(LOBBY_ID, &format!("a-{it}"), "missed").expect("said").0)
        .collect();
    let mut bob = server.client();
    let welcome = bob.resume(token).expect("back");
    assert_eq!(welcome.rooms[0].last_seq.0, missed[missed.len() - 1]);
    missed.push(ann.say(LOBBY_ID, "a-501", "live").expect("said").0);
    let mut heard: Vec<_> = bob.after(LOBBY_ID, place).iter().map(|it| it.seq.0).collect();
    heard.truncate(499);
    heard.push(bob.room_event().expect("live").seq.0);
    assert_eq!(heard, missed);
    server.stop();
}

/// Two devices of one person: the same client id from both is one message.
#[test]
fn a_resend_is_answered_as_the_first_time_and_heard_once() {
    let (_data, server) = server(|it| it);
    let mut ann = server.guest("Ann");
    let first = ann.ask(crate::client::say(LOBBY_ID, "a-5", "once"));
    let mut phone = server.client();
    phone.resume(ann.token.expect("a token")).expect("a second device");
    assert_eq!(phone.ask(crate::client::say(LOBBY_ID, "a-5", "once")), first);
    assert_eq!(phone.say(LOBBY_ID, "a-5", "twice"), Err(Refusal::Conflict));
    assert!(phone.say(LOBBY_ID, "a-4", "an older number that was never used").is_ok());
    assert_eq!(ann.after(LOBBY_ID, Seq(0)).len(), 3);
    server.stop();
}

/// The first byte cut from the rest, two requests in one packet, a character cut in two: all one.
#[test]
fn bytes_come_in_any_cuts() {
    let (_data, server) = server(Setup::unhurried);
    let mut ann = server.guest("Ann");
    let request = crate::client::say(LOBBY_ID, "a-1", "käse 😀");
    let id = parlor_shared::RequestId(7);
    let bytes = frame::line(&parlor_shared::RequestFrame { id, request });
    let ping = |id| {
        let request = Request::Ping(parlor_shared::request::Nothing {});
        frame::line(&parlor_shared::RequestFrame { id, request })
    };
    for byte in &bytes {
        ann.send_bytes(&[*byte]);
    }
    assert!(matches!(ann.answer(id), Ok(Ok(Reply::Said { .. }))));
    let ids = [parlor_shared::RequestId(8), parlor_shared::RequestId(9)];
    ann.send_bytes(&[ping(ids[0]), b"\r\n\n".to_vec(), ping(ids[1])].concat());
    for id in ids {
        assert_eq!(ann.answer(id), Ok(Ok(Reply::Pong {})));
    }
    let events = ann.after(LOBBY_ID, Seq(1));
    assert!(matches!(&events[0].fact, Fact::Said { text, .. } if text.as_str() == "käse 😀"));
    server.stop();
}
