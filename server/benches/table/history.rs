//! A room with a million messages: starting, reading anywhere, coming back.
//!
//! The messages come in through the wire as all others do. Then the server is stopped and
//! started again, so that nothing that is measured comes from the memory of having written it.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use parlor_shared::{Reply, ResumeToken, RoomId, Seq};

use crate::contestant::Contestant;
use crate::ground::Ground;
use crate::load::{Load, Outbox};
use crate::parlor::{answer, hello, is_said, line, say};
use crate::process::Running;
use crate::report::{Row, Verdict, median, micros, quantity};
use crate::talk::Percentiles;

const PATIENCE: Duration = Duration::from_secs(180);
/// Talkers, and what each has in flight: together as much as one commit takes.
const TALKERS: usize = 4;
const IN_FLIGHT: usize = 512;
const STARTS: usize = 5;
const PAGES: usize = 3_000;
const PAGE: usize = 50;
const RETURNS: usize = 5;
const MISSED: u64 = 10_000;

const PAGE_P99_MICROS_WANTED: f64 = 2_000.0;
const START_WANTED: f64 = 0.5;
const RSS_MB_WANTED: f64 = 40.0;
const RETURN_WANTED: f64 = 1.0;

/// A guest who was in the room before anything was said, and went away.
struct Sleeper {
    token: ResumeToken,
    room: RoomId,
}

/// # Errors
/// A server that refuses, does not answer, or does not hand out what it was given.
pub(crate) fn run(ground: &Ground, messages: u64) -> io::Result<Vec<Row>> {
    let folder = ground.folder()?;
    let sleeper = ground.within(folder.path(), Contestant::Parlor, |server, load| {
        fill(ground, server, load, messages)
    })?;
    let starts = starts(ground, folder.path())?;
    let start = median(starts.iter().copied());
    let (pages, returns, rss) =
        ground.within(folder.path(), Contestant::Parlor, |server, load| {
            let pages = pages(server, load, &sleeper, messages)?;
            let returns = (0..RETURNS)
                .map(|_| come_back(server, load, &sleeper))
                .collect::<io::Result<Vec<f64>>>()?;
            Ok((pages, returns, server.rss()? as f64 / 1e6))
        })?;
    let back = median(returns.iter().copied());
    let (p50, p99) = (pages.micros(0.5), pages.micros(0.99));
    ground.progress(format_args!(
        "history: start {start:.3} s {starts:.3?}, page {} / {}, {rss:.1} MB, back after {back:.3} s",
        micros(p50),
        micros(p99)
    ));
    let work = format!("{} messages in one room", quantity(messages as f64));
    let row = |figure: String, wanted: &str, cell: String, reached: bool| Row {
        work: work.clone(),
        figure,
        wanted: wanted.to_owned(),
        cells: Row::parlor(cell),
        verdict: Verdict::of(reached),
    };
    Ok(vec![
        row(
            format!("history page of {PAGE}, p50 / p99"),
            "p99 ≤ 2 ms",
            format!("{} / {}", micros(p50), micros(p99)),
            p99 <= PAGE_P99_MICROS_WANTED,
        ),
        row(
            "start, from exec to listening".to_owned(),
            "≤ 0.5 s",
            format!("{start:.3} s"),
            start <= START_WANTED,
        ),
        row(
            "server memory after all that".to_owned(),
            "≤ 40 MB",
            format!("{rss:.1} MB"),
            rss <= RSS_MB_WANTED,
        ),
        row(
            format!("back after {} missed", quantity(MISSED as f64)),
            "≤ 1 s",
            format!("{back:.3} s"),
            back <= RETURN_WANTED,
        ),
    ])
}

fn fill(ground: &Ground, server: &Running, load: &mut Load, messages: u64) -> io::Result<Sleeper> {
    let sleeper = settle_in(server, load)?;
    let room = sleeper.room;
    let first = load.len();
    let talkers: Vec<usize> = (0..TALKERS).map(|it| first + it).collect();
    for _ in &talkers {
        load.connect(server.address)?;
    }
    load.ask_each(&talkers, TALKERS, PATIENCE, greet("join"), |_, line| {
        Ok(answer(2, line)?.is_some())
    })?;
    let start = Instant::now();
    let mut said = 0;
    let mut next = |conn: usize, out: &mut Outbox| {
        if said < messages {
            said += 1;
            say(room, conn, said, out.of(conn));
        }
    };
    for talker in &talkers {
        for _ in 0..IN_FLIGHT {
            next(*talker, load.outbox());
        }
    }
    let mut answered = 0;
    while answered < messages {
        load.turn(Duration::from_secs(1), &mut |conn: usize, line: &[u8], out: &mut Outbox| {
            if is_said(line) {
                answered += 1;
                next(conn, out);
            } else if line.starts_with(b"{\"id\"") {
                answer(0, line)?;
            }
            Ok(())
        })?;
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("only {answered} messages were stored")));
        }
    }
    let rate = quantity(messages as f64 / start.elapsed().as_secs_f64());
    ground.progress(format_args!("history: {messages} messages stored, {rate} messages/s"));
    Ok(sleeper)
}

