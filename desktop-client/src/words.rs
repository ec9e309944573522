//! Every sentence that the app shows, in one place, so that they speak with one voice and can
//! be translated one day.

pub mod account;
pub mod acts;
pub mod admin;
pub mod join;
pub mod notices;

// ---- What went wrong (model) ----

use parlor_shared::Refusal;

use crate::model::{Address, Failure, Trouble};

/// The trouble in a sentence or two: what happened, and what to do.
#[must_use]
pub fn trouble(it: &Trouble) -> String {
    match it {
        Trouble::BadAddress => BAD_ADDRESS.to_owned(),
        Trouble::PlainElsewhere => PLAIN_ELSEWHERE.to_owned(),
        Trouble::BadName(why) | Trouble::BadRoomName(why) => refusal(why),
        Trouble::NoSuchHost(at) => {
            format!("There is no computer called “{}”. Check the spelling.", at.host)
        }
        Trouble::NobodyAnswers(at) => format!(
            "Nobody answers at {at}. Check the address, and that the chat has been started there."
        ),
        Trouble::NotParlor(at) => format!(
            "Something answers at {at}, but it is not a Parlor. Check the address and the port."
        ),
        Trouble::NotPrivate(at) => format!(
            "Something answers at {at}, but not in a way that keeps others from listening, so \
             nothing was sent to it. It may be no Parlor, or a very old one."
        ),
        Trouble::KeyChanged(at) => {
            format!("Not connected: the server at {at} does not have the key that it had before.")
        }
        Trouble::HungUp(at) => format!(
            "Somebody answers at {at}, but hung up before the chat began. Check that it is a \
             Parlor, and try again in a moment."
        ),
        Trouble::NameTaken { name, suggestion: Some(free) } => {
            format!("Somebody is called “{name}” there already. “{free}” is free.")
        }
        Trouble::NameTaken { name, suggestion: None } => {
            format!("Somebody is called “{name}” there already. Choose another name.")
        }
        Trouble::OtherVersion { speaks } => {
            let own = parlor_shared::PROTOCOL;
            if *speaks > own {
                "The server is newer than this app. Get the newer Parlor to join.".to_owned()
            } else {
                "The server is older than this app. Ask whoever runs it for an update.".to_owned()
            }
        }
        Trouble::TokenUnknown => {
            "The server does not know you any more. Join again with a name.".to_owned()
        }
        Trouble::KeyringLocked => KEYRING_LOCKED.to_owned(),
        Trouble::ConnectionLost => {
            "The connection was lost. Trying again; what you write is kept.".to_owned()
        }
        Trouble::ServerStopping => {
            "The server is stopping. Trying again when it is back; what you write is kept."
                .to_owned()
        }
        Trouble::OtherHistory => OTHER_HISTORY.to_owned(),
        Trouble::NotConnected => {
            "There is no connection to the server just now. Try again in a moment.".to_owned()
        }
        Trouble::RoomRefused(why) | Trouble::Refused(why) => refusal(why),
        Trouble::Banned { .. } => join::banned(None),
        Trouble::OutboxFull => {
            "Too many messages are waiting in this room. Wait until they are sent.".to_owned()
        }
        Trouble::NotKept(says) => format!(
            "This computer cannot keep the chat any more: {says}. Make room on its disk and \
             start Parlor again."
        ),
        Trouble::Host(says) => says.clone(),
    }
}

const BAD_ADDRESS: &str = "That is not an address. Type a computer's name or address, for instance \
     192.168.1.5 or office:7666.";
const PLAIN_ELSEWHERE: &str = "Without encryption (plain://) Parlor connects to this computer only: to localhost or \
     127.0.0.1. Leave “plain://” away.";
const KEYRING_LOCKED: &str = "Your sign-in there is kept by this computer's keyring, which did not give it out. \
     Unlock it and start Parlor again, or join with another name.";
const OTHER_HISTORY: &str = "The server was set back to another history, so it is read anew. What you had not \
     sent yet is still here.";

