//! Who an event is for: the members at its place in the room.

use std::collections::HashMap;

use parlor_shared::{Fact, RoomEvent, RoomId, Seq, UserId};

use super::line::escape;
use crate::store::{Reader, StoreError};

/// Memberships kept in memory: 8 bytes each. Beyond this all are forgotten and read again as
/// they are needed.
const MEMBERSHIPS_KEPT: usize = 1_000_000;

/// The members of rooms, each room as of the last event that was asked about.
///
/// Invariant: a room's events are asked about in ascending order.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    rooms: HashMap<RoomId, Audience>,
    kept: usize,
}

#[derive(Debug)]
pub(super) struct Audience {
    /// The room's name, escaped.
    pub(super) room: String,
    /// Ascending.
    pub(super) members: Vec<UserId>,
    /// Has left with the event before.
    leaves: Option<UserId>,
}

impl Audiences {
    /// Who hears `event`: one's own joining and leaving included.
    pub(super) fn of(
        &mut self,
        event: &RoomEvent,
        reader: &mut Reader,
    ) -> Result<&Audience, StoreError> {
        if self.kept > MEMBERSHIPS_KEPT {
            *self = Self::default();
        }
        if !self.rooms.contains_key(&event.room) {
            let audience = Audience::before(event.room, event.seq, reader)?;
            self.kept += audience.members.len();
            self.rooms.insert(event.room, audience);
        }
        let Some(audience) = self.rooms.get_mut(&event.room) else {
            unreachable!("inserted above")
        };
        if let Some(left) = audience.leaves.take()
            && let Ok(at) = audience.members.binary_search(&left)
        {
            audience.members.remove(at);
            self.kept -= 1;
        }
        match event.fact {
            Fact::Opened { .. } | Fact::Joined {} => {
                if let Err(at) = audience.members.binary_search(&event.by) {
                    audience.members.insert(at, event.by);
                    self.kept += 1;
                }
            }
            Fact::Left {} => audience.leaves = Some(event.by),
            Fact::Kicked { user, .. } | Fact::Banned { user, .. } => audience.leaves = Some(user),
            Fact::Said { .. }
            | Fact::Blank { .. }
            | Fact::Announced { .. }
            | Fact::Renamed { .. }
            | Fact::Muted { .. }
            | Fact::Unmuted { .. }
            | Fact::RoleGiven { .. }
            | Fact::Erased { .. }
            | Fact::Ended { .. }
            | Fact::Unknown => {}
        }
        Ok(audience)
    }
}

impl Audience {
    /// As it was just before `seq`. What the store knows beyond that is passed over.
    fn before(room: RoomId, seq: Seq, reader: &mut Reader) -> Result<Self, StoreError> {
        let mut members: Vec<UserId> = reader
            .memberships(room)?
            .into_iter()
            .filter(|(_, joined, left)| *joined < seq && left.is_none_or(|it| it >= seq))
            .map(|(user, ..)| user)
            .collect();
        members.sort_unstable();
        let mut name = String::new();
        escape(&reader.room_name(room)?.unwrap_or_default(), &mut name);
        Ok(Self { room: name, members, leaves: None })
    }
}
