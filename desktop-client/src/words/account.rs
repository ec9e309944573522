//! The account page: registering, password, codes, mail address, name, sessions, and the end.

use crate::model::{Deed, Outcome};

pub const YOUR_ACCOUNT: &str = "Your account";
pub const OPEN: &str = "Account and settings";
pub const GUEST: &str = "You are a guest";
pub const GUEST_EXPLAINED: &str = "Only this computer can come back under your name. Register, and you can sign in from \
     anywhere; your name, your rooms and everything you said stay yours.";
pub const REGISTER: &str = "Register";
pub const REGISTERING: &str = "Registering…";
pub const WORKING: &str = "One moment…";
pub const PASSWORD_RULE: &str =
    "At least 8 characters. A few unrelated words are easy to remember.";
pub const MAIL_OPTIONAL: &str = "Mail address (if you like)";
pub const MAIL_WHY: &str = "Only used to send you a code if you forget the password.";
pub const CHANGE: &str = "Change…";
pub const CHANGE_NAME: &str = "Change the name";
pub const NAME: &str = "Name";
pub const NAME_EXPLAINED: &str =
    "What you said before follows you. Your old name stays reserved for you for 30 days.";
pub const NEW_NAME: &str = "New name";
pub const CHANGE_PASSWORD: &str = "Change the password";
pub const OLD_PASSWORD: &str = "Present password";
pub const PASSWORD_CHANGED_EXPLAINED: &str = "Your other devices are signed out by it.";
pub const RECOVERY_CODES: &str = "Recovery codes";
pub const NEW_CODES: &str = "Make new recovery codes";
pub const NEW_CODES_EXPLAINED: &str = "The old ones are worth nothing any more.";
pub const SET_MAIL: &str = "Set the mail address";
pub const MAIL_EMPTY_REMOVES: &str = "Leave the address empty to remove it.";
pub const NO_MAIL_ADDRESS: &str = "None";
pub const CLAIM: &str = "Own this server";
pub const CLAIM_NOW: &str = "A server that nobody owns yet prints a claim code when it starts.";
pub const CLAIM_CHANGE: &str = "Enter the code…";
pub const CLAIM_BUTTON: &str = "Become the owner";
pub const VERIFY: &str = "Confirm the mail address";
pub const VERIFY_EXPLAINED: &str = "Type the code that came by mail.";
pub const CONFIRM: &str = "Confirm";
pub const SAVE: &str = "Save";
pub const CANCEL: &str = "Cancel";
pub const SESSIONS: &str = "Where you are signed in";
pub const THIS_DEVICE: &str = "this computer";
pub const UNNAMED_DEVICE: &str = "A device without a name";
pub const END_SESSION: &str = "Sign out there";
pub const END_OTHERS: &str = "Sign out everywhere else";
pub const NO_OTHER_SESSIONS: &str = "Nowhere else.";
pub const LEAVING: &str = "Leaving";
pub const GUEST_SIGN_OUT: &str =
    "Signing out keeps your way back on this computer: join under the same name later.";
pub const ACCOUNT_SIGN_OUT: &str =
    "Signing out ends this session. You sign in again with your password.";
pub const DELETE: &str = "Delete the account…";
pub const DELETE_GUEST: &str = "Give up the name…";
pub const DELETE_EXPLAINED: &str =
    "This cannot be undone. The name becomes free for others after 30 days.";
pub const KEEP_MESSAGES: &str = "Keep what I said, under “former user”";
pub const ERASE_MESSAGES: &str = "Erase everything I said";
pub const ERASE_EXPLAINED: &str =
    "Backups that were made before still hold it until they are replaced.";
pub const DELETE_NOW: &str = "Delete for good";
/// What has to be typed before an account can be deleted.
pub const DELETE_WORD: &str = "delete";

pub const CODES_TITLE: &str = "Keep these recovery codes";
pub const CODES_EXPLAINED: &str = "If you forget your password, one of these sets a new one. Each works once. They are shown \
     only now: write them down or save them where nobody else looks.";
pub const COPY_CODES: &str = "Copy all";
pub const COPIED: &str = "Copied";
pub const SAVE_CODES: &str = "Save as a file";
pub const CODES_KEPT: &str = "I have kept them";

#[must_use]
pub fn type_to_delete() -> String {
    format!("Type “{DELETE_WORD}” to go on")
}

#[must_use]
pub fn your_account(name: &str) -> String {
    format!("{name}: account and settings")
}

#[must_use]
pub fn codes_left(left: u64) -> String {
    match left {
        0 => "None left. Make new ones, so that a forgotten password is no disaster.".to_owned(),
        1 => "One left".to_owned(),
        _ => format!("{left} left"),
    }
}

#[must_use]
pub fn unverified(address: &str) -> String {
    format!("{address}, not confirmed yet")
}

#[must_use]
pub fn last_used(when: &str, address: &str) -> String {
    if address.is_empty() {
        format!("last used {when}")
    } else {
        format!("last used {when} from {address}")
    }
}

#[must_use]
pub fn used_now(address: &str) -> String {
    if address.is_empty() {
        "connected now".to_owned()
    } else {
        format!("connected now from {address}")
    }
}

/// One session for a screen reader's button.
#[must_use]
pub fn end_session_on(device: &str) -> String {
    format!("Sign out on {device}")
}

#[must_use]
pub fn file_saved(path: &str) -> String {
    format!("Saved as {path}")
}

#[must_use]
pub fn file_failed(says: &str) -> String {
    format!("The file could not be saved: {says}")
}

/// What is in the file of recovery codes, before the codes.
#[must_use]
pub fn codes_file(name: &str, address: &str, codes: &str) -> String {
    format!(
        "Parlor recovery codes for {name} at {address}\nEach sets a new password once. Keep them where nobody else looks.\n\n{codes}\n"
    )
}

/// That it went well.
#[must_use]
pub fn outcome(deed: Deed, outcome: Outcome) -> String {
    match (deed, outcome) {
        (Deed::Register, Outcome::MailComes) => {
            "You are registered. A code to confirm your mail address is on its way.".to_owned()
        }
        (Deed::Register, _) => "You are registered.".to_owned(),
        (Deed::ChangePassword, Outcome::SessionsEnded(0)) => "The password is changed.".to_owned(),
        (Deed::ChangePassword, Outcome::SessionsEnded(1)) => {
            "The password is changed, and one other device is signed out.".to_owned()
        }
        (Deed::ChangePassword, Outcome::SessionsEnded(count)) => {
            format!("The password is changed, and {count} other devices are signed out.")
        }
        (Deed::ChangePassword, _) => "The password is changed.".to_owned(),
        (Deed::NewCodes, _) => "There are new recovery codes.".to_owned(),
        (Deed::SetEmail, Outcome::MailComes) => {
            "A code is on its way to that address. Type it below to confirm it.".to_owned()
        }
        (Deed::SetEmail, _) => "The mail address is changed.".to_owned(),
        (Deed::VerifyEmail, _) => "The mail address is confirmed.".to_owned(),
        (Deed::Claim, _) => "You own this server now.".to_owned(),
        (Deed::Rename, _) => "You have another name now.".to_owned(),
        (Deed::EndSessions, Outcome::SessionsEnded(1)) => "One device is signed out.".to_owned(),
        (Deed::EndSessions, Outcome::SessionsEnded(count)) => {
            format!("{count} devices are signed out.")
        }
        (Deed::EndSessions, _) => "Signed out there.".to_owned(),
        (Deed::Delete, _) => super::join::ACCOUNT_DELETED.to_owned(),
    }
}
