//! The connection, against real sockets on this computer; without encryption, which is
//! `link_tls`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use parlor_desktop::link::{Lines, Link};
use parlor_desktop::model::{Address, Closed, LinkId, LinkNews};
use parlor_shared::request::Nothing;
use parlor_shared::{
    Event, Fact, Fingerprint, Notice, Nth, Request, RequestFrame, RequestId, RoomEvent, RoomId,
    Seq, ServerFrame, UnixMillis, UserId, frame,
};
use proptest::prelude::*;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Window {
    pub(crate) link: Link,
    woken: Receiver<()>,
}

impl Window {
    pub(crate) fn open(address: &str, pin: Option<Fingerprint>) -> Self {
        let (wake, woken) = bounded(1);
        let address: Address = address.parse().expect("an address");
        let waker = move || _ = wake.try_send(());
        let link = Link::open(LinkId(1), address, pin, Arc::new(waker)).expect("a link");
        Self { link, woken }
    }

    pub(crate) fn news(&mut self) -> LinkNews {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(news) = self.link.try_recv() {
                return news;
            }
            self.woken.recv_deadline(deadline).expect("news within the deadline");
        }
    }
}

/// Somebody who listens, and a window that is connected to them.
fn pair() -> (TcpStream, Window) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut window = Window::open(&format!("plain://127.0.0.1:{port}"), None);
    let (stream, _) = listener.accept().expect("a connection");
    assert_eq!(window.news(), LinkNews::Connected { key: None });
    (stream, window)
}

pub(crate) fn ping(id: u64) -> RequestFrame {
    RequestFrame { id: RequestId(id), request: Request::Ping(Nothing {}) }
}

pub(crate) fn notice(number: u64) -> ServerFrame {
    let name = "Ann".parse().expect("a name");
    let notice = Notice::IsBack { room: RoomId(1), user: UserId(number), name };
    ServerFrame::Event(Event::Notice(notice))
}

#[test]
fn frames_go_both_ways_in_order() {
    let (mut server, mut window) = pair();
    for id in 1..=500 {
        window.link.send(ping(id));
    }
    let mut lines = BufReader::new(server.try_clone().expect("a reader")).lines();
    for id in 1..=500 {
        let line = lines.next().expect("a line").expect("a line");
        assert_eq!(frame::parse_request(&line).expect("a request"), ping(id));
    }
    let mut bytes = Vec::new();
    for number in 1..=5_000 {
        frame::encode_line(&notice(number), &mut bytes);
    }
    // Written by somebody who does not wait for the window.
    let writer = std::thread::Builder::new();
    let writer = writer.spawn(move || server.write_all(&bytes).map(|()| server));
    for number in 1..=5_000 {
        assert_eq!(window.news(), LinkNews::Frame(notice(number)));
    }
    let server = writer.expect("a thread").join().expect("its end").expect("all was written");
    server.shutdown(Shutdown::Both).expect("its end");
    assert_eq!(window.news(), LinkNews::Closed(Closed::Lost));
}

#[test]
fn a_window_that_does_not_look_presses_back_and_loses_nothing() {
    let (mut server, mut window) = pair();
    server.set_write_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    // Ten kilobytes a line, so that few lines fill every buffer in between.
    let said = RoomEvent {
        room: RoomId(1),
        seq: Seq(1),
        at: UnixMillis(1),
        by: UserId(1),
        name: "Ann".parse().expect("a name"),
        fact: Fact::Said {
            nth: Nth(1),
            client_id: "theirs-1".parse().expect("an id"),
            text: "x".repeat(10_000).parse().expect("a text"),
        },
    };
    let said = ServerFrame::Event(Event::Room(said));
    let line = frame::line(&said);
    let mut written = 0;
    // Nobody takes the news, so that at some point the socket is full.
    while let Ok(count) = server.write(&line)
        && count == line.len()
    {
        written += 1;
        assert!(written < 20_000, "the window took {written} lines without looking");
    }
    for _ in 0..written {
        assert_eq!(window.news(), LinkNews::Frame(said.clone()));
    }
}

#[test]
fn nobody_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let mut window = Window::open(&format!("plain://127.0.0.1:{port}"), None);
    assert_eq!(window.news(), LinkNews::Closed(Closed::NobodyAnswers));
}

#[test]
fn there_is_no_such_computer() {
    let mut window = Window::open("no-such-computer.invalid", None);
    assert_eq!(window.news(), LinkNews::Closed(Closed::NoSuchHost));
}

