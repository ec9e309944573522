//! Every sentence that the app shows, in one place, so that they speak with one voice and can
//! be translated one day.

// ---- What went wrong (model) ----

use parlor_shared::Refusal;

use crate::model::{Failure, Trouble};

/// The trouble in a sentence or two: what happened, and what to do.
#[must_use]
pub fn trouble(it: &Trouble) -> String {
    match it {
        Trouble::BadAddress => {
            "That is not an address. Type a computer's name or address, for instance \
             192.168.1.5 or office:7666."
                .to_owned()
        }
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
        Trouble::ConnectionLost => {
            "The connection was lost. Trying again; what you write is kept.".to_owned()
        }
        Trouble::ServerStopping => {
            "The server is stopping. Trying again when it is back; what you write is kept."
                .to_owned()
        }
        Trouble::OtherHistory => {
            "The server was set back to another history, so it is read anew. What you had not \
             sent yet is still here."
                .to_owned()
        }
        Trouble::RoomRefused(why) | Trouble::Refused(why) => refusal(why),
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

/// The server's "no" in a sentence.
#[must_use]
pub fn refusal(it: &Refusal) -> String {
    it.to_string()
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
