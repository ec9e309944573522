//! Clients whose TLS is broken, slow or no TLS at all: each ends alone, and in time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use parlor_shared::{Reply, Request, frame};
use rustls::ClientConnection;
use rustls::version::{TLS12, TLS13};

use super::{BOTH, House};
use crate::client::Silence;
use crate::harness::PATIENCE;
use crate::pinned::Pin;

/// What the server sends until it closes.
fn until_closed(mut stream: &TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    match stream.read_to_end(&mut heard) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it is not closed"),
    }
    heard
}

fn stranger(house: &House) -> TcpStream {
    house.server.client().stream
}

/// The first bytes of a handshake.
fn client_hello(tls: &mut ClientConnection) -> Vec<u8> {
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    hello
}

const ALERT: u8 = 0x15;

#[test]
fn garbage_gets_an_alert_and_is_closed() {
    let house = House::start(|it| it);
    let hello = client_hello(&mut Pin::new(house.key).client(BOTH));
    let mut spoiled = hello.clone();
    spoiled[9..].fill(0xff);
    let small = b"\x16\x03\x01\x00\x09\x01\x00\x00\x05hello";
    let long = b"\x16\x03\x01\xff\xff";
    for garbage in [&small[..], &long[..], &spoiled] {
        let mut stream = stranger(&house);
        stream.write_all(garbage).unwrap();
        let heard = until_closed(&stream);
        assert_eq!(heard.first(), Some(&ALERT), "{heard:?} to {garbage:?}");
    }
    // A hello of 6 MB by its own words.
    let mut stream = stranger(&house);
    stream.write_all(b"\x16\x03\x01\x00\x05hello").unwrap();
    until_closed(&stream);
    // Half a hello, and then nothing more.
    let mut stream = stranger(&house);
    stream.write_all(&hello[..hello.len() / 2]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(until_closed(&stream), b"");
    house.is_well("after garbage");
    house.server.stop();
}

/// A hello that declares 60,000 bytes, in records of 1,000 that all want more.
fn giant_hello() -> Vec<u8> {
    let mut body = vec![0; 60_000];
    body[..4].copy_from_slice(&[1, 0, 0xea, 0x60]);
    body.chunks(1_000).flat_map(|it| [&[0x16, 3, 1, 3, 232], it].concat()).collect()
}

#[test]
fn a_giant_hello_is_not_waited_for() {
    const MANY: usize = 50;
    let house = House::start(|it| it);
    house.is_well("before");
    let before = house.server.resident_bytes();
    // As much of it as a client may send, and then they stay: what a stranger costs at most.
    let held: Vec<_> = (0..MANY)
        .map(|_| {
            let mut stream = stranger(&house);
            stream.write_all(&giant_hello()[..16_000]).unwrap();
            stream
        })
        .collect();
    let mut most = 0;
    for mut stream in &held {
        // One that is closed for its next byte has been read to the last one before.
        stream.write_all(&giant_hello()[16_000..20_000]).unwrap();
        until_closed(stream);
        most = most.max(house.server.resident_bytes());
    }
    let each = most.saturating_sub(before) / MANY as u64;
    assert!(each < 128 * 1024, "{each} bytes for a stranger");
    house.is_well("after a giant");
    house.server.stop();
}

/// One byte now and then keeps no handshake alive: its time runs from its first byte.
#[test]
fn a_slow_drip_of_a_handshake_ends_at_the_deadline() {
    let house = House::start(|it| it.limit("tls_handshake_millis", 1_000));
    let mut stream = stranger(&house);
    let hello = client_hello(&mut Pin::new(house.key).client(BOTH));
    let start = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    for byte in &hello {
        // A drip, and not a wait for anything: this is how fast the client is.
        if stream.write_all(&[*byte]).is_err() || matches!(stream.read(&mut [0]), Ok(0)) {
            break;
        }
    }
    let held = start.elapsed();
    assert!(held >= Duration::from_millis(900), "it ended after {held:?}");
    assert!(held < Duration::from_secs(5), "it was held for {held:?}");
    house.is_well("after a drip");
    house.server.stop();
}

/// The sign-in grace runs from the accept, whatever is done in it.
#[test]
fn a_handshake_without_a_hello_ends_with_the_grace() {
    let house = House::start(|it| it.limit("hello_millis", 1_500));
    let mut silent = house.client();
    silent.send_bytes(b"");
    let start = Instant::now();
    silent.send_bytes(b"{");
    assert!(silent.is_closed_within(PATIENCE));
    let held = start.elapsed();
    assert!(held < Duration::from_secs(5), "it was held for {held:?}");
    house.server.stop();
}

/// A handshake with some bytes changed, and the end of sending: it is answered or not, closed in
/// any case, and the server lives.
#[test]
fn spoiled_handshakes_harm_nobody() {
    let house = House::start(|it| it);
    let pin = Pin::new(house.key);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..400 {
        let versions = if round % 2 == 0 { [&TLS12] } else { [&TLS13] };
        let mut hello = client_hello(&mut pin.client(&versions));
        for _ in 0..=random(4) {
            // The first byte is another door's.
            let at = 1 + random(hello.len() - 1);
            hello[at] = random(256) as u8;
        }
        hello.truncate(1 + random(hello.len()) + random(2) * hello.len());
        let mut stream = stranger(&house);
        for piece in hello.chunks(1 + random(hello.len())) {
            if stream.write_all(piece).is_err() {
                break;
            }
        }
        stream.shutdown(Shutdown::Write).ok();
        until_closed(&stream);
    }
    house.is_well("after spoiled ones");
    house.server.stop();
}

/// Inside TLS the same question is asked, once: TLS in TLS is no answer.
#[test]
fn inside_tls_only_ndjson_is_spoken() {
    let house = House::start(|it| it);
    for words in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\x00\x05hello", b"hello\n"] {
        let mut client = house.client();
        client.send_bytes(words);
        assert_eq!(client.line(PATIENCE), Err(Silence::Closed), "to {words:?}");
        assert!(client.tls.as_mut().unwrap().process_new_packets().unwrap().peer_has_closed());
    }
    house.is_well("after others");
    house.server.stop();
}

