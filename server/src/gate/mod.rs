//! The gate: what a connection's own thread checks and answers without the chat.
//!
//! It parses frames, knows whether its connection is signed in, slows down who is too fast, and
//! answers history and room lists from the store. Doors bring frames here and carry nothing else
//! in.

mod meter;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parlor_shared::request::{Hello, History, Request, Rooms};
use parlor_shared::{
    Frame, Limits, Notice, PROTOCOL, Refusal, Reply, RequestId, ResumeToken, RoomId, ServerFrame,
    UserId, event::Event, frame,
};
use sha2::{Digest as _, Sha256};

use crate::chat::{Arrival, TokenHash};
use crate::connection::{Connection, Stopping};
use crate::store::{PageSize, Readers};
pub use meter::Meters;
use meter::{Kind, Meter, Pace};

/// What all gates share.
#[derive(Clone)]
pub struct Shared {
    pub limits: Arc<Limits>,
    pub readers: Readers,
    pub meters: Arc<Meters>,
}

/// Where a connection comes from, as its door knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Origin {
    pub source: IpAddr,
    /// Passwords and codes may come this way: it is encrypted, or from this machine, or the
    /// operator allows them anywhere.
    pub is_private: bool,
}

/// What the door does next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    Go,
    /// Nothing more is taken from this connection.
    End,
}

/// See the module.
pub struct Gate {
    connection: Connection,
    shared: Shared,
    origin: Origin,
    user: Option<(UserId, Arc<Meter>)>,
    /// Requests made before sign-in.
    tries: u64,
}

impl Gate {
    /// A gate for a connection from `origin`.
    #[must_use]
    pub fn new(connection: Connection, shared: Shared, origin: Origin) -> Self {
        Self { connection, shared, origin, user: None, tries: 0 }
    }

