//! Clients that mean harm, or are broken: at every limit and one past it, and then the server is
//! looked at: it lives, others notice nothing, and what it took it gives back.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parlor_shared::limits::{JSON_ARRAY_MAX, JSON_DEPTH_MAX, JSON_KEYS_MAX, TEXT_BYTES_MAX};
use parlor_shared::{
    Event, Fact, LOBBY_ID, Limits, Notice, PageAt, Refusal, Reply, Seq, ServerFrame,
};

use crate::client::{Client, say};
use crate::harness::{self, PATIENCE, Setup, TestServer, wait_for};

fn server(setup: impl FnOnce(Setup) -> Setup) -> (tempfile::TempDir, TestServer) {
    let data = tempfile::tempdir().expect("a folder");
    let server = setup(Setup::on(data.path()).unhurried()).start();
    (data, server)
}

/// `{"id":1,"ping":{}}` with as many spaces as it takes to be so long.
fn ping_of(bytes: usize) -> Vec<u8> {
    let (start, end) = (br#"{"id":1,"ping":{}"#, b"}\n");
    let spaces = vec![b' '; bytes + 1 - start.len() - end.len()];
    [&start[..], &spaces, end].concat()
}

fn refusal(client: &mut Client) -> Refusal {
    match client.frame(PATIENCE) {
        Ok(ServerFrame::Refused { refused, .. }) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

fn is_well(server: &TestServer, name: &str) {
    assert_eq!(server.guest(name).ping(), Ok(Reply::Pong {}));
}

#[test]
fn lines_at_the_limit_are_taken_and_one_byte_more_ends_the_connection() {
    let (_data, server) = server(|it| it);
    let limits = Limits::default();
    let (before, after) = (limits.frame_bytes_before_hello as usize, limits.frame_bytes as usize);
    let mut stranger = server.client();
    stranger.send_bytes(&ping_of(before));
    assert_eq!(refusal(&mut stranger), Refusal::HelloFirst);
    stranger.send_bytes(&ping_of(before + 1));
    assert_eq!(refusal(&mut stranger), Refusal::FrameTooLong);
    assert!(stranger.is_closed_within(PATIENCE));

    let mut ann = server.guest("Ann");
    ann.ping().expect("a pong");
    ann.send_bytes(&ping_of(after));
    assert!(matches!(ann.frame(PATIENCE), Ok(ServerFrame::Ok { ok: Reply::Pong {}, .. })));
    ann.send_bytes(&ping_of(after + 1));
    assert!(ann.is_closed_within(PATIENCE));
    assert_eq!(ann.last_words, [Refusal::FrameTooLong]);
    is_well(&server, "Bob");
    server.stop();
}

/// Refused from its length, long before its newline, which never comes.
#[test]
fn a_giant_line_is_refused_before_it_is_held() {
    let (_data, server) = server(|it| it);
    let before = server.resident_bytes();
    let mut giants: Vec<Client> = (0..8).map(|it| server.guest(&format!("Giant {it}"))).collect();
    let piece = vec![b'['; 1 << 20];
    for giant in &mut giants {
        giant.send_bytes(b"{\"id\":1,\"say\":");
        // Far more than it may be; the server stops listening on the way.
        (0..8).for_each(|_| giant.send_bytes(&piece));
        assert!(giant.is_closed_within(PATIENCE));
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes for lines that were refused");
    is_well(&server, "Bob");
    server.stop();
}

#[test]
fn texts_and_shapes_at_the_limit_and_one_past_it() {
    let (_data, server) = server(|it| it);
    let mut ann = server.guest("Ann");
    assert!(ann.say(LOBBY_ID, "a-1", &"x".repeat(TEXT_BYTES_MAX)).is_ok());
    // As many bytes on the wire as a text can take: every character escaped.
    let longest = "\\u0041".repeat(8_000);
    ann.send_bytes(
        format!(r#"{{"id":70,"say":{{"room":1,"client_id":"a-2","text":"{longest}"}}}}"#)
            .as_bytes(),
    );
    ann.send_bytes(b"\n");
    assert!(matches!(ann.answer(parlor_shared::RequestId(70)), Ok(Ok(Reply::Said { .. }))));
    let too_long = "x".repeat(TEXT_BYTES_MAX + 1);
    let say = |text: &str| {
        format!(r#"{{"id":71,"say":{{"room":1,"client_id":"a-3","text":"{text}"}}}}"#) + "\n"
    };
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let keys: Vec<_> = (0..=JSON_KEYS_MAX).map(|it| format!("\"k{it}\":1")).collect();
    let lines = [
        (say(&too_long), Refusal::TextTooLong),
        (say(""), Refusal::TextEmpty),
        (say("a\\u0000b"), Refusal::ControlCharacter),
        (format!("{{\"id\":71,\"x\":{}}}\n", nested(JSON_DEPTH_MAX - 1)), Refusal::UnknownRequest),
        (format!("{{\"id\":71,\"x\":{}}}\n", nested(JSON_DEPTH_MAX)), Refusal::TooDeep),
        (format!("{{\"x\":{}\n", "[".repeat(60_000)), Refusal::TooDeep),
        (format!("{{\"x\":{}\n", "{\"a\":".repeat(10_000)), Refusal::TooDeep),
        (format!("{{{}}}\n", keys.join(",")), Refusal::TooManyElements),
        (
            format!("{{\"x\":[{}]}}\n", vec!["1"; JSON_ARRAY_MAX + 1].join(",")),
            Refusal::TooManyElements,
        ),
        ("{\"id\":71,\"ping\":{}\n".to_owned(), Refusal::Malformed),
    ];
    while ann.event(Duration::from_millis(50)).is_ok() {}
    for (line, refused) in lines {
        ann.send_bytes(line.as_bytes());
        assert_eq!(refusal(&mut ann), refused, "{}", &line[..line.len().min(60)]);
    }
    ann.send_bytes(b"{\"id\":71,\"ping\":{}}\xff\n");
    assert_eq!(refusal(&mut ann), Refusal::NotUtf8);
    assert_eq!(ann.ping(), Ok(Reply::Pong {}), "each of these concerns its line only");
    server.stop();
}

#[test]
fn counts_at_the_limit_and_one_past_it() {
    let (_data, server) = server(|it| {
        it.limit("rooms_made", 2)
            .limit("rooms_joined", 4)
            .limit("rooms", 5)
            .limit("users", 4)
            .limit("sessions_per_user", 2)
            .limit("page_events_max", 5)
            .limit("page_events", 3)
            .limit("list_entries", 2)
            .limit("hello_tries", 3)
    });
    let (mut ann, mut bob) = (server.guest("Ann"), server.guest("Bob"));
    let mut cleo = server.guest("Cleo");
    ann.create("a1").expect("within the limits");
    cleo.create("c1").and_then(|_| cleo.create("c2")).expect("within the limits");
    assert_eq!(cleo.create("c3").map(drop), Err(Refusal::TooManyRoomsMade));
    ann.create("a2").expect("the fifth room with the lobby");
    assert_eq!(bob.create("b1").map(drop), Err(Refusal::TooManyRooms));
    for room in ["a1", "a2", "c1"] {
        bob.join(room).expect("four with the lobby");
    }
    assert_eq!(bob.join("c2").map(drop), Err(Refusal::TooManyRoomsJoined));
    // Lists and pages.
    let Ok(Reply::Rooms { rooms, more: true }) = bob.rooms() else { panic!("two of five") };
    assert_eq!(rooms.len(), 2);
    let Ok(Reply::Members { members, more: true, .. }) = bob.members(LOBBY_ID) else {
        panic!("two of three")
    };
    assert_eq!(members.len(), 2);
    for number in 1..=8 {
        bob.say(LOBBY_ID, &format!("b-{number}"), "text").expect("said");
    }
    for (limit, expected) in [(None, 3), (Some(5), 5), (Some(6), 5), (Some(u32::MAX), 5)] {
        let (events, more) = bob.page(LOBBY_ID, PageAt::Latest, limit).expect("a page");
        assert_eq!((events.len(), more), (expected, true), "{limit:?}");
    }
    // Sessions, users, tries.
    let token = ann.token.expect("a token");
    let mut second = server.client();
    second.resume(token).expect("a second session");
    assert_eq!(server.client().resume(token).map(drop), Err(Refusal::TooManySessions));
    drop(second);
    server.guest("Dan");
    assert_eq!(server.client().hello("Eve").map(drop), Err(Refusal::TooManyUsers));
    let mut stranger = server.client();
    for _ in 0..3 {
        assert!(matches!(stranger.hello("Ann"), Err(Refusal::NameTaken { .. })));
    }
    stranger.send_hello(Some("Ann"), None);
    assert!(stranger.is_closed_within(PATIENCE));
    assert_eq!(stranger.last_words, [Refusal::HelloLate]);
    server.stop();
}

#[test]
fn who_talks_too_fast_is_held_back_then_refused_over_all_connections() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Setup::on(data.path())
        .limit("messages_per_second", 2)
        .limit("messages_burst", 4)
        .limit("message_delay_millis", 100)
        .start();
    let (mut ann, mut bob) = (server.guest("Ann"), server.guest("Bob"));
    let mut phone = server.client();
    phone.resume(ann.token.expect("a token")).expect("a second device");
    for number in 1..=2 {
        assert!(ann.say(LOBBY_ID, &format!("a-{number}"), "quick").is_ok());
        assert!(phone.say(LOBBY_ID, &format!("p-{number}"), "quick").is_ok());
    }
    let Err(Refusal::RateLimited { retry_millis }) = phone.say(LOBBY_ID, "p-3", "quick") else {
        panic!("the burst is counted per user")
    };
    assert!((100..=500).contains(&retry_millis), "{retry_millis}");
    assert!(bob.say(LOBBY_ID, "b-1", "slow").is_ok(), "others are not slowed");
    // Refused is not stored: the same id is new when it is tried again.
    let said = wait_for(PATIENCE, || phone.say(LOBBY_ID, "p-3", "quick").ok());
    assert!(said.is_some());
    let texts = bob.after(LOBBY_ID, Seq(0));
    assert_eq!(texts.iter().filter(|it| matches!(it.fact, Fact::Said { .. })).count(), 6);
    server.stop();
}

/// One byte at a time holds nobody beyond the absolute deadline, and saying nothing neither.
#[test]
fn a_slow_drip_ends_at_the_deadline() {
    let (_data, server) = server(|it| it.limit("hello_millis", 500).limit("frame_millis", 500));
    let began = Instant::now();
    let mut mute = server.client();
    let mut drip = server.client();
    let line = ping_of(4_000);
    for byte in &line {
        if drip.stream.write_all(&[*byte]).is_err() || began.elapsed() > Duration::from_secs(3) {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(10));
        if drip.line(Duration::from_millis(1)).is_ok() {
            break;
        }
    }
    let held = began.elapsed();
    assert!((450..1_500).contains(&held.as_millis()), "the drip held on for {held:?}");
    assert!(mute.is_closed_within(PATIENCE));
    // A member's line has its time, too.
    let mut ann = server.guest("Ann");
    ann.ping().expect("a pong");
    let began = Instant::now();
    for byte in &line {
        ann.send_bytes(&[*byte]);
        std::thread::park_timeout(Duration::from_millis(10));
        if began.elapsed() > Duration::from_millis(700) {
            break;
        }
    }
    assert!(ann.is_closed_within(PATIENCE));
    assert_eq!(ann.last_words, [Refusal::FrameLate]);
    assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    server.stop();
}

#[test]
fn silence_is_asked_about_and_then_ended_in_time() {
    let (_data, server) = server(|it| it.limit("ping_millis", 400).limit("silence_millis", 1_000));
    let mut ann = server.guest("Ann");
    let began = Instant::now();
    let pinged = |it: &Event| matches!(it, Event::Notice(Notice::Ping {}));
    let asked = wait_for(PATIENCE, || ann.event(PATIENCE).ok().filter(pinged));
    assert!(asked.is_some());
    assert!(began.elapsed() >= Duration::from_millis(390), "{:?}", began.elapsed());
    assert_eq!(ann.ping(), Ok(Reply::Pong {}), "who answers stays");
    let began = Instant::now();
    assert!(ann.is_closed_within(PATIENCE));
    assert_eq!(ann.last_words, [Refusal::Silent]);
    let millis = began.elapsed().as_millis();
    assert!((990..1_190).contains(&millis), "ended after {millis} ms, not at the end of silence");
    server.stop();
}

/// Who does not read is cut, delays nobody, and comes back without a gap.
#[test]
fn a_slow_reader_is_cut_and_resumes_without_a_gap() {
    let (_data, server) = server(limits_for_slow_readers);
    slow_readers(|| server.client());
    server.stop();
}

pub(crate) fn limits_for_slow_readers(setup: Setup) -> Setup {
    setup.unhurried().limit("queue_bytes", 300_000).limit("stuck_millis", 3_000)
}

pub(crate) fn slow_readers(connect: impl Fn() -> Client) {
    let guest = |name: &str| {
        let mut client = connect();
        client.hello(name).expect("welcome");
        client
    };
    let (mut ann, bob) = (guest("Ann"), guest("Bob"));
    let mut cleo = guest("Cleo");
    let place = Seq(2);
    let text = "x".repeat(TEXT_BYTES_MAX);
    let mut slowest = Duration::ZERO;
    let mut seqs = Vec::new();
    for number in 1..=1_500 {
        let began = Instant::now();
        seqs.push(ann.say(LOBBY_ID, &format!("a-{number}"), &text).expect("said"));
        ann.events.clear();
        loop {
            let event = cleo.room_event().expect("Cleo hears everything");
            if matches!(event.fact, Fact::Said { .. }) {
                assert_eq!(Some(&event.seq), seqs.last());
                break;
            }
        }
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "others waited {slowest:?}");
    // Bob was cut with what was in the network still to be read, then the end.
    let (mut bob, token) = {
        let token = bob.token.expect("a token");
        (bob, token)
    };
    let mut heard = place;
    while let Ok(event) = bob.event(PATIENCE) {
        if let Event::Room(event) = event
            && event.seq > heard
        {
            assert_eq!(event.seq, heard.next(), "no gap before the cut");
            heard = event.seq;
        }
    }
    assert!(heard < *seqs.last().expect("said"), "Bob was never cut");
    let mut bob = connect();
    bob.resume(token).expect("back");
    let missed: Vec<_> = bob.after(LOBBY_ID, heard).into_iter().map(|it| it.seq).collect();
    let expected: Vec<_> = (heard.0 + 1..=seqs.last().expect("said").0).map(Seq).collect();
    assert_eq!(missed, expected);
}

/// Ten thousand connections against a cap: as many as there is room for are kept, the others are
/// told and closed at once, members notice nothing, and everything taken is given back.
#[test]
fn ten_thousand_connections_leave_no_trace() {
    let (_data, server) = server(|it| {
        it.with("--max-connections", "200").limit("strangers", 150).limit("strangers_free", 100)
    });
    let mut ann = server.guest("Ann");
    let threads = server.threads();
    // Everything that the first strangers make the process take stays.
    hold(&server, 300);
    settled(&server, threads);
    let resident = server.resident_bytes();
    let began = Instant::now();
    let mut refused = 0;
    for _ in 0..10 {
        refused += hold(&server, 1_000);
        assert_eq!(ann.ping(), Ok(Reply::Pong {}), "a member noticed");
    }
    println!("10,000 connections, {refused} refused: {:?}", began.elapsed());
    assert!(refused >= 8_500, "only {refused} were refused");
    settled(&server, threads);
    let resident_now = server.resident_bytes();
    println!("resident: {resident} before, {resident_now} after");
    assert!(resident_now < resident + resident / 5, "{resident} bytes became {resident_now}");
    is_well(&server, "Bob");
    server.stop();
}

/// Opens `many` connections at once and holds them; gives back how many were refused.
fn hold(server: &TestServer, many: usize) -> usize {
    let mut held: Vec<TcpStream> = Vec::with_capacity(many);
    for _ in 0..many {
        held.push(TcpStream::connect_timeout(&server.address, PATIENCE).expect("a backlog"));
    }
    // A refused one is told and closed; a kept one is silent.
    let mut refused = 0;
    let mut line = [0; 256];
    for stream in &held {
        stream.set_read_timeout(Some(Duration::from_millis(1))).expect("a socket");
        match std::io::Read::read(&mut &*stream, &mut line) {
            Ok(0) => refused += 1,
            Ok(bytes) => {
                let words = String::from_utf8_lossy(&line[..bytes]);
                assert!(words.contains("too_many_connections"), "{words}");
                refused += 1;
            }
            Err(_) => {}
        }
    }
    refused
}

/// Waits until there are no more than `threads` again.
fn settled(server: &TestServer, threads: u64) {
    let are_gone = wait_for(PATIENCE, || (server.threads() <= threads).then_some(()));
    assert!(are_gone.is_some(), "{threads} threads became {}", server.threads());
}

#[test]
fn what_is_no_door_is_closed_without_a_word() {
    let (_data, server) = server(|it| it);
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for bytes in [
        &tls[..],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"\0",
        b"\n",
        b"[1]\n",
        b" {",
    ] {
        let mut client = server.client();
        client.send_bytes(bytes);
        assert_eq!(client.line(PATIENCE), Err(crate::client::Silence::Closed), "{bytes:?}");
    }
    is_well(&server, "Ann");
    server.stop();
}

/// Garbage, half lines and sudden ends, from strangers and from members.
#[test]
fn garbage_and_half_lines_harm_nobody() {
    let (_data, server) = server(|it| it);
    let mut ann = server.guest("Ann");
    ann.ping().expect("a pong");
    let idle = server.threads();
    // A little generator, so that a failure can be repeated.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let good = say(LOBBY_ID, "g-1", "half a message");
    let id = parlor_shared::RequestId(1);
    let good = parlor_shared::frame::line(&parlor_shared::RequestFrame { id, request: good });
    for round in 0..150 {
        let mut client = server.client();
        if round % 3 == 0 {
            client.hello(&format!("Guest number {round}")).expect("a welcome");
        }
        let mut bytes = match round % 4 {
            0 => good[..good.len() / 2].to_vec(),
            1 => (0..random() % 3_000).map(|_| random() as u8).collect(),
            2 => {
                let mut bytes = good.clone();
                for _ in 0..4 {
                    let at = random() as usize % bytes.len();
                    bytes[at] = random() as u8;
                }
                bytes
            }
            _ => {
                b"{\"id\":1,\"say\":{\"room\":1,\"client_id\":\"x-1\",\"text\":\"\xf0\x9f".to_vec()
            }
        };
        if round % 2 == 0 {
            bytes.insert(0, b'{');
        }
        client.send_bytes(&bytes);
        client.vanish();
    }
    assert_eq!(ann.ping(), Ok(Reply::Pong {}));
    let back = wait_for(PATIENCE, || (server.threads() <= idle).then_some(()));
    assert!(back.is_some(), "{idle} threads became {}", server.threads());
    server.stop();
}

/// A network of its own, in which we are not loopback; gone with this value.
pub(crate) struct Elsewhere {
    name: String,
    there: IpAddr,
}

impl Elsewhere {
    pub(crate) fn new() -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let number = (std::process::id() + 67 * made) % 200;
        let (name, link) = (format!("parlor-{number}"), format!("parlor{number}"));
        let (here, there) = (format!("10.213.{number}.1"), format!("10.213.{number}.2"));
        let elsewhere = Self { name: name.clone(), there: there.parse().expect("an address") };
        let inside = |words: &[&str]| {
            harness::try_run("ip", &[&["netns", "exec", &name, "ip"], words].concat())
        };
        let made = harness::try_run("ip", &["netns", "add", &name])
            .and_then(|_| {
                let words = ["link", "add", &link, "type", "veth", "peer", "eth0", "netns", &name];
                harness::try_run("ip", &words)
            })
            .and_then(|_| {
                harness::try_run("ip", &["addr", "add", &format!("{here}/30"), "dev", &link])
            })
            .and_then(|_| harness::try_run("ip", &["link", "set", &link, "up"]))
            .and_then(|_| inside(&["addr", "add", &format!("{there}/30"), "dev", "eth0"]))
            .and_then(|_| inside(&["link", "set", "lo", "up"]))
            .and_then(|_| inside(&["link", "set", "eth0", "up"]));
        if let Err(why) = made {
            harness::may_be_skipped(&format!("no network namespace: {why}"));
            return None;
        }
        Some(elsewhere)
    }

    pub(crate) fn start(
        &self,
        data: &std::path::Path,
        setup: impl FnOnce(Setup) -> Setup,
    ) -> TestServer {
        let setup = setup(Setup::on(data).unhurried())
            .with("--bind", SocketAddr::new(self.there, 0).to_string())
            .behind(&["ip", "netns", "exec", &self.name]);
        setup.start()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        harness::try_run("ip", &["netns", "del", &self.name]).ok();
    }
}

/// One address has its share and no more; loopback is exempt, so this comes from another network.
/// And whoever falls off the network is noticed without a word from it.
#[test]
fn one_address_has_its_share_and_no_more() {
    let Some(elsewhere) = Elsewhere::new() else { return };
    let data = tempfile::tempdir().expect("a folder");
    let server = elsewhere.start(data.path(), |it| {
        it.limit("strangers_per_source", 3)
            .limit("connections_per_source", 6)
            .limit("guests_per_source", 4)
            .limit("ping_millis", 400)
            .limit("silence_millis", 1_200)
    });
    let is_refused = |client: &mut Client| {
        client.is_closed_within(PATIENCE) && client.last_words == [Refusal::TooManyConnections]
    };
    let mut members: Vec<Client> = (0..2).map(|it| server.guest(&format!("Guest {it}"))).collect();
    // Its own thread has counted a guest as one when it answers something.
    members.iter_mut().for_each(|it| assert_eq!(it.ping(), Ok(Reply::Pong {})));
    let idle = server.threads();
    let strangers: Vec<Client> = (0..3).map(|_| server.client()).collect();
    // They are seen when their threads are.
    let seen = wait_for(PATIENCE, || (server.threads() >= idle + 3).then_some(()));
    assert!(seen.is_some(), "{idle} threads became {}: {}", server.threads(), server.said());
    assert!(is_refused(&mut server.client()), "a fourth stranger");
    drop(strangers);
    assert!(wait_for(PATIENCE, || (server.threads() <= idle).then_some(())).is_some());
    members.extend((2..4).map(|it| server.guest(&format!("Guest {it}"))));
    let Err(Refusal::TooManyGuests { retry_millis }) = server.client().hello("One too many") else {
        panic!("a fifth guest in an hour")
    };
    assert!((3_500_000..=3_600_000).contains(&retry_millis), "{retry_millis}");
    let token = members[0].token.expect("a token");
    // A guest that is known may still come, until the address has all its connections. The one
    // that was refused above is counted until its thread is gone.
    for _ in 0..2 {
        let more = wait_for(PATIENCE, || {
            let mut client = server.client();
            client.send_hello(None, Some(token));
            let welcome = matches!(client.frame(PATIENCE), Ok(ServerFrame::Ok { .. }));
            welcome.then_some(client)
        });
        let mut more = more.expect("a fifth and a sixth connection");
        assert!(more.ping().is_ok());
        members.push(more);
    }
    assert!(is_refused(&mut server.client()), "a seventh connection");

    // The wire is cut: nobody says goodbye, and everybody is gone in time.
    let words = ["netns", "exec", &elsewhere.name, "ip", "link", "set", "eth0", "down"];
    harness::run("ip", &words);
    let began = Instant::now();
    let gone = wait_for(PATIENCE, || (server.threads() <= idle - 2).then_some(()));
    assert!(gone.is_some(), "{} threads wait for nobody", server.threads());
    println!("half-open peers were gone after {:?}", began.elapsed());
    server.stop();
}
