//! Keeping order: what owners, admins and moderators do to people, rooms and the server.
//!
//! An order becomes one request. What it led to is heard as an event by everybody; here only
//! what went wrong is said, and the admin's lists are asked for anew.

use parlor_shared::request::{
    Announce, Ban, CancelInvite, EndRoom, EndSession, EndSessions, EraseMessages, Kick, MakeInvite,
    MakeResetCode, Mute, Nothing, SetPolicy, SetRole, SetRoomRole, Unban, Unmute,
};
use parlor_shared::{
    BanId, ClientId, DeviceId, InviteId, Line, Network, Refusal, Reply, Request, Role, RoomId,
    RoomRole, SessionId as ServerSessionId, UserId,
};

use super::admin::Section;
use super::asked::Asked;
use super::effect::Turn;
use super::{Model, Trouble};

/// One order. Texts come as they were typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Kick {
        room: RoomId,
        user: UserId,
        reason: String,
    },
    /// Of a room or, without one, of the server; for so many milliseconds or for good.
    Ban {
        whom: Whom,
        room: Option<RoomId>,
        millis: Option<u64>,
        reason: String,
    },
    Unban(BanId),
    /// In a room or, without one, everywhere.
    Mute {
        user: UserId,
        room: Option<RoomId>,
        millis: Option<u64>,
        reason: String,
    },
    Unmute {
        user: UserId,
        room: Option<RoomId>,
    },
    GiveRoomRole {
        room: RoomId,
        user: UserId,
        role: RoomRole,
    },
    GiveRole {
        user: UserId,
        role: Role,
    },
    /// Everything that somebody said in a room or, without one, anywhere.
    Erase {
        user: UserId,
        room: Option<RoomId>,
    },
    EndRoom {
        room: RoomId,
        reason: String,
    },
    Announce {
        text: String,
    },
    EndSession(ServerSessionId),
    EndSessionsOf(UserId),
    MakeResetCode(UserId),
    MakeInvite {
        uses: Option<u64>,
        millis: Option<u64>,
    },
    CancelInvite(InviteId),
    SetPolicy(SetPolicy),
    BackUp,
}

/// Who is kept out.
#[derive(Clone, Debug, PartialEq)]
pub enum Whom {
    User(UserId),
    /// An address or a range of them, as it was typed.
    Network(String),
}

/// What an order was, for those who hear the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OrderKind {
    Member,
    User,
    Room,
    Ban,
    Announce,
    Sessions,
    ResetCode(UserId),
    Invite,
    Policy,
    BackUp,
}

fn line(typed: &str) -> Result<Option<Line>, Refusal> {
    if typed.trim().is_empty() { Ok(None) } else { typed.parse().map(Some) }
}

/// An id for an announcement. It is never sent again, so all that it must be is another one each
/// time: it is of a device that exists only for this.
fn announcement_id(random: u64) -> Result<ClientId, Refusal> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let letters = (0..12).map(|at| char::from(LETTERS[(random >> (at * 5) & 31) as usize]));
    let device: DeviceId = letters.collect::<String>().parse()?;
    Ok(ClientId { device, counter: 1 })
}

impl Order {
    fn kind(&self) -> OrderKind {
        match self {
            Self::Kick { .. } | Self::GiveRoomRole { .. } => OrderKind::Member,
            Self::Mute { .. }
            | Self::Unmute { .. }
            | Self::Erase { .. }
            | Self::GiveRole { .. } => OrderKind::User,
            Self::Ban { .. } | Self::Unban(_) => OrderKind::Ban,
            Self::EndRoom { .. } => OrderKind::Room,
            Self::Announce { .. } => OrderKind::Announce,
            Self::EndSession(_) | Self::EndSessionsOf(_) => OrderKind::Sessions,
            Self::MakeResetCode(user) => OrderKind::ResetCode(*user),
            Self::MakeInvite { .. } | Self::CancelInvite(_) => OrderKind::Invite,
            Self::SetPolicy(_) => OrderKind::Policy,
            Self::BackUp => OrderKind::BackUp,
        }
    }

