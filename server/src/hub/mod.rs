//! The hub: the one thread that owns the chat and writes the store, and `connect()`, the one way
//! to it.
//!
//! The contract:
//! 1. The hub MUST NOT tell anybody anything before the commit of its batch has returned.
//! 2. It waits for its inbox, the disk and the delivery threads, and MUST NOT wait for anybody
//!    else: seats and bells only ever get `try_send`.
//! 3. After an error at commit that is not a full disk it MUST NOT answer anything any more.
//! 4. A full disk undoes the batch: what would have been saved is refused, what needs no saving
//!    is done all the same. What erases is tried once more, with the room that is kept for it.

mod ballast;
mod erasing;
mod release;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parlor_shared::request::Request;
use parlor_shared::{Limits, Refusal, RequestId, ServerFrame, UnixMillis};

use crate::chat::{Act, Arrival, Chat, Command, ConnectionId, Effect, Monotonic, TokenHash};
use crate::connection::{Connection, Letter, Seated, Stopping};
use crate::delivery::Delivery;
use crate::platform;
use crate::store::{Batch, Store, StoreError};
use erasing::Erasing;
use release::Release;

/// Why the hub ended, other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error("the disk failed while saving, so nothing more is acknowledged: {0}")]
    Disk(StoreError),
}

/// Where connections come in.
#[derive(Clone)]
pub struct Entrance {
    inbox: Sender<Letter>,
    delivery: Delivery,
    last: Arc<AtomicU64>,
}

