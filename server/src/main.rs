//! `parlor-server`: serves a chat from this machine.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlor_server::main()
}