    fn request(self, random: u64) -> Result<Request, Refusal> {
        Ok(match self {
            Self::Kick { room, user, reason } => {
                Request::Kick(Kick { room, user, reason: line(&reason)? })
            }
            Self::Ban { whom, room, millis, reason } => {
                let (user, network): (_, Option<Network>) = match whom {
                    Whom::User(user) => (Some(user), None),
                    Whom::Network(typed) => (None, Some(typed.trim().parse()?)),
                };
                Request::Ban(Ban { user, network, room, millis, reason: line(&reason)? })
            }
            Self::Unban(ban) => Request::Unban(Unban { ban }),
            Self::Mute { user, room, millis, reason } => {
                Request::Mute(Mute { user, room, millis, reason: line(&reason)? })
            }
            Self::Unmute { user, room } => Request::Unmute(Unmute { user, room }),
            Self::GiveRoomRole { room, user, role } => {
                Request::SetRoomRole(SetRoomRole { room, user, role })
            }
            Self::GiveRole { user, role } => Request::SetRole(SetRole { user, role }),
            Self::Erase { user, room } => Request::EraseMessages(EraseMessages { user, room }),
            Self::EndRoom { room, reason } => {
                Request::EndRoom(EndRoom { room, reason: line(&reason)? })
            }
            Self::Announce { text } => Request::Announce(Announce {
                client_id: announcement_id(random)?,
                text: text.trim().parse()?,
            }),
            Self::EndSession(session) => Request::EndSession(EndSession { session }),
            Self::EndSessionsOf(user) => Request::EndSessions(EndSessions { user: Some(user) }),
            Self::MakeResetCode(user) => Request::MakeResetCode(MakeResetCode { user }),
            Self::MakeInvite { uses, millis } => Request::MakeInvite(MakeInvite { uses, millis }),
            Self::CancelInvite(invite) => Request::CancelInvite(CancelInvite { invite }),
            Self::SetPolicy(policy) => Request::SetPolicy(policy),
            Self::BackUp => Request::BackUp(Nothing {}),
        })
    }
}

impl Model {
    pub(super) fn order(&mut self, order: Order, turn: &mut Turn) {
        if !self.is_online() {
            self.trouble = Some(Trouble::NotConnected);
            return;
        }
        let kind = order.kind();
        match order.request(turn.moment.random) {
            Ok(request) => {
                self.trouble = None;
                self.asked.ask(request, Asked::Order(kind), turn);
            }
            Err(refusal) => self.trouble = Some(Trouble::Refused(refusal)),
        }
    }

    /// An order was carried out: what it changed is asked for anew where it is shown. False: the
    /// answer makes no sense.
    #[must_use]
    pub(super) fn order_done(&mut self, kind: OrderKind, reply: Reply) -> bool {
        let section = match (kind, reply) {
            (OrderKind::Member | OrderKind::Announce, Reply::Done {} | Reply::Said { .. }) => {
                return true;
            }
            (OrderKind::User, Reply::Done {}) => Section::Users,
            (OrderKind::Room, Reply::Done {}) => {
                self.list_rooms();
                return true;
            }
            (OrderKind::Ban, Reply::Done {} | Reply::Banned { .. }) => Section::Bans,
            (OrderKind::Sessions, Reply::SessionsEnded { .. }) => Section::Sessions,
            (OrderKind::ResetCode(user), Reply::ResetCode { code, until }) => {
                self.admin.reset_code = Some((user, code, until));
                return true;
            }
            (OrderKind::Invite, Reply::Invite { invite, code, until }) => {
                self.admin.invite_made = Some((invite, code, until));
                Section::Invitations
            }
            (OrderKind::Invite, Reply::Done {}) => Section::Invitations,
            (OrderKind::Policy, Reply::Policy(policy)) => {
                self.admin.policy = Some(policy);
                return true;
            }
            (OrderKind::BackUp, Reply::Done {}) => {
                self.admin.is_backing_up = true;
                Section::Storage
            }
            _ => return false,
        };
        self.admin.want(section);
        true
    }
}
