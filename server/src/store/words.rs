//! Small values as they stand in columns. Numbers that were once written mean the same for ever.

use parlor_shared::event::CodeKind;
use parlor_shared::{Role, RoomRole};

use super::StoreError;
use crate::chat::Purpose;

pub(super) fn role_number(role: Role) -> i64 {
    match role {
        Role::Guest => 0,
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

pub(super) fn role(number: i64) -> Result<Role, StoreError> {
    [Role::Guest, Role::Member, Role::Admin, Role::Owner]
        .into_iter()
        .find(|it| role_number(*it) == number)
        .ok_or_else(|| StoreError::Corrupt(format!("a role of {number}")))
}

pub(super) fn room_role_number(role: RoomRole) -> i64 {
    match role {
        RoomRole::Member => 0,
        RoomRole::Moderator => 1,
        RoomRole::Owner => 2,
    }
}

pub(super) fn room_role(number: i64) -> Result<RoomRole, StoreError> {
    [RoomRole::Member, RoomRole::Moderator, RoomRole::Owner]
        .into_iter()
        .find(|it| room_role_number(*it) == number)
        .ok_or_else(|| StoreError::Corrupt(format!("a room role of {number}")))
}

pub(super) fn purpose_number(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Reset(CodeKind::Recovery) => 1,
        Purpose::Reset(CodeKind::Admin) => 2,
        Purpose::Reset(CodeKind::Mail) => 3,
        Purpose::Verify => 4,
    }
}

pub(super) fn purpose(number: i64) -> Result<Purpose, StoreError> {
    [CodeKind::Recovery, CodeKind::Admin, CodeKind::Mail]
        .map(Purpose::Reset)
        .into_iter()
        .chain([Purpose::Verify])
        .find(|it| purpose_number(*it) == number)
        .ok_or_else(|| StoreError::Corrupt(format!("a code's purpose of {number}")))
}

/// What kind of mail brings a code of that purpose, if one does.
pub(super) fn mail_kind(purpose: Purpose) -> Option<i64> {
    match purpose {
        Purpose::Verify => Some(1),
        Purpose::Reset(CodeKind::Mail) => Some(2),
        Purpose::Reset(CodeKind::Recovery | CodeKind::Admin) => None,
    }
}
