//! What went wrong, each in a sentence or two that say what to do.

use super::join;
use crate::model::{Failure, Trouble};
use parlor_shared::Refusal;

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
