//! Many people at once: a thousand connecting, a thousand joining one room, ten thousand idle.
//!
//! Everybody is in the lobby, as in a real house, and hears of everybody who comes later.

use std::io;
use std::time::{Duration, Instant};

use parlor_shared::Reply;

use crate::contestant::Contestant;
use crate::ground::Ground;
use crate::load::{Hearing, Load};
use crate::parlor::{answer, hello, line};
use crate::process::Running;
use crate::report::{Row, Verdict, median, micros, quantity};

const PATIENCE: Duration = Duration::from_secs(120);
const CROWD: usize = 1_000;
const JOINS_WANTED: f64 = 2_000.0;
const CROWD_IN_WANTED: Duration = Duration::from_secs(1);
/// Who speaks how, and KiB of the server's memory that each may take.
const IDLE: &[(Contestant, &str, f64)] =
    &[(Contestant::Parlor, "idle", 32.0), (Contestant::ParlorOverTls, "idle over TLS", 64.0)];
/// Nothing is on its way any more.
const SILENCE: Duration = Duration::from_millis(300);

/// Connects `count` more at once; returns how long it took until each was welcome.
fn arrive(load: &mut Load, server: &Running, count: usize) -> io::Result<Duration> {
    let start = Instant::now();
    let first = load.len();
    for _ in 0..count {
        load.connect(server.address)?;
    }
    let new: Vec<usize> = (first..first + count).collect();
    load.ask_each(&new, count, PATIENCE, hello, |_, line| Ok(answer(1, line)?.is_some()))?;
    Ok(start.elapsed())
}

/// A thousand connect at once to a fresh server, and then join one room at once.
///
/// # Errors
/// A server that refuses or does not tell everybody of everybody.
pub(crate) fn storm(ground: &Ground, runs: usize) -> io::Result<Vec<Row>> {
    let mut all = Vec::new();
    for run in 1..=runs {
        let seen = ground.with(Contestant::Parlor, |server, load| {
            let crowd_in = arrive(load, server, CROWD)?;
            load.until_quiet(SILENCE, PATIENCE)?;
            let room = "{\"id\":3,\"create_room\":{\"name\":\"storm\"}}";
            load.ask_each(
                &[0],
                1,
                PATIENCE,
                |_, out| line(out, format_args!("{room}")),
                |_, line| Ok(answer(3, line)?.is_some()),
            )?;
            load.until_quiet(SILENCE, PATIENCE)?;
            join(load, crowd_in)
        })?;
        ground.progress(format_args!(
            "arrivals {run}/{runs}: in after {:.2} s; {} joins/s answered, {} told to everybody; \
             {} notices",
            seen.crowd_in,
            quantity(seen.joins_per_second),
            quantity(seen.told_per_second),
            quantity(seen.notices)
        ));
        all.push(seen);
    }
    let joins = median(all.iter().map(|it| it.told_per_second));
    let answered = median(all.iter().map(|it| it.joins_per_second));
    let crowd_in = median(all.iter().map(|it| it.crowd_in));
    let worst = all.iter().map(|it| it.crowd_in).fold(0.0, f64::max);
    Ok(vec![
        Row {
            work: "1,000 connect at once".to_owned(),
            figure: "until all are welcome".to_owned(),
            wanted: "≤ 1 s".to_owned(),
            cells: Row::parlor(format!("{crowd_in:.2} s (worst {worst:.2})")),
            verdict: Verdict::of(crowd_in <= CROWD_IN_WANTED.as_secs_f64()),
        },
        Row {
            work: "join storm of 1,000 into one room".to_owned(),
            figure: "joins/s, all told to all (answered)".to_owned(),
            wanted: "≥ 2,000".to_owned(),
            cells: Row::parlor(format!("{} ({})", quantity(joins), quantity(answered))),
            verdict: Verdict::of(joins >= JOINS_WANTED),
        },
    ])
}

struct Storm {
    crowd_in: f64,
    joins_per_second: f64,
    told_per_second: f64,
    notices: f64,
}

