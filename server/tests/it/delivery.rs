//! Delivery with real sockets on loopback: what a reader gets, and what happens to one that
//! does not read.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

use std::io::{ErrorKind, Read as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use parlor_server::chat::{ConnectionId, Topic};
use parlor_server::delivery::{Batch, Change, Chunk, Delivery, Seal};
use parlor_shared::{Limits, Reply, RequestId, RoomId, ServerFrame, frame};
use proptest::prelude::*;
use socket2::{Domain, SockRef, Socket, Type};

mod sealed;
mod speed;

/// Nothing here takes this long unless it is broken.
const DEADLINE: Duration = Duration::from_secs(20);
const ROOM: Topic = Topic::Room(RoomId(1));

/// Delivery threads that are stopped and joined whatever becomes of the test.
struct Running {
    delivery: Delivery,
    threads: Vec<JoinHandle<()>>,
    /// On each thread a connection that reads, to know how far the thread is.
    markers: Vec<(ConnectionId, TcpStream)>,
    /// What was sent to them.
    marker_bytes: u64,
}

impl Running {
    fn start(threads: u64, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let (delivery, handles) = Delivery::start(threads as usize, &Arc::new(limits)).unwrap();
        let mut running = Self { delivery, threads: handles, markers: Vec::new(), marker_bytes: 0 };
        running.markers = (0..threads)
            .map(|index| {
                let id = ConnectionId(1_000_000 * threads + index);
                (id, running.connect(id.0))
            })
            .collect();
        running
    }

    /// The client's side of a new connection.
    fn connect(&self, id: u64) -> TcpStream {
        self.connect_with_buffers(id, None)
    }

    /// A connection of which the kernel keeps little, so that a test need not send much. Much
    /// smaller buffers than a loopback segment of 64 KiB would crawl.
    fn connect_small(&self, id: u64) -> TcpStream {
        self.connect_with_buffers(id, Some(64 * 1024))
    }

    fn connect_with_buffers(&self, id: u64, bytes: Option<usize>) -> TcpStream {
        self.connect_sealed(id, bytes, None)
    }

    fn connect_sealed(&self, id: u64, bytes: Option<usize>, seal: Option<Arc<Seal>>) -> TcpStream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        if let Some(bytes) = bytes {
            SockRef::from(&listener).set_send_buffer_size(bytes).unwrap();
            client.set_recv_buffer_size(bytes).unwrap();
        }
        client.connect(&listener.local_addr().unwrap().into()).unwrap();
        let client = TcpStream::from(client);
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        let (server, _) = listener.accept().unwrap();
        self.delivery.open(ConnectionId(id), Arc::new(server), seal);
        client
    }

    /// Waits until each thread has done all that it was told before, its figures included.
    fn settled(&mut self) {
        for (id, reader) in &mut self.markers {
            // The second is read in a later round than the first, so the first's round is over.
            for _ in 0..2 {
                let (done, waits) = bounded(1);
                self.delivery.post(*id, b"!".to_vec(), Some(done));
                wait_for(&waits);
                reader.read_exact(&mut [0]).unwrap();
                self.marker_bytes += 1;
            }
        }
    }

    fn room(&self, text: impl AsRef<[u8]>, changes: &[(usize, u64, bool)]) {
        self.delivery.batch(Batch { chunks: vec![chunk(ROOM, text, changes)], ..Batch::default() });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.delivery.stop(Instant::now());
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a delivery thread panicked");
        }
    }
}

fn wait_for(done: &Receiver<()>) {
    let outcome = done.recv_timeout(DEADLINE);
    assert_ne!(outcome, Err(crossbeam_channel::RecvTimeoutError::Timeout), "it was never done");
}

fn chunk(topic: Topic, bytes: impl AsRef<[u8]>, changes: &[(usize, u64, bool)]) -> Chunk {
    let change = |&(at, id, listens)| Change { at, connection: ConnectionId(id), listens };
    let changes = changes.iter().map(change).collect();
    Chunk { topic, bytes: bytes.as_ref().into(), changes }
}

