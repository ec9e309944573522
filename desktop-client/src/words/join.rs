//! The join dialog, beyond name and address.

pub const HAVE_ACCOUNT: &str = "I have an account here";
pub const HAVE_ACCOUNT_OF_NAME: &str = "That is me: sign in";
pub const WITHOUT_INVITE: &str = "I was here before";
pub const AS_GUEST: &str = "Join without an account";
pub const PASSWORD: &str = "Password";
pub const SHOW_PASSWORD: &str = "Show the password";
pub const HIDE_PASSWORD: &str = "Hide the password";
pub const SHOW: &str = "Show";
pub const HIDE: &str = "Hide";
pub const SIGN_IN: &str = "Sign in";
pub const FORGOT: &str = "Forgot the password?";
pub const RECOVER_EXPLAINED: &str = "A code sets a new password: one of the recovery codes that you were shown when you \
     registered, one that whoever runs the chat made for you, or one that came by mail. Each \
     works once, and signs all your devices out.";
pub const CODE: &str = "Code";
pub const CODE_HINT: &str = "XXXX-XXXX-XXXX-XXXX";
pub const NEW_PASSWORD: &str = "New password";
pub const RECOVER: &str = "Set the password and sign in";
pub const MAIL_EXPLAINED: &str =
    "No code at hand? If you gave a mail address, one can be sent there.";
pub const MAIL_ADDRESS: &str = "Mail address";
pub const MAIL_ADDRESS_HINT: &str = "you@example.org";
pub const SEND_CODE: &str = "Send me a code";
pub const BACK_TO_SIGN_IN: &str = "Back to signing in";
pub const INVITATION: &str = "Invitation";
pub const INVITE_EXPLAINED: &str =
    "New people need an invitation here. Ask somebody who runs the chat for its code.";

pub const CODE_MAILED: &str =
    "If an account has that address, a code is on its way to it. It works for an hour.";
pub const ACCOUNT_DELETED: &str = "Your account has been deleted.";

/// How long something lasts, roughly: `40 seconds`, `3 minutes`, `2 hours`.
#[must_use]
pub fn how_long(millis: u64) -> String {
    let counted = |count: u64, one: &str| {
        if count == 1 { format!("one {one}") } else { format!("{count} {one}s") }
    };
    let seconds = millis.div_ceil(1_000).max(1);
    match seconds {
        0..120 => counted(seconds, "second"),
        120..7_200 => counted(seconds.div_ceil(60), "minute"),
        7_200..172_800 => counted(seconds.div_ceil(3_600), "hour"),
        _ => counted(seconds.div_ceil(86_400), "day"),
    }
}

#[must_use]
pub fn throttled(retry_millis: u64) -> String {
    format!("There were too many tries. The next one counts in {}.", how_long(retry_millis))
}

/// `until`: in words, or nothing for good.
#[must_use]
pub fn banned(until: Option<&str>) -> String {
    match until {
        Some(until) => format!("You are banned from this server until {until}."),
        None => "You are banned from this server.".to_owned(),
    }
}
