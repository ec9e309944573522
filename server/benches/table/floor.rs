//! The floor: the least that a chat server can do, as a yardstick measured in the same run.
//!
//! One thread, one epoll loop, nothing parsed, nothing numbered, nothing stored. What arrives in
//! one wake-up is put together per room once and written with one call per socket. Lines are as
//! long as Parlor's: requests, events and answers.
//!
//! Invariant: there is nothing here that a server could leave out and still be heard.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use parlor_shared::{
    ClientId, Event, Fact, Nth, Reply, RequestFrame, RequestId, RoomEvent, RoomId, Seq,
    ServerFrame, Text, UnixMillis, UserId, UserName, frame, request,
};

use crate::contestant::{Seating, Tongue};
use crate::load::{Load, WAVE};
use crate::parlor;
use crate::work::TEXT;

const LISTENER: Token = Token(usize::MAX);
/// A request shorter than this is the joining of a room: its number and a newline.
const JOIN_BYTES_MAX: usize = 16;
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of the lines that Parlor has in the middle of a measurement.
struct Lines {
    request: Vec<u8>,
    event: Vec<u8>,
    ack: Vec<u8>,
}

/// Speaks for every connection.
pub(crate) struct Plain(Vec<u8>);

impl Default for Plain {
    fn default() -> Self {
        Self(lines().request)
    }
}

impl Tongue for Plain {
    fn seat(&mut self, load: &mut Load, address: SocketAddr, seating: Seating) -> io::Result<()> {
        for _ in 0..seating.conns() {
            load.connect(address)?;
        }
        let all: Vec<usize> = (0..seating.conns()).collect();
        let join = |conn: usize, out: &mut Vec<u8>| {
            parlor::line(out, format_args!("{}", seating.room_of(conn)));
        };
        load.ask_each(&all, WAVE, PATIENCE, join, |_, line| Ok(line == b"joined"))?;
        Ok(())
    }

    fn say(&mut self, _conn: usize, _number: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn settled(&mut self, conn: usize, line: &[u8]) -> io::Result<Option<usize>> {
        Ok(Some(conn).filter(|_| parlor::is_said(line)))
    }

    fn ears(&self, seating: Seating) -> Vec<usize> {
        seating.talkers().collect()
    }

    fn hears_itself(&self) -> bool {
        true
    }
}

fn lines() -> Lines {
    // Values that are always valid: written here, and of the size that they have after a while.
    let parse = "every value here is written as the protocol wants it";
    let room = RoomId(2);
    let client_id: ClientId = "bench0-123456".parse().expect(parse);
    let text: Text = TEXT.parse().expect(parse);
    let name: UserName = "guest 17".parse().expect(parse);
    let at = UnixMillis(1_763_718_954_000);
    let (seq, nth) = (Seq(123_456), Nth(123_456));
    let say = request::Say { room, client_id, text: text.clone() };
    let fact = Fact::Said { nth, client_id, text };
    let event = RoomEvent { room, seq, at, by: UserId(17), name, fact };
    let ok = Reply::Said { room, client_id, seq, nth, at, erased: false };
    let id = RequestId(123_456);
    Lines {
        request: frame::line(&RequestFrame { id, request: request::Request::Say(say) }),
        event: frame::line(&ServerFrame::Event(Event::Room(event))),
        ack: frame::line(&ServerFrame::Ok { id, ok }),
    }
}

struct Conn {
    stream: TcpStream,
    room: usize,
    has_joined: bool,
    /// Answers owed in this wake-up.
    acks: usize,
    /// What the socket would not take.
    backlog: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    /// Events of this wake-up.
    events: usize,
}

struct Floor {
    poll: Poll,
    lines: Lines,
    conns: Vec<Conn>,
    rooms: Vec<Room>,
    /// Rooms with events in this wake-up.
    dirty: Vec<usize>,
    /// The events of one wake-up, one after the other, as long as the most that were needed.
    copies: Vec<u8>,
    buffer: Vec<u8>,
}

/// Serves until standard input ends: with the parent, however that ends.
pub(crate) fn serve() -> io::Result<()> {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    listener.listen(4_096)?;
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener.into());
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let parent = std::thread::Builder::new().name("parent".to_owned()).spawn(|| {
        // Whatever this says, the parent is gone or wants an end.
        io::stdin().read_to_end(&mut Vec::new()).ok();
        std::process::exit(0);
    })?;
    let mut floor = Floor {
        poll,
        lines: lines(),
        conns: Vec::new(),
        rooms: Vec::new(),
        dirty: Vec::new(),
        copies: Vec::new(),
        buffer: vec![0; 256 * 1024],
    };
    let mut events = Events::with_capacity(4_096);
    while !parent.is_finished() {
        floor.poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => floor.accept(&listener)?,
                Token(id) => {
                    if event.is_writable() {
                        floor.conns[id].drain();
                    }
                    if event.is_readable() {
                        floor.read(id);
                    }
                }
            }
        }
        floor.deliver();
    }
    Ok(())
}

impl Floor {
    fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nodelay(true)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(self.conns.len()), interest)?;
            self.conns.push(Conn {
                stream,
                room: 0,
                has_joined: false,
                acks: 0,
                backlog: Vec::new(),
            });
        }
    }

    fn read(&mut self, id: usize) {
        loop {
            let conn = &mut self.conns[id];
            // An end or an error: nobody is missed here.
            let Ok(count @ 1..) = conn.stream.read(&mut self.buffer) else { return };
            let bytes = &self.buffer[..count];
            if !conn.has_joined && count <= JOIN_BYTES_MAX {
                let digits = String::from_utf8_lossy(bytes);
                conn.room = digits.trim().parse().unwrap_or_default();
                conn.has_joined = true;
                conn.send(b"joined\n");
                if self.rooms.len() <= conn.room {
                    self.rooms.resize_with(conn.room + 1, Room::default);
                }
                self.rooms[conn.room].members.push(id);
            } else {
                let requests = memchr::memchr_iter(b'\n', bytes).count();
                conn.acks += requests;
                let room = &mut self.rooms[conn.room];
                if requests > 0 && room.events == 0 {
                    self.dirty.push(conn.room);
                }
                room.events += requests;
            }
            if count < self.buffer.len() {
                return;
            }
        }
    }

    fn deliver(&mut self) {
        let mut own = Vec::new();
        for room in self.dirty.drain(..) {
            let room = &mut self.rooms[room];
            let bytes = room.events * self.lines.event.len();
            while self.copies.len() < bytes {
                self.copies.extend_from_slice(&self.lines.event);
            }
            for member in &room.members {
                let conn = &mut self.conns[*member];
                if conn.acks == 0 {
                    conn.send(&self.copies[..bytes]);
                    continue;
                }
                own.clear();
                own.extend_from_slice(&self.copies[..bytes]);
                for _ in 0..conn.acks {
                    own.extend_from_slice(&self.lines.ack);
                }
                conn.acks = 0;
                conn.send(&own);
            }
            room.events = 0;
        }
    }
}

impl Conn {
    fn send(&mut self, bytes: &[u8]) {
        let sent = if self.backlog.is_empty() { self.stream.write(bytes).unwrap_or(0) } else { 0 };
        self.backlog.extend_from_slice(&bytes[sent..]);
    }

    fn drain(&mut self) {
        while !self.backlog.is_empty() {
            match self.stream.write(&self.backlog) {
                Ok(sent) => drop(self.backlog.drain(..sent)),
                Err(_) => return,
            }
        }
    }
}