/// A record that nobody sealed with our keys: an alert, the end of that one, and of nobody else.
#[test]
fn a_false_record_ends_that_connection_only() {
    let house = House::start(|it| it);
    let mut witness = house.guest("witness");
    for (name, versions) in [("old forger", [&TLS12]), ("new forger", [&TLS13])] {
        let mut client = house.client_of(&versions);
        client.hello(name).unwrap();
        assert_eq!(client.ping(), Ok(Reply::Pong {}));
        let mut record = vec![0x17, 3, 3, 0, 40];
        record.extend([0xa5; 40]);
        client.stream.write_all(&record).unwrap();
        assert_eq!(client.line(PATIENCE), Err(Silence::Closed));
        let error = client.tls.as_mut().unwrap().process_new_packets().unwrap_err();
        assert!(matches!(error, rustls::Error::AlertReceived(_)), "{error:?}");
        client.vanish();
    }
    assert_eq!(witness.ping(), Ok(Reply::Pong {}));
    house.server.stop();
}

/// The end without a goodbye, in the middle of a record, and with one.
#[test]
fn the_end_may_come_in_any_form() {
    let house = House::start(|it| it.limit("away_millis", 200));
    let mut witness = house.guest("witness");
    for form in 0..3 {
        let mut client = house.guest(&format!("leaver {form}"));
        match form {
            0 => {}
            1 => client.stream.write_all(&[0x17, 3, 3, 0, 40, 1, 2, 3]).unwrap(),
            _ => {
                client.tls.as_mut().unwrap().send_close_notify();
                client.send_bytes(b"");
                let mut raw = Vec::new();
                client.tls.as_mut().unwrap().write_tls(&mut raw).unwrap();
                client.stream.write_all(&raw).unwrap();
                // It is answered in kind.
                assert!(client.is_closed_within(PATIENCE));
            }
        }
        client.vanish();
        loop {
            let notice = witness.notice().unwrap();
            if matches!(notice, parlor_shared::Notice::WentAway { .. }) {
                break;
            }
        }
    }
    house.server.stop();
}

/// Either side may ask for new keys at any time.
#[test]
fn keys_are_changed_in_the_middle() {
    let house = House::start(|it| it);
    let mut client = house.client_of(&[&TLS13]);
    client.hello("changer").unwrap();
    for _ in 0..20 {
        client.tls.as_mut().unwrap().refresh_traffic_keys().unwrap();
        assert_eq!(client.ping(), Ok(Reply::Pong {}));
    }
    house.server.stop();
}

/// Records of one byte each are slow and nothing else.
#[test]
fn records_of_one_byte_are_understood() {
    let house = House::start(|it| it);
    let mut client = house.guest("tiny");
    let id = parlor_shared::RequestId(99);
    let request = Request::Ping(parlor_shared::request::Nothing {});
    for byte in frame::line(&parlor_shared::RequestFrame { id, request }) {
        client.send_bytes(&[byte]);
    }
    assert_eq!(client.answer(id), Ok(Ok(Reply::Pong {})));
    house.server.stop();
}
