//! From the command line to a checked [`Config`]. No configuration file is ever needed.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as ClapArgs, Parser, Subcommand};
use parlor_shared::{Limits, PORT};

use crate::mail::{MailArgs, MailConfig, MailConfigError};

/// A wrong command line, after sysexits.h.
pub(crate) const EXIT_USAGE: u8 = 64;

/// The command line of `parlor-server`.
#[derive(Debug, Parser)]
#[command(name = "parlor-server", version, about = "A chat for everybody on this network.")]
pub struct Args {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Prints every limit with its value and its reason.
    Limits,
    /// Looks through the data folder for damage; changes nothing.
    Check,
    /// Writes everything that is kept into one file, also while the server runs.
    Backup {
        /// The file, a tar; it holds all that was said and the server's key.
        file: PathBuf,
        /// Replaces a file of that name.
        #[arg(long)]
        force: bool,
    },
    /// Puts a backup in the place of the data folder; what was there is kept beside it.
    Restore {
        /// A file that `backup` made.
        file: PathBuf,
    },
    /// Sees to a server that is running on this machine; `admin --help` tells all commands.
    // Its words are parsed by themselves: how to serve is of no interest to whoever sees to it.
    #[command(disable_help_flag = true)]
    Admin {
        #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

/// How to serve.
#[derive(Clone, Debug, ClapArgs)]
pub struct ServeArgs {
    /// Address and port to listen on [default: port 7666 on every address of this machine].
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub bind: Option<SocketAddr>,
    /// Folder for everything that is kept [default: this system's place for program data].
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// Folder for the users' chat logs, or `off` [default: `chatlogs` in the data folder].
    #[arg(long, value_name = "DIR", global = true)]
    pub chatlogs: Option<PathBuf>,
    /// How much the program's own log tells: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "info", global = true)]
    pub log_level: log::LevelFilter,
    /// Connections at most; the same as `--limit connections=N`.
    #[arg(long, value_name = "N", global = true)]
    pub max_connections: Option<u64>,
    /// Changes a limit; `parlor-server limits` names them.
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit, global = true)]
    pub limits: Vec<(String, u64)>,
    /// The server's certificate and those above it (PEM), instead of one of its own making; read
    /// again at SIGHUP.
    #[arg(long, value_name = "FILE", global = true)]
    pub cert: Option<PathBuf>,
    /// The private key of `--cert` (PEM).
    #[arg(long, value_name = "FILE", global = true)]
    pub key: Option<PathBuf>,
    /// Lets passwords and codes through unencrypted connections from other machines, where
    /// everybody on the way can read them. Without this only encrypted connections and this
    /// machine itself may send them.
    #[arg(long, global = true)]
    pub allow_plain_passwords: bool,
    #[command(flatten)]
    pub mail: MailArgs,
    /// Stops when standard input ends: for a program that runs this one.
    #[arg(long, hide = true, global = true)]
    pub until_stdin_closes: bool,
}

/// What the server is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// `None`: port 7666, both protocol families where the machine has them.
    pub bind: Option<SocketAddr>,
    pub data: PathBuf,
    /// `None`: no chat logs.
    pub chatlogs: Option<PathBuf>,
    pub log_level: log::LevelFilter,
    pub limits: Limits,
    /// `None`: a key and a certificate of its own.
    pub certificate: Option<CertificateFiles>,
    pub allow_plain_passwords: bool,
    /// `None`: this server sends no mail.
    pub mail: Option<MailConfig>,
    pub until_stdin_closes: bool,
}

/// A certificate and a key that the operator brings.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What is wrong with the command line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no limit called {0}; `parlor-server limits` names them")]
    NoSuchLimit(String),
    #[error("this system names no folder for program data; say one with --data DIR")]
    NoDataFolder,
    #[error("--cert and --key go together: there is a certificate, and no key for it")]
    NoKey,
    #[error("--cert and --key go together: there is a key, and no certificate for it")]
    NoCertificate,
    #[error(transparent)]
    Mail(#[from] MailConfigError),
}

impl Config {
    /// Completes what was not said.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(args: ServeArgs) -> Result<Self, ConfigError> {
        let mut limits = Limits::default();
        for (name, value) in args.limits {
            if !limits.set(&name, value) {
                return Err(ConfigError::NoSuchLimit(name));
            }
        }
        if let Some(connections) = args.max_connections {
            limits.connections = connections;
        }
        let data = args.data.or_else(default_data_folder).ok_or(ConfigError::NoDataFolder)?;
        let chatlogs = match args.chatlogs {
            Some(folder) if folder == Path::new("off") => None,
            Some(folder) => Some(folder),
            None if is_workspace(Path::new(".")) => Some(PathBuf::from("chatlogs")),
            None => Some(data.join("chatlogs")),
        };
        let certificate = match (args.cert, args.key) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::NoKey),
            (None, Some(_)) => return Err(ConfigError::NoCertificate),
        };
        Ok(Self {
            bind: args.bind,
            data,
            chatlogs,
            log_level: args.log_level,
            limits,
            certificate,
            allow_plain_passwords: args.allow_plain_passwords,
            mail: MailConfig::new(&args.mail)?,
            until_stdin_closes: args.until_stdin_closes,
        })
    }

    /// The addresses to try, in order: everything of both families, or at least of the old one.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        match self.bind {
            Some(address) => vec![address],
            None => vec![
                (std::net::Ipv6Addr::UNSPECIFIED, PORT).into(),
                (std::net::Ipv4Addr::UNSPECIFIED, PORT).into(),
            ],
        }
    }
}

/// Where the server keeps things unless told otherwise.
#[must_use]
pub fn default_data_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "Parlor").map(|it| it.data_dir().join("server"))
}

/// In the source tree the chat logs lie in the open, in the folder made for them.
fn is_workspace(folder: &Path) -> bool {
    folder.join("Cargo.toml").exists() && folder.join("chatlogs").join("README.md").exists()
}

fn parse_limit(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("a limit is given as NAME=VALUE")?;
    let value = value.parse().map_err(|error| format!("{value}: {error}"))?;
    Ok((name.to_owned(), value))
}

/// Prints what a command line lacks, or the help that it asked for.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    // A terminal that is gone is nobody's loss.
    error.print().ok();
    if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS }
}
