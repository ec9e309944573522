//! The program around the server: what it prints, what stops it, and its exit code.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use crossbeam_channel::{Sender, bounded};
use parlor_shared::{Limits, PORT};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::admin;
use crate::backup::{self, Abort, BackupError};
use crate::config::{Args, Config, EXIT_USAGE, Verb, explain};
use crate::folder::Folder;
use crate::identity::Identity;
use crate::server::{Server, ServerError, listen};
use crate::store::check::check;
use crate::store::{SCHEMA, Store};
use crate::{platform, program_log, threads};

/// The terminal or the log could not be written.
const EXIT_IO: u8 = 74;
const EXIT_DAMAGED: u8 = 65;

/// Does what the command line of this process says; the result is the process's.
#[must_use]
pub fn main() -> ExitCode {
    Args::try_parse().map_or_else(|error| explain(&error), main_with)
}

/// Does what the command line says; the result is the process's.
#[must_use]
pub fn main_with(args: Args) -> ExitCode {
    let (verb, log_level) = (args.verb, args.serve.log_level);
    let config = match Config::new(args.serve) {
        Ok(config) => Config { log_level, ..config },
        Err(error) => return fail(&error.to_string(), EXIT_USAGE),
    };
    let done = match verb {
        Some(Verb::Limits) => print_limits(&config.limits),
        Some(Verb::Check) => return check_folder(&config),
        Some(Verb::Backup { file, force }) => return backup_to(file, force, &config),
        Some(Verb::Restore { file }) => return restore_from(&file, &config),
        Some(Verb::Admin { words }) => return admin::run(&words, &config.data),
        None => return serve(&config),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot print: {error}"), EXIT_IO),
    }
}

/// Serves until a signal, or until the hub ends.
#[must_use]
pub fn serve(config: &Config) -> ExitCode {
    match try_serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), error.exit_code()),
    }
}

fn try_serve(config: &Config) -> Result<(), ServerError> {
    // In this order nothing is written before everything that can be refused was looked at.
    if let Some(files) = &config.certificate {
        Identity::from_files(files)?;
    }
    let listener = listen(&config.addresses())?;
    backup::unfinished(&config.data)?;
    let folder = Folder::take(&config.data)?;
    let store = Store::open(folder.path())?;
    if let Err(error) = program_log::start(folder.path(), config.log_level, &config.limits) {
        return Err(crate::folder::FolderError::Unusable(config.data.clone(), error).into());
    }
    let (stop, stopped) = bounded(1);
    watch_signals(&stop).map_err(ServerError::Threads)?;
    if config.until_stdin_closes {
        watch_stdin(stop).map_err(ServerError::Threads)?;
    }
    let server = Server::start(config, listener, folder, store)?;
    if config.certificate.is_some() {
        watch_reload(Arc::clone(server.identity())).map_err(ServerError::Threads)?;
    }
    if let Err(error) = announce(&server, config) {
        log::warn!("nobody reads what this program prints: {error}");
    }
    server.run(&stopped)
}

/// Says where others find this server. The first line is for programs too.
fn announce(server: &Server, config: &Config) -> io::Result<()> {
    let address = server.address();
    let mut out = io::stdout().lock();
    writeln!(out, "Parlor listens on {address}")?;
    for address in shown_addresses(address) {
        writeln!(out, "Others on this network type: {address}")?;
    }
    writeln!(out, "Key: {}", server.fingerprint().words())?;
    writeln!(out, "Key in full: {}", server.fingerprint().hex())?;
    if let Some(code) = server.claim() {
        writeln!(out, "Claim code: {code}")?;
        writeln!(out, "(Nobody owns this server yet. Whoever enters this code in the app does.)")?;
    }
    writeln!(out, "Data folder: {}", server.folder().display())?;
    match &config.chatlogs {
        Some(folder) => {
            let folder = folder.display();
            writeln!(out, "Chat logs, readable by whoever runs this server: {folder}")?;
        }
        None => writeln!(out, "Chat logs: off")?,
    }
    for (name, value) in config.limits.changed() {
        writeln!(out, "Limit changed: {name} is {value}")?;
    }
    out.flush()
}

/// What a person on another machine types: the addresses of this one, without the usual port.
fn shown_addresses(listening: SocketAddr) -> Vec<String> {
    let shown = |ip: IpAddr| match (ip, listening.port()) {
        (_, PORT) => ip.to_string(),
        (IpAddr::V4(ip), port) => format!("{ip}:{port}"),
        (IpAddr::V6(ip), port) => format!("[{ip}]:{port}"),
    };
    if !listening.ip().is_unspecified() {
        return vec![shown(listening.ip())];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces
        .into_iter()
        .filter(|it| !it.is_loopback() && !it.is_link_local() && it.ip().is_ipv4())
        .map(|it| shown(it.ip()))
        .collect()
}

fn watch_signals(stop: &Sender<()>) -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let stop = stop.clone();
    threads::start("signals", move || {
        for _ in signals.forever() {
            // A second signal while the first is being obeyed changes nothing.
            stop.try_send(()).ok();
        }
    })?;
    Ok(())
}