fn pong(id: u64) -> ServerFrame {
    ServerFrame::Ok { id: RequestId(id), ok: Reply::Pong {} }
}

fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_true() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::yield_now();
    }
}

/// All that comes until the other side ends.
fn read_all(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match client.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    bytes
}

fn read_exactly(client: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn replies_come_first_then_what_is_heard_then_the_end() {
    let running = Running::start(2, |_| {});
    let mut ann = running.connect(1);
    let mut bea = running.connect(2);
    let [ann_id, bea_id] = [ConnectionId(1), ConnectionId(2)];
    running.delivery.batch(Batch {
        replies: vec![(ann_id, pong(1)), (bea_id, pong(2)), (ann_id, pong(3))],
        chunks: vec![
            chunk(ROOM, "one\ntwo\n", &[(0, 1, true), (4, 2, true)]),
            chunk(Topic::Everyone, "all\n", &[(0, 1, true)]),
        ],
        closes: vec![ann_id],
        expels: Vec::new(),
    });
    running.room("three\n", &[]);
    running.delivery.close(bea_id);

    let pongs = |ids: &[u64]| ids.iter().flat_map(|it| frame::line(&pong(*it))).collect::<Vec<_>>();
    assert_eq!(read_all(&mut ann), [&pongs(&[1, 3])[..], b"one\ntwo\nall\n"].concat());
    assert_eq!(read_all(&mut bea), [&pongs(&[2])[..], b"two\nthree\n"].concat());
}

#[test]
fn what_refers_to_nobody_is_passed_over() {
    let mut running = Running::start(2, |_| {});
    let mut ann = running.connect(1);
    let (done, waits) = bounded(1);
    running.delivery.post(ConnectionId(7), b"lost".to_vec(), Some(done));
    wait_for(&waits);
    running.delivery.close(ConnectionId(7));
    let nobody = ConnectionId(9);
    running.delivery.batch(Batch {
        replies: vec![(nobody, pong(1))],
        chunks: vec![chunk(ROOM, "x", &[(0, 9, true), (0, 1, true), (1, 8, false), (1, 9, false)])],
        closes: vec![nobody],
        expels: vec![nobody],
    });
    running.delivery.close(ConnectionId(1));
    assert_eq!(read_all(&mut ann), b"x");
    // Closed connections are nobody too.
    running.room("y", &[(0, 1, true)]);
    running.settled();
    assert_eq!(running.delivery.figures().connections, 2);
}

/// What was queued while a reader did not read goes out together when it does.
#[test]
fn what_waited_is_sent_together() {
    let mut running = Running::start(1, |limits| limits.queue_bytes = 16 << 20);
    let mut ann = running.connect_small(1);
    running.room(vec![b'.'; 1 << 20], &[(0, 1, true)]);
    running.settled();
    assert!(running.delivery.figures().queued_bytes > 0, "the kernel took it all");
    for _ in 0..1000 {
        running.room("0123456789", &[]);
    }
    running.settled();
    // Most of the first megabyte is read; what is left is little more than the small ones.
    read_exactly(&mut ann, 1 << 20);
    let before = running.delivery.figures().sends;
    running.delivery.close(ConnectionId(1));
    assert_eq!(read_all(&mut ann).len(), 10_000);
    running.settled();
    let sends = running.delivery.figures().sends - before;
    assert!(sends < 60, "1,000 pieces of 10 bytes took {sends} sends");
}

/// Exactly `queue_bytes` may wait; the next byte ends it. The kernel may take some meanwhile, so
/// the sum is made with what it took in all.
#[test]
fn a_slow_reader_is_cut_one_byte_above_its_limit() {
    let limit = 100_000;
    let mut running = Running::start(1, |limits| limits.queue_bytes = limit);
    let mut slow = running.connect_small(2);
    running.room("", &[(0, 2, true)]);
    let mut pushed = 0;
    let start = Instant::now();
    while running.delivery.figures().cut_slow == 0 {
        assert!(start.elapsed() < DEADLINE, "never cut");
        let waits = pushed - (running.delivery.figures().bytes_sent - running.marker_bytes);
        // Fills it to the brim, and then asks for one byte more.
        let next = (limit - waits).clamp(1, 10_000);
        running.room(vec![b'.'; next as usize], &[]);
        pushed += next;
        running.settled();
    }
    let got = read_all(&mut slow).len() as u64;
    assert_eq!(pushed - got, limit + 1, "it was cut at another place than its limit");
    assert_eq!(running.delivery.figures().queued_bytes, 0);
}

#[test]
fn a_reader_that_takes_no_byte_is_cut_after_a_time_and_delays_nobody() {
    let mut running = Running::start(1, |limits| limits.stuck_millis = 400);
    let mut slow = running.connect_small(2);
    let mut good = running.connect(3);
    let start = Instant::now();
    running.room(vec![b'.'; 500_000], &[(0, 2, true)]);
    running.settled();
    assert!(running.delivery.figures().queued_bytes > 0);
    running.room("", &[(0, 2, false), (0, 3, true)]);
    while running.delivery.figures().cut_slow == 0 {
        assert!(start.elapsed() < DEADLINE, "never cut");
        let asked = Instant::now();
        running.room("hello", &[]);
        assert_eq!(read_exactly(&mut good, 5), b"hello");
        assert!(asked.elapsed() < Duration::from_millis(300), "the slow reader delays others");
    }
    assert!(start.elapsed() >= Duration::from_millis(400), "cut after {:?}", start.elapsed());
    assert!(read_all(&mut slow).len() < 500_000);
    running.settled();
    assert_eq!(running.delivery.figures().queued_bytes, 0);
}

/// A page may be larger than the queue, may come while events wait, and is not slow reading as
/// long as bytes move.
#[test]
fn a_page_flows_to_a_slow_reader_that_moves() {
    let mut running = Running::start(1, |limits| {
        limits.queue_bytes = 20_000;
        limits.stuck_millis = 300;
    });
    let mut slow = running.connect_small(2);
    running.room("", &[(0, 2, true)]);
    let (done, waits) = bounded(1);
    running.delivery.post(ConnectionId(2), vec![b'p'; 300_000], Some(done));
    running.settled();
    for _ in 0..20 {
        running.room(vec![b'e'; 1000], &[]);
    }
    running.settled();
    assert!(running.delivery.figures().queued_bytes > 100_000, "the kernel took it all");
    let mut got = Vec::new();
    let started = Instant::now();
    while got.len() < 320_000 {
        let mut some = [0; 5_000];
        let count = slow.read(&mut some).unwrap();
        assert_ne!(count, 0, "cut after {} bytes", got.len());
        got.extend_from_slice(&some[..count]);
        // Not to wait for anything: this is how fast the reader is.
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(started.elapsed() > Duration::from_millis(600), "it was not slow");
    wait_for(&waits);
    assert_eq!(got, [vec![b'p'; 300_000], vec![b'e'; 20_000]].concat());
    running.settled();
    assert_eq!(running.delivery.figures().cut_slow, 0);
}

/// A reader in step with a room may hear a commit that is larger than its queue.
#[test]
fn a_commit_larger_than_the_queue_reaches_a_reader_that_reads() {
    let running = Running::start(1, |limits| limits.queue_bytes = 1000);
    let mut ann = running.connect_small(1);
    running.room(vec![b'.'; 1 << 20], &[(0, 1, true)]);
    assert_eq!(read_exactly(&mut ann, 1 << 20).len(), 1 << 20);
    assert_eq!(running.delivery.figures().cut_slow, 0);
}

#[test]
fn above_the_total_the_reader_with_the_most_is_cut_first() {
    let mut running = Running::start(2, |limits| {
        limits.queue_bytes = 100 << 20;
        limits.queue_bytes_total = 10 << 20;
    });
    let page = |megabytes: usize| vec![b'.'; megabytes << 20];
    let mut readers: Vec<_> = (1..=4).map(|id| running.connect_small(id)).collect();
    // By id: 3, 4 (the most, on thread 0), 2 and 1 megabytes; then one more for id 1.
    for (id, megabytes) in [(1, 3), (2, 4), (3, 2), (4, 1)] {
        running.delivery.post(ConnectionId(id), page(megabytes), None);
    }
    running.settled();
    assert_eq!(running.delivery.figures().cut_slow, 0);
    running.delivery.post(ConnectionId(3), page(1), None);
    eventually("one is cut", || running.delivery.figures().cut_slow == 1);
    running.settled();
    running.settled();
    let figures = running.delivery.figures();
    assert_eq!((figures.cut_slow, figures.connections), (1, 5));
    assert_eq!(figures.queued_bytes, 7 << 20);
    for (id, megabytes) in [(1, 3), (3, 3), (4, 1)] {
        running.delivery.close(ConnectionId(id));
        assert_eq!(read_all(&mut readers[id as usize - 1]).len(), megabytes << 20);
    }
    assert!(read_all(&mut readers[1]).len() < 4 << 20);
    running.settled();
    assert_eq!(running.delivery.figures().queued_bytes, 0);
}

/// A chunk that many wait for counts once, on whichever threads they are.
#[test]
fn a_shared_chunk_counts_once() {
    let mut running = Running::start(2, |_| {});
    let mut readers: Vec<_> = (0..10).map(|id| running.connect_small(id)).collect();
    let changes: Vec<_> = (0..10).map(|id| (0, id, true)).collect();
    running.room(vec![b'.'; 300_000], &changes);
    running.settled();
    assert_eq!(running.delivery.figures().queued_bytes, 300_000);
    for (id, reader) in readers.iter_mut().enumerate() {
        running.delivery.close(ConnectionId(id as u64));
        assert_eq!(read_all(reader).len(), 300_000);
    }
    running.settled();
    let figures = running.delivery.figures();
    assert_eq!((figures.queued_bytes, figures.connections), (0, 2));
}

#[test]
fn stopping_sends_what_waits_and_waits_no_longer_than_told() {
    let mut running = Running::start(2, |_| {});
    let mut ann = running.connect_small(1);
    let mut never_reads = running.connect_small(2);
    running.room(vec![b'.'; 400_000], &[(0, 1, true), (0, 2, true)]);
    running.settled();
    let start = Instant::now();
    running.delivery.stop(start + Duration::from_millis(700));
    assert_eq!(read_all(&mut ann).len(), 400_000, "what waited was not sent");
    for thread in running.threads.drain(..) {
        thread.join().unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(700), "it did not wait for the slow one");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(read_all(&mut never_reads).len() < 400_000);
    let figures = running.delivery.figures();
    assert_eq!((figures.queued_bytes, figures.connections), (0, 0));
    // What comes too late neither waits nor panics.
    running.room(vec![b'.'; 20 << 20], &[]);
    running.room(vec![b'.'; 20 << 20], &[]);
    running.delivery.post(ConnectionId(1), b"late".to_vec(), None);
    running.markers.clear();
}

/// Each post has to wake a sleeping thread or be seen before it sleeps; one that is missed is
/// waited for until the deadline.
#[test]
fn no_wake_up_is_lost() {
    let running = Running::start(1, |_| {});
    let mut reader = running.connect(1);
    // One poster: a second one's wake-up would hide that the first one's was lost. After a
    // letter that wakes the thread it waits a little, each time another while, so that the next
    // letter comes in every moment of the round and of falling asleep.
    for round in 0..40_000 {
        running.delivery.post(ConnectionId(1), b"x".to_vec(), None);
        let later = Instant::now() + Duration::from_nanos(round * 7919 % 60_000);
        while Instant::now() < later {}
        let (done, waits) = bounded(1);
        running.delivery.post(ConnectionId(1), b"y".to_vec(), Some(done));
        wait_for(&waits);
        reader.read_exact(&mut [0; 2]).unwrap();
    }
}

/// The kernel says that it takes bytes again only when a third of its buffer is free, which for
/// a slow reader and a large buffer is longer than `stuck_millis`. It is asked before the cut.
#[test]
fn a_reader_that_moves_within_a_large_kernel_buffer_is_not_stuck() {
    let mut running = Running::start(1, |limits| limits.stuck_millis = 1000);
    let mut slow = running.connect(1);
    let (done, waits) = bounded(1);
    running.delivery.post(ConnectionId(1), vec![b'.'; 24 << 20], Some(done));
    running.settled();
    assert!(running.delivery.figures().queued_bytes > 0, "the kernel took it all");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        read_exactly(&mut slow, 20_000);
        // Not to wait for anything: this is how fast the reader is.
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(running.delivery.figures().cut_slow, 0, "cut after {:?}", start.elapsed());
    }
    let discard = Builder::new()
        .name("reader".to_owned())
        .spawn(move || std::io::copy(&mut slow, &mut std::io::sink()))
        .unwrap();
    wait_for(&waits);
    running.delivery.close(ConnectionId(1));
    assert!(discard.join().unwrap().unwrap() > 0);
}

const EVENT: usize = 4;
const CONNECTIONS: u64 = 6;

/// One topic's part of a commit: how many events, and the changes: before which event, who,
/// starts or stops.
type Script = Vec<(u64, usize, Vec<(usize, u64, bool)>)>;

fn scripts() -> impl Strategy<Value = Vec<Script>> {
    let changes = prop::collection::vec((0..=5_usize, 0..CONNECTIONS + 1, any::<bool>()), 0..8);
    let part = (0..3_u64, 0..=5_usize, changes);
    prop::collection::vec(prop::collection::vec(part, 0..3), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Event by event: who listens at that moment hears it.
    #[test]
    fn each_hears_what_was_said_while_it_listened(commits in scripts()) {
        let running = Running::start(2, |_| {});
        let mut clients: Vec<_> = (0..CONNECTIONS).map(|id| running.connect(id)).collect();
        let mut expected = vec![Vec::new(); CONNECTIONS as usize];
        let mut listens = std::collections::BTreeSet::new();
        let mut number = 0;
        for commit in commits {
            let mut batch = Batch::default();
            for (room, events, mut changes) in commit {
                changes.iter_mut().for_each(|it| it.0 = it.0.min(events));
                changes.sort_by_key(|it| it.0);
                let mut bytes = Vec::new();
                for place in 0..=events {
                    for &(_, id, starts) in changes.iter().filter(|it| it.0 == place) {
                        if starts { listens.insert((room, id)); } else { listens.remove(&(room, id)); }
                    }
                    if place < events {
                        let event = format!("{number:0EVENT$}");
                        number += 1;
                        bytes.extend_from_slice(event.as_bytes());
                        for id in 0..CONNECTIONS {
                            if listens.contains(&(room, id)) {
                                expected[id as usize].extend_from_slice(event.as_bytes());
                            }
                        }
                    }
                }
                let changes: Vec<_> = changes.iter().map(|it| (it.0 * EVENT, it.1, it.2)).collect();
                batch.chunks.push(chunk(Topic::Room(RoomId(room)), bytes, &changes));
            }
            running.delivery.batch(batch);
        }
        for (id, client) in clients.iter_mut().enumerate() {
            running.delivery.close(ConnectionId(id as u64));
            let heard = read_all(client);
            prop_assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(&expected[id]));
        }
    }
}
