//! Builds and joins everything, and knows the order of ending.

mod errands;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, never, tick};
use parlor_shared::{Code, Fingerprint, Limits};
use socket2::{Domain, Protocol, Socket, Type};

use crate::backup::BackupError;
use crate::chat::TokenHash;
use crate::chatlog::{Chatlog, ChatlogError};
use crate::config::Config;
use crate::delivery::Delivery;
use crate::doors::{Doors, House};
use crate::figures::Figures;
use crate::folder::{Folder, FolderError};
use crate::gate::{Shared, fresh};
use crate::hub::{Bells, Entrance, Hub, HubError};
use crate::identity::{Identity, IdentityError};
use crate::shell::Shell;
use crate::store::{InterruptHandle, Reader, Readers, Store, StoreError};
use crate::{platform, threads};
use errands::{Errands, Ropes};

/// std listens with a backlog of 128, and a thousand people who come at once would wait seconds.
const BACKLOG: i32 = 4_096;
/// Delivery threads at most; four saturate any network of a LAN.
const DELIVERY_THREADS_MAX: usize = 4;
/// Descriptors that are not connections: the store's, the logs', the listener.
const DESCRIPTORS_SPARE: u64 = 128;
/// How often the certificate is looked at: it is renewed a month before its end.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(60 * 60);

/// Why the server does not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Backup(#[from] BackupError),
    #[error(
        "{0} is taken: another program listens on that port; stop it, or choose another port with --bind"
    )]
    PortTaken(SocketAddr),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    #[error("{0}")]
    Chatlog(#[from] ChatlogError),
    #[error("{0}")]
    Identity(#[from] IdentityError),
    #[error("the way in for this machine's shell could not be written: {0}")]
    Shell(io::Error),
    #[error("the system has no thread for the server: {0}")]
    Threads(io::Error),
    #[error("{0}")]
    Hub(#[from] HubError),
    #[error("the hub ended by a bug; what was acknowledged is on disk")]
    Bug,
}

impl ServerError {
    /// The process's exit code, after sysexits.h.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Store(
                StoreError::Corrupt(_)
                | StoreError::Newer { .. }
                | StoreError::NotOurs(_)
                | StoreError::Damaged { .. },
            ) => 65,
            Self::Identity(IdentityError::Damaged(..)) => 65,
            Self::Identity(IdentityError::Unkept(..)) => 73,
            Self::Identity(_) => 66,
            Self::Backup(error) => error.exit_code(),
            Self::PortTaken(_) | Self::Listen(..) => 69,
            Self::Bug => 70,
            Self::Threads(_) => 71,
            Self::Folder(_) | Self::Chatlog(_) | Self::Shell(_) => 73,
            Self::Hub(_)
            | Self::Store(StoreError::Sqlite(_) | StoreError::Io(_) | StoreError::Busy) => 74,
        }
    }
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    limits: Arc<Limits>,
    identity: Arc<Identity>,
    /// Makes an owner of whoever has it; `None` when there is one.
    claim: Option<Code>,
    shell: Shell,
    doors: Doors,
    entrance: Entrance,
    delivery: Delivery,
    delivering: Vec<JoinHandle<()>>,
    hub: JoinHandle<Result<Store, HubError>>,
    hub_ended: Receiver<()>,
    check: Option<Check>,
    chatlog: Option<(Chatlog, JoinHandle<()>)>,
    errands: Errands,
    folder: Folder,
}

/// The events of a large database, being checked while it is served.
struct Check {
    thread: JoinHandle<()>,
    interrupt: InterruptHandle,
    damage: Receiver<StoreError>,
}