/// The server's "no" in a sentence.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "the others have a sentence of their own")]
pub fn refusal(it: &Refusal) -> String {
    match it {
        Refusal::Throttled { retry_millis } => join::throttled(*retry_millis),
        Refusal::RegisteredOnly => {
            "Only people with an account may come in here. Sign in with your password.".to_owned()
        }
        Refusal::InviteNeeded => join::INVITE_EXPLAINED.to_owned(),
        Refusal::SessionEnded => {
            "You were signed out here. Sign in again; your rooms and what you had written are \
             still there."
                .to_owned()
        }
        Refusal::NoMail => {
            "This server cannot send mail. Ask whoever runs it for a code.".to_owned()
        }
        Refusal::NeedsTls => {
            "This server takes passwords and codes only over an encrypted connection.".to_owned()
        }
        other => other.to_string(),
    }
}

/// Why a message is marked as failed.
#[must_use]
pub fn failure(it: &Failure) -> String {
    match it {
        Failure::Refused(why) => refusal(why),
        Failure::NotKept => "It could not be saved on this computer.".to_owned(),
    }
}

// ---- Labels and titles (view) ----

pub const APP_NAME: &str = "Parlor";
pub const TAGLINE: &str =
    "A chat for the people around you: on your own network, with or without an account.";
pub const YOUR_NAME: &str = "Your name";
pub const YOUR_NAME_HINT: &str = "What others call you";
pub const SERVER_ADDRESS: &str = "Server address";
pub const SERVER_ADDRESS_HINT: &str = "For instance 192.168.1.5";
pub const JOIN: &str = "Join";
pub const JOINING: &str = "Joining…";
pub const CANCEL: &str = "Cancel";
pub const OR: &str = "or";
pub const HOST_HERE: &str = "Start a chat on this computer";
pub const ROOMS: &str = "Rooms";
pub const NEW_ROOM: &str = "New room";
pub const ROOM_NAME: &str = "Room name";
pub const ROOM_NAME_HINT: &str = "For instance: kitchen";
pub const OPEN_ROOM: &str = "Create or join";
pub const OPEN_ROOMS: &str = "Open rooms";
pub const NO_OPEN_ROOMS: &str = "There are no other open rooms yet.";
pub const ADD_ROOM: &str = "Create or join a room";
pub const LEAVE_ROOM: &str = "Leave this room";
pub const PEOPLE: &str = "People";
pub const HERE: &str = "Here";
pub const AWAY: &str = "Away";
pub const BACK_TO_CHAT: &str = "Back to the chat";
pub const BACK: &str = "Back to the messages";
pub const SIGN_OUT: &str = "Sign out";
pub const CLOSE: &str = "Close";
pub const DISMISS: &str = "Dismiss";
pub const TRY_NOW: &str = "Try now";
pub const CONNECTING: &str = "Connecting…";
pub const CATCHING_UP: &str = "Catching up…";
pub const OFFLINE: &str = "Not connected";
pub const MESSAGE: &str = "Message";
pub const SEND: &str = "Send";
pub const TIMELINE: &str = "Messages";
pub const SCROLL_POSITION: &str = "Scroll position";
pub const NEW_MESSAGES: &str = "New";
pub const CLOCK_CHANGED: &str = "The server's clock was set back here";
pub const NEEDS_NEWER: &str = "This needs a newer Parlor to be shown";
pub const LOADING: &str = "Loading…";
pub const LOADING_OLDER: &str = "Loading older messages…";
pub const OLDER_ABOVE: &str = "Older messages are above";
pub const TOO_MUCH: &str = "Older messages are on the server; this app shows no more at once";
pub const NOTHING_SAID: &str = "Nothing has been said here yet.";
pub const SAY_SOMETHING: &str = "Say hello: everyone who joins this room can read it.";
pub const NO_ROOM: &str = "No room is open";
pub const NO_ROOM_HINT: &str = "Choose a room on the left, or make one with the plus sign.";
pub const SENDING: &str = "sending";
pub const NOT_SENT: &str = "not sent";
pub const SAVED: &str = "sent";
pub const RETRY: &str = "Try again";
pub const DISCARD: &str = "Discard";
pub const HELD: &str = "Not sent: the server was set back to another history.";
pub const COPY_TEXT: &str = "Copy text";
pub const COPY_SELECTED: &str = "Copy what is selected";
pub const JUMP_TO_NEWEST: &str = "Newest messages";
pub const NOT_A_MEMBER: &str = "You are no longer in this room.";
pub const LEAVING: &str = "Leaving this room once everything is sent…";
pub const TODAY: &str = "Today";
pub const YESTERDAY: &str = "Yesterday";
/// Within a sentence.
pub const YESTERDAY_WITHIN: &str = "yesterday";
pub const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const THEME: &str = "Appearance";
pub const THEME_SYSTEM: &str = "Like the system";
pub const THEME_LIGHT: &str = "Light";
pub const THEME_DARK: &str = "Dark";
pub const STAY: &str = "Keep it open";
pub const CLOSE_ANYWAY: &str = "Close and end the chat";
pub const RESEND: &str = "Send them";
pub const CLOSE_TITLE: &str = "Others are still in your chat";
pub const RESEND_TITLE: &str = "Send what was waiting?";