/// All but the first, who made the room, join it.
fn join(load: &mut Load, crowd_in: Duration) -> io::Result<Storm> {
    let others: Vec<usize> = (1..CROWD).collect();
    let before = load.lines();
    // Everybody in the room hears of its last event, the one who joined last included. The first
    // event was the making of the room.
    let last_seq = format!("\"seq\":{CROWD},\"at\"");
    let mut missing = CROWD;
    let mut answered = 0;
    let start = Instant::now();
    for conn in &others {
        line(load.outbox().of(*conn), format_args!("{{\"id\":4,\"join\":{{\"name\":\"storm\"}}}}"));
    }
    let mut answers_took = Duration::ZERO;
    while missing > 0 || answered < others.len() {
        load.turn(Duration::from_millis(100), &mut |_: usize, line: &[u8], _: &mut _| {
            if let Some(Reply::Joined(_)) = answer(4, line)? {
                answered += 1;
                answers_took = start.elapsed();
            } else if memchr::memmem::find(line, last_seq.as_bytes()).is_some() {
                missing -= 1;
            }
            Ok(())
        })?;
        if start.elapsed() > PATIENCE {
            let words = format!("{answered} joins answered, {missing} never heard of the last");
            return Err(io::Error::other(words));
        }
    }
    let told = start.elapsed();
    Ok(Storm {
        crowd_in: crowd_in.as_secs_f64(),
        joins_per_second: others.len() as f64 / answers_took.as_secs_f64(),
        told_per_second: others.len() as f64 / told.as_secs_f64(),
        notices: (load.lines() - before) as f64,
    })
}

/// `count` connections that say nothing, and then all ask whether anybody is there.
///
/// # Errors
/// A server that refuses or does not answer.
pub(crate) fn idle(ground: &Ground, count: usize) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (contestant, title, wanted) in IDLE {
        rows.extend(idle_of(ground, count, *contestant, title, *wanted)?);
    }
    Ok(rows)
}

fn idle_of(
    ground: &Ground,
    count: usize,
    contestant: Contestant,
    title: &str,
    wanted: f64,
) -> io::Result<Vec<Row>> {
    let (per_connection, pings, arrived) = ground.with(contestant, |server, load| {
        let empty = server.rss()?;
        let start = Instant::now();
        while load.len() < count {
            let first = load.len();
            arrive(load, server, CROWD.min(count - first))?;
            load.until_quiet(SILENCE, PATIENCE)?;
            // Those that are in only count what they hear, or the load generator would become
            // the slow reader that the server has to cut.
            for conn in first..load.len() {
                load.set_hearing(conn, Hearing::Count);
            }
        }
        let arrived = start.elapsed();
        let full = server.rss()?;
        for conn in 0..count {
            load.set_hearing(conn, Hearing::Lines);
        }
        let all: Vec<usize> = (0..count).collect();
        let ping = |_, out: &mut Vec<u8>| line(out, format_args!("{{\"id\":9,\"ping\":{{}}}}"));
        let pings =
            load.ask_each(&all, count, PATIENCE, ping, |_, line| Ok(answer(9, line)?.is_some()))?;
        Ok(((full.saturating_sub(empty)) as f64 / count as f64, pings, arrived))
    })?;
    let kib = per_connection / 1024.0;
    ground.progress(format_args!(
        "{title}: {count} in after {:.1} s, {kib:.1} KiB each, all answered a ping in {:.2} s",
        arrived.as_secs_f64(),
        pings.as_secs_f64()
    ));
    let work = format!("{count} connections, {title}");
    Ok(vec![
        Row {
            work: work.clone(),
            figure: "server memory each".to_owned(),
            wanted: format!("≤ {wanted} KiB"),
            cells: Row::parlor(format!("{kib:.1} KiB")),
            verdict: Verdict::of(kib <= wanted),
        },
        Row {
            work,
            figure: "all answer a ping afterwards".to_owned(),
            wanted: "all".to_owned(),
            cells: Row::parlor(format!("all, in {}", micros(pings.as_secs_f64() * 1e6))),
            verdict: Verdict::Reached,
        },
    ])
}
