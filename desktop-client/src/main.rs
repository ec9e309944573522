//! `parlor`: the app. With the hidden `--serve` it is the server instead, which is how a chat is
//! started from the app.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use parlor_desktop::app::{self, Start};
use parlor_desktop::settings::DEFAULT_PROFILE;

/// A chat for the people around you.
#[derive(Debug, Parser)]
#[command(name = "parlor", version)]
struct Args {
    /// Keeps everything under this name, so that several copies run side by side.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROFILE)]
    profile: String,
    /// Joins the chat at this address at once.
    #[arg(long, value_name = "ADDRESS", requires = "name")]
    server: Option<String>,
    /// The name to join with.
    #[arg(long, value_name = "NAME", requires = "server")]
    name: Option<String>,
    /// Keeps profiles, and a chat started from here, in this folder [default: the system's place].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where a chat started from here listens, for trying things out.
    #[arg(long, value_name = "ADDRESS", hide = true)]
    serve_at: Option<SocketAddr>,
    /// Be the server, with the server's arguments.
    #[arg(long, hide = true, num_args = 0.., allow_hyphen_values = true)]
    serve: Option<Vec<OsString>>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(arguments) = args.serve {
        let program = OsString::from("parlor-server");
        let arguments = std::iter::once(program).chain(arguments);
        return parlor_server::main_with(parlor_server::config::Args::parse_from(arguments));
    }
    let start = Start {
        profile: args.profile,
        place: args.data_dir,
        join: args.name.zip(args.server),
        serve: vec![OsString::from("--serve")],
        serve_at: args.serve_at,
    };
    match app::run(start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A terminal that is gone is nobody's loss.
            writeln!(io::stderr(), "parlor: {error}").ok();
            ExitCode::FAILURE
        }
    }
}