pub const KEY_CHANGED_TITLE: &str = "This may not be the server you know";
pub const KEY_BEFORE: &str = "The key it had before";
pub const KEY_NOW: &str = "The key it has now";
pub const KEY_ADVICE: &str = "Ask the person who runs the server, by telephone or face to face, and compare the words. \
     Only if the server was reinstalled, and its new key is the second one, is it safe to go on.";
pub const KEY_ASKED: &str = "I asked the person who runs the server";
pub const KEY_REFUSE: &str = "Do not connect";
pub const KEY_TRUST: &str = "The server was reinstalled: trust the new key";
pub const CONNECTION: &str = "Connection";
pub const CONNECTION_PRIVATE: &str = "Nobody on the way can read along. If two people see the same words here, they are connected \
     to the same server, with nobody in between.";
pub const CONNECTION_PLAIN: &str =
    "This connection is not encrypted; it does not leave this computer.";
pub const SERVER_KEY: &str = "The server's key";

/// What a changed key can mean.
#[must_use]
pub fn key_changed(at: &Address) -> String {
    format!(
        "The server at {at} has another key than when you were there last. Either it was set up \
         anew, or another computer pretends to be it and could read everything you write, \
         passwords too. Nothing was sent to it."
    )
}

/// What starting a chat here means, before one does it.
#[must_use]
pub fn host_explained() -> String {
    let port = parlor_shared::PORT;
    format!(
        "Serves the chat from this computer, on port {port}, to everyone on your local network, \
         for as long as this window is open."
    )
}

/// What others have to type, while this computer serves the chat.
#[must_use]
pub fn hosting(shown: &[String]) -> String {
    match shown.first() {
        Some(address) => format!("You serve this chat. Others join at {address}"),
        None => "You serve this chat to your local network.".to_owned(),
    }
}

/// The button that takes the name that the server suggests.
#[must_use]
pub fn take_name(name: &str) -> String {
    format!("Join as {name}")
}

/// The button that joins what this computer serves already.
#[must_use]
pub fn join_offer(address: &str) -> String {
    format!("Join the chat at {address}")
}

#[must_use]
pub fn retrying_in(seconds: u64) -> String {
    format!("Connection lost. Trying again in {seconds} s")
}

#[must_use]
pub fn others_inside(others: usize) -> String {
    let who =
        if others == 1 { "One other person is".to_owned() } else { format!("{others} others are") };
    format!(
        "{who} inside the chat that this computer serves. Closing the window ends it for everyone; what was said is kept for next time."
    )
}

#[must_use]
pub fn held_messages(messages: usize) -> String {
    let what = if messages == 1 {
        "One message was".to_owned()
    } else {
        format!("{messages} messages were")
    };
    format!(
        "{what} waiting when the server was set back to another history. They may have been said before."
    )
}