impl Entrance {
    /// A fresh id for a connection that is about to be opened in delivery.
    #[must_use]
    pub fn next_id(&self) -> ConnectionId {
        ConnectionId(self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The way into the chat for connection `id`.
    ///
    /// # Errors
    /// When the server stops.
    pub fn connect(&self, id: ConnectionId) -> Result<Connection, Stopping> {
        Connection::new(id, self.inbox.clone(), self.delivery.clone())
    }

    /// Something to decide that no connection asked for.
    ///
    /// # Errors
    /// When the hub has ended.
    pub fn tell(&self, act: Act) -> Result<(), Stopping> {
        self.inbox.send(Letter::Act(act)).map_err(|_hub_is_gone| Stopping)
    }

    /// Tells everybody that the server stops; the hub decides nothing after this.
    ///
    /// # Errors
    /// When it has ended already.
    pub fn stop(&self, random: u64) -> Result<(), Stopping> {
        self.inbox.send(Letter::Act(Act::Stop { random })).map_err(|_hub_is_gone| Stopping)
    }
}

/// See the module.
pub struct Hub {
    chat: Chat,
    store: Store,
    inbox: Receiver<Letter>,
    delivery: Delivery,
    seats: HashMap<ConnectionId, Sender<Seated>>,
    bells: Bells,
    erasing: Erasing,
    clock: Clock,
    batch_max: usize,
}

/// Whom the hub wakes, without ever waiting for them.
pub struct Bells {
    /// Rung after each commit that saved something.
    pub news: Vec<Sender<()>>,
    /// Rung when somebody wants a backup now.
    pub backup: Sender<()>,
    /// Rung when the policy changed.
    pub policy: Sender<()>,
    /// Rung when there is a mail to be sent.
    pub mail: Sender<()>,
}

/// What is needed to answer a command of a batch that could not be saved.
enum Undone {
    Hello {
        connection: ConnectionId,
        id: RequestId,
    },
    Ask {
        connection: ConnectionId,
        id: RequestId,
    },
    /// Only looks: to be asked again.
    Again(Act),
    /// Erases: to be done once more, if room can be made for it.
    Erase(Act),
    /// Nobody waits for it.
    Nothing,
    /// Somebody left or time passed, which no disk can undo: what was to be told about it.
    Told {
        act: Act,
        effects: Vec<Effect>,
    },
}

impl Hub {
    /// The hub over what `store`, in `folder`, holds. `claim` makes an owner where there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(
        mut store: Store,
        folder: &Path,
        delivery: Delivery,
        bells: Bells,
        claim: TokenHash,
        limits: &Arc<Limits>,
    ) -> Result<(Self, Entrance), StoreError> {
        let (send, inbox) = bounded(limits.inbox as usize);
        store.bound_by(limits);
        let mut chat = Chat::new(store.load()?, Arc::clone(limits));
        chat.may_be_claimed_with(claim);
        let entrance =
            Entrance { inbox: send, delivery: delivery.clone(), last: Arc::new(AtomicU64::new(0)) };
        let erasing = Erasing::new(&store, folder, limits)?;
        let hub = Self {
            chat,
            store,
            inbox,
            delivery,
            seats: HashMap::new(),
            bells,
            erasing,
            clock: Clock::start(),
            batch_max: limits.batch.max(1) as usize,
        };
        Ok((hub, entrance))
    }

    /// Somebody owns this server.
    #[must_use]
    pub fn has_owner(&self) -> bool {
        self.chat.has_owner()
    }

    /// Runs until it is told to stop. The store comes back, to be closed after all who read it:
    /// whoever closes a database last moves its log into the file, and a reader cannot.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn run(mut self) -> Result<Store, HubError> {
        let mut letters = Vec::with_capacity(self.batch_max);
        loop {
            match self.next_letter() {
                Ok(first) => letters.push(first),
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.clock.now();
                    if self.chat.next_wakeup().is_some_and(|it| it <= now) {
                        letters.push(Letter::Act(Act::Tick));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(self.store),
            }
            letters.extend(self.inbox.try_iter().take(self.batch_max - letters.len()));
            let stops = letters.iter().any(|it| matches!(it, Letter::Act(Act::Stop { .. })));
            while !letters.is_empty() {
                self.turn(&mut letters).map_err(HubError::Disk)?;
            }
            if stops {
                return Ok(self.store);
            }
            let now = self.clock.now();
            self.erasing.step(&mut self.store, now).map_err(HubError::Disk)?;
        }
    }

    fn next_letter(&self) -> Result<Letter, RecvTimeoutError> {
        match self.chat.next_wakeup().into_iter().chain(self.erasing.due()).min() {
            Some(when) => self.inbox.recv_deadline(self.clock.instant(when)),
            None => self.inbox.recv().map_err(|_all_gone| RecvTimeoutError::Disconnected),
        }
    }

    /// One batch: write, make it true, then tell people. Leaves what is to be tried once more.
    fn turn(&mut self, letters: &mut Vec<Letter>) -> Result<(), StoreError> {
        let (now, at) = (self.clock.now(), platform::wall_time());
        let mut release = Release::default();
        let mut undone = Vec::with_capacity(letters.len());
        let keeps_room = self.erasing.keeps_room(now);
        let mut batch = self.store.begin()?;
        let (mut saved, mut saves_others) = (Ok(()), false);
        for letter in letters.drain(..) {
            let act = match letter {
                Letter::Open { connection, seat } => {
                    self.seats.insert(connection, seat);
                    continue;
                }
                Letter::Fence { connection } => {
                    release.fences.push(connection);
                    continue;
                }
                Letter::Act(act) => act,
            };
            let mut way_back = Undone::of(&act);
            if saved.is_err() && !matches!(way_back, Undone::Told { .. }) {
                undone.push(way_back);
                continue;
            }
            let mut command = Command { now, at, act };
            if let Some(question) = self.chat.needs(&command) {
                match batch.look_up(question, at) {
                    Ok(found) => command.learn(found),
                    Err(StoreError::Damaged { position }) => {
                        log::error!("{}", StoreError::Damaged { position });
                        release.refuse(&command, Refusal::HistoryDamaged);
                        undone.push(way_back);
                        continue;
                    }
                    Err(error) => {
                        saved = Err(error);
                        undone.push(way_back);
                        continue;
                    }
                }
            }
            let effects = self.chat.apply(command);
            if let Undone::Told { effects: told, .. } = &mut way_back {
                told.clone_from(&effects);
            }
            let erases = matches!(way_back, Undone::Erase(_));
            undone.push(way_back);
            for effect in effects {
                if let Some(record) = release.take(effect)
                    && saved.is_ok()
                {
                    saves_others |= !erases;
                    release.note(&record);
                    saved = batch.save(&record);
                }
            }
        }
        let (has_news, erases) = (!batch.is_empty(), batch.erases());
        let is_reserved = keeps_room && saves_others;
        if commit(batch, saved, is_reserved)? {
            self.erasing.note(erases, now);
        } else {
            let (fences, ended) = (std::mem::take(&mut release.fences), release.take_ended());
            letters.extend(self.tried_again(&mut undone, is_reserved));
            log::error!("the disk is full: {} commands are refused", undone.len());
            release = self.refuse_for_space(undone, now, at)?;
            release.fences = fences;
            // Whoever was taken from its seat by what is refused now comes back by itself.
            release.end(ended);
        }
        self.tell(release, has_news);
        Ok(())
    }

    /// What erases and was not saved, when there is room for it now.
    fn tried_again(&mut self, undone: &mut Vec<Undone>, has_room: bool) -> Vec<Letter> {
        let erases = |it: &Undone| matches!(it, Undone::Erase(_));
        if !undone.iter().any(erases) || !(has_room || self.erasing.make_room()) {
            return Vec::new();
        }
        undone.extract_if(.., |it| erases(it)).filter_map(Undone::again).collect()
    }

    /// The batch was never saved: memory goes back to what is on the disk, whatever needs saving
    /// is refused, and the rest is done.
    fn refuse_for_space(
        &mut self,
        undone: Vec<Undone>,
        now: Monotonic,
        at: UnixMillis,
    ) -> Result<Release, StoreError> {
        let hellos: BTreeSet<ConnectionId> = undone
            .iter()
            .filter_map(|it| match it {
                Undone::Hello { connection, .. } | Undone::Again(Act::Hello { connection, .. }) => {
                    Some(*connection)
                }
                Undone::Ask { .. }
                | Undone::Again(_)
                | Undone::Erase(_)
                | Undone::Nothing
                | Undone::Told { .. } => None,
            })
            .collect();
        self.chat.roll_back(self.store.load()?, &hellos);
        let mut release = Release::default();
        let refusal = |to, id| Effect::Reply {
            to,
            frame: ServerFrame::refused(Some(id), Refusal::StorageFull),
        };
        for it in undone {
            let effects = match it {
                Undone::Hello { connection, id } => {
                    vec![refusal(connection, id), Effect::Seat { connection, user: None }]
                }
                Undone::Ask { connection, id } | Undone::Erase(Act::Ask { connection, id, .. }) => {
                    vec![refusal(connection, id)]
                }
                Undone::Erase(_) => Vec::new(),
                Undone::Nothing => Vec::new(),
                Undone::Again(act) => self.chat.apply(Command { now, at, act }),
                // Whoever's sign-in was undone has to end once more.
                Undone::Told { act, .. }
                    if act.connection().is_some_and(|it| hellos.contains(&it)) =>
                {
                    self.chat.apply(Command { now, at, act })
                }
                Undone::Told { effects, .. } => effects,
            };
            for effect in effects {
                // What is saved here is only when somebody was last seen: not worth a word.
                drop(release.take(effect));
            }
        }
        Ok(release)
    }

    fn tell(&mut self, mut release: Release, has_news: bool) {
        let bells = &self.bells;
        let news = bells.news.iter().map(|it| (has_news, it));
        for (rings, bell) in news
            .chain([(release.wants_backup, &bells.backup), (release.has_policy, &bells.policy)])
            .chain([(release.has_mail, &bells.mail)])
        {
            // A bell that rings already is as good as rung.
            if rings {
                bell.try_send(()).ok();
            }
        }
        let seats = std::mem::take(&mut release.seats);
        let fences = std::mem::take(&mut release.fences);
        let batch = release.seal();
        let ended: Vec<ConnectionId> =
            batch.iter().flat_map(|it| it.closes.iter().chain(&it.expels).copied()).collect();
        if let Some(batch) = batch {
            self.delivery.batch(batch);
        }
        let seated = seats.into_iter().map(|(connection, user)| (connection, Seated::Hello(user)));
        for (connection, word) in seated.chain(fences.into_iter().map(|it| (it, Seated::Fence))) {
            if let Some(seat) = self.seats.get(&connection) {
                // Its thread waits for exactly this word, or is gone.
                seat.try_send(word).ok();
            }
        }
        for connection in ended {
            self.seats.remove(&connection);
        }
    }
}

/// Makes the batch true; false when there is no room for it on the disk, or what there is has to be
/// kept for something else.
fn commit(
    batch: Batch<'_>,
    saved: Result<(), StoreError>,
    is_reserved: bool,
) -> Result<bool, StoreError> {
    match saved.and_then(|()| if is_reserved { Ok(false) } else { batch.commit().map(|()| true) }) {
        Err(error) if error.is_full() => Ok(false),
        committed => committed,
    }
}

impl Undone {
    /// The letter that asks for it once more.
    fn again(self) -> Option<Letter> {
        match self {
            Self::Erase(act) => Some(Letter::Act(act)),
            Self::Hello { .. }
            | Self::Ask { .. }
            | Self::Again(_)
            | Self::Nothing
            | Self::Told { .. } => None,
        }
    }

