//! Somebody of every kind, made fresh as often as is needed.

use std::sync::Arc;

use parlor_shared::request::{Ban, MakeInvite, Register, SetRole, SetRoomRole};
use parlor_shared::{
    BanId, InviteId, Password, Refusal, Reply, Request, RequestFrame, RequestId, Role, RoomId,
    RoomRole, ServerFrame, SessionId, UserId, frame,
};

use super::asks::About;
use super::doors::Door;
use super::table::Who;
use crate::client::Client;
use crate::harness::{PATIENCE, TestServer};
use crate::pinned::Pin;

/// Whoever may knock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    SignedOut,
    /// Banned from the server: its sign-in was refused.
    Banned,
    Guest,
    GuestMember,
    NeverMember,
    ExMember,
    BannedFromRoom,
    Member,
    Moderator,
    RoomOwner,
    Admin,
    AdminInside,
    Owner,
    OwnerInside,
    Shell,
}

impl Kind {
    pub(super) const ALL: [Self; 15] = [
        Self::SignedOut,
        Self::Banned,
        Self::Guest,
        Self::GuestMember,
        Self::NeverMember,
        Self::ExMember,
        Self::BannedFromRoom,
        Self::Member,
        Self::Moderator,
        Self::RoomOwner,
        Self::Admin,
        Self::AdminInside,
        Self::Owner,
        Self::OwnerInside,
        Self::Shell,
    ];

    /// The column of the table.
    pub(super) fn who(self) -> Who {
        match self {
            Self::SignedOut | Self::Banned => Who::SignedOut,
            Self::Guest => Who::Guest,
            Self::GuestMember => Who::GuestInside,
            Self::NeverMember | Self::ExMember | Self::BannedFromRoom => Who::User,
            Self::Member => Who::Member,
            Self::Moderator => Who::Moderator,
            Self::RoomOwner => Who::RoomOwner,
            Self::Admin => Who::Admin,
            Self::AdminInside => Who::AdminInside,
            Self::Owner => Who::Owner,
            Self::OwnerInside => Who::OwnerInside,
            Self::Shell => Who::Shell,
        }
    }

    pub(super) fn is_stranger(self) -> bool {
        self.who() == Who::SignedOut
    }

    /// Neither in the room nor in charge.
    pub(super) fn is_outsider(self) -> bool {
        matches!(self.who(), Who::Guest | Who::User)
    }

    pub(super) fn is_in_charge(self) -> bool {
        let who = self.who();
        matches!(who, Who::Admin | Who::AdminInside | Who::Owner | Who::OwnerInside | Who::Shell)
    }

    fn is_account(self) -> bool {
        !matches!(self, Self::Guest | Self::GuestMember) && !self.is_stranger()
    }

    fn comes_inside(self) -> bool {
        let never = [Self::Guest, Self::NeverMember, Self::Admin, Self::Owner];
        !never.contains(&self) && !self.is_stranger()
    }
}

/// The server as one door leads into it, and its shell, which makes everybody what they are.
pub(super) struct House<'a> {
    pub(super) server: &'a TestServer,
    pub(super) door: &'a Door,
    pub(super) pin: Arc<Pin>,
    pub(super) token: parlor_shared::ResumeToken,
    pub(super) shell: Client,
    pub(super) made: u64,
}

impl House<'_> {
    pub(super) fn client(&self) -> Client {
        (self.door.connect)(self.server, &self.pin)
    }

    fn guest(&mut self) -> Client {
        self.made += 1;
        let mut client = self.client();
        client.hello(&format!("Somebody {}", self.made)).expect("a welcome");
        client
    }

    /// A room, and its name.
    pub(super) fn room(&mut self) -> (RoomId, String) {
        let mut maker = self.guest();
        let title = format!("garden {}", self.made);
        (maker.create(&title).expect("a room").room, title)
    }

    pub(super) fn order(&mut self, request: Request) -> Reply {
        self.shell.ask(request).expect("the shell may")
    }

    /// Somebody of that kind, of the room called `title`.
    pub(super) fn make(&mut self, kind: Kind, room: RoomId, title: &str) -> Client {
        if kind == Kind::SignedOut {
            return self.client();
        }
        if kind == Kind::Shell {
            let mut client = self.client();
            client.resume(self.token).expect("the shell comes in");
            return client;
        }
        let mut client = self.guest();
        if kind.is_account() {
            let password: Password = "correct horse battery".parse().expect("a password");
            let registered = client.ask(Request::Register(Register { password, email: None }));
            assert!(registered.is_ok(), "{registered:?}");
        }
        if kind.comes_inside() {
            client.join(title).expect("it is open");
        }
        let user = client.user();
        match kind {
            Kind::ExMember => assert!(client.leave(room).is_ok()),
            Kind::BannedFromRoom => {
                let room = Some(room);
                self.order(Request::Ban(Ban { user: Some(user), room, ..Ban::default() }));
            }
            Kind::Moderator => self.give_room_role(room, user, RoomRole::Moderator),
            Kind::RoomOwner => self.give_room_role(room, user, RoomRole::Owner),
            Kind::Admin | Kind::AdminInside => self.give_role(user, Role::Admin),
            Kind::Owner | Kind::OwnerInside => self.give_role(user, Role::Owner),
            Kind::Banned => {
                self.order(Request::Ban(Ban { user: Some(user), ..Ban::default() }));
                let token = client.token.expect("it had one");
                client = self.client();
                let refused = client.resume(token).expect_err("banned");
                assert_eq!(refused, Refusal::Banned { until: None });
            }
            _ => {}
        }
        client
    }

    fn give_role(&mut self, user: UserId, role: Role) {
        self.order(Request::SetRole(SetRole { user, role }));
    }

    fn give_room_role(&mut self, room: RoomId, user: UserId, role: RoomRole) {
        self.order(Request::SetRoomRole(SetRoomRole { room, user, role }));
    }

    /// A ban of somebody, from the room, or from the server.
    pub(super) fn banned(&mut self, room: Option<RoomId>) -> BanId {
        let user = self.guest().user();
        match self.order(Request::Ban(Ban { user: Some(user), room, ..Ban::default() })) {
            Reply::Banned { ban } => ban,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn invitation(&mut self) -> InviteId {
        match self.order(Request::MakeInvite(MakeInvite::default())) {
            Reply::Invite { invite, .. } => invite,
            other => panic!("{other:?}"),
        }
    }
}

/// What does not exist.
pub(super) const NOTHING: u64 = 999_999;

pub(super) fn nothing(number: u64) -> About {
    About {
        room: RoomId(NOTHING),
        title: "nowhere".to_owned(),
        narrow: None,
        user: UserId(NOTHING),
        session: SessionId(NOTHING),
        ban: BanId(NOTHING),
        invite: InviteId(NOTHING),
        number,
    }
}

/// Asks, always with the same id: the code of what came of it, and the whole line.
pub(super) fn ask(client: &mut Client, request: Request) -> (String, String) {
    const ID: RequestId = RequestId(7);
    client.send_bytes(&frame::line(&RequestFrame { id: ID, request }));
    loop {
        let line = client.line(PATIENCE).expect("an answer");
        match serde_json::from_str(&line).expect("a frame") {
            ServerFrame::Ok { id: ID, .. } => return ("ok".to_owned(), line),
            ServerFrame::Refused { id: Some(ID), refused, .. } => {
                return (refused.code().to_owned(), line);
            }
            _ => {}
        }
    }
}
