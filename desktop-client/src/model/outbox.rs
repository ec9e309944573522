//! Saying something: optimistic, and never lost or doubled.
//!
//! A message gets its client id, then goes to the archive, and only when that has saved it onto
//! the wire; the server's event with that id, or its answer, settles it. After a lost connection
//! everything unsettled is sent again in order under the same ids. There is no other mechanism.
//!
//! Invariant: no `say` is sent whose id the archive has not on disk, so that an id is never
//! used for two messages, whatever dies when.

use parlor_shared::request::Say;
use parlor_shared::{ClientId, EXIT, Refusal, Request, RoomId, Seq, Text};

use super::asked::Asked;
use super::effect::{Keep, Turn};
use super::limits::{DRAFT_BYTES_MAX, OUTBOX_MAX, SAYS_IN_FLIGHT_PER_ROOM};
use super::wire::told_pause;
use super::{Failure, Model, Pending, PendingState, Question, Room, Trouble};

/// The code under which the archive keeps [`Failure::NotKept`].
const NOT_KEPT: &str = "not_kept";

impl Failure {
    /// The code under which the archive keeps it.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::NotKept => NOT_KEPT,
        }
    }

    /// The failure that was kept under `code`.
    #[must_use]
    pub fn of_code(code: &str) -> Self {
        if code == NOT_KEPT {
            return Self::NotKept;
        }
        Self::Refused(Refusal::of_code(code).unwrap_or(Refusal::Unknown))
    }
}

impl PendingState {
    /// Will be settled without the person doing anything.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        match self {
            Self::Saving | Self::Waiting | Self::Sent | Self::Stored(_) => true,
            Self::Held | Self::Failed(_) => false,
        }
    }
}

impl Room {
    fn pending(&mut self, client_id: ClientId) -> Option<&mut Pending> {
        self.outbox.iter_mut().find(|it| it.client_id == client_id)
    }

    /// The message that may be sent now: the first that is not settled in one way or another,
    /// unless it is still being saved or others are on the wire.
    fn next_to_send(&mut self) -> Option<&mut Pending> {
        let sent = self.outbox.iter().filter(|it| it.state == PendingState::Sent).count();
        if sent >= SAYS_IN_FLIGHT_PER_ROOM || !self.is_member {
            return None;
        }
        let is_next =
            |it: &&mut Pending| matches!(it.state, PendingState::Saving | PendingState::Waiting);
        self.outbox.iter_mut().find(is_next).filter(|it| it.state == PendingState::Waiting)
    }

    /// Everything that was said is stored, has failed or is held.
    pub(super) fn has_said_all(&self) -> bool {
        !self.outbox.iter().any(|it| it.state.is_under_way())
    }
}

impl Pending {
    /// The order to keep it as it is now.
    pub(super) fn to_keep(&self, session: super::SessionId, room: RoomId) -> Keep {
        let failed = match &self.state {
            PendingState::Failed(failure) => Some(failure.code().to_owned()),
            PendingState::Saving
            | PendingState::Waiting
            | PendingState::Sent
            | PendingState::Stored(_)
            | PendingState::Held => None,
        };
        Keep::Pending {
            session,
            room,
            client_id: self.client_id,
            text: self.text.clone(),
            at: self.at,
            failed,
            held: self.state == PendingState::Held,
        }
    }
}

