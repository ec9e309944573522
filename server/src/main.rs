//! `parlor-server`: serves a chat from this machine.

use std::process::ExitCode;

use clap::Parser as _;
use parlor_server::config::Args;

fn main() -> ExitCode {
    parlor_server::main_with(Args::parse())
}
