//! An event as a row, and back, with a checksum over its content.

use std::sync::Arc;

use parlor_shared::{
    ClientId, DeviceId, Fact as Happening, Nth, RoomEvent, RoomId, Seq, UnixMillis, UserId, frame,
};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Row};

use super::StoreError;

const KIND_OPENED: i64 = 1;
const KIND_JOINED: i64 = 2;
const KIND_LEFT: i64 = 3;
pub(super) const KIND_SAID: i64 = 4;
/// Everything without a column of its own: the fact as it stands on the wire.
const KIND_FACT: i64 = 5;
pub(super) const KIND_ANNOUNCED: i64 = 6;
/// Said or announced, and erased since.
pub(super) const KIND_BLANK: i64 = 7;

/// The columns that [`read`] expects, in its order.
pub(super) const COLUMNS: &str =
    "position, room, seq, nth, at, by, name, kind, body, device, counter, crc";

/// A place in the order of commits over all rooms; 0 is before everything.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position(pub u64);

/// Inserts `event` with the statement of [`super::writer`].
pub(super) fn insert(
    statement: &mut CachedStatement<'_>,
    event: &RoomEvent,
    nth: Nth,
) -> rusqlite::Result<()> {
    let written;
    let (kind, body, client_id) = match &event.fact {
        Happening::Opened { title } => (KIND_OPENED, Some(title.as_str()), None),
        Happening::Joined {} => (KIND_JOINED, None, None),
        Happening::Left {} => (KIND_LEFT, None, None),
        Happening::Said { client_id, text, .. } => {
            (KIND_SAID, Some(text.as_str()), Some(client_id))
        }
        Happening::Announced { client_id, text, .. } => {
            (KIND_ANNOUNCED, Some(text.as_str()), Some(client_id))
        }
        Happening::Kicked { .. }
        | Happening::Banned { .. }
        | Happening::Muted { .. }
        | Happening::Unmuted { .. }
        | Happening::Renamed { .. }
        | Happening::RoleGiven { .. }
        | Happening::Erased { .. }
        | Happening::Ended { .. } => {
            written = frame::line(&event.fact);
            // Lines of ours are UTF-8.
            let fact = std::str::from_utf8(&written).unwrap_or_default().trim_end();
            (KIND_FACT, Some(fact), None)
        }
        Happening::Blank { .. } | Happening::Unknown => {
            debug_assert!(false, "the chat makes no such events");
            return Ok(());
        }
    };
    let crc = checksum(event, kind, nth, body, client_id);
    statement.raw_bind_parameter(1, event.room.0 as i64)?;
    statement.raw_bind_parameter(2, event.seq.0 as i64)?;
    statement.raw_bind_parameter(3, nth.0 as i64)?;
    statement.raw_bind_parameter(4, event.at.0 as i64)?;
    statement.raw_bind_parameter(5, event.by.0 as i64)?;
    statement.raw_bind_parameter(6, event.name.as_str())?;
    statement.raw_bind_parameter(7, kind)?;
    statement.raw_bind_parameter(8, body)?;
    statement.raw_bind_parameter(9, client_id.map(|it| it.device.as_str()))?;
    statement.raw_bind_parameter(10, client_id.map(|it| it.counter as i64))?;
    statement.raw_bind_parameter(11, i64::from(crc))?;
    statement.raw_execute()?;
    Ok(())
}

/// Reads a row of [`COLUMNS`].
///
/// # Errors
/// [`StoreError::Damaged`] when the row is not what was written.
pub(super) fn read(row: &Row<'_>) -> Result<(Position, Arc<RoomEvent>), StoreError> {
    let number = |column: usize| row.get::<_, i64>(column).map(|it| it as u64);
    let position = Position(number(0)?);
    let damaged = |_| StoreError::Damaged { position };
    let text = |column: usize| match row.get_ref(column)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map(Some)
            .map_err(|_not_utf8| StoreError::Damaged { position }),
        ValueRef::Null => Ok(None),
        ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(StoreError::Damaged { position })
        }
    };
    let (kind, nth, body) = (number(7)? as i64, Nth(number(3)?), text(8)?);
    let client_id = match text(9)? {
        Some(device) => {
            let device: DeviceId = device.parse().map_err(damaged)?;
            Some(ClientId { device, counter: number(10)? })
        }
        None => None,
    };
    let fact = match (kind, body, client_id) {
        (KIND_OPENED, Some(title), None) => {
            Happening::Opened { title: title.parse().map_err(damaged)? }
        }
        (KIND_JOINED, None, None) => Happening::Joined {},
        (KIND_LEFT, None, None) => Happening::Left {},
        (KIND_SAID, Some(text), Some(client_id)) => {
            Happening::Said { nth, client_id, text: text.parse().map_err(damaged)? }
        }
        (KIND_ANNOUNCED, Some(text), Some(client_id)) => {
            Happening::Announced { nth, client_id, text: text.parse().map_err(damaged)? }
        }
        (KIND_BLANK, None, Some(client_id)) => Happening::Blank { nth, client_id },
        (KIND_FACT, Some(fact), None) => {
            serde_json::from_str(fact).map_err(|_not_a_fact| StoreError::Damaged { position })?
        }
        _ => return Err(StoreError::Damaged { position }),
    };
    let event = RoomEvent {
        room: RoomId(number(1)?),
        seq: Seq(number(2)?),
        at: UnixMillis(number(4)?),
        by: UserId(number(5)?),
        name: text(6)?.unwrap_or_default().parse().map_err(damaged)?,
        fact,
    };
    if u64::from(checksum(&event, kind, nth, body, client_id.as_ref())) != number(11)? {
        return Err(StoreError::Damaged { position });
    }
    Ok((position, Arc::new(event)))
}

/// The checksum of `event`'s row once its text is erased.
pub(super) fn blank_checksum(event: &RoomEvent, nth: Nth, client_id: &ClientId) -> u32 {
    checksum(event, KIND_BLANK, nth, None, Some(client_id))
}

/// CRC-32 over everything that the row says, so that a flipped bit is noticed, not served.
fn checksum(
    event: &RoomEvent,
    kind: i64,
    nth: Nth,
    body: Option<&str>,
    client_id: Option<&ClientId>,
) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    for number in [event.room.0, event.seq.0, nth.0, event.at.0, event.by.0, kind as u64] {
        crc.update(&number.to_le_bytes());
    }
    crc.update(event.name.as_str().as_bytes());
    crc.update(&[0]);
    crc.update(body.unwrap_or_default().as_bytes());
    if let Some(it) = client_id {
        crc.update(&[0]);
        crc.update(it.device.as_str().as_bytes());
        crc.update(&it.counter.to_le_bytes());
    }
    crc.finalize()
}
