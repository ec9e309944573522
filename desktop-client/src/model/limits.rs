//! Every limit of the app's brain, its archive and its link, in one place, each with its reason.

/// Events of one room that are kept in memory. At some 200 bytes each this is 30 MB, and more
/// than anybody scrolls.
pub const TIMELINE_ROWS_MAX: usize = 150_000;
/// Events kept in memory of a room that is not open: enough to fill a window at once.
pub const CLOSED_ROOM_ROWS_MAX: usize = 500;
/// Events of one room that the archive keeps; the oldest go first and are on the server.
pub const ARCHIVED_EVENTS_MAX: u64 = 200_000;
/// Live events of one room that wait for a missing page. Beyond this they are asked for again.
pub const HELD_EVENTS_MAX: usize = 1_000;
/// The same in bytes of text: a thousand of the longest messages would be 16 MB a room.
pub const HELD_BYTES_MAX: usize = 1 << 20;
/// Messages of one room that wait to be stored. A person does not type more while offline.
pub const OUTBOX_MAX: usize = 500;
/// Messages of one room that are on the wire unanswered. One: a refusal for being too fast must
/// not let the next message overtake, and the server accepts only a few a second anyway.
pub const SAYS_IN_FLIGHT_PER_ROOM: usize = 1;
/// History and member pages asked for at once: two keep the wire busy without crowding out
/// what is being said.
pub const READS_IN_FLIGHT: usize = 2;
/// Events in one page from the server: its own maximum.
pub const PAGE_EVENTS: u32 = 1_000;
/// Events in one page when somebody scrolls back: some windows full.
pub const OLDER_EVENTS: u32 = 300;
/// Members of one room that are known by name.
pub const MEMBERS_MAX: usize = 10_000;
/// Open rooms that are listed: as many as a server has at most.
pub const DIRECTORY_MAX: usize = 10_000;
/// Rooms that one is in. Servers allow 100; a hostile one could list more.
pub const ROOMS_MAX: usize = 200;
/// Longest draft in bytes: a little more than fits into one message, so that the person can
/// shorten it.
pub const DRAFT_BYTES_MAX: usize = 64 * 1024;
/// Sign-ins that a profile remembers (one per address and name).
pub const SESSIONS_MAX: usize = 50;
/// Servers that are known by their key. More than anybody joins; those of remembered sign-ins are
/// never the ones that go.
pub const PINS_MAX: usize = 500;
/// Longest address in bytes: a full domain name and a port.
pub const ADDRESS_BYTES_MAX: usize = 300;
/// The first wait before connecting again; doubled with each failure.
pub const RETRY_FIRST_MILLIS: u64 = 250;
/// The longest wait before connecting again.
pub const RETRY_MAX_MILLIS: u64 = 30_000;
/// A connection that held this long was a good one: the waits begin small again after it.
pub const STEADY_MILLIS: u64 = 10_000;
/// A server that says when to come back is believed up to this.
pub const RETRY_TOLD_MAX_MILLIS: u64 = 120_000;
/// An answer that takes longer than this will not come: connect again and ask anew.
pub const REPLY_MILLIS: u64 = 30_000;
/// How long a goodbye may take before the connection is simply ended.
pub const GOODBYE_MILLIS: u64 = 2_000;
/// How long a name may be looked up.
pub const LOOK_UP_MILLIS: u64 = 10_000;
/// How long one of a name's addresses may take to answer, the handshake included.
pub const CONNECT_MILLIS: u64 = 5_000;
/// Addresses of one name that are tried: enough for both kinds on two networks.
pub const ADDRESSES_MAX: usize = 4;
/// Silence after which a connection is taken for dead: the server asks twice within it.
pub const SILENCE_MILLIS: u64 = 75_000;
/// Longest line from a server. Its history pages end at 256 KiB, plus one event.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Bytes taken from the socket at once, and so in one batch of news.
pub const READ_BYTES: usize = 64 * 1024;
/// Batches of news that wait for the window. With the longest lines 16 MB, usually 1 MB.
pub const LINK_BATCHES: usize = 16;
/// Requests that wait to be written.
pub const LINK_REQUESTS: usize = 1_024;
/// Bytes that are written at once.
pub const WRITE_BYTES: usize = 64 * 1024;
/// Bytes taken from the socket at once while keys are being agreed on: an answer is smaller.
pub const HANDSHAKE_READ_BYTES: usize = 4 * 1024;
/// How long the system's keyring may take for one answer. One that waits for somebody to unlock
/// it must not hold up what is being said.
pub const KEYRING_MILLIS: u64 = 3_000;
/// Newest events of each room that are read when the app starts: some windows full.
pub const KEPT_NEWEST: u32 = 200;
/// Orders that wait for the archive's thread.
pub const KEEP_ORDERS: usize = 1_024;
/// Answers of the archive that wait for the window.
pub const KEEP_NEWS: usize = 1_024;
/// Orders in one commit at most.
pub const KEEP_BATCH: usize = 1_024;
/// How long an order that nobody waits for may wait for others to share its commit.
pub const KEEP_LINGER_MILLIS: u64 = 100;
/// Authors whose present names are known in a session: with some 100 bytes each 2 MB. Whoever is
/// beyond it is called what the events say.
pub const NAMES_MAX: usize = 20_000;
/// Notices about oneself that wait to be read; the oldest go first.
pub const NOTICES_MAX: usize = 100;
/// Rooms in which one may not write: more than anybody is in.
pub const MUTES_MAX: usize = 250;
/// How far one has read is told no more often than this: scrolling moves it all the time.
pub const READ_TOLD_MILLIS: u64 = 1_000;
/// Users or bans that an admin's list shows at once.
pub const ADMIN_ENTRIES_MAX: usize = 10_000;
/// Entries of the audit that are shown or saved at once: at some 200 bytes each 20 MB.
pub const AUDIT_ENTRIES_MAX: usize = 100_000;
