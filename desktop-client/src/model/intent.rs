//! What the person wants, as the view reports it.

use parlor_shared::{ClientId, RoomId, Seq};

use super::Secret;
use super::account::AccountWish;
use super::admin::AdminWish;
use super::orders::Order;
use super::sign_in::{Entrance, Way};

/// One wish. Texts come as they were typed; the model parses them and words what is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Join the chat at `address` as `name`.
    Join { name: String, address: String },
    /// Join with more than a name: a password, an invitation or a code.
    Enter { name: String, address: String, entrance: Entrance },
    /// Forgot the password: have a code mailed to `email`.
    MailCode { address: String, email: String },
    /// Show other fields in the join dialog.
    ChooseWay(Way),
    /// Start a chat on this computer and join it as `name`.
    HostHere { name: String },
    /// Stop trying to join.
    Cancel,
    /// Open a room in the middle pane.
    Select(RoomId),
    /// Say `text`, which empties the draft. `[EXIT]` as the whole text signs out.
    Say { room: RoomId, text: String },
    /// The composer's text changed.
    EditDraft { room: RoomId, text: String },
    /// Try a failed message again.
    Retry { room: RoomId, client_id: ClientId },
    /// Give a failed or held message up.
    Discard { room: RoomId, client_id: ClientId },
    /// Send what was held back because the server's history is another one ([`super::PendingState::Held`]).
    ResendHeld,
    /// Give up everything that was held back.
    DiscardHeld,
    /// Make an open room, or join it where it exists already.
    OpenRoom { name: String },
    /// Join an open room of the directory.
    JoinRoom(RoomId),
    /// End one's membership, after what is still to be said there.
    LeaveRoom(RoomId),
    /// Ask for the list of open rooms again.
    ListRooms,
    /// The timeline was scrolled near its upper end.
    LoadOlder(RoomId),
    /// The window shows everything up to `seq` and has the focus.
    Seen { room: RoomId, seq: Seq },
    /// The window got or lost the focus.
    Focus(bool),
    /// Do not wait for the next try: connect now.
    ConnectNow,
    /// See to one's own account.
    Account(AccountWish),
    /// Keep order: in a room, or on the server.
    Order(Order),
    /// Look at what admins see.
    Admin(AdminWish),
    /// The notice at this place of the own stream was read; without one, all were.
    DismissNotice(Option<Seq>),
    /// The announcement was read.
    DismissAnnouncement,
    /// Save this text as a file of this name.
    SaveFile { name: String, text: Secret },
    /// Take the server's new key for the right one from now on, and connect.
    TrustKey,
    /// Do not connect to a server whose key has changed.
    RefuseKey,
    /// Sign out and go back to the join dialog; membership and place stay. A guest keeps the
    /// way back; whoever has an account ends the session.
    SignOut,
    /// The last trouble was read.
    Dismiss,
    /// Close the app; asks first when others are inside a chat that this computer serves.
    Quit,
    /// The question was answered with "close anyway".
    QuitAnyway,
    /// The question was answered with "stay".
    Stay,
}
