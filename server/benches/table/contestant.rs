//! Who takes part, and what each has to be able to do: be started, be filled with people, carry
//! messages. The works of `talk` know nothing else of them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::irc::{self, Irc};
use crate::load::Load;
use crate::parlor::Build;
use crate::process::Running;
use crate::{floor, parlor};

/// The columns of the table, in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Contestant {
    Floor,
    Parlor,
    ParlorWithoutLogs,
    ParlorOverTls,
    Ngircd,
    Inspircd,
}

impl Contestant {
    /// Heads its column.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Parlor => "Parlor",
            Self::ParlorWithoutLogs => "Parlor, `--chatlogs off`",
            Self::ParlorOverTls => "Parlor, TLS",
            Self::Ngircd => "ngircd",
            Self::Inspircd => "InspIRCd",
        }
    }

    /// Starts it with `folder` to itself; `build` says which Parlor.
    pub(crate) fn start(self, build: &Build, folder: &Path) -> io::Result<Running> {
        match self {
            Self::Floor => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("--serve-floor");
                Running::start_and_read(command)
            }
            Self::Parlor | Self::ParlorOverTls => parlor::start(build, folder, true),
            Self::ParlorWithoutLogs => parlor::start(build, folder, false),
            Self::Ngircd => irc::start_ngircd(folder),
            Self::Inspircd => irc::start_inspircd(folder),
        }
    }

    /// Its protocol.
    pub(crate) fn tongue(self) -> Box<dyn Tongue> {
        match self {
            Self::Floor => Box::new(floor::Plain::default()),
            Self::Parlor | Self::ParlorWithoutLogs | Self::ParlorOverTls => {
                Box::new(parlor::Parlor::default())
            }
            Self::Ngircd => Box::new(Irc::few_at_once()),
            Self::Inspircd => Box::new(Irc::many_at_once()),
        }
    }
}

/// Who sits where: connections are numbered room after room, the talkers of a room first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seating {
    pub(crate) rooms: usize,
    pub(crate) members: usize,
    pub(crate) talkers_per_room: usize,
}

impl Seating {
    pub(crate) fn conns(self) -> usize {
        self.rooms * self.members
    }

    pub(crate) fn room_of(self, conn: usize) -> usize {
        conn / self.members
    }

    /// 0 is the room's first member.
    pub(crate) fn place_of(self, conn: usize) -> usize {
        conn % self.members
    }

    pub(crate) fn talkers(self) -> impl Iterator<Item = usize> {
        (0..self.conns()).filter(move |it| self.place_of(*it) < self.talkers_per_room)
    }
}

/// A protocol, as far as the works need it.
pub(crate) trait Tongue {
    /// Connects everybody and brings each into its room.
    ///
    /// # Errors
    /// A server that refuses, closes or never answers.
    fn seat(&mut self, load: &mut Load, address: SocketAddr, seating: Seating) -> io::Result<()>;

    /// Appends one message of 200 bytes from `conn` to its room.
    fn say(&mut self, conn: usize, number: u64, out: &mut Vec<u8>);

    /// The talker whose oldest unanswered message is settled by this line, if it settles one.
    ///
    /// # Errors
    /// A refusal.
    fn settled(&mut self, conn: usize, line: &[u8]) -> io::Result<Option<usize>>;

    /// The connections whose lines settle messages; the others' lines are only counted.
    fn ears(&self, seating: Seating) -> Vec<usize>;

    /// True where talkers get an answer of its own to each message, and their own message like
    /// everybody; false where they get nothing, and a message is settled when another member
    /// has heard it.
    fn hears_itself(&self) -> bool;
}
