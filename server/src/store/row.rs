//! An event as a row, and back, with a checksum over its content.
//!
//! Invariant: a row that is erased never grows. SQLite moves the rows of a page only when one of
//! them grows beyond it, and what it moves can leave a copy behind that no later erasing finds.

use std::sync::Arc;

use parlor_shared::{
    ClientId, DeviceId, Fact as Happening, Nth, RoomEvent, RoomId, Seq, UnixMillis, UserId,
    UserName, frame,
};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Row};

use super::StoreError;

const KIND_OPENED: i64 = 1;
const KIND_JOINED: i64 = 2;
const KIND_LEFT: i64 = 3;
pub(super) const KIND_SAID: i64 = 4;
/// Everything without a column of its own: the fact as it stands on the wire.
pub(super) const KIND_FACT: i64 = 5;
pub(super) const KIND_ANNOUNCED: i64 = 6;
/// Said or announced, and erased since.
pub(super) const KIND_BLANK: i64 = 7;
/// A fact about somebody who is a user no more: it lacks the name, which is known without.
pub(super) const KIND_FACT_OF_FORMER: i64 = 8;

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
            serde_json::from_str(fact).map_err(|_not_ours| StoreError::Damaged { position })?
        }
        (KIND_FACT_OF_FORMER, Some(fact), None) => {
            of_former(fact).map_err(|_not_ours| StoreError::Damaged { position })?
        }
        _ => return Err(StoreError::Damaged { position }),
    };
    let event = RoomEvent {
        room: RoomId(number(1)?),
        seq: Seq(number(2)?),
        at: UnixMillis(number(4)?),
        by: UserId(number(5)?),
        name: match text(6)?.unwrap_or_default() {
            "" => UserName::former(),
            name => name.parse().map_err(damaged)?,
        },
        fact,
    };
    // An erased row has the checksum with a sign, so that it takes no more room.
    if checksum(&event, kind, nth, body, client_id.as_ref()) != number(11)? as u32 {
        return Err(StoreError::Damaged { position });
    }
    Ok((position, Arc::new(event)))
}

/// The columns of a row that erasing changes.
pub(super) struct Erased<'a> {
    /// Empty for somebody who is a user no more.
    pub(super) name: &'a str,
    pub(super) kind: i64,
    pub(super) body: Option<String>,
    pub(super) crc: i32,
}

impl<'a> Erased<'a> {
    /// What becomes of the row with that number, kind and body when its event is `event` now.
    pub(super) fn new(event: &'a RoomEvent, nth: Nth, kind: i64, body: Option<String>) -> Self {
        let fact = &event.fact;
        let (kind, body, client_id) = if let Happening::Blank { client_id, .. } = fact {
            (KIND_BLANK, None, Some(client_id))
        } else if let Happening::Said { client_id, .. } | Happening::Announced { client_id, .. } =
            fact
        {
            (kind, body, Some(client_id))
        } else if kind == KIND_FACT && names_former(fact) {
            (KIND_FACT_OF_FORMER, Some(without_name(fact)), None)
        } else {
            (kind, body, None)
        };
        let crc = checksum(event, kind, nth, body.as_deref(), client_id) as i32;
        let is_former = event.name == UserName::former();
        Self { name: if is_former { "" } else { event.name.as_str() }, kind, body, crc }
    }
}

/// The name that a fact holds besides that of who did it.
pub(super) fn named(fact: &mut Happening) -> Option<(Option<UserId>, &mut UserName)> {
    match fact {
        Happening::Kicked { user, who, .. }
        | Happening::Banned { user, who, .. }
        | Happening::Muted { user, who, .. }
        | Happening::Unmuted { user, who }
        | Happening::RoleGiven { user, who, .. } => Some((Some(*user), who)),
        // The old name of who did it.
        Happening::Renamed { was } => Some((None, was)),
        Happening::Opened { .. }
        | Happening::Joined {}
        | Happening::Left {}
        | Happening::Said { .. }
        | Happening::Blank { .. }
        | Happening::Announced { .. }
        | Happening::Erased { .. }
        | Happening::Ended { .. }
        | Happening::Unknown => None,
    }
}

fn names_former(fact: &Happening) -> bool {
    named(&mut fact.clone()).is_some_and(|(_, name)| *name == UserName::former())
}

/// The fields under which facts hold names, see [`named`].
const NAMES: [&str; 2] = ["who", "was"];

fn without_name(fact: &Happening) -> String {
    let mut fact = serde_json::to_value(fact).unwrap_or_default();
    if let Some(fields) = fact.as_object_mut() {
        fields.retain(|field, _| !NAMES.contains(&field.as_str()));
    }
    fact.to_string()
}

fn of_former(fact: &str) -> serde_json::Result<Happening> {
    let mut fact: serde_json::Value = serde_json::from_str(fact)?;
    if let Some(fields) = fact.as_object_mut() {
        for name in NAMES {
            // A field that a fact does not have is passed over.
            fields.insert(name.to_owned(), UserName::former().as_str().into());
        }
    }
    serde_json::from_value(fact)
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
