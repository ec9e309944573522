//! Measurements of delivery, not tests: run them in release with `--ignored --nocapture`.

use std::io::{ErrorKind, Read as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use parlor_server::chat::Topic;
use parlor_server::delivery::{Batch, Chunk};
use parlor_shared::{RoomId, UserId};

use super::{DEADLINE, ROOM, Running, chunk};

/// 64 events of 300 bytes.
const BATCH_BYTES: usize = 64 * 300;
/// Batches that the talker may be ahead.
const IN_FLIGHT: usize = 16;

/// Not a test but a measurement: `cargo test --release -p parlor-server --test it -- --ignored
/// --nocapture how_fast`. 100 connections in one room, batches of 64 events of 300 bytes.
#[test]
#[ignore = "a measurement"]
fn how_fast_it_is() {
    let running = Running::start(2, |limits| limits.queue_bytes = 64 << 20);
    let readers: Vec<_> = (0..100).map(|id| running.connect(id)).collect();
    let batches = 5_000_u64;
    let changes: Vec<_> = (0..100).map(|id| (0, id, true)).collect();
    running.room("", &changes);
    let bytes: Arc<[u8]> = vec![b'.'; BATCH_BYTES].into();
    let total = bytes.len() as u64 * batches;
    let (heard, hears) = bounded(IN_FLIGHT);
    let readers = Builder::new()
        .name("readers".to_owned())
        .spawn(move || swallow(readers, total, &heard))
        .unwrap();
    let (start, cpu) = (Instant::now(), cpu_of_delivery());
    for number in 0..batches as usize {
        // One talker's measure: so many batches ahead of what the first reader has heard.
        if number >= IN_FLIGHT {
            hears.recv_timeout(DEADLINE).unwrap();
        }
        let chunk = Chunk { topic: ROOM, bytes: Arc::clone(&bytes), changes: Vec::new() };
        running.delivery.batch(Batch { chunks: vec![chunk], ..Batch::default() });
    }
    readers.join().unwrap();
    let (wall, cpu) = (start.elapsed(), cpu_of_delivery() - cpu);
    let deliveries = batches * 64 * 100;
    let figures = running.delivery.figures();
    println!(
        "{:.2} M deliveries/s, {:.3} µs of CPU each, {:.1} events a send, {} cut",
        deliveries as f64 / wall.as_secs_f64() / 1e6,
        cpu.as_secs_f64() * 1e6 / deliveries as f64,
        deliveries as f64 / figures.sends as f64,
        figures.cut_slow,
    );
}

/// Reads everything of all on one thread, as cheaply as it can.
fn swallow(mut readers: Vec<TcpStream>, bytes_each: u64, heard: &Sender<()>) {
    let mut poll = mio::Poll::new().unwrap();
    let mut events = mio::Events::with_capacity(256);
    for (at, reader) in readers.iter().enumerate() {
        use std::os::fd::AsRawFd as _;
        reader.set_nonblocking(true).unwrap();
        let mut source = mio::unix::SourceFd(&reader.as_raw_fd());
        poll.registry().register(&mut source, mio::Token(at), mio::Interest::READABLE).unwrap();
    }
    let mut left = vec![bytes_each; readers.len()];
    let mut buffer = vec![0; 1 << 20];
    while left.iter().any(|it| *it > 0) {
        poll.poll(&mut events, Some(DEADLINE)).unwrap();
        for event in &events {
            let at = event.token().0;
            loop {
                match readers[at].read(&mut buffer) {
                    Ok(count) => {
                        assert_ne!(count, 0, "reader {at} was cut");
                        let batches = |left: u64| (bytes_each - left) / BATCH_BYTES as u64;
                        let before = batches(left[at]);
                        left[at] -= count as u64;
                        if at == 0 {
                            for _ in before..batches(left[at]) {
                                // When the talker has said all it listens no more.
                                _ = heard.try_send(());
                            }
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
}

/// CPU time of this process's delivery threads, user and system.
fn cpu_of_delivery() -> Duration {
    let mut ticks = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        if let Some((_, rest)) = stat.split_once("(deliver-").and_then(|it| it.1.split_once(") ")) {
            let fields: Vec<_> = rest.split(' ').collect();
            ticks += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    Duration::from_millis(ticks * 10)
}

/// As above, for `how_much`: what 8,000 connections that listen to two rooms and themselves
/// take here once everybody has heard something.
#[test]
#[ignore = "a measurement"]
fn how_much_an_idle_connection_takes() {
    const COUNT: u64 = 8_000;
    let mut running = Running::start(2, |_| {});
    let mut readers = Vec::with_capacity(COUNT as usize);
    running.settled();
    let before = resident_bytes();
    readers.extend((0..COUNT).map(|id| running.connect(id)));
    for (topic, per) in [(ROOM, COUNT), (Topic::Room(RoomId(2)), COUNT)] {
        let changes: Vec<_> = (0..per).map(|id| (0, id, true)).collect();
        let chunks = vec![chunk(topic, "hello", &changes)];
        running.delivery.batch(Batch { chunks, ..Batch::default() });
    }
    for id in 0..COUNT {
        let chunks = vec![chunk(Topic::User(UserId(id)), "you", &[(0, id, true)])];
        running.delivery.batch(Batch { chunks, ..Batch::default() });
    }
    running.settled();
    println!("{} bytes a connection", (resident_bytes() - before) / COUNT);
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
