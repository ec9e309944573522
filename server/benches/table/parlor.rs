//! Parlor as a contestant: how its real program is started, and how its protocol is spoken.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use parlor_shared::{Reply, RoomId, ServerFrame};

use crate::contestant::{Seating, Tongue};
use crate::load::{Load, WAVE};
use crate::process::Running;
use crate::work::TEXT;

/// Limits that would measure themselves instead of the server. Rates are those of one person
/// typing, and a load generator is a thousand people at one address; the talkers of this
/// benchmark are to be held back by the server's speed alone.
const RAISED: &[(&str, u64)] = &[
    ("connections", 12_000),
    ("strangers", 12_000),
    ("strangers_free", 12_000),
    ("messages_per_second", 10_000_000),
    ("messages_burst", 10_000_000),
    ("requests_per_second", 10_000_000),
    ("requests_burst", 10_000_000),
];

/// What is measured: the program that cargo has just built, unless told otherwise.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) program: PathBuf,
    /// Limits beside [`RAISED`], as they stand on the server's command line.
    pub(crate) limits: Vec<String>,
}

impl Build {
    /// All limits that are changed.
    pub(crate) fn limits(&self) -> impl Iterator<Item = String> {
        let raised = RAISED.iter().map(|(name, value)| format!("{name}={value}"));
        raised.chain(self.limits.iter().cloned())
    }
}

/// Longest wait for one step of filling the server with people.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the server on `folder`, with the chat logs on or off.
pub(crate) fn start(build: &Build, folder: &Path, chatlogs: bool) -> io::Result<Running> {
    let mut command = Command::new(&build.program);
    command.args(["--bind", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
    command.arg("--chatlogs");
    if chatlogs {
        command.arg(folder.join("chatlogs"));
    } else {
        command.arg("off");
    }
    for limit in build.limits() {
        command.arg("--limit").arg(limit);
    }
    Running::start_and_read(command)
}

/// Speaks for every connection.
#[derive(Default)]
pub(crate) struct Parlor {
    /// The room of each connection's talk.
    rooms: Vec<RoomId>,
}

impl Tongue for Parlor {
    fn seat(&mut self, load: &mut Load, address: SocketAddr, seating: Seating) -> io::Result<()> {
        for _ in 0..seating.conns() {
            load.connect(address)?;
        }
        let all: Vec<usize> = (0..seating.conns()).collect();
        // In a real house they would come over days. The lobby is left at once where many come,
        // or the arrival of each would be told to all who came before.
        let leaves = seating.conns() > 500;
        load.ask_each(
            &all,
            WAVE,
            PATIENCE,
            |conn, out| {
                hello(conn, out);
                if leaves {
                    out.extend_from_slice(b"{\"id\":2,\"leave\":{\"room\":1}}\n");
                }
            },
            |_, line| answer(if leaves { 2 } else { 1 }, line).map(|it| it.is_some()),
        )?;
        self.rooms = vec![RoomId(0); seating.conns()];
        for verb in ["create_room", "join"] {
            let first = |conn: &usize| seating.place_of(*conn) == 0;
            let who: Vec<usize> =
                all.iter().copied().filter(|it| first(it) == (verb == "create_room")).collect();
            load.ask_each(
                &who,
                WAVE,
                PATIENCE,
                |conn, out| {
                    let room = seating.room_of(conn);
                    line(out, format_args!("{{\"id\":3,\"{verb}\":{{\"name\":\"room {room}\"}}}}"));
                },
                |conn, line| {
                    let Some(Reply::Joined(joined)) = answer(3, line)? else { return Ok(false) };
                    self.rooms[conn] = joined.room;
                    Ok(true)
                },
            )?;
        }
        Ok(())
    }

    fn say(&mut self, conn: usize, number: u64, out: &mut Vec<u8>) {
        say(self.rooms[conn], conn, number, out);
    }

    fn settled(&mut self, conn: usize, line: &[u8]) -> io::Result<Option<usize>> {
        if is_said(line) {
            return Ok(Some(conn));
        }
        // Events begin with their room or their name; an id is an answer, and this one a "no".
        if line.starts_with(b"{\"id\"") || line.starts_with(b"{\"refused\"") {
            return Err(refused(line));
        }
        Ok(None)
    }

    fn ears(&self, seating: Seating) -> Vec<usize> {
        seating.talkers().collect()
    }

    fn hears_itself(&self) -> bool {
        true
    }
}

/// Appends one line; writing to memory cannot fail.
pub(crate) fn line(out: &mut Vec<u8>, words: std::fmt::Arguments<'_>) {
    writeln!(out, "{words}").ok();
}

/// Appends the arrival of a new guest, request 1.
pub(crate) fn hello(conn: usize, out: &mut Vec<u8>) {
    line(
        out,
        format_args!(
            "{{\"id\":1,\"hello\":{{\"protocol\":1,\"app\":\"bench\",\"name\":\"guest {conn}\"}}}}"
        ),
    );
}

/// Appends a message of 200 bytes, its request id and its client id's counter being `number`.
pub(crate) fn say(room: RoomId, conn: usize, number: u64, out: &mut Vec<u8>) {
    line(
        out,
        format_args!(
            "{{\"id\":{number},\"say\":{{\"room\":{room},\"client_id\":\"bench{conn}-{number}\",\
             \"text\":\"{TEXT}\"}}}}"
        ),
    );
}

/// True for the answer to a message, by its first bytes: this is looked at millions of times.
pub(crate) fn is_said(line: &[u8]) -> bool {
    let Some(behind) = line.strip_prefix(b"{\"id\":") else { return false };
    let digits = behind.iter().take_while(|it| it.is_ascii_digit()).count();
    behind[digits..].starts_with(b",\"ok\":{\"said\"")
}

/// The answer to request `id`, if the line is one.
///
/// # Errors
/// A refusal of any request, and of the connection.
pub(crate) fn answer(id: u64, line: &[u8]) -> io::Result<Option<Reply>> {
    if !line.starts_with(b"{\"id\"") && !line.starts_with(b"{\"refused\"") {
        return Ok(None);
    }
    match serde_json::from_slice(line)? {
        ServerFrame::Ok { id: of, ok } if of.0 == id => Ok(Some(ok)),
        ServerFrame::Refused { .. } => Err(refused(line)),
        ServerFrame::Ok { .. } | ServerFrame::Event(_) => Ok(None),
    }
}

fn refused(line: &[u8]) -> io::Error {
    io::Error::other(format!("not expected: {}", String::from_utf8_lossy(line)))
}
