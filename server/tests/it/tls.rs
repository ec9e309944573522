//! TLS on the same port: the same conversations, whatever the bytes are cut into; clients that
//! mean ill; and the server's key and certificate.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

use parlor_shared::{Event, Fact, Fingerprint, LOBBY_ID, Notice, PageAt, Reply, Seq, ServerFrame};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::client::{Client, Silence, say};
use crate::harness::{PATIENCE, Setup, TestServer};
use crate::pinned::Pin;
use crate::script::{SCRIPT, play};

mod certificate;
mod hostile;

const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// A server, and the pin of its key.
struct House {
    server: TestServer,
    key: Fingerprint,
    data: tempfile::TempDir,
}

impl House {
    fn start(setup: impl FnOnce(Setup) -> Setup) -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = setup(Setup::on(data.path())).start();
        let key = key_of(&server);
        Self { server, key, data }
    }

    /// A stranger who speaks TLS.
    fn client(&self) -> Client {
        self.client_of(BOTH)
    }

    fn client_of(&self, versions: &[&'static SupportedProtocolVersion]) -> Client {
        self.server.client().over(Pin::new(self.key).client(versions))
    }

    fn guest(&self, name: &str) -> Client {
        let mut client = self.client();
        client.hello(name).unwrap();
        client
    }

    /// What the program wrote about itself.
    fn log(&self) -> String {
        let files = crate::harness::snapshot(self.data.path()).into_iter();
        files
            .filter(|it| it.0.extension().is_some_and(|it| it == "log"))
            .map(|it| String::from_utf8_lossy(&it.1).into_owned())
            .collect()
    }

    /// Everybody is served as if nothing had been.
    fn is_well(&self, name: &str) {
        assert_eq!(self.guest(name).ping(), Ok(Reply::Pong {}));
        let plain = format!("{name} plain");
        assert_eq!(self.server.guest(&plain).ping(), Ok(Reply::Pong {}));
    }
}

/// What the server printed about its key.
pub(crate) fn key_of(server: &TestServer) -> Fingerprint {
    let words = server.wait_for_line("Key: ").unwrap();
    let key: Fingerprint = server.wait_for_line("Key in full: ").unwrap().parse().unwrap();
    assert_eq!(words, key.words());
    key
}

#[test]
fn the_script_is_the_same_through_tls() {
    for versions in [&[&TLS12][..], &[&TLS13]] {
        let house = House::start(|it| it.limit("away_millis", 3_600_000));
        assert_eq!(play(|| house.client_of(versions), SCRIPT, false), SCRIPT);
        house.server.stop();
    }
}

#[test]
fn the_script_is_the_same_one_byte_at_a_time() {
    let house = House::start(|it| it.limit("away_millis", 3_600_000));
    let connect = || {
        let mut client = house.client();
        client.cut = 1;
        client
    };
    assert_eq!(play(connect, SCRIPT, false), SCRIPT);
    house.server.stop();
}

/// Both tongues on one port, in one room; whoever says something is heard by all.
#[test]
fn plain_and_encrypted_members_hear_each_other() {
    let house = House::start(Setup::unhurried);
    let mut members = [
        house.guest("sealed"),
        house.server.guest("plain"),
        house.client_of(&[&TLS12]),
        house.client_of(&[&TLS13]),
    ];
    for (number, client) in members.iter_mut().enumerate().skip(2) {
        client.hello(&format!("member {number}")).unwrap();
    }
    for speaker in 0..members.len() {
        let seq = members[speaker].say(LOBBY_ID, &format!("a-{}", speaker + 1), "to all").unwrap();
        for client in &mut members {
            while client.room_event().unwrap().seq != seq {}
        }
    }
    house.server.stop();
}

#[test]
fn another_key_than_the_pinned_one_is_noticed() {
    let house = House::start(|it| it);
    let other = Fingerprint([7; 32]);
    let mut client = house.server.client().over(Pin::new(other).client(BOTH));
    client.send_hello(Some("ann"), None);
    assert_eq!(client.line(PATIENCE), Err(Silence::Closed));
    house.is_well("after");
    house.server.stop();
}

