//! Every limit of the server, in one place, each with its reason.
//!
//! Those that are part of what a value *is* (a name, a text) are constants; all others are
//! fields of [`Limits`], printed by `parlor-server limits` and changed by `--limit NAME=VALUE`.

/// Longest message text in bytes of UTF-8. A long page of prose; more belongs into a file.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest user name in characters (Unicode scalar values): fits beside every message.
pub const USER_NAME_CHARS_MAX: usize = 32;
/// Longest room name in characters: fits into a side bar.
pub const ROOM_NAME_CHARS_MAX: usize = 64;
/// Longest name of a client program or a device in bytes: it is only shown and logged.
pub const LABEL_BYTES_MAX: usize = 64;
/// Longest reason in characters: it is one line beside an act, as a topic is beside a room.
pub const LINE_CHARS_MAX: usize = 390;
/// Shortest password in bytes: NIST SP 800-63B's least.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// Longest password in bytes: any sentence fits, and hashing it costs what hashing a short one does.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Longest e-mail address in bytes: what fits between the brackets of SMTP (RFC 5321, 4.5.3.1.3).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Deepest nesting of JSON. serde_json recurses; 260 levels overflow a small stack.
pub const JSON_DEPTH_MAX: usize = 32;
/// Most keys in one JSON object: ours have at most 16.
pub const JSON_KEYS_MAX: usize = 64;
/// Most elements in one JSON array.
pub const JSON_ARRAY_MAX: usize = 256;

macro_rules! limits {
    ($($name:ident: $default:literal, $reason:literal;)*) => {
        /// What a running server bounds. One copy, made at start, shared by all threads.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct Limits {
            $(#[doc = $reason] pub $name: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// Changes the limit called `name`; false when there is none.
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)*
                    _ => return false,
                }
                true
            }

            /// Name, value and reason of each.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> + use<> {
                [$((stringify!($name), self.$name, $reason),)*].into_iter()
            }

            /// Those that differ from the default: name, value.
            pub fn changed(&self) -> impl Iterator<Item = (&'static str, u64)> {
                self.iter().zip(Self::default().iter()).filter(|(now, was)| now.1 != was.1)
                    .map(|(now, _)| (now.0, now.1))
            }
        }
    };
}

