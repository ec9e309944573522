//! What people ask in the properties: small numbers, so that things meet.

use std::net::IpAddr;

use parlor_server::chat::{Brought, PasswordHash, Proof};
use parlor_shared::request::{
    Announce, Ban, CancelInvite, ChangePassword, Claim, CreateRoom, DeleteAccount, EndRoom,
    EndSession, EndSessions, EraseMessages, Join, Kick, Leave, MakeInvite, MakeResetCode, Members,
    Mute, NewRecoveryCodes, Nothing, Read, Recover, Register, Rename, Request, Say, SetEmail,
    SetPolicy, SetRole, SetRoomRole, Unban, Unmute, VerifyEmail, WhatOfMessages,
};
use parlor_shared::{
    BanId, Code, Entry, InviteId, LOBBY_ID, Network, Password, Role, RoomId, RoomRole, Seq,
    SessionId, UserId,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) enum Ask {
    Create(u8),
    Join(u8),
    Leave(u8),
    Members(u8, u8),
    Say {
        room: u8,
        device: bool,
        counter: u64,
        text: u8,
    },
    Announce {
        counter: u64,
    },
    Exit,
    Goodbye,
    Ping,
    Read {
        room: u8,
        seq: u64,
    },
    Rename(u8),
    Register {
        has_mail: bool,
    },
    /// With the password that was right, or one that was until a moment ago.
    ChangePassword {
        is_old: bool,
    },
    NewCodes,
    SetEmail(u8),
    VerifyEmail(u8),
    Recover {
        user: u8,
        code: u8,
    },
    MakeResetCode(u64),
    DeleteAccount {
        erases: bool,
    },
    SignOut,
    EndSession(u64),
    EndSessions(Option<u64>),
    Kick {
        room: u8,
        user: u64,
    },
    Ban {
        room: Option<u8>,
        user: u64,
        millis: Option<u64>,
    },
    BanNetwork {
        slot: u8,
    },
    Unban(u64),
    Mute {
        room: Option<u8>,
        user: u64,
        millis: Option<u64>,
    },
    Unmute {
        room: Option<u8>,
        user: u64,
    },
    RoomRole {
        room: u8,
        user: u64,
        role: u8,
    },
    Role {
        user: u64,
        role: u8,
    },
    Erase {
        room: Option<u8>,
        user: u64,
    },
    EndRoom(u8),
    Policy(u8),
    MakeInvite {
        uses: u64,
        millis: u64,
    },
    CancelInvite(u64),
    Claim,
}

pub(super) fn asks() -> impl Strategy<Value = Ask> {
    let room = || 1..4_u8;
    let user = || 1..6_u64;
    let some_room = || proptest::option::of(1..4_u8);
    let millis = || proptest::option::of(prop_oneof![Just(1_000_u64), Just(86_400_000)]);
    let talk = prop_oneof![
        2 => (0..4_u8).prop_map(Ask::Create),
        4 => (0..4_u8).prop_map(Ask::Join),
        2 => room().prop_map(Ask::Leave),
        1 => (room(), 0..4_u8).prop_map(|(room, after)| Ask::Members(room, after)),
        12 => (room(), any::<bool>(), 1..6_u64, 0..2_u8)
            .prop_map(|(room, device, counter, text)| Ask::Say { room, device, counter, text }),
        1 => (1..6_u64).prop_map(|counter| Ask::Announce { counter }),
        1 => Just(Ask::Exit),
        1 => Just(Ask::Goodbye),
        1 => Just(Ask::Ping),
        3 => (room(), 0..9_u64).prop_map(|(room, seq)| Ask::Read { room, seq }),
    ];
    let account = prop_oneof![
        3 => (0..8_u8).prop_map(Ask::Rename),
        4 => any::<bool>().prop_map(|has_mail| Ask::Register { has_mail }),
        2 => proptest::bool::weighted(0.2).prop_map(|is_old| Ask::ChangePassword { is_old }),
        1 => Just(Ask::NewCodes),
        1 => (0..3_u8).prop_map(Ask::SetEmail),
        1 => any::<u8>().prop_map(Ask::VerifyEmail),
        2 => (0..8_u8, any::<u8>()).prop_map(|(user, code)| Ask::Recover { user, code }),
        1 => user().prop_map(Ask::MakeResetCode),
        1 => any::<bool>().prop_map(|erases| Ask::DeleteAccount { erases }),
        1 => Just(Ask::SignOut),
        2 => (1..12_u64).prop_map(Ask::EndSession),
        1 => proptest::option::of(user()).prop_map(Ask::EndSessions),
    ];
    let order = prop_oneof![
        2 => (room(), user()).prop_map(|(room, user)| Ask::Kick { room, user }),
        2 => (some_room(), user(), millis())
            .prop_map(|(room, user, millis)| Ask::Ban { room, user, millis }),
        1 => (0..6_u8).prop_map(|slot| Ask::BanNetwork { slot }),
        1 => (1..6_u64).prop_map(Ask::Unban),
        1 => (some_room(), user(), millis())
            .prop_map(|(room, user, millis)| Ask::Mute { room, user, millis }),
        1 => (some_room(), user()).prop_map(|(room, user)| Ask::Unmute { room, user }),
        2 => (room(), user(), 0..3_u8)
            .prop_map(|(room, user, role)| Ask::RoomRole { room, user, role }),
        2 => (user(), 0..4_u8).prop_map(|(user, role)| Ask::Role { user, role }),
        1 => (some_room(), user()).prop_map(|(room, user)| Ask::Erase { room, user }),
        1 => room().prop_map(Ask::EndRoom),
        1 => (0..3_u8).prop_map(Ask::Policy),
        1 => (1..3_u64, prop_oneof![Just(1_000_u64), Just(86_400_000)])
            .prop_map(|(uses, millis)| Ask::MakeInvite { uses, millis }),
        1 => (1..6_u64).prop_map(Ask::CancelInvite),
        1 => Just(Ask::Claim),
    ];
    prop_oneof![3 => talk, 1 => account, 1 => order]
}

