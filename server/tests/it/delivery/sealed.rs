//! Delivery through TLS: what is sealed is what was said, and counts until it is gone.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::SystemTime;

use crossbeam_channel::{TryRecvError, bounded};
use parlor_server::chat::ConnectionId;
use parlor_server::delivery::{SEAL_BYTES, Seal};
use parlor_server::identity::Identity;
use proptest::prelude::*;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, ServerConfig, ServerConnection};

use super::{Running, eventually, wait_for};
use crate::pinned::Pin;

/// A key, and how the server speaks TLS with it.
struct Keys {
    pin: Arc<Pin>,
    config: Arc<ServerConfig>,
}

impl Keys {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Arc::new(Identity::own(folder.path(), SystemTime::now()).unwrap());
        Self { pin: Pin::new(identity.fingerprint()), config: identity.tls().unwrap() }
    }
}

/// The client's side.
struct Reader {
    stream: TcpStream,
    tls: ClientConnection,
}

impl Reader {
    /// Shakes hands in memory, so that the socket holds nothing but what delivery sends.
    fn connect(running: &Running, keys: &Keys, id: u64, is_old: bool, is_small: bool) -> Self {
        let versions = if is_old { [&TLS12] } else { [&TLS13] };
        let mut tls = keys.pin.client(&versions);
        let mut server = ServerConnection::new(Arc::clone(&keys.config)).unwrap();
        while tls.wants_write() || server.wants_write() {
            let mut raw = Vec::new();
            while tls.wants_write() {
                tls.write_tls(&mut raw).unwrap();
            }
            let mut raw = &raw[..];
            while !raw.is_empty() {
                server.read_tls(&mut raw).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut raw = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut raw).unwrap();
            }
            let mut raw = &raw[..];
            while !raw.is_empty() {
                tls.read_tls(&mut raw).unwrap();
                tls.process_new_packets().unwrap();
            }
        }
        assert!(!server.is_handshaking());
        let bytes = is_small.then_some(64 * 1024);
        let stream = running.connect_sealed(id, bytes, Some(Arc::new(Seal::new(server))));
        Self { stream, tls }
    }

    /// What comes next; 0 is the end as TLS wants it.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
            self.tls.read_tls(&mut self.stream)?;
            self.tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    fn read_all(&mut self) -> Vec<u8> {
        let (mut all, mut some) = (Vec::new(), [0; 4096]);
        loop {
            match self.read(&mut some).unwrap() {
                0 => return all,
                count => all.extend_from_slice(&some[..count]),
            }
        }
    }
}

/// An answer is not done while a sealed byte of it waits, and what is sealed is in the total.
#[test]
fn an_answer_is_done_when_its_last_sealed_byte_has_gone() {
    let keys = Keys::new();
    for is_old in [true, false] {
        let mut running = Running::start(1, |limits| limits.queue_bytes = 20_000);
        let mut slow = Reader::connect(&running, &keys, 2, is_old, true);
        let (done, waits) = bounded(1);
        let page: Vec<u8> = (0..400_000_u32).flat_map(u32::to_le_bytes).collect();
        running.delivery.post(ConnectionId(2), page.clone(), Some(done));
        running.settled();
        let queued = running.delivery.figures().queued_bytes;
        assert_eq!(queued, (page.len() + SEAL_BYTES) as u64);
        assert_eq!(waits.try_recv(), Err(TryRecvError::Empty));
        let mut got = vec![0; page.len()];
        let mut at = 0;
        while at < got.len() {
            at += slow.read(&mut got[at..]).unwrap();
            let is_done = waits.try_recv() == Err(TryRecvError::Disconnected);
            // What is between the sockets has left delivery: much less than a third of the page.
            assert!(!is_done || at > page.len() / 3, "done after {at} bytes");
        }
        assert!(got == page, "it came as something else");
        wait_for(&waits);
        running.settled();
        let figures = running.delivery.figures();
        assert_eq!((figures.queued_bytes, figures.cut_slow), (0, 0));
        running.delivery.close(ConnectionId(2));
        assert_eq!(slow.read_all(), b"");
    }
}

/// The last word of TLS comes behind everything else, also to one that reads late.
#[test]
fn the_goodbye_waits_for_its_turn() {
    let keys = Keys::new();
    let mut running = Running::start(1, |_| {});
    let mut late = Reader::connect(&running, &keys, 2, false, true);
    let text = vec![b'.'; 700_000];
    running.room(&text, &[(0, 2, true)]);
    running.delivery.close(ConnectionId(2));
    running.settled();
    assert!(running.delivery.figures().queued_bytes > 0, "the kernel took it all");
    assert!(late.read_all() == text);
    eventually("it is gone", || running.delivery.figures().connections == 1);
}

/// Above its limit it is cut, and what was sealed for it is given back.
#[test]
fn a_sealed_reader_that_does_not_read_is_cut() {
    let keys = Keys::new();
    let mut running = Running::start(1, |limits| {
        limits.queue_bytes = 100_000;
        limits.stuck_millis = 300;
    });
    let _never_reads = Reader::connect(&running, &keys, 2, false, true);
    running.room("", &[(0, 2, true)]);
    while running.delivery.figures().cut_slow == 0 {
        running.room(vec![b'.'; 10_000], &[]);
        running.settled();
    }
    let _stuck = Reader::connect(&running, &keys, 3, false, true);
    running.delivery.post(ConnectionId(3), vec![b'.'; 4 << 20], None);
    eventually("the stuck one is cut", || running.delivery.figures().cut_slow == 2);
    running.settled();
    assert_eq!(running.delivery.figures().queued_bytes, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Whatever is said and however it is read, every reader hears the same bytes.
    #[test]
    fn what_is_sealed_is_what_was_said(
        sizes in prop::collection::vec(1..100_000_usize, 1..12),
        read in 1..40_000_usize,
        is_small in any::<bool>(),
    ) {
        let keys = Keys::new();
        let running = Running::start(2, |limits| limits.queue_bytes = 16 << 20);
        let readers = [
            Reader::connect(&running, &keys, 1, false, is_small),
            Reader::connect(&running, &keys, 2, true, is_small),
            Reader::connect(&running, &keys, 3, false, is_small),
        ];
        running.room("", &[(0, 1, true), (0, 2, true), (0, 3, true)]);
        let (mut said, count) = (Vec::new(), sizes.len());
        for size in sizes {
            let from = said.len();
            said.extend((0..size).map(|it| ((from + it) % 251) as u8));
            running.room(&said[from..], &[]);
            // No chunk has such bytes.
            running.delivery.post(ConnectionId(2), b"\xff\xfe\xfd".to_vec(), None);
        }
        for (mut reader, id) in readers.into_iter().zip(1..) {
            running.delivery.close(ConnectionId(id));
            let (mut heard, mut some) = (Vec::new(), vec![0; read]);
            loop {
                match reader.read(&mut some).unwrap() {
                    0 => break,
                    count => heard.extend_from_slice(&some[..count]),
                }
            }
            let own = heard.iter().filter(|it| **it > 250).count();
            prop_assert_eq!(own, if id == 2 { 3 * count } else { 0 });
            heard.retain(|it| *it <= 250);
            prop_assert!(heard == said, "reader {} heard something else", id);
        }
    }
}
