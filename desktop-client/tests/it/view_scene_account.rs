//! Made-up accounts, notices and an admin's lists, for the view's tests and its gallery.

use parlor_desktop::model::{Listed, Model, Mute, Own, Pages, Shown};
use parlor_shared::reply::{
    AuditEntry, BackupMade, BanEntry, InviteEntry, SessionEntry, Storage, UserEntry,
};
use parlor_shared::{
    BanId, Code, Fact, InviteId, Policy, Role, RoomId, RoomRole, Seq, SessionId, UnixMillis,
    UserEvent, UserId, UserNews,
};

use super::{DAY, EVENING, LOBBY, MINUTE, Teller, evening, room, room_name, user_name};

pub(crate) fn code(byte: u8) -> Code {
    Code::from_random([byte; 10])
}

fn session(id: u64, device: &str, this: bool) -> SessionEntry {
    SessionEntry {
        session: SessionId(id),
        device: device.parse().ok(),
        address: format!("192.168.1.{}", 20 + id),
        made_at: UnixMillis(EVENING - 9 * DAY),
        used_at: UnixMillis(EVENING - id * DAY),
        here: this,
        this,
    }
}

/// Ann has an account, three sessions and a mail address.
pub(crate) fn account() -> Model {
    let mut model = evening("Ann");
    let me = model.me.as_mut().expect("somebody");
    (me.account, me.role) = (true, Role::Member);
    let account = &mut model.account;
    account.shown =
        Some(Shown { email: "ann@example.org".parse().ok(), verified: false, codes_left: 7 });
    account.sessions = Some(vec![
        session(1, "ann-laptop", true),
        session(2, "Ann's telephone", false),
        session(3, "office-pc", false),
    ]);
    model
}

/// The moment after registering.
pub(crate) fn codes() -> Model {
    let mut model = account();
    model.account.codes = (1..=8).map(|it| code(it * 29)).collect();
    model
}

fn user(id: u64, name: &str, role: Role, account: bool) -> UserEntry {
    UserEntry {
        user: UserId(id),
        name: user_name(name),
        role,
        account,
        here: id.is_multiple_of(2),
        seen_at: UnixMillis(EVENING - id * 11 * MINUTE * 60),
        banned: id == 7,
        muted: id == 5,
    }
}

fn ban(id: u64, who: Option<&str>, network: Option<&str>, until: Option<u64>) -> BanEntry {
    BanEntry {
        ban: BanId(id),
        user: who.map(|_| UserId(7)),
        who: who.map(user_name),
        network: network.and_then(|it| it.parse().ok()),
        room: (id == 2).then_some(RoomId(2)),
        until: until.map(UnixMillis),
        reason: "advertising, again and again".parse().ok(),
        at: UnixMillis(EVENING - DAY),
        name: user_name("Ann"),
    }
}

fn audit(entry: u64, act: &str, who: Option<&str>, says: &str) -> AuditEntry {
    AuditEntry {
        entry,
        at: UnixMillis(EVENING - (9 - entry) * 70 * MINUTE),
        by: UserId(if entry == 1 { 0 } else { 1 }),
        name: user_name("Ann"),
        act: act.to_owned(),
        user: who.map(|_| UserId(7)),
        who: who.map(user_name),
        room: (act == "kick").then_some(LOBBY),
        says: says.to_owned(),
    }
}

