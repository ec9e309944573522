//! The peers: ngircd and InspIRCd as Debian packages them, spoken to in IRC.
//!
//! Flood protection, look-ups of names and limits are off, logging is at its least, and neither
//! stores anything. A talker gets no answer in IRC and does not hear itself, so a message is
//! settled when the last member of its room has heard it.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::contestant::{Contestant, Seating, Tongue};
use crate::load::{Load, WAVE};
use crate::parlor::line;
use crate::process::{Running, free_address};
use crate::work::TEXT;

const NGIRCD: &str = "/usr/sbin/ngircd";
const INSPIRCD: &str = "/usr/sbin/inspircd";
/// ngircd listens with a backlog of 10; what comes beyond it is tried again a second later.
const BACKLOG: usize = 8;
/// Filling them takes long: each name list of a room with a thousand members is a long answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The peers that are there.
pub(crate) fn installed() -> impl Iterator<Item = Contestant> {
    [(NGIRCD, Contestant::Ngircd), (INSPIRCD, Contestant::Inspircd)]
        .into_iter()
        .filter(|it| Path::new(it.0).exists())
        .map(|it| it.1)
}

pub(crate) fn start_ngircd(folder: &Path) -> io::Result<Running> {
    let address = free_address()?;
    let port = address.port();
    let file = folder.join("ngircd.conf");
    fs::write(
        &file,
        format!(
            "[Global]\nName = irc.bench.test\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n\
             ServerUID = {uid}\nServerGID = {uid}\n\
             [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\n\
             MaxPenaltyTime = 0\nPingTimeout = 3600\nPongTimeout = 3600\n\
             [Options]\nDNS = no\nIdent = no\nPAM = no\nChrootDir =\nMorePrivacy = yes\n",
            uid = rustix::process::getuid().as_raw(),
        ),
    )?;
    let mut command = Command::new(NGIRCD);
    command.args(["--nodaemon", "--config"]).arg(file);
    Running::start_and_try(command, address)
}

pub(crate) fn start_inspircd(folder: &Path) -> io::Result<Running> {
    let address = free_address()?;
    let port = address.port();
    let file = folder.join("inspircd.conf");
    let folder = folder.display();
    fs::write(
        &file,
        format!(
            r#"<server name="irc.bench.test" description="bench" network="bench" id="1BE">
<admin name="bench" nick="bench" email="bench@bench.test">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" timeout="120" useident="no" resolvehostnames="no" fakelag="no"
 localmax="20000" globalmax="20000" maxconnwarn="no" maxchans="100" pingfreq="1h" limit="20000"
 commandrate="100000000" threshold="100000000" recvq="10M" softsendq="100M" hardsendq="100M">
<performance netbuffersize="65534" somaxconn="4096" softlimit="20000" nouserdns="yes" maxwho="10">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
<pid file="{folder}/inspircd.pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="sparse" target="{folder}/inspircd.log">
"#
        ),
    )?;
    let mut command = Command::new(INSPIRCD);
    command.args(["--runasroot", "--nofork", "--nolog", "--config"]).arg(file);
    Running::start_and_try(command, address)
}

/// Speaks for every connection.
pub(crate) struct Irc {
    members: usize,
    /// How many connect at once.
    at_once: usize,
}

impl Irc {
    /// To ngircd.
    pub(crate) fn few_at_once() -> Self {
        Self { members: 0, at_once: BACKLOG }
    }

    /// To InspIRCd, which welcomes people once a second, as many as there are.
    pub(crate) fn many_at_once() -> Self {
        Self { members: 0, at_once: WAVE }
    }
}

impl Tongue for Irc {
    fn seat(&mut self, load: &mut Load, address: SocketAddr, seating: Seating) -> io::Result<()> {
        self.members = seating.members;
        let all: Vec<usize> = (0..seating.conns()).collect();
        for few in all.chunks(self.at_once) {
            for _ in few {
                load.connect(address)?;
            }
            load.ask_each(
                few,
                self.at_once,
                PATIENCE,
                |conn, out| line(out, format_args!("NICK g{conn}\r\nUSER bench 0 * :bench\r")),
                // The end of the greeting: the message of the day, or that there is none.
                |_, line| Ok(is_numeric(line, b"376") || is_numeric(line, b"422")),
            )?;
        }
        load.ask_each(
            &all,
            WAVE,
            PATIENCE,
            |conn, out| {
                let room = seating.room_of(conn);
                line(out, format_args!("JOIN #room{room}\r"));
            },
            |_, line| Ok(is_numeric(line, b"366")),
        )?;
        Ok(())
    }

    fn say(&mut self, conn: usize, _number: u64, out: &mut Vec<u8>) {
        let room = conn / self.members;
        line(out, format_args!("PRIVMSG #room{room} :{TEXT}\r"));
    }

    fn settled(&mut self, _conn: usize, line: &[u8]) -> io::Result<Option<usize>> {
        let Some(behind) = line.strip_prefix(b":g") else { return Ok(None) };
        let digits = behind.iter().take_while(|it| it.is_ascii_digit()).count();
        let is_message =
            behind.split(|it| *it == b' ').nth(1).is_some_and(|verb| verb == b"PRIVMSG");
        let number = std::str::from_utf8(&behind[..digits]).ok().and_then(|it| it.parse().ok());
        Ok(number.filter(|_| is_message))
    }

    fn ears(&self, seating: Seating) -> Vec<usize> {
        (0..seating.rooms).map(|room| (room + 1) * seating.members - 1).collect()
    }

    fn hears_itself(&self) -> bool {
        false
    }
}

/// True for `:server 366 …`.
fn is_numeric(line: &[u8], number: &[u8]) -> bool {
    line.split(|it| *it == b' ').nth(1) == Some(number)
}
