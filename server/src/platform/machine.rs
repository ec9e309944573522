//! What this machine can bear, and what kind of disk a folder is on. Answers where it is known
//! how to ask (Linux), and says nothing elsewhere.

use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use parlor_shared::UnixMillis;

/// Memory mappings that a thread takes: its stack, the stack's guard, and as many for its signal
/// stack.
#[cfg(target_os = "linux")]
const MAPPINGS_PER_THREAD: u64 = 4;
/// Mappings left for the program itself, its libraries and its memory.
#[cfg(target_os = "linux")]
const MAPPINGS_SPARE: u64 = 4_000;

/// A niceness at which a thread gets about a tenth of what another gets that wants the same core.
#[cfg(target_os = "linux")]
const PATIENT: i32 = 10;

/// How many connections, each with a thread and a descriptor, this process can have. Raises the
/// soft limit on descriptors as far as it may go.
#[must_use]
pub fn connections_bearable(descriptors_spare: u64) -> u64 {
    descriptors().saturating_sub(descriptors_spare).min(threads_bearable()).max(1)
}

#[cfg(unix)]
fn descriptors() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => {}
        Err(error) => log::warn!("the limit on descriptors cannot be raised: {error}"),
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn descriptors() -> u64 {
    u64::MAX
}

/// Beyond `vm.max_map_count` a new thread ends the whole process, and nothing can catch that.
#[cfg(target_os = "linux")]
fn threads_bearable() -> u64 {
    let told = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    let mappings = told.ok().and_then(|it| it.trim().parse::<u64>().ok()).unwrap_or(65_530);
    mappings.saturating_sub(MAPPINGS_SPARE) / MAPPINGS_PER_THREAD
}

#[cfg(not(target_os = "linux"))]
fn threads_bearable() -> u64 {
    10_000
}

/// The machine's clock on the wall: for what is shown, and for what must outlive a restart.
#[must_use]
pub fn wall_time() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(since.as_millis() as u64)
}

/// What this machine is called, where it says so in UTF-8.
#[must_use]
pub fn machine_name() -> Option<String> {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_str().ok().map(ToOwned::to_owned);
    #[cfg(not(unix))]
    std::env::var("COMPUTERNAME").ok()
}

/// The name of the network file system that `path`, or the nearest folder above it, is on; `None`
/// when it is on a disk of this machine.
///
/// # Errors
/// When no folder above it can be looked at.
#[cfg(target_os = "linux")]
pub fn network_file_system(path: &Path) -> io::Result<Option<&'static str>> {
    // From linux/magic.h and the file systems' own headers.
    const NETWORK: &[(u64, &str)] = &[
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
        (0x7461_636f, "OCFS2"),
        (0x0116_1970, "GFS2"),
    ];
    let absolute = std::path::absolute(path)?;
    let there = absolute.ancestors().find(|it| it.exists()).unwrap_or(&absolute);
    let kind = rustix::fs::statfs(there)?.f_type as u64 & 0xffff_ffff;
    Ok(NETWORK.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name))
}

/// Not known how to ask.
///
/// # Errors
/// Never here.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub fn network_file_system(_: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

/// Only its owner may look into the folder.
///
/// # Errors
/// What the operating system says.
pub fn make_private(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
    }
    #[cfg(not(unix))]
    {
        // The platform's place for program data is private already.
        drop(folder);
        Ok(())
    }
}

/// Lets the calling thread run only when no other has anything to do, or little more than that:
/// for work that nobody waits for.
pub fn yield_to_others() {
    // On Linux a thread has a priority of its own, under the number that the kernel gives it.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::setpriority_process;
        if let Err(error) = setpriority_process(Some(rustix::thread::gettid()), PATIENT) {
            log::debug!("a thread keeps its priority: {error}");
        }
    }
}
