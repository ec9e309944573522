//! Where the contest takes place: a fresh folder on the disk under test, one server at a time.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use rustix::process::{Resource, getrlimit, setrlimit};
use tempfile::TempDir;

use crate::contestant::Contestant;
use crate::load::Load;
use crate::parlor::Build;
use crate::process::Running;
use crate::sealed;

/// Cargo's own place for such files: beside the build, so on a real disk, and never in memory
/// as `/tmp` may be.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");
/// What `statfs` says of a file system in memory.
const TMPFS_MAGIC: i64 = 0x0102_1994;

pub(crate) struct Ground {
    interrupted: Arc<AtomicBool>,
    start: Instant,
    /// How often a measurement that other programs disturbed is made again.
    pub(crate) retries: usize,
    build: Build,
}

impl Ground {
    /// Prepares this process: its descriptor limit is raised as far as it may be, and the end of
    /// the benchmark by a signal goes through every destructor.
    pub(crate) fn new(retries: usize, build: Build) -> io::Result<Self> {
        let interrupted = Arc::default();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit)?;
        fs::create_dir_all(FOLDER)?;
        let kind = rustix::fs::statfs(FOLDER)?.f_type;
        #[expect(clippy::useless_conversion, reason = "its type is another on other platforms")]
        if i64::from(kind) == TMPFS_MAGIC {
            return Err(io::Error::other("the target directory is in memory, not on a disk"));
        }
        Ok(Self { interrupted, start: Instant::now(), retries, build })
    }

    /// A folder that goes away with the value.
    pub(crate) fn folder(&self) -> io::Result<TempDir> {
        TempDir::with_prefix_in("bench-", FOLDER)
    }

    /// A load generator without connections.
    pub(crate) fn load(&self) -> io::Result<Load> {
        Load::new(Arc::clone(&self.interrupted))
    }

    /// Runs `work` against a fresh server, which is gone afterwards.
    ///
    /// # Errors
    /// Those of the work, with the server's name and last words.
    pub(crate) fn with<T>(
        &self,
        contestant: Contestant,
        work: impl FnOnce(&Running, &mut Load) -> io::Result<T>,
    ) -> io::Result<T> {
        let folder = self.folder()?;
        self.within(folder.path(), contestant, work)
    }

    /// The same in a folder that stays.
    pub(crate) fn within<T>(
        &self,
        folder: &Path,
        contestant: Contestant,
        work: impl FnOnce(&Running, &mut Load) -> io::Result<T>,
    ) -> io::Result<T> {
        let server = self.start(folder, contestant)?;
        let mut load = self.load()?;
        if contestant == Contestant::ParlorOverTls {
            load.encrypt(sealed::config()?);
        }
        let outcome = work(&server, &mut load);
        outcome.map_err(|error| {
            let words = server.last_words();
            io::Error::other(format!("{}: {error}. It said:\n{words}", contestant.name()))
        })
    }

    /// A contestant on a folder that stays.
    pub(crate) fn start(&self, folder: &Path, contestant: Contestant) -> io::Result<Running> {
        contestant.start(&self.build, folder)
    }

    /// One line on standard error about how far it is.
    pub(crate) fn progress(&self, words: fmt::Arguments<'_>) {
        let seconds = self.start.elapsed().as_secs();
        writeln!(io::stderr(), "[{seconds:>4} s] {words}").ok();
    }
}

/// The machine in one line of Markdown.
pub(crate) fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|it| it.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let release = read("/etc/os-release");
    let system = release.lines().find_map(|it| it.strip_prefix("PRETTY_NAME=")).unwrap_or_default();
    format!(
        "{} ({cores} cores), {}, Linux {}, {}",
        model.trim_start_matches([':', ' ', '\t']),
        system.trim_matches('"'),
        read("/proc/sys/kernel/osrelease").trim(),
        disk().unwrap_or_else(|| "unknown disk".to_owned())
    )
}

/// File system and device under the folder of the contest.
fn disk() -> Option<String> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let folder = fs::canonicalize(FOLDER).ok()?;
    let under = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, place, kind) = (words.next()?, words.next()?, words.next()?);
        folder.starts_with(place).then(|| (place.len(), format!("{kind} on {device}")))
    });
    under.max_by_key(|it| it.0).map(|it| it.1)
}

/// Times of one append of 4 KiB with its `fdatasync`, in nanoseconds.
pub(crate) fn flushes(folder: &Path, count: usize) -> io::Result<Vec<u64>> {
    let mut file = File::create(folder.join("flushed"))?;
    let block = [7; 4096];
    (0..count)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&block)?;
            file.sync_data()?;
            Ok(start.elapsed().as_nanos() as u64)
        })
        .collect()
}
