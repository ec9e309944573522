//! Users and rooms as people name them: by name, or by the id that the lists show.

use parlor_shared::reply::{RoomEntry, UserEntry};
use parlor_shared::request::{Rooms, Users};
use parlor_shared::{Line, Reply, Request, RoomId, RoomName, UserId, UserName};

use super::AdminError;
use super::call::{Call, unexpected};
use super::print::shown;

/// In front of an id where a name could stand.
const ID: &str = "id:";
/// Names that are offered when nobody is called exactly so.
const SIMILAR_MAX: usize = 5;

/// Somebody who was found.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) user: UserId,
    /// `None`: went for good.
    pub(super) name: Option<UserName>,
}

/// A room that was found, or that is taken on trust by its id.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) room: RoomId,
    name: Option<RoomName>,
}

impl Person {
    /// For a sentence.
    pub(super) fn shown(&self) -> String {
        let Self { user, name } = self;
        name.as_ref().map_or_else(
            || format!("{ID}{user}"),
            |name| format!("{} ({ID}{user})", shown(name.as_str())),
        )
    }
}

impl Place {
    /// For a sentence.
    pub(super) fn shown(&self) -> String {
        let Self { room, name } = self;
        name.as_ref().map_or_else(
            || format!("{ID}{room}"),
            |name| format!("{} ({ID}{room})", shown(name.as_str())),
        )
    }
}

/// Who is meant.
pub(super) fn user(call: &mut Call, given: &str) -> Result<Person, AdminError> {
    let no_such_user = |similar| AdminError::NoSuchUser { given: given.to_owned(), similar };
    if let Some(id) = given.strip_prefix(ID).and_then(number) {
        return user_by_id(call, id)?.ok_or_else(|| no_such_user(Vec::new()));
    }
    let (by_name, similar) = user_by_name(call, given)?;
    let by_id = match number(given) {
        Some(id) => user_by_id(call, id)?,
        None => None,
    };
    match (by_name, by_id) {
        (Some(named), Some(numbered)) if named.user != numbered.user => {
            Err(AdminError::Ambiguous(given.to_owned(), named.user.0))
        }
        (Some(it), _) | (None, Some(it)) => Ok(it),
        (None, None) => Err(no_such_user(similar)),
    }
}

/// Who is meant, also if it is somebody who went for good and left only an id.
pub(super) fn user_or_former(call: &mut Call, given: &str) -> Result<Person, AdminError> {
    match (user(call, given), given.strip_prefix(ID).and_then(number)) {
        (Err(AdminError::NoSuchUser { .. }), Some(id)) => {
            Ok(Person { user: UserId(id), name: None })
        }
        (found, _) => found,
    }
}

/// Whether somebody has that name, where something else is meant, too.
pub(super) fn is_a_name(call: &mut Call, given: &str) -> Result<Option<Person>, AdminError> {
    Ok(user_by_name(call, given)?.0)
}

fn user_by_id(call: &mut Call, id: u64) -> Result<Option<Person>, AdminError> {
    let Some(before) = id.checked_sub(1) else { return Ok(None) };
    let (users, _) = users(call, Users { after: Some(UserId(before)), find: None })?;
    let found = users.into_iter().next().filter(|it| it.user.0 == id);
    Ok(found.map(|it| Person { user: it.user, name: Some(it.name) }))
}

/// Who is called so to the eye, and who has it in a longer name.
fn user_by_name(call: &mut Call, given: &str) -> Result<(Option<Person>, Vec<String>), AdminError> {
    let (Ok(name), Ok(line)) = (given.parse::<UserName>(), given.parse::<Line>()) else {
        return Ok((None, Vec::new()));
    };
    let wanted = name.skeleton();
    let mut similar = Vec::new();
    // The server looks for the letters as they were typed. The same name can be written with
    // other ones that look alike, so who is not found that way is looked for among everybody.
    for find in [Some(line), None] {
        let mut after = None;
        loop {
            let (users, more) = users(call, Users { after, find: find.clone() })?;
            after = users.last().map(|it| it.user);
            for it in users {
                if it.name.skeleton() == wanted {
                    return Ok((Some(Person { user: it.user, name: Some(it.name) }), Vec::new()));
                }
                if find.is_some() && similar.len() < SIMILAR_MAX {
                    similar.push(Person { user: it.user, name: Some(it.name) }.shown());
                }
            }
            if !more || after.is_none() {
                break;
            }
        }
    }
    Ok((None, similar))
}

/// A page of the list of users.
pub(super) fn users(call: &mut Call, asked: Users) -> Result<(Vec<UserEntry>, bool), AdminError> {
    let reply = call.ask(Request::Users(asked))?;
    let Reply::Users { users, more } = reply else { return Err(unexpected(&reply)) };
    Ok((users, more))
}

/// A page of the list of rooms.
pub(super) fn rooms(
    call: &mut Call,
    after: Option<RoomId>,
) -> Result<(Vec<RoomEntry>, bool), AdminError> {
    let reply = call.ask(Request::Rooms(Rooms { after }))?;
    let Reply::Rooms { rooms, more } = reply else { return Err(unexpected(&reply)) };
    Ok((rooms, more))
}

/// Which room is meant.
pub(super) fn room(call: &mut Call, given: &str) -> Result<Place, AdminError> {
    if let Some(id) = given.strip_prefix(ID).and_then(number) {
        // Also one that is not in the list: the server says whether there is one.
        return Ok(Place { room: RoomId(id), name: None });
    }
    let (by_name, by_id) = (room_by_name(call, given)?, number(given).map(RoomId));
    match (by_name, by_id) {
        (Some(named), Some(id)) if named.room != id => {
            Err(AdminError::Ambiguous(given.to_owned(), named.room.0))
        }
        (Some(it), _) => Ok(it),
        (None, Some(room)) => Ok(Place { room, name: None }),
        (None, None) => Err(AdminError::NoSuchRoom(given.to_owned())),
    }
}

/// The same where naming none is possible.
pub(super) fn maybe_room(
    call: &mut Call,
    given: Option<&String>,
) -> Result<Option<Place>, AdminError> {
    given.map(|it| room(call, it)).transpose()
}

fn room_by_name(call: &mut Call, given: &str) -> Result<Option<Place>, AdminError> {
    let Ok(name) = given.parse::<RoomName>() else { return Ok(None) };
    let wanted = name.skeleton();
    let mut after = None;
    loop {
        let (rooms, more) = rooms(call, after)?;
        after = rooms.last().map(|it| it.room);
        if let Some(it) = rooms.into_iter().find(|it| it.name.skeleton() == wanted) {
            return Ok(Some(Place { room: it.room, name: Some(it.name) }));
        }
        if !more || after.is_none() {
            return Ok(None);
        }
    }
}

/// Digits and nothing else; an id is not larger than what every program can count.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|it| is_number && *it < 1 << 53)
}
