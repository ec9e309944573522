//! `parlor-server admin …`: seeing to a running server from the shell of its machine.
//!
//! It is one more client. It comes in with the credential that the server keeps in its data
//! folder, asks with the words that every client asks with, and prints what is answered.
//!
//! Invariant: nothing that somebody wrote reaches the terminal without its control characters
//! being made visible.

mod acts;
mod call;
mod command_line;
mod lists;
mod print;
mod span;
mod whom;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use parlor_shared::Refusal;

use call::Call;
use command_line::{AdminLine, What};
use print::{Out, shown};

/// Why a command came to nothing. The exit codes are those of sysexits.h.
#[derive(Debug, thiserror::Error)]
enum AdminError {
    #[error(
        "no server runs on the data folder {}; start it with `parlor-server`, \
         or say with --data DIR which folder it runs on", .0.display()
    )]
    NoServer(PathBuf),
    #[error(
        "the server's data folder {} may be used by its owner only ({}); \
         be the user whom the server runs as", .0.display(), .1
    )]
    NotYours(PathBuf, io::Error),
    #[error(
        "what the server wrote into {}/shell.json cannot be understood ({}); \
         start the server anew, it writes it anew", .0.display(), .1
    )]
    Garbage(PathBuf, io::Error),
    #[error("what answers there is no Parlor server of this version: {0}")]
    Strange(String),
    #[error("the server ended the connection before it answered; look whether it was done ({0})")]
    Lost(io::Error),
    #[error("{says}")]
    Refused { refusal: Refusal, says: String },
    #[error("nobody is called {}{}", shown(.given), perhaps(.similar))]
    NoSuchUser { given: String, similar: Vec<String> },
    #[error(
        "no room that is open is called {}; `rooms` lists them, \
         and one that has ended is named by its id, as id:3", shown(.0)
    )]
    NoSuchRoom(String),
    #[error(
        "{0} is the name of one and the id of another; \
         say id:{1} for the one that is called so, or id:{0} for the other"
    )]
    Ambiguous(String, u64),
    #[error("{0}")]
    Usage(String),
    #[error("that is not the name; nothing was erased")]
    NotConfirmed,
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

fn perhaps(names: &[String]) -> String {
    if names.is_empty() {
        return "; `users` lists everybody".to_owned();
    }
    format!("; it is part of the name of {}", names.join(", "))
}

impl AdminError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::NotConfirmed => 64,
            Self::Garbage(..) => 65,
            Self::NoSuchUser { .. } | Self::NoSuchRoom(_) | Self::Ambiguous(..) => 67,
            Self::NoServer(_) => 69,
            Self::Print(_) => 74,
            Self::Lost(_) => 75,
            Self::Refused { refusal, .. } if is_for_now(refusal) => 75,
            Self::Strange(_) => 76,
            Self::NotYours(..) | Self::Refused { .. } => 77,
        }
    }
}

/// Asking later may lead to another answer.
fn is_for_now(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Busy
            | Refusal::RateLimited { .. }
            | Refusal::StorageFull
            | Refusal::TooManyConnections
            | Refusal::GoingAway
    )
}

/// Does what stands after `parlor-server admin`, on the server that runs on `data`.
#[must_use]
pub(crate) fn run(words: &[OsString], data: &Path) -> ExitCode {
    let name = OsString::from("parlor-server admin");
    let line = match AdminLine::try_parse_from(std::iter::once(&name).chain(words)) {
        Ok(line) => line,
        Err(error) => return crate::config::explain(&error),
    };
    match run_line(line, data) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the first lines and goes has what was wanted.
        Err(AdminError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            writeln!(io::stderr(), "parlor-server: {error}").ok();
            ExitCode::from(error.exit_code())
        }
    }
}

fn run_line(line: AdminLine, data: &Path) -> Result<(), AdminError> {
    line.what.check()?;
    let call = &mut Call::open(line.data.as_deref().unwrap_or(data))?;
    let stdout = &mut io::stdout().lock();
    let out = &mut Out::new(stdout, line.json);
    match line.what {
        What::List(list) => lists::run(list, call, out)?,
        What::Act(act) => acts::run(act, call, out)?,
    }
    Ok(out.flush()?)
}