impl Model {
    pub(super) fn say(&mut self, id: RoomId, text: &str, turn: &mut Turn) {
        // What is pasted on one system has another system's line ends.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text.trim() == EXIT {
            self.edit_draft(id, String::new(), turn);
            self.sign_out(true, turn);
            return;
        }
        let text: Text = match text.trim_end_matches('\n').parse() {
            Ok(text) => text,
            Err(Refusal::TextEmpty) => return,
            Err(refusal) => {
                self.trouble = Some(Trouble::Refused(refusal));
                return;
            }
        };
        let Some(room) = self.rooms.get_mut(&id).filter(|it| it.is_member && !it.is_leaving) else {
            self.trouble = Some(Trouble::RoomRefused(Refusal::NoSuchRoom));
            return;
        };
        if room.is_ended {
            self.trouble = Some(Trouble::RoomRefused(Refusal::RoomEnded));
            return;
        }
        if room.outbox.len() >= OUTBOX_MAX {
            self.trouble = Some(Trouble::OutboxFull);
            return;
        }
        room.remove_divider();
        self.post(id, text, turn);
        self.edit_draft(id, String::new(), turn);
    }

    /// Puts a new message at the outbox's end, under a new id.
    fn post(&mut self, id: RoomId, text: Text, turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        self.counter += 1;
        let client_id = ClientId { device: self.device, counter: self.counter };
        let at = turn.moment.wall;
        let state = match self.is_kept {
            true => PendingState::Saving,
            false => PendingState::Failed(Failure::NotKept),
        };
        let pending = Pending { client_id, text, at, state };
        turn.keep(pending.to_keep(session, id));
        room.outbox.push_back(pending);
    }

    pub(super) fn pending_saved(&mut self, id: RoomId, client_id: ClientId) {
        let pending = self.rooms.get_mut(&id).and_then(|it| it.pending(client_id));
        if let Some(pending) = pending.filter(|it| it.state == PendingState::Saving) {
            pending.state = PendingState::Waiting;
        }
    }

    /// The archive is gone: what was not on disk yet is not sent.
    pub(super) fn nothing_is_kept(&mut self, says: String) {
        self.trouble = Some(Trouble::NotKept(says));
        self.is_kept = false;
        for pending in self.rooms.values_mut().flat_map(|it| &mut it.outbox) {
            if pending.state == PendingState::Saving {
                pending.state = PendingState::Failed(Failure::NotKept);
            }
        }
    }

    pub(super) fn has_waiting(&self) -> bool {
        let mut all = self.rooms.values().filter(|it| it.is_member).flat_map(|it| &it.outbox);
        all.any(|it| it.state == PendingState::Waiting)
    }

    /// Sends what may be sent.
    pub(super) fn send_waiting(&mut self, turn: &mut Turn) {
        for (&id, room) in &mut self.rooms {
            while let Some(pending) = room.next_to_send() {
                pending.state = PendingState::Sent;
                let (client_id, text) = (pending.client_id, pending.text.clone());
                let say = Request::Say(Say { room: id, client_id, text });
                self.asked.ask(say, Asked::Say { room: id, client_id }, turn);
            }
        }
    }

    /// The server has the message, at this place.
    pub(super) fn said(&mut self, id: RoomId, client_id: ClientId, seq: Seq, turn: &mut Turn) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if let Some(pending) = room.pending(client_id) {
            pending.state = PendingState::Stored(seq);
        }
        self.settle_stored(id, turn);
    }

    /// Lets go what the timeline shows by now.
    pub(super) fn settle_stored(&mut self, id: RoomId, turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        let shown = room.timeline.last_seq();
        room.outbox.retain(|it| {
            let is_shown = matches!(it.state, PendingState::Stored(seq) if seq <= shown);
            if is_shown {
                turn.keep(Keep::Settled { session, room: id, client_id: it.client_id });
            }
            !is_shown
        });
    }

    /// The server did not take the message.
    pub(super) fn say_refused(
        &mut self,
        id: RoomId,
        client_id: ClientId,
        refusal: Refusal,
        turn: &mut Turn,
    ) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        let Some(pending) = room.pending(client_id) else { return };
        if let Refusal::RateLimited { retry_millis } = refusal {
            pending.state = PendingState::Waiting;
            self.say_after = Some(told_pause(retry_millis, turn));
        } else if refusal == Refusal::GoingAway {
            pending.state = PendingState::Waiting;
        } else {
            pending.state = PendingState::Failed(Failure::Refused(refusal));
            let keep = pending.to_keep(session, id);
            turn.keep(keep);
            // Whoever leaves after everything is said wants to know that it was not.
            room.is_leaving = false;
        }
    }

    /// The connection is gone: what was on the wire is sent again under the same ids.
    pub(super) fn unsend(&mut self) {
        for pending in self.rooms.values_mut().flat_map(|it| &mut it.outbox) {
            if pending.state == PendingState::Sent {
                pending.state = PendingState::Waiting;
            }
        }
    }

    /// Says a failed message again, as the latest. After a refusal that concerns the message
    /// itself it is a new one; after a full disk it is still the same.
    pub(super) fn retry(&mut self, id: RoomId, client_id: ClientId, turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        let is_failed =
            |it: &Pending| it.client_id == client_id && matches!(it.state, PendingState::Failed(_));
        let Some(index) = room.outbox.iter().position(is_failed) else { return };
        let Some(mut pending) = room.outbox.remove(index) else { return };
        if pending.state == PendingState::Failed(Failure::Refused(Refusal::StorageFull)) {
            pending.state = PendingState::Saving;
            turn.keep(pending.to_keep(session, id));
            room.outbox.push_back(pending);
        } else {
            turn.keep(Keep::Settled { session, room: id, client_id });
            self.post(id, pending.text, turn);
        }
    }

    pub(super) fn discard(&mut self, id: RoomId, client_id: ClientId, turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        let before = room.outbox.len();
        room.outbox.retain(|it| it.client_id != client_id || it.state.is_under_way());
        if room.outbox.len() < before {
            turn.keep(Keep::Settled { session, room: id, client_id });
        }
        if matches!(self.asking, Some(Question::ResendHeld { .. })) {
            self.ask_about_held();
        }
    }

    /// How many messages wait for the person's decision.
    pub(super) fn ask_about_held(&mut self) {
        let all = self.rooms.values().flat_map(|it| &it.outbox);
        let messages = all.filter(|it| it.state == PendingState::Held).count();
        self.asking = (messages > 0).then_some(Question::ResendHeld { messages });
    }

    pub(super) fn resend_held(&mut self, turn: &mut Turn) {
        let Some(session) = self.session else { return };
        for (&id, room) in &mut self.rooms {
            for pending in &mut room.outbox {
                if pending.state == PendingState::Held {
                    pending.state = if room.is_member {
                        PendingState::Saving
                    } else {
                        PendingState::Failed(Failure::Refused(Refusal::NoSuchRoom))
                    };
                    turn.keep(pending.to_keep(session, id));
                }
            }
        }
        self.asking = None;
    }

    pub(super) fn discard_held(&mut self, turn: &mut Turn) {
        let Some(session) = self.session else { return };
        for (&id, room) in &mut self.rooms {
            room.outbox.retain(|it| {
                let is_held = it.state == PendingState::Held;
                if is_held {
                    turn.keep(Keep::Settled { session, room: id, client_id: it.client_id });
                }
                !is_held
            });
        }
        self.asking = None;
    }

    pub(super) fn edit_draft(&mut self, id: RoomId, mut text: String, turn: &mut Turn) {
        let (Some(session), Some(room)) = (self.session, self.rooms.get_mut(&id)) else { return };
        text.truncate(text.floor_char_boundary(DRAFT_BYTES_MAX));
        if room.draft != text {
            room.draft.clone_from(&text);
            turn.keep(Keep::Draft { session, room: id, text });
        }
    }
}