limits! {
    frame_bytes: 65_536, "Longest line from a client, newline excluded. Room for the longest text, escaped.";
    frame_bytes_before_hello: 4_096, "Longest line before sign-in: a stranger gets little memory.";
    hello_millis: 30_000, "From accept to an accepted hello, absolute: a slow drip ends here.";
    tls_handshake_millis: 10_000, "From the first byte of a TLS handshake to its end, absolute, inside hello_millis.";
    tls_handshake_bytes: 16_384, "What a client may send in a TLS handshake: many times what one needs.";
    hello_tries: 32, "Requests before an accepted hello: room for some taken names.";
    linger_millis: 1_000, "After the last word to a client its own last bytes are read away this long.";
    frame_millis: 30_000, "From the first byte of a line to its newline, absolute.";
    ping_millis: 30_000, "Silence after which the server asks whether a client is still there.";
    silence_millis: 75_000, "Silence after which a connection is ended: two lost pings.";
    connections: 4_096, "All connections; lowered at start to what descriptors and mappings allow.";
    connections_per_source: 64, "Connections from one address (IPv4, or IPv6 /64). Loopback is exempt.";
    strangers: 256, "Connections that have not said hello yet.";
    strangers_free: 64, "Above this many strangers new ones are dropped at random, ever more likely.";
    strangers_per_source: 16, "Strangers from one address. Loopback is exempt.";
    guests_per_source: 100, "New guests from one address in an hour. Loopback is exempt.";
    users: 100_000, "All users. Each takes about 300 bytes of memory.";
    guest_idle_days: 30, "A guest that was away this long gives its name back.";
    password_hashers: 2, "Passwords hashed at once. Each takes 19 MiB and about 22 ms of a core.";
    password_waiters: 64, "Connections that wait for a hasher; more are refused at once.";
    password_wait_millis: 10_000, "Longest wait for a hasher, then `busy`.";
    tries_at_once: 5, "Wrong passwords of one account from one address before each needs a wait.";
    tries_again_millis: 180_000, "That wait: from then on one try in this time.";
    tries_per_source: 20, "Tries from one address in a minute, whatever the account. Loopback is exempt.";
    tries_per_account: 100, "Tries in a day on one account from all addresses where nobody got in before.";
    tries_remembered: 8_192, "Accounts, addresses and pairs of them whose tries are counted: 10 MiB at worst.";
    sources_remembered: 16, "Addresses per account from which somebody got in.";
    mail_timeout_millis: 30_000, "Longest wait for one answer of the mail server.";
    mail_retry_millis: 10_000, "Wait after the first failed try of a letter; doubled with each.";
    mail_retry_millis_max: 3_600_000, "That wait at most.";
    mail_give_up_millis: 259_200_000, "A letter that could not be sent for three days is given up.";
    sessions_per_user: 20, "Live connections of one user.";
    sessions_stored: 100, "Remembered sessions of one user; the one unused longest gives way.";
    session_idle_days: 30, "An account's session that was not used for this long is over.";
    session_days: 90, "An account's session is over after this, however much it is used.";
    name_kept_days: 30, "After a rename nobody else gets the old name for this long.";
    names_kept: 3, "Old names kept for one user, so that nobody hoards names.";
    rename_millis: 10_000, "Between two renames of one user: everybody in its rooms hears of each.";
    reset_code_hours: 24, "An admin's code for a new password is good for this long.";
    mail_code_minutes: 60, "A mailed code is good for this long.";
    mails_waiting: 1_000, "Mails that wait to be sent; beyond it the oldest are given up.";
    own_events: 500, "Events kept of one user's own stream.";
    bans: 10_000, "Bans, and mutes. Each is looked at whenever somebody comes in.";
    invites: 1_000, "Invitations that are good at one time.";
    invite_days: 7, "An invitation is good for this long unless its maker says otherwise.";
    audit_entries: 1_000_000, "Lines of the audit log; beyond it the oldest go.";
    audit_page: 200, "Lines of the audit log in one answer.";
    erase_millis: 10_000, "Between two erasures of what one user said: each rewrites everybody's chat logs.";
    erase_rows: 100, "Messages erased in one commit: a millisecond, so that nobody waits for an erasure.";
    ballast_bytes: 16_777_216, "Room kept on the disk for erasing when it is full. 0 keeps none.";
    messages_per_second: 5, "Sustained messages of one user, over all its connections.";
    messages_burst: 20, "Messages of one user that may come at once.";
    message_delay_millis: 2_000, "A talker that is too fast is held back this long before it is refused.";
    requests_per_second: 20, "Other requests of one user, sustained.";
    requests_burst: 100, "Other requests of one user that may come at once.";
    rooms: 10_000, "All rooms. Their names and members are held in memory.";
    rooms_joined: 100, "Rooms that one user is in: each is a line in its welcome.";
    rooms_made: 15, "Rooms made by one user, so that nobody uses them all up.";
    devices_remembered: 4, "Devices per user whose highest client id is kept in memory; others are looked up.";
    page_events: 200, "Events in a history page when the request names no number.";
    page_events_max: 1_000, "Events in a history page at most.";
    page_bytes: 262_144, "A history page ends here, after at least one event.";
    list_entries: 1_000, "Rooms or members in one answer.";
    queue_bytes: 1_048_576, "What may wait for one slow reader. Beyond this it is cut and resumes.";
    queue_bytes_total: 134_217_728, "What may wait for all slow readers together.";
    stuck_millis: 10_000, "A reader that takes no byte for this long is cut and resumes.";
    inbox: 4_096, "Commands waiting for the hub. A full inbox presses back on the talkers.";
    batch: 2_048, "Commands in one commit at most.";
    delivery_inbox: 1_024, "Letters waiting for a delivery thread.";
    readers: 8, "Read-only store connections for history and lists.";
    away_millis: 15_000, "A lost connection becomes `went_away` after this, so a reconnect makes no noise.";
    stop_millis: 5_000, "From SIGTERM to the end of the process.";
    chatlog_user_bytes: 268_435_456, "One user's chat logs; the oldest month is dropped first.";
    chatlog_bytes_per_second: 33_554_432, "Chat logs are written no faster, so that they never compete with the store.";
    disk_free_bytes: 536_870_912, "Left free on the disk by all that can wait: the chat's own writing never has to.";
    backup_bytes_per_second: 67_108_864, "A backup reads and writes no faster, so that nobody notices it.";
    backup_delay_millis: 120_000, "After its start a server makes no backup for this long: people come first.";
    log_files: 10, "Program log files kept, one per start.";
    log_file_bytes: 16_777_216, "A program log ends here until the next start.";
}
