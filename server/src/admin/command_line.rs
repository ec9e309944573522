//! What can be said after `parlor-server admin`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use parlor_shared::{Entry, Line, Network, Role, RoomRole};

use super::AdminError;
use super::span::Span;

const EXAMPLES: &str = "\
People and rooms are named by their names, or by the ids that `users` and `rooms` show (id:12).
How long something lasts is written 10m, 2h, 3d, 1w or forever.

Examples:
  parlor-server admin users --find ann
  parlor-server admin mute \"Ann Lee\" --for 1h --reason \"sleep over it\"
  parlor-server admin ban 203.0.113.0/24 --for 1w
  parlor-server admin audit --all --json > audit.jsonl";

/// Sees to a server that is running on this machine: who is there, who may what, what was done.
/// You need to be the user whom the server runs as. Everything you change is in the audit log.
#[derive(Debug, Parser)]
#[command(name = "parlor-server admin", after_help = EXAMPLES)]
pub(super) struct AdminLine {
    #[command(subcommand)]
    pub(super) what: What,
    /// The folder in which the server keeps everything, if it was started with --data, too.
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data: Option<PathBuf>,
    /// Prints for programs: one line of JSON per row.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum What {
    #[command(flatten)]
    List(List),
    #[command(flatten)]
    Act(Act),
}

/// What only shows.
#[derive(Debug, Subcommand)]
pub(super) enum List {
    /// Shows everybody: id, name, role, who is here now.
    Users {
        /// Only those whose name contains this.
        #[arg(long, value_name = "TEXT")]
        find: Option<Line>,
    },
    /// Shows the rooms that can be joined.
    Rooms,
    /// Shows from which devices somebody is signed in.
    Sessions { user: String },
    /// Shows who is banned, from where, until when, and why.
    Bans {
        /// Only the bans of this room.
        #[arg(long)]
        room: Option<String>,
    },
    /// Shows who did what to keep order: the newest lines.
    Audit {
        /// All lines from the first one on.
        #[arg(long)]
        all: bool,
    },
    /// Shows the invitations that are still good.
    Invites,
    /// Shows how much is kept, how much room is left, and the latest backup.
    Storage,
}

/// What changes something.
#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// Signs one device out.
    EndSession {
        /// As `sessions` shows it.
        session: u64,
    },
    /// Signs somebody out everywhere.
    EndSessions { user: String },
    /// Makes somebody an admin or an owner, or takes that away again (guest, member).
    Role {
        user: String,
        #[arg(value_enum)]
        role: RoleWord,
    },
    /// Gives somebody a role in a room.
    RoomRole {
        room: String,
        user: String,
        #[arg(value_enum)]
        role: RoomRoleWord,
    },
    /// Puts somebody out of a room; they can come back.
    Kick {
        room: String,
        user: String,
        #[command(flatten)]
        why: Why,
    },
    /// Keeps somebody out: of the server, or with --room of one room.
    Ban {
        /// A name, or a range of addresses such as 203.0.113.0/24.
        #[arg(value_name = "USER|NETWORK")]
        whom: String,
        /// Only out of this room.
        #[arg(long)]
        room: Option<String>,
        /// How long [default: forever].
        #[arg(long = "for", value_name = "DURATION")]
        span: Option<Span>,
        #[command(flatten)]
        why: Why,
    },
    /// Ends a ban.
    Unban {
        /// As `bans` shows it.
        ban: u64,
    },
    /// Lets somebody read and not write: anywhere, or with --room in one room.
    Mute {
        user: String,
        /// Only in this room.
        #[arg(long)]
        room: Option<String>,
        /// How long [default: forever].
        #[arg(long = "for", value_name = "DURATION")]
        span: Option<Span>,
        #[command(flatten)]
        why: Why,
    },
    /// Lets somebody write again.
    Unmute {
        user: String,
        /// In this room.
        #[arg(long)]
        room: Option<String>,
    },
    /// Erases all that somebody ever said: anywhere, or with --room in one room. This cannot be
    /// undone.
    Erase {
        user: String,
        /// Only in this room.
        #[arg(long)]
        room: Option<String>,
        /// Does not ask whether you are sure.
        #[arg(long)]
        yes: bool,
    },
    /// Ends a room: its members can read it, and nobody can write in it or join it any more.
    EndRoom {
        room: String,
        #[command(flatten)]
        why: Why,
    },
    /// Says something to everybody.
    Announce {
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Shows how the server is run, or with options changes it.
    Policy {
        /// Who may come in: everybody (open), whoever has an account (registered), or newcomers
        /// with an invitation (invite).
        #[arg(long, value_enum)]
        entry: Option<EntryWord>,
        /// Makes a backup every so many hours; 0 makes none.
        #[arg(long, value_name = "N")]
        backup_hours: Option<u64>,
        /// Keeps so many backups.
        #[arg(long, value_name = "N")]
        backup_keep: Option<u64>,
    },
    /// Makes a code with which somebody new can come in.
    Invite {
        /// So many newcomers can use it [default: 1].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        uses: Option<u64>,
        /// How long it is good [default: what the limit invite_days says].
        #[arg(long = "for", value_name = "DURATION")]
        span: Option<Span>,
    },
    /// Takes an invitation back.
    CancelInvite {
        /// As `invites` shows it.
        invite: u64,
    },
    /// Makes a code with which somebody who forgot the password sets a new one.
    ResetCode { user: String },
    /// Makes a backup now, beside those that are made by themselves.
    BackupNow,
}

#[derive(Debug, Args)]
pub(super) struct Why {
    /// The reason, for everybody to read who is told of it.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<Line>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum EntryWord {
    Open,
    Registered,
    Invite,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleWord {
    Guest,
    Member,
    Admin,
    Owner,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoomRoleWord {
    Member,
    Moderator,
    Owner,
}

impl From<EntryWord> for Entry {
    fn from(it: EntryWord) -> Self {
        match it {
            EntryWord::Open => Self::Open,
            EntryWord::Registered => Self::Registered,
            EntryWord::Invite => Self::Invite,
        }
    }
}

impl From<RoleWord> for Role {
    fn from(it: RoleWord) -> Self {
        match it {
            RoleWord::Guest => Self::Guest,
            RoleWord::Member => Self::Member,
            RoleWord::Admin => Self::Admin,
            RoleWord::Owner => Self::Owner,
        }
    }
}

impl From<RoomRoleWord> for RoomRole {
    fn from(it: RoomRoleWord) -> Self {
        match it {
            RoomRoleWord::Member => Self::Member,
            RoomRoleWord::Moderator => Self::Moderator,
            RoomRoleWord::Owner => Self::Owner,
        }
    }
}

impl What {
    /// What is wrong whatever the server says.
    pub(super) fn check(&self) -> Result<(), AdminError> {
        match self {
            Self::Act(Act::Ban { whom, room: Some(_), .. }) if whom.parse::<Network>().is_ok() => {
                Err(AdminError::Usage(
                    "a range of addresses is kept out of the whole server: leave --room out".into(),
                ))
            }
            Self::Act(Act::Ban { whom, .. })
                if whom.contains('/') && whom.parse::<Network>().is_err() =>
            {
                Err(AdminError::Usage(format!(
                    "{} is no range of addresses; one is written as 203.0.113.0/24",
                    super::shown(whom)
                )))
            }
            Self::Act(Act::Invite { span: Some(span), .. }) if span.millis.is_none() => {
                Err(AdminError::Usage("an invitation ends one day: say 1w, for instance".into()))
            }
            Self::List(_) | Self::Act(_) => Ok(()),
        }
    }
}