/// What nobody can guess who did not see it.
pub(super) fn fresh_code(number: u64) -> Code {
    let mut code = [0; Code::BYTES];
    code[..8].copy_from_slice(&number.to_le_bytes());
    Code::from_random(code)
}

/// The n-th of the names, some of which look the same.
pub(super) fn name_of(number: u8) -> parlor_shared::UserName {
    let names = ["Ann", "ANN", "Bob", "Cleo", "Dan", "Eve", "Fay", "Аnn"];
    names[usize::from(number)].parse().expect("a name")
}

pub(super) fn room_name(number: u8) -> parlor_shared::RoomName {
    ["lobby", "Garden", "garden", "attic"][usize::from(number)].parse().expect("a name")
}

/// The codes that have been given to somebody, and who asks.
pub(super) struct Known<'a> {
    pub(super) codes: &'a [Code],
    pub(super) user: UserId,
    /// The number of the asking user's password, 0 for none.
    pub(super) credential: u64,
    pub(super) number: u64,
}

impl Known<'_> {
    fn code(&self, at: u8) -> Code {
        let nothing = fresh_code(u64::MAX);
        if self.codes.is_empty() {
            return nothing;
        }
        self.codes[usize::from(at) % self.codes.len()]
    }

    fn proof(&self, is_old: bool) -> Option<Proof> {
        let credential = self.credential.checked_sub(u64::from(is_old)).filter(|it| *it > 0)?;
        Some(Proof { user: self.user, credential })
    }

    /// The request, and what the connection's own thread makes for it.
    #[expect(clippy::too_many_lines, reason = "one line for each request")]
    pub(super) fn request(&self, ask: Ask) -> (Request, Brought) {
        let room = |it: u8| RoomId(u64::from(it));
        let user = UserId;
        let word = || -> Password { "a long password".parse().expect("a password") };
        let mut brought = Brought {
            password: Some(hash(self.number)),
            proof: self.proof(false),
            codes: (0..9).map(|it| fresh_code(self.number * 16 + it)).collect(),
            has_mail: false,
        };
        let said = |room, client_id: String, text: &str| {
            let (client_id, text) =
                (client_id.parse().expect("an id"), text.parse().expect("a text"));
            Request::Say(Say { room, client_id, text })
        };
        let request = match ask {
            Ask::Create(it) => Request::CreateRoom(CreateRoom { name: room_name(it) }),
            Ask::Join(it) => Request::Join(Join { name: room_name(it) }),
            Ask::Leave(it) => Request::Leave(Leave { room: room(it) }),
            Ask::Members(it, after) => Request::Members(Members {
                room: room(it),
                after: (after > 0).then_some(UserId(u64::from(after))),
            }),
            Ask::Say { room: it, device, counter, text } => {
                let device = if device { "phone" } else { "desk" };
                said(room(it), format!("{device}-{counter}"), ["one", "two"][usize::from(text)])
            }
            Ask::Announce { counter } => Request::Announce(Announce {
                client_id: format!("desk-{counter}").parse().expect("an id"),
                text: "one".parse().expect("a text"),
            }),
            Ask::Exit => said(LOBBY_ID, "x-1".to_owned(), "[EXIT]"),
            Ask::Goodbye => Request::Goodbye(Nothing {}),
            Ask::Ping => Request::Ping(Nothing {}),
            Ask::Read { room: it, seq } => Request::Read(Read { room: room(it), seq: Seq(seq) }),
            Ask::Rename(it) => Request::Rename(Rename { name: name_of(it) }),
            Ask::Register { has_mail } => {
                brought.has_mail = has_mail;
                let email = has_mail.then(|| "a@example.org".parse().expect("an address"));
                Request::Register(Register { password: word(), email })
            }
            Ask::ChangePassword { is_old } => {
                brought.proof = self.proof(is_old);
                Request::ChangePassword(ChangePassword { old: word(), new: word() })
            }
            Ask::NewCodes => Request::NewRecoveryCodes(NewRecoveryCodes { password: word() }),
            Ask::SetEmail(it) => {
                brought.has_mail = true;
                let addresses = [None, Some("a@example.org"), Some("b@example.org")];
                let email = addresses[usize::from(it)].map(|it| it.parse().expect("an address"));
                Request::SetEmail(SetEmail { password: word(), email })
            }
            Ask::VerifyEmail(it) => Request::VerifyEmail(VerifyEmail { code: self.code(it) }),
            Ask::Recover { user, code } => Request::Recover(Recover {
                name: name_of(user),
                code: self.code(code),
                password: word(),
            }),
            Ask::MakeResetCode(it) => Request::MakeResetCode(MakeResetCode { user: user(it) }),
            Ask::DeleteAccount { erases } => {
                let messages = if erases { WhatOfMessages::Erase } else { WhatOfMessages::Keep };
                Request::DeleteAccount(DeleteAccount { password: Some(word()), messages })
            }
            Ask::SignOut => Request::SignOut(Nothing {}),
            Ask::EndSession(it) => Request::EndSession(EndSession { session: SessionId(it) }),
            Ask::EndSessions(it) => Request::EndSessions(EndSessions { user: it.map(user) }),
            Ask::Kick { room: it, user: whom } => {
                Request::Kick(Kick { room: room(it), user: user(whom), reason: None })
            }
            Ask::Ban { room: it, user: whom, millis } => Request::Ban(Ban {
                user: Some(user(whom)),
                room: it.map(room),
                millis,
                ..Ban::default()
            }),
            Ask::BanNetwork { slot } => {
                let network = Network::new(source(u64::from(slot)), 32);
                Request::Ban(Ban { network, ..Ban::default() })
            }
            Ask::Unban(it) => Request::Unban(Unban { ban: BanId(it) }),
            Ask::Mute { room: it, user: whom, millis } => {
                let (user, room) = (user(whom), it.map(room));
                Request::Mute(Mute { user, room, millis, reason: None })
            }
            Ask::Unmute { room: it, user: whom } => {
                Request::Unmute(Unmute { user: user(whom), room: it.map(room) })
            }
            Ask::RoomRole { room: it, user: whom, role } => {
                let roles = [RoomRole::Member, RoomRole::Moderator, RoomRole::Owner];
                let role = roles[usize::from(role)];
                Request::SetRoomRole(SetRoomRole { room: room(it), user: user(whom), role })
            }
            Ask::Role { user: whom, role } => {
                let roles = [Role::Guest, Role::Member, Role::Admin, Role::Owner];
                Request::SetRole(SetRole { user: user(whom), role: roles[usize::from(role)] })
            }
            Ask::Erase { room: it, user: whom } => {
                Request::EraseMessages(EraseMessages { user: user(whom), room: it.map(room) })
            }
            Ask::EndRoom(it) => Request::EndRoom(EndRoom { room: room(it), reason: None }),
            Ask::Policy(it) => {
                let entry = [Entry::Open, Entry::Registered, Entry::Invite][usize::from(it)];
                Request::SetPolicy(SetPolicy { entry: Some(entry), ..SetPolicy::default() })
            }
            Ask::MakeInvite { uses, millis } => {
                Request::MakeInvite(MakeInvite { uses: Some(uses), millis: Some(millis) })
            }
            Ask::CancelInvite(it) => Request::CancelInvite(CancelInvite { invite: InviteId(it) }),
            Ask::Claim => Request::Claim(Claim { code: fresh_code(0) }),
        };
        (request, brought)
    }
}

fn hash(number: u64) -> PasswordHash {
    PasswordHash(format!("hash {number}").into())
}

/// Each slot is a place of its own.
pub(super) fn source(slot: u64) -> IpAddr {
    [10, 0, 0, slot as u8].into()
}