/// Thousands of messages in both directions at once, over the same connection: its two threads
/// share a lock, and neither may wait for the other with it.
#[test]
fn thousands_of_messages_go_both_ways_at_once() {
    const MESSAGES: usize = 3_000;
    const TALKERS: usize = 3;
    let house = House::start(Setup::unhurried);
    // All are there before the first speaks, so that each hears everything.
    let barrier = std::sync::Barrier::new(TALKERS);
    let talk = |number: usize| {
        let mut client = house.guest(&format!("talker {number}"));
        barrier.wait();
        for message in 0..MESSAGES {
            client.send(say(LOBBY_ID, &format!("t{number}-{}", message + 1), "word after word"));
        }
        let (mut heard, mut answers) = (0, 0);
        while heard < MESSAGES * TALKERS || answers < MESSAGES {
            match client.frame(PATIENCE).unwrap() {
                ServerFrame::Ok { ok: Reply::Said { .. }, .. } => answers += 1,
                ServerFrame::Event(Event::Room(event)) => {
                    heard += usize::from(matches!(event.fact, Fact::Said { .. }));
                }
                ServerFrame::Event(_) => {}
                refused @ ServerFrame::Refused { .. } => panic!("{refused:?}"),
                ok @ ServerFrame::Ok { .. } => panic!("{ok:?}"),
            }
        }
    };
    std::thread::scope(|scope| {
        for number in 0..TALKERS {
            let talk = &talk;
            let thread = std::thread::Builder::new().name(format!("talker {number}"));
            thread.spawn_scoped(scope, move || talk(number)).unwrap();
        }
    });
    house.server.stop();
}

/// A page of 256 KiB is sealed in several steps, and comes as it was.
#[test]
fn a_large_page_comes_whole() {
    let house = House::start(Setup::unhurried);
    let mut plain = house.server.guest("writer");
    let text = "0123456789abcdef".repeat(1_000);
    for number in 0..40 {
        plain.say(LOBBY_ID, &format!("w-{}", number + 1), &text).unwrap();
    }
    let mut sealed = house.guest("reader");
    let (page, more) = sealed.page(LOBBY_ID, PageAt::After(Seq(0)), Some(1_000)).unwrap();
    assert!(more, "it was not cut at its limit");
    let bytes: usize = page.iter().map(|it| serde_json::to_vec(it).unwrap().len()).sum();
    assert!(bytes > 200 * 1024, "only {bytes} bytes");
    assert_eq!(sealed.after(LOBBY_ID, Seq(0)), plain.after(LOBBY_ID, Seq(0)));
    house.server.stop();
}

/// What waits for an encrypted reader that does not read is bounded as for a plain one, and the
/// others notice nothing.
#[test]
fn a_slow_encrypted_reader_is_cut_and_resumes_without_a_gap() {
    let house = House::start(crate::hostile::limits_for_slow_readers);
    crate::hostile::slow_readers(|| house.client());
    house.server.stop();
}

/// At the end everybody is told, and the stream ends as TLS wants it: nothing was cut off.
#[test]
fn the_end_is_said_in_tls_too() {
    let house = House::start(|it| it);
    let mut client = house.guest("ann");
    house.server.signal(rustix::process::Signal::TERM);
    assert!(client.is_closed_within(PATIENCE));
    let told = client.events.iter().any(|it| matches!(it, Event::Notice(Notice::GoingAway { .. })));
    assert!(told, "{:?}", client.events);
    let tls = client.tls.as_mut().unwrap();
    assert!(tls.process_new_packets().unwrap().peer_has_closed(), "no close_notify");
}

/// How much an encrypted connection takes that does nothing, heap, stack and all.
#[test]
fn an_idle_encrypted_connection_is_small() {
    const MANY: usize = 400;
    let house = House::start(|it| it);
    let _warm: Vec<_> = (0..20).map(|it| house.guest(&format!("warm {it}"))).collect();
    let before = house.server.resident_bytes();
    let all: Vec<_> = (0..MANY).map(|it| house.guest(&format!("guest {it}"))).collect();
    let each = (house.server.resident_bytes() - before) / all.len() as u64;
    assert!(each <= 64 * 1024, "{each} bytes for an idle encrypted connection");
    house.server.stop();
}