    fn of(act: &Act) -> Self {
        match act {
            // Whoever is known may come and read; only when it was last seen is not saved.
            Act::Hello { arrival: Arrival::Known { .. } | Arrival::Shell, .. } => {
                Self::Again(act.clone())
            }
            Act::Hello { connection, id, .. } => Self::Hello { connection: *connection, id: *id },
            Act::Ask {
                request:
                    Request::Ping(_)
                    | Request::Members(_)
                    | Request::Users(_)
                    | Request::Sessions(_)
                    | Request::Bans(_)
                    | Request::Account(_)
                    | Request::Policy(_),
                ..
            } => Self::Again(act.clone()),
            Act::Ask { request: Request::EraseMessages(_) | Request::DeleteAccount(_), .. } => {
                Self::Erase(act.clone())
            }
            // What became of a mail is found out again.
            Act::Forgot { .. } | Act::Mailed { .. } => Self::Nothing,
            Act::Ask { request, .. } if request.is_farewell() => Self::told(act),
            Act::Lost { .. } | Act::Tick | Act::Stop { .. } => Self::told(act),
            Act::Ask { connection, id, .. } => Self::Ask { connection: *connection, id: *id },
        }
    }

    fn told(act: &Act) -> Self {
        Self::Told { act: act.clone(), effects: Vec::new() }
    }
}

/// The hub's clock that only goes forward.
struct Clock {
    started: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { started: Instant::now() }
    }

    fn now(&self) -> Monotonic {
        Monotonic(self.started.elapsed().as_millis() as u64)
    }

    fn instant(&self, when: Monotonic) -> Instant {
        self.started + Duration::from_millis(when.0)
    }
}
