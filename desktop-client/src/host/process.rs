//! The process itself: looked for, started, read, ended.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

use super::{End, News, Plan};
use crate::threads;

/// A server on this computer answers within this.
const PROBE: Duration = Duration::from_millis(800);
/// What the process may take to end once its input has ended; then it is ended.
const STOP: Duration = Duration::from_secs(8);
/// How often its end is looked for, once it is near.
const LOOK: Duration = Duration::from_millis(20);
/// Longest line that is read of what it prints.
const LINE_BYTES: u64 = 8 * 1024;
/// Lines that are read while waiting for its start.
const START_LINES: usize = 64;

/// The process, where the window and its thread both reach it.
#[derive(Clone, Debug, Default)]
pub(super) struct Process(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    child: Option<Child>,
    /// Its standard input; the process stops when this is dropped.
    input: Option<ChildStdin>,
    is_stopping: bool,
}

impl Process {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a process to end all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets it end by itself, and ends it when it does not.
    pub(super) fn stop(&self) {
        {
            let mut state = self.lock();
            state.is_stopping = true;
            state.input = None;
        }
        let deadline = Instant::now() + STOP;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                if let Some(child) = &mut self.lock().child {
                    log::warn!("the chat's process did not end by itself");
                    child.kill().ok();
                }
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn has_ended(&self) -> bool {
        self.lock().child.as_mut().is_none_or(|it| !matches!(it.try_wait(), Ok(None)))
    }

    /// Waits for the end of a process that has closed its output.
    fn wait(&self) {
        let deadline = Instant::now() + STOP;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
    }
}

/// From looking round to the last word.
pub(super) fn run(plan: &Plan, process: &Process, tell: &impl Fn(News)) {
    let port = plan.bind.map_or(parlor_shared::PORT, |it| it.port());
    let host = plan.bind.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |it| it.ip());
    if port != 0 && is_parlor(SocketAddr::new(host, port)) {
        return tell(News::ServesAlready { port });
    }
    let end = match start(plan, process) {
        Ok((output, errors)) => {
            let (say, said) = bounded(1);
            let reader = threads::start("host-errors", move || {
                // Heard below, once the process has ended.
                say.send(last_sentence(errors)).ok();
            });
            read(output, tell);
            process.wait();
            // A process that will not end keeps its error output open; this one does not wait.
            let last_words = said.recv_timeout(STOP).ok().flatten();
            if let (None, Ok(reader)) = (&last_words, reader) {
                reader.leave();
            }
            match last_words {
                Some(sentence) => End::Refused(sentence),
                None => End::Silent,
            }
        }
        Err(error) => End::NotStarted(error.to_string()),
    };
    tell(News::Ended(end));
}

/// A Parlor answers any request with a refusal before it heard a hello.
fn is_parlor(at: SocketAddr) -> bool {
    let ask = || -> io::Result<String> {
        let stream = TcpStream::connect_timeout(&at, PROBE)?;
        stream.set_read_timeout(Some(PROBE))?;
        (&stream).write_all(b"{\"id\":1,\"ping\":{}}\n")?;
        let mut line = String::new();
        BufReader::new(&stream).take(LINE_BYTES).read_line(&mut line)?;
        Ok(line)
    };
    ask().is_ok_and(|line| line.contains("hello_first"))
}

type Pipes = (std::process::ChildStdout, std::process::ChildStderr);

fn start(plan: &Plan, process: &Process) -> io::Result<Pipes> {
    let mut command = Command::new(&plan.program);
    command.args(&plan.arguments).arg("--until-stdin-closes");
    if let Some(folder) = &plan.kept_in {
        command.arg("--data").arg(folder);
    }
    if let Some(bind) = &plan.bind {
        command.arg("--bind").arg(bind.to_string());
    }
    let mut state = process.lock();
    if state.is_stopping {
        return Err(io::Error::other("stopped before it began"));
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (Some(input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        child.kill().ok();
        return Err(io::Error::other("its pipes are missing"));
    };
    (state.input, state.child) = (Some(input), Some(child));
    Ok((output, errors))
}

/// Reports its start, then reads on so that it never waits for a reader.
fn read(output: impl Read, tell: &impl Fn(News)) {
    let mut lines = BufReader::new(output);
    let mut port = None;
    let mut shown = Vec::new();
    for _ in 0..START_LINES {
        let Some(line) = next_line(&mut lines) else { return };
        if tell_code(&line, tell) {
            continue;
        }
        if let Some(address) = line.strip_prefix("Parlor listens on ") {
            port = address.parse().ok().map(|it: SocketAddr| it.port());
        } else if let Some((_, address)) = line.split_once(" type: ") {
            shown.push(address.to_owned());
        } else if let Some(port) = port {
            tell(News::Serving { port, shown });
            break;
        }
    }
    while let Some(line) = next_line(&mut lines) {
        tell_code(&line, tell);
    }
}

/// The line with the code of a server that has no owner yet. It goes to whoever started the chat
/// and nowhere else.
fn tell_code(line: &str, tell: &impl Fn(News)) -> bool {
    let code = line.strip_prefix("Claim code: ").and_then(|it| it.parse().ok());
    let is_code = code.is_some();
    if let Some(code) = code {
        tell(News::Unclaimed(code));
    }
    is_code
}

/// What it says when it refuses; its log is passed over, it has a file of its own for that.
fn last_sentence(errors: impl Read) -> Option<String> {
    let mut lines = BufReader::new(errors);
    let mut last = None;
    while let Some(line) = next_line(&mut lines) {
        if let Some(sentence) = line.strip_prefix("parlor-server: ") {
            last = Some(sentence.to_owned());
        }
    }
    last
}

/// The next line without its newline; a line that is too long comes in pieces.
fn next_line(from: &mut impl io::BufRead) -> Option<String> {
    let mut line = Vec::new();
    let taken = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line).ok()?;
    (taken > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned())
}
