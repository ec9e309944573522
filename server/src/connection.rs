//! A connection as its own thread holds it: requests go to the hub, answers to delivery.
//!
//! Whatever door the bytes came through, this is the only way in. Dropping it tells the hub that
//! the connection is lost, also when its thread panics.

use crossbeam_channel::{Receiver, Sender, bounded};
use parlor_shared::request::Request;
use parlor_shared::{Refusal, Reply, RequestId, ServerFrame, UserId, frame};

use crate::chat::{Act, Arrival, Brought, ConnectionId, From};
use crate::delivery::Delivery;

/// What lies in the hub's inbox.
#[derive(Debug)]
pub enum Letter {
    /// A connection exists, and how to reach its thread.
    Open { connection: ConnectionId, seat: Sender<Seated> },
    /// Something to decide.
    Act(Act),
    /// Answered through the seat once everything before it is decided and told.
    Fence { connection: ConnectionId },
}

/// What the hub tells a connection's own thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seated {
    /// How the hello ended: signed in as, or still a stranger.
    Hello(Option<UserId>),
    /// Everything asked before is answered.
    Fence,
}

/// The hub is gone: the server stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the server is stopping")]
pub struct Stopping;

/// See the module.
pub struct Connection {
    id: ConnectionId,
    inbox: Sender<Letter>,
    seat: Receiver<Seated>,
    delivery: Delivery,
    /// Something was asked since the last fence, so an answer of our own must wait for it.
    has_unanswered: bool,
    /// Comes when the last long answer has left this machine.
    sent: Option<Receiver<()>>,
}

impl Connection {
    /// Announces connection `id`, already open in `delivery`, to the hub.
    ///
    /// # Errors
    /// When the server stops.
    pub fn new(
        id: ConnectionId,
        inbox: Sender<Letter>,
        delivery: Delivery,
    ) -> Result<Self, Stopping> {
        let (seat, seated) = bounded(1);
        // Made first, so that its drop closes the connection in delivery if the hub is gone.
        let connection =
            Self { id, inbox, seat: seated, delivery, has_unanswered: false, sent: None };
        connection.send(Letter::Open { connection: id, seat })?;
        Ok(connection)
    }

    /// Signs in; on return the answer is on its way.
    ///
    /// # Errors
    /// When the server stops.
    pub fn hello(
        &mut self,
        id: RequestId,
        arrival: Arrival,
        from: From,
    ) -> Result<Option<UserId>, Stopping> {
        let connection = self.id;
        self.send(Letter::Act(Act::Hello { connection, id, arrival, from }))?;
        self.has_unanswered = false;
        match self.seat.recv() {
            Ok(Seated::Hello(user)) => Ok(user),
            Ok(Seated::Fence) | Err(_) => Err(Stopping),
        }
    }

    /// Asks the chat; it answers through delivery. Waits while the inbox is full.
    ///
    /// # Errors
    /// When the server stops.
    pub fn ask(
        &mut self,
        id: RequestId,
        request: Request,
        brought: Brought,
    ) -> Result<(), Stopping> {
        let (connection, brought) = (self.id, Box::new(brought));
        self.has_unanswered = true;
        self.send(Letter::Act(Act::Ask { connection, id, request, brought, fact: None }))
    }

    /// Puts something into the hub's inbox that has no answer.
    ///
    /// # Errors
    /// When the server stops.
    pub fn leave_word(&self, act: Act) -> Result<(), Stopping> {
        self.send(Letter::Act(act))
    }

    /// Waits until everything asked before is answered, so that answers keep the order of the
    /// requests and a read sees what its own connection has said.
    ///
    /// # Errors
    /// When the server stops.
    pub fn settle(&mut self) -> Result<(), Stopping> {
        if !std::mem::take(&mut self.has_unanswered) {
            return Ok(());
        }
        self.send(Letter::Fence { connection: self.id })?;
        match self.seat.recv() {
            Ok(Seated::Fence) => Ok(()),
            Ok(Seated::Hello(_)) | Err(_) => Err(Stopping),
        }
    }

    /// Answers from this thread, behind what the hub answered.
    ///
    /// # Errors
    /// When the server stops.
    pub fn answer(
        &mut self,
        id: RequestId,
        answer: Result<Reply, Refusal>,
    ) -> Result<(), Stopping> {
        self.settle()?;
        self.tell(&match answer {
            Ok(ok) => ServerFrame::Ok { id, ok },
            Err(refusal) => ServerFrame::refused(Some(id), refusal),
        });
        Ok(())
    }

    /// Answers with something long, and remembers to let it leave before the next one is read.
    ///
    /// # Errors
    /// When the server stops.
    pub fn answer_long(&mut self, id: RequestId, ok: Reply) -> Result<(), Stopping> {
        self.settle()?;
        let (done, sent) = bounded(1);
        self.sent = Some(sent);
        self.delivery.post(self.id, frame::line(&ServerFrame::Ok { id, ok }), Some(done));
        Ok(())
    }

    /// Waits until the last long answer has left: nobody's pages pile up in memory.
    pub fn wait_for_sent(&mut self) {
        if let Some(sent) = self.sent.take() {
            // Both a message and a hang-up say that it is over.
            match sent.recv() {
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Says something outside any order.
    pub fn tell(&self, frame: &ServerFrame) {
        self.delivery.post(self.id, frame::line(frame), None);
    }

    /// Ends the sending side after what is queued.
    pub fn close(&self) {
        self.delivery.close(self.id);
    }

    fn send(&self, letter: Letter) -> Result<(), Stopping> {
        self.inbox.send(letter).map_err(|_hub_is_gone| Stopping)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let lost = Letter::Act(Act::Lost { connection: self.id });
        if self.send(lost).is_err() {
            self.delivery.close(self.id);
        }
    }
}