#[test]
fn addresses_of_both_kinds_and_names_are_found() {
    for (bound, written) in [("127.0.0.1:0", "localhost"), ("[::1]:0", "[::1]")] {
        let Ok(listener) = TcpListener::bind(bound) else { continue };
        let port = listener.local_addr().expect("an address").port();
        let mut window = Window::open(&format!("plain://{written}:{port}"), None);
        let (_stream, _) = listener.accept().expect("a connection");
        assert_eq!(window.news(), LinkNews::Connected { key: None });
    }
}

#[test]
fn somebody_else_s_greeting_is_not_a_parlor() {
    for greeting in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "220 mail.example ESMTP",
        "{\"jsonrpc\":\"2.0\"}\n",
        "\u{16}\u{3}\u{1}",
        "[1]\n",
    ] {
        let (mut server, mut window) = pair();
        server.write_all(greeting.as_bytes()).expect("a greeting");
        assert_eq!(window.news(), LinkNews::Closed(Closed::NotParlor), "{greeting:?}");
    }
}

#[test]
fn nonsense_in_the_middle_of_a_chat_is_a_lost_connection() {
    let (mut server, mut window) = pair();
    server.write_all(&frame::line(&notice(1))).expect("a frame");
    server.write_all(b"nonsense\n").expect("nonsense");
    assert_eq!(window.news(), LinkNews::Frame(notice(1)));
    assert_eq!(window.news(), LinkNews::Closed(Closed::Lost));
    // And the server notices.
    assert_eq!(server.read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn a_line_without_end_is_not_waited_for() {
    let (mut server, mut window) = pair();
    let flood = vec![b'{'; 64 * 1024];
    for _ in 0..64 {
        if server.write_all(&flood).is_err() {
            break;
        }
    }
    assert_eq!(window.news(), LinkNews::Closed(Closed::NotParlor));
}

#[test]
fn dropping_it_ends_it_at_once_whatever_it_does() {
    // Idle.
    let (mut server, window) = pair();
    let before = Instant::now();
    drop(window);
    assert_eq!(server.read(&mut [0; 1]).unwrap_or(0), 0);
    // With news that nobody takes.
    let (mut server, window) = pair();
    server.set_write_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    let line = frame::line(&notice(1));
    while server.write_all(&line).is_ok() {}
    drop(window);
    // With requests that nobody takes.
    let (_server, window) = pair();
    for id in 0..100_000 {
        window.link.send(ping(id));
    }
    drop(window);
    // While connecting to somebody who does not answer: an address that leads nowhere.
    drop(Window::open("192.0.2.1", None));
    assert!(before.elapsed() < PATIENCE, "nobody waits for a dropped link");
}

#[test]
fn a_server_that_reads_nothing_loses_the_connection() {
    let (server, mut window) = pair();
    let deadline = Instant::now() + PATIENCE;
    let mut id = 0;
    loop {
        id += 1;
        window.link.send(ping(id));
        if let Some(news) = window.link.try_recv() {
            assert_eq!(news, LinkNews::Closed(Closed::Lost));
            break;
        }
        assert!(Instant::now() < deadline, "requests pile up without end");
    }
    drop(server);
}

proptest! {
    /// However the bytes are cut, the frames are the same.
    #[test]
    fn any_cuts_give_the_same_frames(
        count in 1_u64..20,
        cuts in prop::collection::vec(1_usize..90, 1..60),
    ) {
        let mut bytes = Vec::new();
        for number in 1..=count {
            frame::encode_line(&notice(number), &mut bytes);
            bytes.extend_from_slice(b"\r\n");
        }
        let (mut lines, mut frames) = (Lines::default(), Vec::new());
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            let (piece, later) = rest.split_at((*cut).min(rest.len()));
            prop_assert_eq!(lines.cut(piece, &mut frames), Ok(()));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        let expected: Vec<_> = (1..=count).map(|it| LinkNews::Frame(notice(it))).collect();
        prop_assert_eq!(frames, expected);
    }

    /// No bytes make it panic or hold more than a line.
    #[test]
    fn any_bytes_end_in_frames_or_in_a_reason(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let (mut lines, mut frames) = (Lines::default(), Vec::new());
        for piece in pieces {
            if lines.cut(&piece, &mut frames).is_err() {
                break;
            }
        }
        prop_assert!(frames.is_empty());
    }
}