/// Ann owns the server, and everything has been asked for.
pub(crate) fn owner() -> Model {
    let mut model = account();
    model.me.as_mut().expect("somebody").role = Role::Owner;
    for (id, name, members) in [(2, "garden", 4), (3, "Reading circle", 12)] {
        let (room, name) = (RoomId(id), room_name(name));
        model.directory.insert(room, Listed { room, name, members });
    }
    let users = vec![
        user(1, "Ann", Role::Owner, true),
        user(2, "Ben", Role::Admin, true),
        user(3, "Cem Yılmaz", Role::Member, true),
        user(4, "Dora", Role::Member, true),
        user(5, "Emil", Role::Guest, false),
        user(7, "Somebody with a very long name", Role::Guest, false),
    ];
    let admin = &mut model.admin;
    admin.users = Some(Pages { entries: users, more: true });
    admin.sessions_of = Some((
        UserId(3),
        Some(vec![session(4, "cem-desktop", false), session(5, "tablet", false)]),
    ));
    admin.bans = Some(Pages {
        entries: vec![
            ban(1, Some("Somebody with a very long name"), None, None),
            ban(2, Some("Emil"), None, Some(EVENING + 30 * MINUTE)),
            ban(3, None, Some("203.0.113.0/24"), Some(EVENING + 7 * DAY)),
        ],
        more: false,
    });
    admin.invites = Some(vec![InviteEntry {
        invite: InviteId(1),
        name: user_name("Ann"),
        made_at: UnixMillis(EVENING - DAY),
        until: UnixMillis(EVENING + 6 * DAY),
        uses_left: 4,
    }]);
    admin.audit = Some(Pages {
        entries: vec![
            audit(1, "set_policy", None, "entry=invite"),
            audit(2, "kick", Some("Emil"), "shouting"),
            audit(3, "ban", Some("Emil"), "until tomorrow: shouting"),
            audit(4, "make_invite", None, "5 uses"),
            audit(5, "back_up", None, ""),
        ],
        more: true,
    });
    admin.storage = Some(Box::new(Storage {
        users: 132,
        rooms: 9,
        events: 48_213,
        database_bytes: 31_457_280,
        chatlog_bytes: 12_582_912,
        backup_bytes: 220_200_960,
        free_bytes: 212_000_000_000,
        last_backup: Some(BackupMade {
            at: UnixMillis(EVENING - 5 * 60 * MINUTE),
            bytes: 29_360_128,
        }),
        backup_failed: String::new(),
        next_backup_at: UnixMillis(EVENING + 19 * 60 * MINUTE),
    }));
    admin.policy = Some(Policy::default());
    let lobby = room(&mut model, LOBBY);
    lobby.role = RoomRole::Member;
    model
}

/// What happened to people and messages in the lobby, told in the timeline.
pub(crate) fn acts() -> Model {
    let mut model = owner();
    let (emil, who) = (UserId(5), user_name("Emil"));
    let reason = "shouting".parse().ok();
    let until = Some(UnixMillis(EVENING + 60 * MINUTE));
    let mut lobby = Teller::new(&mut model, LOBBY);
    lobby
        .joined(EVENING, 5, "Emil")
        .said(EVENING, 5, "Emil", "BUY MY THINGS")
        .event(EVENING + 1, 1, "Ann", Fact::Muted { user: emil, who: who.clone(), until, reason })
        .event(EVENING + 2, 1, "Ann", Fact::Erased { user: emil, through: Seq(10_000) })
        .event(EVENING + 3, 2, "Benjamin", Fact::Renamed { was: user_name("Ben") })
        .event(
            EVENING + 4,
            1,
            "Ann",
            Fact::RoleGiven { user: UserId(2), who: user_name("Ben"), role: RoomRole::Moderator },
        );
    let nth = room(&mut model, LOBBY).last_nth.next();
    let client_id = super::client_id(900);
    let text =
        super::text("The server gets a new disk tonight at ten. It will be away for an hour.");
    let fact = Fact::Announced { nth, client_id, text };
    Teller::new(&mut model, LOBBY).event(EVENING + 5, 1, "Ann", fact);
    let lobby = room(&mut model, LOBBY);
    if let Some(member) = lobby.members.get_mut(&UserId(2)) {
        (member.role, member.name) = (RoomRole::Moderator, user_name("Benjamin"));
    }
    if let Some(member) = lobby.members.get_mut(&emil) {
        member.muted = true;
    }
    lobby.last_nth = nth;
    model
}

pub(crate) fn own_event(mine: u64, news: UserNews) -> UserEvent {
    UserEvent { mine: Seq(mine), at: UnixMillis(EVENING), news }
}

/// Muted in the lobby, with two notices.
pub(crate) fn muted() -> Own {
    let (room, until) = (Some(LOBBY), Some(UnixMillis(EVENING + 60 * MINUTE)));
    let reason: Option<parlor_shared::Line> = "shouting".parse().ok();
    let began = UserNews::SessionBegan {
        session: SessionId(9),
        device: "Ann's telephone".parse().ok(),
        address: "192.168.1.22".to_owned(),
    };
    Own {
        mine: Seq(2),
        notices: vec![
            own_event(1, UserNews::MutedIn { room, until, reason: reason.clone() }),
            own_event(2, began),
        ],
        mutes: vec![Mute { room, until, reason }],
        ..Own::default()
    }
}