    /// True once hello was accepted.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        self.user.is_some()
    }

    /// Takes one frame, or what was wrong with it.
    pub fn take(&mut self, frame: Result<Frame, Refusal>) -> Next {
        let asked = match frame {
            Ok(frame) => frame::parse_request(&frame),
            Err(Refusal::FrameTooLong) => return self.end(Refusal::FrameTooLong),
            Err(refusal) => Err((None, refusal)),
        };
        match asked {
            Ok(asked) => self.request(asked.id, asked.request),
            Err((id, refusal)) => self.refuse(id, refusal),
        }
        .unwrap_or(Next::End)
    }

    /// Ends the connection with a reason.
    pub fn end(&mut self, refusal: Refusal) -> Next {
        // The answers to what was asked before come first; when the server stops nobody cares.
        self.connection.settle().ok();
        self.connection.tell(&ServerFrame::refused(None, refusal));
        self.connection.close();
        Next::End
    }

    /// Asks the client whether it is still there.
    pub fn ping(&self) {
        self.connection.tell(&ServerFrame::Event(Event::Notice(Notice::Ping {})));
    }

    fn refuse(&mut self, id: Option<RequestId>, refusal: Refusal) -> Result<Next, Stopping> {
        // A stranger gets one try at speaking the protocol; members' programs may be mistaken.
        if self.user.is_none() && id.is_none() {
            return Ok(self.end(refusal));
        }
        if self.user.is_none() {
            self.tries += 1;
            if self.tries > self.shared.limits.hello_tries {
                return Ok(self.end(Refusal::HelloLate));
            }
        }
        match self.pace(Kind::Request) {
            Pace::Now => {}
            // Whoever sends nonsense too fast is slowed, not told so: that would be an answer more.
            Pace::After(wait) | Pace::Refused(wait) => {
                std::thread::sleep(wait.min(self.patience()));
            }
        }
        self.connection.settle()?;
        self.connection.tell(&ServerFrame::refused(id, refusal));
        Ok(Next::Go)
    }

    fn request(&mut self, id: RequestId, request: Request) -> Result<Next, Stopping> {
        let Some((user, _)) = self.user else {
            let Request::Hello(hello) = request else {
                return self.refuse(Some(id), Refusal::HelloFirst);
            };
            return self.hello(id, hello);
        };
        let kind = match &request {
            Request::Say(_) => Kind::Message,
            Request::Hello(_)
            | Request::CreateRoom(_)
            | Request::Join(_)
            | Request::Leave(_)
            | Request::Rooms(_)
            | Request::Members(_)
            | Request::History(_)
            | Request::Ping(_)
            | Request::Goodbye(_) => Kind::Request,
        };
        match self.pace(kind) {
            Pace::Now => {}
            // Held back on its own thread: the bytes behind it wait in the network.
            Pace::After(wait) => std::thread::sleep(wait),
            Pace::Refused(wait) => {
                let retry_millis = wait.as_millis() as u64;
                self.connection.answer(id, Err(Refusal::RateLimited { retry_millis }))?;
                return Ok(Next::Go);
            }
        }
        let is_last = request.is_farewell();
        match request {
            Request::Hello(_) => self.connection.answer(id, Err(Refusal::HelloTwice))?,
            Request::History(history) => self.history(id, user, history)?,
            Request::Rooms(rooms) => self.rooms(id, &rooms)?,
            request @ (Request::CreateRoom(_)
            | Request::Join(_)
            | Request::Leave(_)
            | Request::Members(_)
            | Request::Say(_)
            | Request::Ping(_)
            | Request::Goodbye(_)) => self.connection.ask(id, request)?,
        }
        Ok(if is_last { Next::End } else { Next::Go })
    }

    fn pace(&self, kind: Kind) -> Pace {
        match &self.user {
            Some((_, meter)) => meter.take(kind, self.patience()),
            None => Pace::Now,
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.shared.limits.message_delay_millis)
    }

    fn hello(&mut self, id: RequestId, hello: Hello) -> Result<Next, Stopping> {
        log::debug!("hello from {} by {:?}", self.origin.source, hello.app.as_str());
        if hello.protocol != PROTOCOL {
            return self.refuse(Some(id), Refusal::OtherVersion { speaks: PROTOCOL });
        }
        let arrival = match (hello.token, hello.name) {
            (Some(token), _) => Arrival::Known { hash: hash(&token) },
            (None, None) => return self.refuse(Some(id), Refusal::NameNeeded),
            (None, Some(name)) => {
                if let Err(retry_millis) = self.shared.meters.new_guest(self.origin.source) {
                    return self.refuse(Some(id), Refusal::TooManyGuests { retry_millis });
                }
                let token = fresh_token();
                let hash = hash(&token);
                Arrival::Guest { name, token, hash }
            }
        };
        self.tries += 1;
        if self.tries > self.shared.limits.hello_tries {
            return Ok(self.end(Refusal::HelloLate));
        }
        if let Some(user) = self.connection.hello(id, arrival)? {
            self.user = Some((user, self.shared.meters.of(user)));
        }
        Ok(Next::Go)
    }

    fn history(&mut self, id: RequestId, user: UserId, asked: History) -> Result<(), Stopping> {
        self.connection.wait_for_sent();
        // What this connection said before must be in what it reads.
        self.connection.settle()?;
        let limits = &self.shared.limits;
        let events = asked.limit.map_or(limits.page_events, u64::from);
        let size = PageSize {
            events: events.clamp(1, limits.page_events_max) as usize,
            bytes: limits.page_bytes as usize,
        };
        let room = asked.room;
        let page = self.shared.readers.with(|it| it.history(user, room, asked.page, size));
        match page {
            Ok(Some(page)) => {
                let (events, more, last_seq) = (page.events, page.more, page.last_seq);
                self.connection.answer_long(id, Reply::Page { room, events, more, last_seq })
            }
            Ok(None) => self.connection.answer(id, Err(Refusal::NoSuchRoom)),
            Err(error) => {
                log::error!("history of room {room}: {error}");
                self.connection.answer(id, Err(Refusal::HistoryDamaged))
            }
        }
    }

    fn rooms(&mut self, id: RequestId, asked: &Rooms) -> Result<(), Stopping> {
        self.connection.wait_for_sent();
        self.connection.settle()?;
        let entries = self.shared.limits.list_entries as usize;
        let after = asked.after.unwrap_or(RoomId(0));
        match self.shared.readers.with(|it| it.rooms(after, entries)) {
            Ok((rooms, more)) => self.connection.answer_long(id, Reply::Rooms { rooms, more }),
            Err(error) => {
                log::error!("the list of rooms: {error}");
                self.connection.answer(id, Err(Refusal::HistoryDamaged))
            }
        }
    }
}

fn hash(token: &ResumeToken) -> TokenHash {
    TokenHash(Sha256::digest(token.0).into())
}

/// 256 bits from the system's generator. Without one nobody could be told apart, so there is no
/// way on.
#[expect(clippy::expect_used, reason = "a system without randomness cannot serve strangers")]
fn fresh_token() -> ResumeToken {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has a random generator");
    ResumeToken(bytes)
}