impl Server {
    /// Starts everything on what is there already. On return the doors are open.
    ///
    /// # Errors
    /// See [`ServerError`]; what was started is ended again.
    pub fn start(
        config: &Config,
        listener: TcpListener,
        folder: Folder,
        store: Store,
    ) -> Result<Self, ServerError> {
        let address =
            listener.local_addr().map_err(|it| ServerError::Listen(config.addresses()[0], it))?;
        let limits = Arc::new(fitted(config.limits.clone()));
        let identity = Arc::new(match &config.certificate {
            Some(files) => Identity::from_files(files)?,
            None => Identity::own(folder.path(), SystemTime::now())?,
        });
        let check = if store.is_checked() { None } else { Some(Check::start(&folder)?) };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // One for every two cores: the hub and the readers need the others, and two that send
        // on two cores only take turns with those who listen on the same machine.
        let senders = (cores / 2).clamp(1, DELIVERY_THREADS_MAX);
        let (delivery, delivering) =
            Delivery::start(senders, &limits).map_err(ServerError::Threads)?;
        let chatlog = match &config.chatlogs {
            Some(logs) => Some(Chatlog::start(logs, folder.path(), &limits)?),
            None => None,
        };
        let news = chatlog.iter().map(|(it, _)| it.bell()).collect();
        let (Ropes { backup, policy, mail }, ears) = errands::bells();
        let claim = fresh::code();
        let code = TokenHash::of_code(&claim);
        let bells = Bells { news, backup, policy, mail };
        let (hub, entrance) =
            Hub::new(store, folder.path(), delivery.clone(), bells, code, &limits)?;
        let claim = Some(claim).filter(|_| !hub.has_owner());
        let shell = Shell::open(folder.path(), address).map_err(ServerError::Shell)?;
        let (ends, hub_ended) = bounded(1);
        let hub = threads::start("hub", move || {
            let ended = hub.run();
            // Hangs up also when the hub panics.
            drop::<Sender<()>>(ends);
            ended
        })
        .map_err(ServerError::Threads)?;
        let readers = Readers::new(folder.path(), &limits);
        let from_bells = (ears, &entrance, &readers);
        let errands = Errands::start(folder.path(), config.mail.as_ref(), from_bells, &limits)?;
        let figures =
            Figures::new(folder.path(), config.chatlogs.as_deref(), errands.backup.clone());
        let shared = Shared::new(&limits, readers, figures, shell.credential())?;
        let shared = Shared { has_mail: config.mail.is_some(), ..shared };
        let house = House {
            shared,
            entrance: entrance.clone(),
            delivery: delivery.clone(),
            tls: identity.tls()?,
            allows_plain_passwords: config.allow_plain_passwords,
        };
        let doors = Doors::open(listener, house).map_err(ServerError::Threads)?;
        Ok(Self {
            address,
            limits,
            identity,
            claim,
            shell,
            doors,
            entrance,
            delivery,
            delivering,
            hub,
            hub_ended,
            check,
            chatlog,
            errands,
            folder,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who it is: its key and its certificate.
    #[must_use]
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// What its public key is told by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.identity.fingerprint()
    }

    /// The code with which somebody becomes its owner, while it has none.
    #[must_use]
    pub fn claim(&self) -> Option<Code> {
        self.claim
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Waits for `stop` to say something, or for the hub to end; then ends everything in order:
    /// no new connections, what was asked is decided and told, everybody hears `going_away`.
    ///
    /// # Errors
    /// When the hub ended by itself.
    pub fn run(mut self, stop: &Receiver<()>) -> Result<(), ServerError> {
        let hub_ended = self.hub_ended.clone();
        let mut damage = self.check.as_ref().map_or_else(never, |it| it.damage.clone());
        let mut damaged = None;
        let certificate_look = tick(CERTIFICATE_LOOK);
        loop {
            crossbeam_channel::select! {
                recv(stop) -> _ => break,
                recv(hub_ended) -> _ => return Err(self.after_hub()),
                recv(self.errands.ears.backup) -> rung => if rung.is_ok() {
                    self.errands.back_up();
                },
                recv(self.errands.ears.policy) -> rung => if rung.is_ok() {
                    self.errands.follow_policy();
                },
                recv(certificate_look) -> _ => self.identity.renew_if_due(SystemTime::now()),
                recv(damage) -> found => match found {
                    Ok(error) => {
                        damaged = Some(error);
                        break;
                    }
                    // The check ended and found nothing.
                    Err(_) => damage = never(),
                },
            }
        }
        let now = Instant::now();
        let deadline = now + Duration::from_millis(self.limits.stop_millis);
        // Who does not read is cut a little earlier, so that its thread can end in time, too.
        let last_call = now + Duration::from_millis(self.limits.stop_millis / 10 * 9);
        self.doors.close();
        self.errands.stop(now + Duration::from_millis(self.limits.stop_millis / 10));
        let mut random = [0; 8];
        if getrandom::fill(&mut random).is_err() {
            log::warn!("no random number: everybody is told to come back at once");
        }
        if self.entrance.stop(u64::from_le_bytes(random)).is_err() {
            return Err(self.after_hub());
        }
        if self.hub_ended.recv_deadline(deadline) == Err(RecvTimeoutError::Timeout) {
            log::error!("the hub did not end in time");
        }
        self.delivery.stop(last_call);
        for thread in self.delivering {
            if thread.join().is_err() {
                log::error!("a delivery thread panicked");
            }
        }
        // Everything is said; who does not hang up is not waited for longer than after a goodbye.
        let linger = Duration::from_millis(self.limits.linger_millis);
        if !self.doors.wait(deadline.min(Instant::now() + linger)) {
            log::warn!("some connections did not end in time");
        }
        if let Some((chatlog, thread)) = self.chatlog {
            chatlog.stop(deadline);
            if thread.join().is_err() {
                log::error!("the chat logs' thread panicked");
            }
            let behind = chatlog.figures().lag();
            if behind > 0 {
                log::info!("the chat logs lack {behind} events; the next start writes them");
            }
        }
        self.errands.join();
        if let Some(check) = self.check {
            check.interrupt.interrupt();
            if check.thread.join().is_err() {
                log::error!("the checking thread panicked");
            }
        }
        drop(self.shell);
        // After all its readers.
        drop(joined(self.hub)?);
        damaged.map_or(Ok(()), |error| Err(error.into()))
    }

    fn after_hub(self) -> ServerError {
        match joined(self.hub) {
            Ok(_) => ServerError::Bug,
            Err(error) => error,
        }
    }
}

impl Check {
    fn start(folder: &Folder) -> Result<Self, ServerError> {
        let mut reader = Reader::open(folder.path())?;
        let interrupt = reader.interrupter();
        let (found, damage) = bounded(1);
        let thread = threads::start("check", move || match reader.check_pages() {
            Err(error @ StoreError::Corrupt(_)) => {
                found.try_send(error).ok();
            }
            Err(error) => log::debug!("the check of the database ended early: {error}"),
            Ok(()) => log::info!("the whole database was checked and is sound"),
        })
        .map_err(ServerError::Threads)?;
        Ok(Self { thread, interrupt, damage })
    }
}

fn joined(hub: JoinHandle<Result<Store, HubError>>) -> Result<Store, ServerError> {
    match hub.join() {
        Ok(ended) => ended.map_err(ServerError::Hub),
        Err(_) => Err(ServerError::Bug),
    }
}

/// Listens on the first address that can be had.
///
/// # Errors
/// When a port is taken, or an address is not this machine's.
pub fn listen(addresses: &[SocketAddr]) -> Result<TcpListener, ServerError> {
    let mut last = None;
    for &address in addresses {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(ServerError::PortTaken(address));
            }
            Err(error) => last = Some(ServerError::Listen(address, error)),
        }
    }
    Err(last.unwrap_or(ServerError::Bug))
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // On Unix this lets a restarted server have its port back at once; elsewhere it would let two
    // servers share one.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The limits, lowered to what this machine can bear: running out of threads or descriptors in
/// the middle would end the process.
fn fitted(mut limits: Limits) -> Limits {
    let bearable = platform::connections_bearable(DESCRIPTORS_SPARE);
    if limits.connections > bearable {
        log::warn!(
            "connections lowered from {} to {bearable}, which this system can bear",
            limits.connections
        );
        limits.connections = bearable;
    }
    for (name, value) in limits.changed() {
        log::info!("limit {name} is {value}");
    }
    limits
}
