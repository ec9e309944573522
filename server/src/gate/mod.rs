//! The gate: what a connection's own thread checks and answers without the chat.
//!
//! It parses frames, knows whether its connection is signed in, slows down who is too fast, and
//! answers history and room lists from the store. Doors bring frames here and carry nothing else
//! in.

mod account;
pub(crate) mod fresh;
mod meter;
pub mod password;
mod reads;
pub mod throttle;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_shared::request::{Hello, Request};
use parlor_shared::{
    Frame, Limits, Notice, PROTOCOL, Refusal, RequestId, ServerFrame, UserId, event::Event, frame,
};

use crate::chat::{Arrival, From, TokenHash};
use crate::connection::{Connection, Stopping};
use crate::figures::Figures;
use crate::store::{Reader, Readers, StoreError};
pub use meter::Meters;
use meter::{Kind, Meter, Pace};
use password::Passwords;
use throttle::{AccountKey, Throttle};

/// What all gates share.
#[derive(Clone)]
pub struct Shared {
    pub limits: Arc<Limits>,
    pub readers: Readers,
    pub meters: Arc<Meters>,
    pub passwords: Arc<Passwords>,
    /// Tries of passwords, of codes, and of having a mail sent.
    pub throttle: Arc<Throttle>,
    pub codes: Arc<Throttle>,
    pub mails: Arc<Throttle>,
    pub figures: Arc<Figures>,
    /// Of the credential with which the shell of this machine comes in.
    pub shell: Option<TokenHash>,
    /// Mail can be sent.
    pub has_mail: bool,
}

impl Shared {
    /// What all gates share, of a server that sends no mail.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(
        limits: &Arc<Limits>,
        readers: Readers,
        figures: Figures,
        shell: TokenHash,
    ) -> Result<Self, StoreError> {
        let throttle = Throttle::new(limits);
        // Whoever came in from there before is not slowed by those who guess from elsewhere.
        for (name, source) in readers.with(Reader::known_sources)? {
            throttle.succeeded(AccountKey::of_name(&name.skeleton()), source, Instant::now());
        }
        Ok(Self {
            limits: Arc::clone(limits),
            readers,
            meters: Arc::new(Meters::new(limits)),
            passwords: Arc::new(Passwords::new(limits)),
            throttle: Arc::new(throttle),
            codes: Arc::new(Throttle::new(limits)),
            mails: Arc::new(Throttle::new(limits)),
            figures: Arc::new(figures),
            shell: Some(shell),
            has_mail: false,
        })
    }
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

    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest is asked of the chat")]
    fn request(&mut self, id: RequestId, request: Request) -> Result<Next, Stopping> {
        if account::is_secret(&request) && !self.origin.is_private {
            return self.refuse(Some(id), Refusal::NeedsTls);
        }
        let Some((user, _)) = self.user else {
            return match request {
                Request::Hello(hello) => self.hello(id, hello),
                Request::Recover(_) | Request::Forgot(_) => self.plead(id, request),
                _ => self.refuse(Some(id), Refusal::HelloFirst),
            };
        };
        let is_message = matches!(request, Request::Say(_) | Request::Announce(_));
        match self.pace(if is_message { Kind::Message } else { Kind::Request }) {
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
            Request::Hello(_) | Request::Recover(_) | Request::Forgot(_) => {
                self.connection.answer(id, Err(Refusal::HelloTwice))?;
            }
            Request::History(_)
            | Request::Rooms(_)
            | Request::Mine(_)
            | Request::Audit(_)
            | Request::Invites(_)
            | Request::Storage(_) => self.read(id, user, &request)?,
            request => match self.bring(user, &request) {
                Ok(brought) => self.connection.ask(id, request, brought)?,
                Err(no) => self.connection.answer(id, Err(no.refusal()))?,
            },
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
        let has_secret = hello.password.is_some() || hello.invite.is_some();
        if has_secret && !self.origin.is_private {
            return self.refuse(Some(id), Refusal::NeedsTls);
        }
        self.tries += 1;
        if self.tries > self.shared.limits.hello_tries {
            return Ok(self.end(Refusal::HelloLate));
        }
        let device = hello.device.clone();
        let arrival = match self.arrival(hello) {
            Ok(arrival) => arrival,
            Err(no) => {
                self.connection.answer(id, Err(no.refusal()))?;
                return Ok(Next::Go);
            }
        };
        let (source, is_private) = (self.origin.source, self.origin.is_private);
        let from = From { source, is_private, device };
        if let Some(user) = self.connection.hello(id, arrival, from)? {
            self.user = Some((user, self.shared.meters.of(user)));
        }
        Ok(Next::Go)
    }

    /// Who comes: with a token, with a password, or somebody new.
    fn arrival(&self, hello: Hello) -> Result<Arrival, account::No> {
        match (hello.token, hello.name, hello.password) {
            (Some(token), ..) => {
                let hash = TokenHash::of_token(&token);
                Ok(if self.is_shell(hash) { Arrival::Shell } else { Arrival::Known { hash } })
            }
            (None, None, _) => Err(Refusal::NameNeeded.into()),
            (None, Some(name), Some(password)) => {
                let proof = self.check_password(&name, &password)?;
                Ok(Arrival::Account { proof, token: fresh::token() })
            }
            (None, Some(name), None) => {
                let new_guest = self.shared.meters.new_guest(self.origin.source);
                new_guest.map_err(|retry_millis| Refusal::TooManyGuests { retry_millis })?;
                let invite = hello.invite.as_ref().map(TokenHash::of_code);
                Ok(Arrival::Guest { name, token: fresh::token(), invite, fact: None })
            }
        }
    }
}
