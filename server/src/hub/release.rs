//! What one commit lets out: one chunk of bytes per topic, whatever number of events and hearers.

use std::collections::HashMap;
use std::sync::Arc;

use parlor_shared::{Refusal, ServerFrame, UserId, frame};

use crate::chat::{Act, Command, ConnectionId, Effect, Heard, Record, Topic};
use crate::delivery::{Batch, Change, Chunk};

/// Collects the effects of a batch that may only be performed after its commit.
#[derive(Default)]
pub(super) struct Release {
    replies: Vec<(ConnectionId, ServerFrame)>,
    chunks: Vec<Growing>,
    chunk_of: HashMap<Topic, usize>,
    closes: Vec<ConnectionId>,
    expels: Vec<ConnectionId>,
    pub(super) wants_backup: bool,
    pub(super) has_policy: bool,
    pub(super) has_mail: bool,
    pub(super) seats: Vec<(ConnectionId, Option<UserId>)>,
    pub(super) fences: Vec<ConnectionId>,
}

struct Growing {
    topic: Topic,
    bytes: Vec<u8>,
    changes: Vec<Change>,
}

impl Release {
    /// Takes an effect; gives back a record, which is the store's.
    pub(super) fn take(&mut self, effect: Effect) -> Option<Record> {
        match effect {
            Effect::Save(record) => return Some(record),
            Effect::Reply { to, frame } => self.replies.push((to, frame)),
            Effect::Publish { topic, event } => {
                let bytes = &mut self.chunk(topic).bytes;
                match &event {
                    Heard::Room(event) => frame::encode_line(&**event, bytes),
                    Heard::User(event) => frame::encode_line(&**event, bytes),
                    Heard::Notice(notice) => frame::encode_line(notice, bytes),
                }
            }
            Effect::Listen { connection, topic } => self.change(connection, topic, true),
            Effect::Unlisten { connection, topic } => self.change(connection, topic, false),
            Effect::Seat { connection, user } => self.seats.push((connection, user)),
            Effect::Close { connection } => self.closes.push(connection),
            Effect::Expel { connection, why } => {
                self.replies.push((connection, ServerFrame::refused(None, why)));
                self.expels.push(connection);
            }
            Effect::BackUp => self.wants_backup = true,
        }
        None
    }

    /// The connections that were to end.
    pub(super) fn take_ended(&mut self) -> Vec<ConnectionId> {
        let mut ended = std::mem::take(&mut self.closes);
        ended.append(&mut self.expels);
        ended
    }

    /// Ends these as well.
    pub(super) fn end(&mut self, connections: Vec<ConnectionId>) {
        self.expels.extend(connections);
    }

    /// Notes who is to be woken because of what is saved.
    pub(super) fn note(&mut self, record: &Record) {
        self.has_policy |= matches!(record, Record::Policy(_));
        self.has_mail |= matches!(record, Record::Mail { .. });
    }

    /// Answers `command` with a "no" instead of applying it.
    pub(super) fn refuse(&mut self, command: &Command, refusal: Refusal) {
        if let Act::Ask { connection, id, .. } = &command.act {
            self.replies.push((*connection, ServerFrame::refused(Some(*id), refusal)));
        }
    }

    /// The letter to the delivery threads; `None` when nobody hears anything.
    pub(super) fn seal(&mut self) -> Option<Batch> {
        let ends_nobody = self.closes.is_empty() && self.expels.is_empty();
        if self.replies.is_empty() && self.chunks.is_empty() && ends_nobody {
            return None;
        }
        self.chunk_of.clear();
        let chunks = self.chunks.drain(..).map(|it| Chunk {
            topic: it.topic,
            bytes: Arc::from(it.bytes),
            changes: it.changes,
        });
        Some(Batch {
            chunks: chunks.collect(),
            replies: std::mem::take(&mut self.replies),
            closes: std::mem::take(&mut self.closes),
            expels: std::mem::take(&mut self.expels),
        })
    }

    fn change(&mut self, connection: ConnectionId, topic: Topic, listens: bool) {
        let chunk = self.chunk(topic);
        chunk.changes.push(Change { at: chunk.bytes.len(), connection, listens });
    }

    fn chunk(&mut self, topic: Topic) -> &mut Growing {
        let place = *self.chunk_of.entry(topic).or_insert_with(|| {
            self.chunks.push(Growing { topic, bytes: Vec::new(), changes: Vec::new() });
            self.chunks.len() - 1
        });
        &mut self.chunks[place]
    }
}
