//! The requests that are on the wire unanswered, and what each was for.
//!
//! Bounded: one `say` per room, two reads, one of each other kind, and what a person clicks.

use std::collections::BTreeMap;

use parlor_shared::{ClientId, PageAt, Request, RequestFrame, RequestId, RoomId, RoomName, Seq};

use super::account::Deed;
use super::admin::Section;
use super::effect::{Effect, Turn};
use super::limits::{GOODBYE_MILLIS, REPLY_MILLIS};
use super::orders::OrderKind;

/// What a request was for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    Hello,
    Say {
        room: RoomId,
        client_id: ClientId,
    },
    Page {
        room: RoomId,
        page: PageAt,
    },
    Members {
        room: RoomId,
    },
    Rooms,
    Join {
        name: RoomName,
    },
    Create {
        name: RoomName,
    },
    Leave {
        room: RoomId,
    },
    Ping,
    Goodbye,
    /// A stranger sets a new password with a code.
    Recover,
    /// A stranger asks for a code by mail.
    Forgot,
    /// The own stream.
    Mine,
    Read {
        room: RoomId,
        seq: Seq,
    },
    ShowAccount,
    OwnSessions,
    Account(Deed),
    Claim,
    Order(OrderKind),
    Admin {
        section: Section,
        is_next: bool,
    },
}

/// The unanswered requests of the present connection.
#[derive(Clone, Debug, Default)]
pub(super) struct AskedRequests {
    next: u64,
    /// With the moment at which the answer is overdue.
    waiting: BTreeMap<RequestId, (Asked, u64)>,
}

impl AskedRequests {
    /// Sends a request and remembers what for.
    pub(super) fn ask(&mut self, request: Request, asked: Asked, turn: &mut Turn) -> RequestId {
        self.next += 1;
        let id = RequestId(self.next);
        let patience = if asked == Asked::Goodbye { GOODBYE_MILLIS } else { REPLY_MILLIS };
        self.waiting.insert(id, (asked, turn.moment.millis + patience));
        turn.effects.push(Effect::Send(RequestFrame { id, request }));
        id
    }

    /// What the answered request was for; `None` for an answer to nothing.
    pub(super) fn take(&mut self, id: RequestId) -> Option<Asked> {
        self.waiting.remove(&id).map(|(asked, _)| asked)
    }

    /// The connection is gone, and with it every answer. Ids go on growing.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn any(&self, is: impl Fn(&Asked) -> bool) -> bool {
        self.waiting.values().any(|(asked, _)| is(asked))
    }

    /// How many history and member pages are asked for.
    pub(super) fn reads(&self) -> usize {
        let is_read =
            |it: &&(Asked, u64)| matches!(it.0, Asked::Page { .. } | Asked::Members { .. });
        self.waiting.values().filter(is_read).count()
    }

    /// When the first answer is overdue, in monotonic milliseconds.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.waiting.values().map(|(_, deadline)| *deadline).min()
    }
}
