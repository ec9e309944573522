//! A small blocking client with deadlines, as a stranger would write it from the protocol's page.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names the answer that it waits for; whatever else there may be one day is wrong"
)]

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::ClientConnection;
use socket2::{Domain, Socket, Type};

use parlor_shared::request::{
    CreateRoom, Hello, History, Join, Leave, Members, Mine, Nothing, PageAt, Register, Rooms, Say,
};
use parlor_shared::{
    ClientId, Code, Event, JoinedRoom, Notice, PROTOCOL, Refusal, Reply, Request, RequestFrame,
    RequestId, ResumeToken, RoomEvent, RoomId, Seq, ServerFrame, UserEvent, UserId, UserNews,
    Welcome, frame,
};

use crate::harness::PATIENCE;

/// Why nothing more is heard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Silence {
    /// The server closed, or cut the connection.
    Closed,
    /// Nothing came in time.
    Late,
}

/// What a request led to.
pub(crate) type Answer = Result<Reply, Refusal>;

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    /// What is spoken inside, if it is TLS.
    pub(crate) tls: Option<Box<ClientConnection>>,
    /// Bytes that go to the socket at once.
    pub(crate) cut: usize,
    buffer: Vec<u8>,
    last_id: u64,
    /// Events that came while an answer was waited for.
    pub(crate) events: VecDeque<Event>,
    /// Refusals of the connection as a whole.
    pub(crate) last_words: Vec<Refusal>,
    pub(crate) welcome: Option<Welcome>,
    pub(crate) token: Option<ResumeToken>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("somebody listens")
    }

    pub(crate) fn try_connect(address: SocketAddr) -> io::Result<Self> {
        Self::of(TcpStream::connect_timeout(&address, PATIENCE)?)
    }

    /// From another address of this machine.
    pub(crate) fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
        let socket = socket.expect("a socket");
        socket.bind(&SocketAddr::new(source, 0).into()).expect("an address of our own");
        socket.connect_timeout(&address.into(), PATIENCE).expect("somebody listens");
        Self::of(socket.into()).expect("a client")
    }

    fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            tls: None,
            cut: usize::MAX,
            buffer: Vec::new(),
            last_id: 0,
            events: VecDeque::new(),
            last_words: Vec::new(),
            welcome: None,
            token: None,
        })
    }

    /// Speaks TLS from here on; the handshake is done with the first words.
    pub(crate) fn over(mut self, tls: ClientConnection) -> Self {
        self.tls = Some(Box::new(tls));
        self
    }

    /// Sends bytes as they are; a connection that is gone is noticed when reading.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send(bytes).ok();
    }

    fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return write_cut(&self.stream, self.cut, bytes) };
        // More than this at once does not fit into its buffer.
        for piece in bytes.chunks(16 * 1024) {
            tls.writer().write_all(piece)?;
            while tls.is_handshaking() || tls.wants_write() {
                let mut raw = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut raw)?;
                }
                write_cut(&self.stream, self.cut, &raw)?;
                if tls.is_handshaking() {
                    self.stream.set_read_timeout(Some(PATIENCE))?;
                    if tls.read_tls(&mut self.stream)? == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    tls.process_new_packets().map_err(io::Error::other)?;
                }
            }
        }
        Ok(())
    }

    /// Reads what comes next, opened if it is TLS.
    fn read(&mut self, into: &mut [u8], deadline: Instant) -> io::Result<usize> {
        loop {
            if let Some(tls) = &mut self.tls {
                match tls.reader().read(into) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    other => return other,
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            let Some(tls) = &mut self.tls else { return self.stream.read(into) };
            let read = tls.read_tls(&mut self.stream);
            let processed = tls.process_new_packets().map_err(io::Error::other);
            if read? == 0 {
                return Ok(0);
            }
            processed?;
        }
    }

    /// Sends a request without waiting for its answer.
    pub(crate) fn send(&mut self, request: Request) -> RequestId {
        self.last_id += 1;
        let id = RequestId(self.last_id);
        self.send_bytes(&frame::line(&RequestFrame { id, request }));
        id
    }

    /// The next line.
    pub(crate) fn line(&mut self, patience: Duration) -> Result<String, Silence> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(end) = self.buffer.iter().position(|it| *it == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                let line = String::from_utf8(line).expect("the server speaks UTF-8");
                return Ok(line.trim_end_matches('\n').to_owned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Silence::Late);
            }
            let mut piece = [0; 64 * 1024];
            match self.read(&mut piece, deadline) {
                Ok(0) => return Err(Silence::Closed),
                Ok(bytes) => self.buffer.extend_from_slice(&piece[..bytes]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(Silence::Late),
                    ErrorKind::Interrupted => {}
                    _ => return Err(Silence::Closed),
                },
            }
        }
    }

    /// The next frame, whatever it is.
    pub(crate) fn frame(&mut self, patience: Duration) -> Result<ServerFrame, Silence> {
        let line = self.line(patience)?;
        Ok(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// The answer to `asked`; events before it are kept.
    pub(crate) fn answer(&mut self, asked: RequestId) -> Result<Answer, Silence> {
        loop {
            match self.frame(PATIENCE)? {
                ServerFrame::Ok { id, ok } if id == asked => return Ok(Ok(ok)),
                ServerFrame::Refused { id: Some(id), refused, .. } if id == asked => {
                    return Ok(Err(refused));
                }
                ServerFrame::Refused { id: None, refused, .. } => self.last_words.push(refused),
                ServerFrame::Event(event) => self.events.push_back(event),
                other => panic!("an answer out of order: {other:?} instead of {asked:?}"),
            }
        }
    }

    /// Asks and waits. Panics when the connection ends instead.
    pub(crate) fn ask(&mut self, request: Request) -> Answer {
        let id = self.send(request);
        self.answer(id).expect("an answer")
    }

    /// Wants to sign in, without waiting for the answer.
    pub(crate) fn send_hello(
        &mut self,
        name: Option<&str>,
        token: Option<ResumeToken>,
    ) -> RequestId {
        let name = name.map(|it| it.parse().expect("a name"));
        self.send(Request::Hello(Hello { name, token, ..empty_hello() }))
    }

    /// Signs in as a new guest.
    pub(crate) fn hello(&mut self, name: &str) -> Result<Welcome, Refusal> {
        let id = self.send_hello(Some(name), None);
        self.enter(id)
    }

    /// Comes back.
    pub(crate) fn resume(&mut self, token: ResumeToken) -> Result<Welcome, Refusal> {
        self.token = Some(token);
        let id = self.send_hello(None, Some(token));
        self.enter(id)
    }

    /// Signs in to an account.
    pub(crate) fn sign_in(&mut self, name: &str, password: &str) -> Result<Welcome, Refusal> {
        let (name, password) = (name.parse()?, password.parse()?);
        let hello = Hello { name: Some(name), password: Some(password), ..empty_hello() };
        let id = self.send(Request::Hello(hello));
        self.enter(id)
    }

    /// Makes an account of the guest; its recovery codes.
    pub(crate) fn register(&mut self, password: &str) -> Result<Vec<Code>, Refusal> {
        let password = password.parse()?;
        match self.ask(Request::Register(Register { password, email: None }))? {
            Reply::Registered { codes, .. } => Ok(codes),
            other => panic!("register was answered {other:?}"),
        }
    }

    /// The own stream after that place.
    pub(crate) fn mine(&mut self, after: Seq) -> (Vec<UserEvent>, bool) {
        match self.ask(Request::Mine(Mine { after })) {
            Ok(Reply::Mine { events, more, .. }) => (events, more),
            other => panic!("mine was answered {other:?}"),
        }
    }

    /// The next event of the own stream, all others passed over.
    pub(crate) fn news(&mut self) -> Result<UserNews, Silence> {
        loop {
            if let Event::User(event) = self.event(PATIENCE)? {
                return Ok(event.news);
            }
        }
    }

    /// Reads until the server closes; how long that took, and why it said that it did.
    pub(crate) fn put_out(&mut self) -> (Duration, Refusal) {
        let began = Instant::now();
        assert!(self.is_closed_within(PATIENCE), "the connection stays open");
        (began.elapsed(), self.last_words.pop().expect("a reason"))
    }

    fn enter(&mut self, asked: RequestId) -> Result<Welcome, Refusal> {
        match self.answer(asked).expect("an answer")? {
            Reply::Welcome(welcome) => {
                self.token = welcome.token.or(self.token);
                self.welcome = Some((*welcome).clone());
                Ok(*welcome)
            }
            other => panic!("hello was answered {other:?}"),
        }
    }

    pub(crate) fn user(&self) -> UserId {
        self.welcome.as_ref().expect("signed in").user
    }

    pub(crate) fn say(
        &mut self,
        room: RoomId,
        client_id: &str,
        text: &str,
    ) -> Result<Seq, Refusal> {
        match self.ask(say(room, client_id, text))? {
            Reply::Said { seq, .. } => Ok(seq),
            other => panic!("say was answered {other:?}"),
        }
    }

    pub(crate) fn create(&mut self, name: &str) -> Result<JoinedRoom, Refusal> {
        Ok(joined(self.ask(Request::CreateRoom(CreateRoom { name: name.parse()? }))?))
    }

    pub(crate) fn join(&mut self, name: &str) -> Result<JoinedRoom, Refusal> {
        Ok(joined(self.ask(Request::Join(Join { name: name.parse()? }))?))
    }

    pub(crate) fn leave(&mut self, room: RoomId) -> Answer {
        self.ask(Request::Leave(Leave { room }))
    }

    pub(crate) fn rooms(&mut self) -> Answer {
        self.ask(Request::Rooms(Rooms { after: None }))
    }

    pub(crate) fn members(&mut self, room: RoomId) -> Answer {
        self.ask(Request::Members(Members { room, after: None }))
    }

    pub(crate) fn ping(&mut self) -> Answer {
        self.ask(Request::Ping(Nothing {}))
    }

    /// One page.
    pub(crate) fn page(
        &mut self,
        room: RoomId,
        page: PageAt,
        limit: Option<u32>,
    ) -> Result<(Vec<RoomEvent>, bool), Refusal> {
        match self.ask(Request::History(History { room, page, limit }))? {
            Reply::Page { events, more, .. } => Ok((events, more)),
            other => panic!("history was answered {other:?}"),
        }
    }

    /// Everything after `seq`.
    pub(crate) fn after(&mut self, room: RoomId, mut seq: Seq) -> Vec<RoomEvent> {
        let mut all = Vec::new();
        loop {
            let (events, more) = self.page(room, PageAt::After(seq), None).expect("a page");
            seq = events.last().map_or(seq, |it| it.seq);
            all.extend(events);
            if !more {
                return all;
            }
        }
    }

    /// The next event of a room, notices passed over.
    pub(crate) fn room_event(&mut self) -> Result<RoomEvent, Silence> {
        loop {
            if let Event::Room(event) = self.event(PATIENCE)? {
                return Ok(event);
            }
        }
    }

    /// The next notice, events of rooms passed over.
    pub(crate) fn notice(&mut self) -> Result<Notice, Silence> {
        loop {
            if let Event::Notice(notice) = self.event(PATIENCE)? {
                return Ok(notice);
            }
        }
    }

    pub(crate) fn event(&mut self, patience: Duration) -> Result<Event, Silence> {
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        match self.frame(patience)? {
            ServerFrame::Event(event) => Ok(event),
            ServerFrame::Refused { id: None, refused, .. } => {
                self.last_words.push(refused);
                self.event(patience)
            }
            other => panic!("an answer that nobody waits for: {other:?}"),
        }
    }

    /// Reads until the server closes; false when it does not in time.
    pub(crate) fn is_closed_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            match self.frame(deadline.saturating_duration_since(Instant::now())) {
                Ok(ServerFrame::Refused { id: None, refused, .. }) => self.last_words.push(refused),
                Ok(ServerFrame::Event(event)) => self.events.push_back(event),
                Ok(_) => {}
                Err(Silence::Closed) => return true,
                Err(Silence::Late) => return false,
            }
        }
    }

    /// Ends the connection without a word.
    pub(crate) fn vanish(self) {
        self.stream.shutdown(Shutdown::Both).ok();
    }
}

/// A `hello` that says nothing about who comes.
pub(crate) fn empty_hello() -> Hello {
    Hello {
        protocol: PROTOCOL,
        app: "test".parse().expect("a name"),
        name: None,
        token: None,
        password: None,
        device: None,
        invite: None,
    }
}

fn write_cut(mut stream: &TcpStream, cut: usize, bytes: &[u8]) -> io::Result<()> {
    bytes.chunks(cut).try_for_each(|it| stream.write_all(it))
}

pub(crate) fn say(room: RoomId, client_id: &str, text: &str) -> Request {
    let client_id: ClientId = client_id.parse().expect("a client id");
    Request::Say(Say { room, client_id, text: text.parse().expect("a text") })
}

fn joined(reply: Reply) -> JoinedRoom {
    match reply {
        Reply::Joined(joined) => joined,
        other => panic!("join was answered {other:?}"),
    }
}