/// A room's entry for a screen reader.
#[must_use]
pub fn room_entry(name: &str, unread: u64) -> String {
    if unread == 0 { name.to_owned() } else { format!("{name}, {unread} unread") }
}

/// An open room's entry in the list of those that one could join.
#[must_use]
pub fn open_room_entry(name: &str, members: u64) -> String {
    format!("Join {name}, {}", members_count(members))
}

#[must_use]
pub fn members_count(members: u64) -> String {
    if members == 1 { "1 member".to_owned() } else { format!("{members} members") }
}

/// The line under a room's name.
#[must_use]
pub fn people_count(here: usize, all: usize) -> String {
    if here == all { format!("{here} here") } else { format!("{here} of {all} here") }
}

/// A heading with a count: `Here — 3`.
#[must_use]
pub fn counted(heading: &str, count: usize) -> String {
    format!("{heading} — {count}")
}

/// Somebody's entry for a screen reader.
#[must_use]
pub fn member_entry(name: &str, here: bool, is_me: bool) -> String {
    let presence = if here { "here" } else { "away" };
    if is_me { format!("{name} (you), {presence}") } else { format!("{name}, {presence}") }
}

#[must_use]
pub fn you(name: &str) -> String {
    format!("{name} (you)")
}

#[must_use]
pub fn members_cut(shown: usize) -> String {
    format!("Only {shown} of the members are listed.")
}

/// A message for a screen reader, with its state when it is one's own and not yet stored.
#[must_use]
pub fn message(name: &str, time: &str, text: &str, state: Option<&str>) -> String {
    match state {
        Some(state) => format!("{name}, {time}, {text}, {state}"),
        None => format!("{name}, {time}, {text}"),
    }
}

#[must_use]
pub fn beginning_of(room: &str) -> String {
    format!("This is the beginning of {room}")
}

#[must_use]
pub fn message_to(room: &str) -> String {
    format!("Message to {room}")
}

#[must_use]
pub fn new_below(count: u64) -> String {
    if count == 1 { "1 message below".to_owned() } else { format!("{count} messages below") }
}

#[must_use]
pub fn bytes_left(left: usize) -> String {
    format!("{left} bytes left")
}

#[must_use]
pub fn bytes_over(over: usize) -> String {
    format!("{over} bytes too long: a message holds 16 KiB. Shorten it, or send it in parts.")
}

/// `Ann`, `Ann and Ben`, `Ann, Ben and 3 others`.
#[must_use]
pub fn names(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, others @ ..] => format!("{one}, {two} and {} others", others.len()),
    }
}

#[must_use]
pub fn joined(who: &[&str]) -> String {
    format!("{} joined", names(who))
}

#[must_use]
pub fn left(who: &[&str]) -> String {
    format!("{} left", names(who))
}

#[must_use]
pub fn came_and_went(who: &[&str]) -> String {
    format!("{} came and went", names(who))
}

#[must_use]
pub fn came_back(who: &[&str]) -> String {
    format!("{} left and came back", names(who))
}

#[must_use]
pub fn opened(who: &str, room: &str) -> String {
    format!("{who} made the room {room}")
}

/// Between the parts of one line.
pub const BETWEEN: &str = " · ";

/// The window's title, with what is unread.
#[must_use]
pub fn window_title(unread: u64) -> String {
    if unread == 0 { APP_NAME.to_owned() } else { format!("({unread}) {APP_NAME}") }
}

/// The chat's process could not be started; the system's words.
#[must_use]
pub fn host_not_started(why: &str) -> String {
    format!("The chat could not be started on this computer: {why}.")
}

/// The chat's process refused, in a sentence of its own.
#[must_use]
pub fn host_refused(sentence: &str) -> String {
    format!("The chat on this computer has ended. It says: {sentence}")
}

pub const HOST_SILENT: &str = "The chat on this computer has ended by itself. What was said is \
                               kept: start it again to go on.";