/// The first guest makes the room, and goes.
fn settle_in(server: &Running, load: &mut Load) -> io::Result<Sleeper> {
    let conn = load.connect(server.address)?;
    let (mut token, mut room) = (None, None);
    load.ask_each(&[conn], 1, PATIENCE, greet("create_room"), |_, line| {
        if let Some(Reply::Welcome(welcome)) = answer(1, line)? {
            token = welcome.token;
        }
        if let Some(Reply::Joined(joined)) = answer(2, line)? {
            room = Some(joined.room);
        }
        Ok(room.is_some())
    })?;
    load.close(conn)?;
    match (token, room) {
        (Some(token), Some(room)) => Ok(Sleeper { token, room }),
        _ => Err(io::Error::other("no token in the welcome")),
    }
}

/// Says hello as a new guest, request 1, and enters the room, request 2.
fn greet(verb: &'static str) -> impl FnMut(usize, &mut Vec<u8>) {
    move |conn, out| {
        hello(conn, out);
        line(out, format_args!("{{\"id\":2,\"{verb}\":{{\"name\":\"full\"}}}}"));
    }
}

/// Seconds of each of some starts.
fn starts(ground: &Ground, folder: &Path) -> io::Result<Vec<f64>> {
    (0..STARTS)
        .map(|_| {
            let server = ground.start(folder, Contestant::Parlor)?;
            let seconds = server.ready_after.as_secs_f64();
            let status = server.stop()?;
            if status.success() { Ok(seconds) } else { Err(io::Error::other(status.to_string())) }
        })
        .collect()
}

/// Pages at random places, one after the other.
fn pages(
    server: &Running,
    load: &mut Load,
    sleeper: &Sleeper,
    messages: u64,
) -> io::Result<Percentiles> {
    let conn = sign_in(server, load, sleeper)?;
    let room = sleeper.room;
    let mut nanos = Vec::with_capacity(PAGES);
    // The generator of Lehmer: the same places in every run.
    let mut random: u64 = 42;
    for number in 0..PAGES {
        random = random * 48_271 % 0x7fff_ffff;
        let place = PAGE as u64 + random % (messages - 2 * PAGE as u64);
        let side = ["before", "after", "around"][number % 3];
        let start = Instant::now();
        let mut took = Duration::ZERO;
        load.ask_each(
            &[conn],
            1,
            PATIENCE,
            |_, out| {
                let page = format_args!("{{\"{side}\":{place}}}");
                line(
                    out,
                    format_args!(
                        "{{\"id\":5,\"history\":{{\"room\":{room},\"page\":{page},\
                         \"limit\":{PAGE}}}}}"
                    ),
                );
            },
            |_, line| {
                took = start.elapsed();
                match answer(5, line)? {
                    Some(Reply::Page { events, .. }) if events.len() == PAGE => Ok(true),
                    Some(other) => Err(io::Error::other(format!("not a full page: {other:?}"))),
                    None => Ok(false),
                }
            },
        )?;
        nanos.push(took.as_nanos() as u64);
    }
    Ok(Percentiles::of(nanos))
}

/// Comes back as the sleeper on a new connection.
fn sign_in(server: &Running, load: &mut Load, sleeper: &Sleeper) -> io::Result<usize> {
    let conn = load.connect(server.address)?;
    let token = sleeper.token.to_hex();
    load.ask_each(
        &[conn],
        1,
        PATIENCE,
        |_, out| {
            line(
                out,
                format_args!(
                    "{{\"id\":1,\"hello\":{{\"protocol\":1,\"app\":\"bench\",\"token\":\"{token}\"}}}}"
                ),
            );
        },
        |_, line| Ok(answer(1, line)?.is_some()),
    )?;
    Ok(conn)
}

/// Seconds from connecting to having everything after a cursor that is [`MISSED`] behind.
fn come_back(server: &Running, load: &mut Load, sleeper: &Sleeper) -> io::Result<f64> {
    let start = Instant::now();
    let conn = sign_in(server, load, sleeper)?;
    let room = sleeper.room;
    let mut cursor = None;
    let mut heard = 0;
    loop {
        let mut page = None;
        load.ask_each(
            &[conn],
            1,
            PATIENCE,
            |_, out| {
                // The first page tells the newest place; in earnest the welcome does.
                let (page, limit) = match cursor {
                    None => ("\"latest\"".to_owned(), 1),
                    Some(Seq(seq)) => (format!("{{\"after\":{seq}}}"), 1_000),
                };
                line(
                    out,
                    format_args!(
                        "{{\"id\":6,\"history\":{{\"room\":{room},\"page\":{page},\
                         \"limit\":{limit}}}}}"
                    ),
                );
            },
            |_, line| {
                page = answer(6, line)?;
                Ok(page.is_some())
            },
        )?;
        let Some(Reply::Page { events, more, last_seq, .. }) = page else {
            return Err(io::Error::other("not a page"));
        };
        match (cursor, events.last()) {
            (None, _) => cursor = Some(Seq(last_seq.0 - MISSED)),
            (Some(_), Some(last)) => {
                heard += events.len() as u64;
                cursor = Some(last.seq);
                if !more {
                    break;
                }
            }
            (Some(_), None) => break,
        }
    }
    let took = start.elapsed().as_secs_f64();
    load.close(conn)?;
    if heard == MISSED { Ok(took) } else { Err(io::Error::other(format!("{heard} came back"))) }
}