/// Reads the operator's certificate again whenever the hang-up signal comes. Only then: without
/// files of theirs the signal ends the process, as it does for every program.
fn watch_reload(identity: Arc<Identity>) -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGHUP])?;
        threads::start("reload", move || {
            for _ in signals.forever() {
                identity.reload();
            }
        })?;
    }
    #[cfg(not(unix))]
    drop(identity);
    Ok(())
}

fn watch_stdin(stop: Sender<()>) -> io::Result<()> {
    threads::start("stdin", move || {
        let mut buffer = [0; 64];
        // Whatever is said there means nothing; only its end does.
        while matches!(io::stdin().read(&mut buffer), Ok(1..)) {}
        stop.try_send(()).ok();
    })?;
    Ok(())
}

fn print_limits(limits: &Limits) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (name, value, reason) in limits.iter() {
        writeln!(out, "{name:<26} {value:>12}  {reason}")?;
    }
    Ok(())
}

fn check_folder(config: &Config) -> ExitCode {
    let report = match check(&config.data) {
        Ok(report) => report,
        Err(error) => return fail(&error.to_string(), ServerError::from(error).exit_code()),
    };
    for line in &report.found {
        say(&mut io::stdout(), line);
    }
    say(
        &mut io::stdout(),
        &format!(
            "{} rooms, {} users, {} events looked at: {}",
            report.rooms,
            report.users,
            report.events,
            if report.found.is_empty() { "all sound." } else { "damage was found." }
        ),
    );
    if report.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DAMAGED) }
}

fn backup_to(file: PathBuf, may_replace: bool, config: &Config) -> ExitCode {
    let order = backup::Order {
        data: config.data.clone(),
        file,
        may_replace,
        spare_bytes: 0,
        bytes_per_second: config.limits.backup_bytes_per_second,
        at: platform::wall_time(),
    };
    let made = match abort_by_signal().and_then(|it| backup::make(&order, &it)) {
        Ok(made) => made,
        Err(error) => return fail(&error.to_string(), error.exit_code()),
    };
    let what = if made.schema < SCHEMA {
        "the database of an older Parlor".to_owned()
    } else {
        format!("{} rooms, {} users, {} events", made.rooms, made.users, made.events)
    };
    let (file, files, size) = (made.file.display(), made.files, backup::size(made.bytes));
    let line = format!("{file}: {what}, {files} files; {size}, read back and sound.");
    say(&mut io::stdout(), &line);
    ExitCode::SUCCESS
}

fn restore_from(file: &Path, config: &Config) -> ExitCode {
    let done = match abort_by_signal().and_then(|it| backup::restore(file, &config.data, &it)) {
        Ok(done) => done,
        Err(error) => return fail(&error.to_string(), error.exit_code()),
    };
    let out = &mut io::stdout();
    say(
        out,
        &format!(
            "{} is as it was in {}: {} rooms, {} users, {} events.",
            done.data.display(),
            file.display(),
            done.rooms,
            done.users,
            done.events
        ),
    );
    if let Some(previous) = done.previous {
        let previous = previous.display();
        say(out, &format!("The previous data is in {previous}; delete it when nobody needs it."));
    }
    for note in done.notes {
        say(out, &note);
    }
    say(out, "Whoever was connected before starts over with what the server has now.");
    ExitCode::SUCCESS
}

/// The first signal ends the work in order, the second one at once.
fn abort_by_signal() -> Result<Abort, BackupError> {
    let abort = Abort::default();
    for signal in [SIGINT, SIGTERM] {
        let watch = |it: io::Error| BackupError::Io(PathBuf::from("a signal"), it);
        // In this order: the flag of the first is seen by the second.
        signal_hook::flag::register_conditional_shutdown(signal, 75, abort.flag())
            .map_err(watch)?;
        signal_hook::flag::register(signal, abort.flag()).map_err(watch)?;
    }
    Ok(abort)
}

fn fail(sentence: &str, code: u8) -> ExitCode {
    log::error!("{sentence}");
    say(&mut io::stderr(), &format!("parlor-server: {sentence}"));
    ExitCode::from(code)
}

/// Prints a line; a terminal that is gone is nobody's loss.
fn say(to: &mut dyn io::Write, line: &str) {
    writeln!(to, "{line}").ok();
}
