//! One person in an empty house: how long a message takes to be safe, against the least that
//! anything safe can take on this disk, one append of 4 KiB with its `fdatasync`.
//!
//! Both are measured in turn on the same folder, so that the disk's mood is the same for both.

use std::io;
use std::time::{Duration, Instant};

use parlor_shared::Reply;

use crate::contestant::Contestant;
use crate::ground::{Ground, flushes};
use crate::load::Load;
use crate::parlor::{answer, hello, is_said, line, say};
use crate::report::{Row, Verdict, median, micros};
use crate::talk::Percentiles;

const PATIENCE: Duration = Duration::from_secs(60);
/// Messages, and flushes, in one turn; the first turn warms up and is thrown away.
const PER_TURN: usize = 250;
const TURNS: usize = 5;
const FLUSHES_WANTED: f64 = 3.0;

struct Seen {
    ack: Percentiles,
    flush: Percentiles,
}

/// # Errors
/// A server that refuses or does not answer; a disk that fails.
pub(crate) fn run(ground: &Ground, runs: usize) -> io::Result<Vec<Row>> {
    let mut all = Vec::new();
    for run in 1..=runs {
        let folder = ground.folder()?;
        let seen = ground.within(folder.path(), Contestant::Parlor, |server, load| {
            let (mut acks, mut syncs) = (Vec::new(), Vec::new());
            let conn = load.connect(server.address)?;
            let mut room = None;
            load.ask_each(
                &[conn],
                1,
                PATIENCE,
                |conn, out| {
                    hello(conn, out);
                    line(out, format_args!("{{\"id\":2,\"create_room\":{{\"name\":\"alone\"}}}}"));
                },
                |_, line| {
                    if let Some(Reply::Joined(joined)) = answer(2, line)? {
                        room = Some(joined.room);
                    }
                    Ok(room.is_some())
                },
            )?;
            let room = room.ok_or_else(|| io::Error::other("no room"))?;
            for turn in 0..=TURNS {
                let flushed = flushes(folder.path(), PER_TURN)?;
                let mut answered = Vec::with_capacity(PER_TURN);
                for number in 1..=PER_TURN {
                    let number = (turn * PER_TURN + number) as u64;
                    answered.push(one(load, conn, |out| say(room, conn, number, out))?);
                }
                if turn > 0 {
                    acks.extend(answered);
                    syncs.extend(flushed);
                }
            }
            Ok(Seen { ack: Percentiles::of(acks), flush: Percentiles::of(syncs) })
        })?;
        ground.progress(format_args!(
            "lone {run}/{runs}: answer {} / {}, one flush {} / {}",
            micros(seen.ack.micros(0.5)),
            micros(seen.ack.micros(0.99)),
            micros(seen.flush.micros(0.5)),
            micros(seen.flush.micros(0.99))
        ));
        all.push(seen);
    }
    Ok(rows(&all))
}

/// Says one thing and waits for its answer; returns the nanoseconds in between.
fn one(load: &mut Load, conn: usize, say: impl FnOnce(&mut Vec<u8>)) -> io::Result<u64> {
    say(load.outbox().of(conn));
    let start = Instant::now();
    let mut took = None;
    while took.is_none() {
        load.turn(PATIENCE, &mut |_: usize, line: &[u8], _: &mut _| {
            if is_said(line) {
                took = Some(start.elapsed().as_nanos() as u64);
            }
            Ok(())
        })?;
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other("a message was never answered"));
        }
    }
    took.ok_or_else(|| io::Error::other("never without an answer"))
}

fn rows(all: &[Seen]) -> Vec<Row> {
    let of = |figure: &dyn Fn(&Seen) -> f64| median(all.iter().map(figure));
    let ack = of(&|it| it.ack.micros(0.5));
    let late = of(&|it| it.ack.micros(0.99));
    let flush = of(&|it| it.flush.micros(0.5));
    let ratio = of(&|it| it.ack.micros(0.5) / it.flush.micros(0.5));
    let late_flush = of(&|it| it.flush.micros(0.99));
    let work = "lone talker";
    vec![
        Row {
            work: work.to_owned(),
            figure: "answer p50, in flushes of 4 KiB".to_owned(),
            wanted: "≤ 3 × one flush".to_owned(),
            cells: vec![micros(flush), format!("{} ({ratio:.2} ×)", micros(ack))],
            verdict: Verdict::of(ratio <= FLUSHES_WANTED),
        },
        Row {
            work: work.to_owned(),
            figure: "p99".to_owned(),
            wanted: String::new(),
            cells: vec![micros(late_flush), micros(late)],
            verdict: Verdict::None,
        },
    ]
}
