//! What a line is, by name: `ok said`, `event joined`, `mine read`, `notice ping`,
//! `refused name_taken`, or a request's verb. A variant that is added to the crate stops the tables
//! here from compiling; once in them it needs its golden line and its example in the README.

use std::collections::BTreeSet;

use parlor_shared::{Event, Fact, Notice, Refusal, Reply, ServerFrame, UserNews, frame};

/// The kind of a server's line, after it was read and written again byte for byte.
pub(crate) fn kind_of_server_line(line: &str) -> Result<String, String> {
    let frame: ServerFrame = serde_json::from_str(line).map_err(|it| format!("{it}: {line}"))?;
    same(line, &frame::line(&frame))?;
    let (family, kind) = match &frame {
        ServerFrame::Ok { ok, .. } => ("ok", kind_of_reply(ok)),
        ServerFrame::Refused { refused, says, .. } => {
            if *refused == Refusal::Unknown || *says != refused.to_string() {
                return Err(format!("should be `{refused:?}` and say `{refused}`: {line}"));
            }
            ("refused", refused.code())
        }
        ServerFrame::Event(Event::Room(event)) => ("event", kind_of_fact(&event.fact)),
        ServerFrame::Event(Event::User(event)) => ("mine", kind_of_news(&event.news)),
        ServerFrame::Event(Event::Notice(notice)) => ("notice", kind_of_notice(notice)),
    };
    if !line.contains(&format!("\"{kind}\"")) {
        return Err(format!("on the wire it is not `{kind}`: {line}"));
    }
    Ok(format!("{family} {kind}"))
}

/// The verb of a client's line, after it was read and written again byte for byte.
pub(crate) fn kind_of_request_line(line: &str) -> Result<String, String> {
    let request = frame::parse_request(line).map_err(|it| format!("{it:?}: {line}"))?;
    same(line, &frame::line(&request))?;
    Ok(request.request.verb().to_owned())
}

fn same(line: &str, again: &[u8]) -> Result<(), String> {
    let again = String::from_utf8_lossy(again);
    if again.trim_end_matches('\n') == line {
        return Ok(());
    }
    Err(format!("read and written again it is another line:\n  {line}\n  {again}"))
}

/// Everything that a server can say, by the names of [`kind_of_server_line`].
pub(crate) fn every_server_kind() -> BTreeSet<String> {
    let families = [
        ("ok", REPLIES),
        ("event", FACTS),
        ("mine", NEWS),
        ("notice", NOTICES),
        ("refused", Refusal::CODES),
    ];
    families
        .iter()
        .flat_map(|(family, of)| of.iter().map(move |it| format!("{family} {it}")))
        .collect()
}

/// From one table the name of each variant and the list of all names, `Unknown` apart: it is never
/// on the wire.
macro_rules! kinds {
    ($every:ident, $kind_of:ident($of:ident), $($variant:ident $kind:literal)* $(; $unknown:ident)?) => {
        const $every: &[&str] = &[$($kind),*];

        fn $kind_of(it: &$of) -> &'static str {
            match it {
                $($of::$variant { .. } => $kind,)*
                $($of::$unknown => "unknown",)?
            }
        }
    };
}

kinds! { REPLIES, kind_of_reply(Reply),
    Welcome "welcome"
    Joined "joined"
    Left "left"
    Rooms "rooms"
    Members "members"
    Said "said"
    Page "page"
    Pong "pong"
    Goodbye "goodbye"
    Recovered "recovered"
    Mailed "mailed"
    Registered "registered"
    Account "account"
    PasswordChanged "password_changed"
    RecoveryCodes "recovery_codes"
    EmailSet "email_set"
    EmailVerified "email_verified"
    Renamed "renamed"
    AccountDeleted "account_deleted"
    SignedOut "signed_out"
    Sessions "sessions"
    SessionsEnded "sessions_ended"
    Read "read"
    Mine "mine"
    Done "done"
    Users "users"
    Banned "banned"
    Bans "bans"
    Audit "audit"
    Policy "policy"
    Storage "storage"
    Invite "invite"
    Invites "invites"
    ResetCode "reset_code"
}

kinds! { FACTS, kind_of_fact(Fact),
    Opened "opened"
    Joined "joined"
    Left "left"
    Said "said"
    Blank "blank"
    Announced "announced"
    Renamed "renamed"
    Kicked "kicked"
    Banned "banned"
    Muted "muted"
    Unmuted "unmuted"
    RoleGiven "role_given"
    Erased "erased"
    Ended "ended"
    ; Unknown
}

kinds! { NEWS, kind_of_news(UserNews),
    Read "read"
    RoleIs "role_is"
    RoomRoleIs "room_role_is"
    NameIs "name_is"
    PutOut "put_out"
    MutedIn "muted_in"
    UnmutedIn "unmuted_in"
    SessionBegan "session_began"
    Registered "registered"
    PasswordChanged "password_changed"
    PasswordReset "password_reset"
    Mailed "mailed"
    EmailVerified "email_verified"
    ; Unknown
}

kinds! { NOTICES, kind_of_notice(Notice),
    WentAway "went_away"
    IsBack "is_back"
    RoomListed "room_listed"
    EnteredRoom "entered_room"
    LeftRoom "left_room"
    RoomUnlisted "room_unlisted"
    Ping "ping"
    GoingAway "going_away"
    ; Unknown
}
