//! `cargo bench -p parlor-server --bench table`: the figures of `server/benches/README.md`.
//!
//! Starts the real server program as a child, and in turn with it the floor (a bare event loop
//! that stores nothing) and, with `--peers`, Debian's IRC servers; loads each from one event
//! loop on one thread; prints one table in Markdown.

mod arrivals;
mod contestant;
mod floor;
mod ground;
mod history;
mod irc;
mod load;
mod lone;
mod parlor;
mod process;
mod report;
mod sealed;
mod talk;
mod work;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser as _;

use contestant::Contestant;
use ground::Ground;

/// Measures Parlor's server against the floor of this machine.
#[derive(clap::Parser)]
struct Args {
    /// Only these works: fan_out, fan_out_10, wide, many_rooms, arrivals, idle, lone, history.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Length of each measured window.
    #[arg(long, default_value_t = 2.5)]
    seconds: f64,
    /// How often each is measured; the table shows medians.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// ngircd and InspIRCd too, where they are installed.
    #[arg(long)]
    peers: bool,
    /// Only these columns, for profiling; without the floor there is nothing to compare with.
    #[arg(long, value_delimiter = ',')]
    contestants: Vec<Contestant>,
    /// Measure again, so often at most, what other programs on this machine have disturbed.
    #[arg(long, default_value_t = 0)]
    retries: usize,
    /// Another build of parlor-server, to compare with.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_parlor-server"), hide_default_value = true)]
    server: PathBuf,
    /// Another limit for the server, NAME=VALUE.
    #[arg(long)]
    limit: Vec<String>,
    /// Connections in the idle work.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Messages in the history work.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Given by `cargo bench`; without it, as in `cargo test --all-targets`, nothing is done.
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the floor.
    #[arg(long, hide = true)]
    serve_floor: bool,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    if args.serve_floor {
        return floor::serve();
    }
    if !args.bench {
        return writeln!(io::stdout(), "to be run by cargo bench");
    }
    let build = parlor::Build { program: args.server.clone(), limits: args.limit.clone() };
    let limits: Vec<String> = build.limits().collect();
    let ground = Ground::new(args.retries, build)?;
    let contestants = contestants(&args);
    let names: Vec<&str> = contestants.iter().map(|it| it.name()).collect();
    let rows = measure(&ground, &args, &contestants)?;
    let mut out = io::stdout().lock();
    writeln!(out, "Machine: {}.\n", ground::machine())?;
    writeln!(out, "Limits changed: {}.\n", limits.join(", "))?;
    writeln!(out, "Median of {} runs of {} s.\n", args.runs, args.seconds)?;
    write!(out, "{}", report::table(&names, &rows))
}

fn contestants(args: &Args) -> Vec<Contestant> {
    if !args.contestants.is_empty() {
        return args.contestants.clone();
    }
    let mut contestants = vec![
        Contestant::Floor,
        Contestant::Parlor,
        Contestant::ParlorWithoutLogs,
        Contestant::ParlorOverTls,
    ];
    if args.peers {
        contestants.extend(irc::installed());
    }
    contestants
}

fn measure(
    ground: &Ground,
    args: &Args,
    contestants: &[Contestant],
) -> io::Result<Vec<report::Row>> {
    let is_wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|it| it == name);
    let mut rows = Vec::new();
    for work in work::WORKS.iter().filter(|it| is_wanted(it.name)) {
        let window = Duration::from_secs_f64(args.seconds);
        rows.extend(work.run(ground, contestants, args.runs, window)?);
    }
    if is_wanted("arrivals") {
        rows.extend(arrivals::storm(ground, args.runs)?);
    }
    if is_wanted("idle") {
        rows.extend(arrivals::idle(ground, args.idle)?);
    }
    if is_wanted("lone") {
        rows.extend(lone::run(ground, args.runs)?);
    }
    if is_wanted("history") {
        rows.extend(history::run(ground, args.messages)?);
    }
    Ok(rows)
}
