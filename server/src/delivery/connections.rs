//! One thread's connections: what waits for each, what each listens to, and how each ends.

use std::collections::HashMap;
use std::io::{ErrorKind, IoSlice};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crossbeam_channel::Sender;
use mio::{Registry, Token};
use parlor_shared::ServerFrame;
use parlor_shared::frame::encode_line;

use super::listeners::Listeners;
use super::queue::{Queue, Shared, short};
use super::seal::Seal;
use super::{Board, Change};
use crate::chat::{ConnectionId, Topic};
use crate::platform;

/// Drained queues kept for the next connections that need one, so that a message to a room of
/// a thousand allocates nothing; each takes about 500 bytes at most.
const SPARE_QUEUES: usize = 1024;
/// Sockets whose memory is asked for before the first of them is sent to.
const LOOK_AHEAD: usize = 32;
/// The buffer for encoding keeps this much between replies: most are a tenth of it.
const LINE_KEPT_BYTES: usize = 4096;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Life {
    Open,
    /// Ends once what waits has gone. Hears nothing new.
    Closing,
    /// The same, and nothing more is taken from it then.
    Leaving,
    /// Ends at the next occasion, with what waits.
    Over,
}

/// Small, because most connections do nothing: a queue exists only while something waits.
#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    socket: Arc<TcpStream>,
    /// Seals what is sent; a plain connection has none.
    seal: Option<Arc<Seal>>,
    queue: Option<Box<Queue>>,
    topics: Vec<Topic>,
    /// From where in the chunk at hand it listens; 0 between chunks.
    from: u32,
    life: Life,
    /// Is in `touched`.
    touched: bool,
    /// Its lack of progress is being watched by the thread.
    timed: bool,
}

impl Connection {
    #[expect(clippy::vec_box, reason = "a spare queue moves into a connection as it is")]
    fn queue(&mut self, spare: &mut Vec<Box<Queue>>, now: Instant) -> &mut Queue {
        self.queue.get_or_insert_with(|| {
            let mut queue = spare.pop().unwrap_or_else(|| Box::new(Queue::new(now)));
            queue.progress_at = now;
            queue
        })
    }
}

/// How a reader does that something waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// Nothing waits any more, or the connection is gone.
    Free,
    /// Bytes moved, so it is not stuck before that time.
    LookAgain(Instant),
    Stuck,
}

#[derive(Debug)]
pub(super) struct Connections {
    places: Vec<Option<Connection>>,
    vacant: Vec<u32>,
    by_id: HashMap<ConnectionId, u32>,
    listeners: Listeners,
    /// Those that something happened to in this round.
    touched: Vec<u32>,
    #[expect(clippy::vec_box, reason = "a spare queue moves into a connection as it is")]
    spare: Vec<Box<Queue>>,
    registry: Registry,
    board: Arc<Board>,
    /// Where replies are encoded before they find their queue.
    line: Vec<u8>,
    /// Bytes taken by the kernel in this round.
    sent: u64,
    /// Sends in this round.
    sends: u64,
    /// The round's time: reading the clock for each send would cost more than it tells.
    pub(super) now: Instant,
}

impl Connections {
    pub(super) fn new(registry: Registry, board: Arc<Board>) -> Self {
        Self {
            places: Vec::new(),
            vacant: Vec::new(),
            by_id: HashMap::new(),
            listeners: Listeners::default(),
            touched: Vec::new(),
            spare: Vec::new(),
            registry,
            board,
            line: Vec::new(),
            sent: 0,
            sends: 0,
            now: Instant::now(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn open(
        &mut self,
        id: ConnectionId,
        socket: Arc<TcpStream>,
        seal: Option<Arc<Seal>>,
    ) {
        debug_assert!(!self.by_id.contains_key(&id), "a connection is opened once");
        if let Err(error) = platform::prepare_to_send(&socket) {
            // It is dead already; its own thread finds out when it reads.
            log::debug!("connection {}: {error}", id.0);
        }
        let connection = Connection {
            id,
            socket,
            seal,
            queue: None,
            topics: Vec::new(),
            from: 0,
            life: Life::Open,
            touched: false,
            timed: false,
        };
        let place = match self.vacant.pop() {
            Some(place) => place,
            None => {
                self.places.push(None);
                u32::try_from(self.places.len() - 1).expect("connections are capped far below")
            }
        };
        self.places[place as usize] = Some(connection);
        self.by_id.insert(id, place);
        self.board.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reply(&mut self, id: ConnectionId, reply: &ServerFrame) {
        let Some(&place) = self.by_id.get(&id) else { return };
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        encode_line(reply, &mut line);
        self.enqueue(place, line.len(), |queue| queue.push_reply(&line));
        line.shrink_to(LINE_KEPT_BYTES);
        self.line = line;
    }

    pub(super) fn answer(&mut self, id: ConnectionId, bytes: Vec<u8>, done: Option<Sender<()>>) {
        let Some(&place) = self.by_id.get(&id) else { return };
        let Some(connection) = &self.places[place as usize] else { return };
        // Its sender waits for it, so there is one at a time: a bound of its own. If it counted,
        // a reader that catches up on a busy room could never finish.
        let has_awaited = connection.queue.as_ref().is_some_and(|it| it.has_awaited());
        let (len, done) = match done {
            Some(done) if !has_awaited => (0, Some(done)),
            other => (bytes.len(), other),
        };
        if !bytes.is_empty() {
            self.enqueue(place, len, |queue| queue.push_own(bytes, done));
        }
    }

    /// Gives `shared` to all who listen to `topic`, each from where it started to where it
    /// stopped. `is_alone` says that nothing else is known that could go out with it.
    pub(super) fn chunk(
        &mut self,
        topic: Topic,
        shared: &Arc<Shared>,
        changes: impl Iterator<Item = Change>,
        is_alone: bool,
    ) {
        let len = shared.len();
        for change in changes {
            debug_assert!(change.at <= len, "a change happens inside its chunk");
            let Some(&place) = self.by_id.get(&change.connection) else { continue };
            let Some(connection) = self.places[place as usize].as_mut() else { continue };
            let at = connection.topics.iter().position(|it| *it == topic);
            match (change.listens, at) {
                (true, None) if connection.life == Life::Open => {
                    connection.topics.push(topic);
                    connection.from = u32::try_from(change.at).unwrap_or(u32::MAX);
                    self.listeners.add(topic, place);
                }
                (false, Some(at)) => {
                    connection.topics.swap_remove(at);
                    let from = std::mem::take(&mut connection.from) as usize;
                    self.listeners.remove(topic, place);
                    self.push_shared(place, shared, from, change.at.min(len));
                }
                (true, _) | (false, None) => {}
            }
        }
        if is_alone {
            self.send_to_the_answered(topic, shared);
        }
        let places = self.listeners.take(topic);
        for few in places.chunks(LOOK_AHEAD) {
            if is_alone {
                self.fetch(few);
            }
            for &place in few {
                let Some(connection) = self.places[place as usize].as_mut() else { continue };
                let mut from = std::mem::take(&mut connection.from) as usize;
                if is_alone && !connection.touched && connection.queue.is_none() {
                    from += self.send_at_once(place, &shared.bytes()[from..]);
                }
                self.push_shared(place, shared, from, len);
            }
        }
        self.listeners.put_back(topic, places);
    }

    /// Those that wait for an answer come first, and get the chunk together with it.
    fn send_to_the_answered(&mut self, topic: Topic, shared: &Arc<Shared>) {
        let touched = std::mem::take(&mut self.touched);
        for &place in &touched {
            let Some(connection) = self.places[place as usize].as_mut() else { continue };
            if connection.topics.contains(&topic) {
                let from = std::mem::replace(&mut connection.from, short(shared.len())) as usize;
                self.push_shared(place, shared, from, shared.len());
            }
            self.send(place);
        }
        debug_assert!(self.touched.is_empty(), "they were touched before");
        self.touched = touched;
    }

    /// Sends without a queue, for those that nothing waits for: in a large room the memory of
    /// a thousand queues costs as much as a third of the sends. Says how much was taken; what
    /// was not has to be queued, and the next send finds out why.
    fn send_at_once(&mut self, place: u32, bytes: &[u8]) -> usize {
        let Some(connection) = self.places[place as usize].as_ref() else { return 0 };
        if connection.life != Life::Open || bytes.is_empty() {
            return 0;
        }
        let slice = [IoSlice::new(bytes)];
        let (wire, taken) = match &connection.seal {
            None => {
                let taken = platform::send_now(&connection.socket, &slice).unwrap_or(0);
                (taken, taken)
            }
            Some(seal) => {
                // What is sealed and not all taken is remembered there and counts as not taken.
                let sent = seal.send(&connection.socket, &slice);
                sent.map_or((0, 0), |it| (it.wire, it.plain))
            }
        };
        self.sent += wire as u64;
        self.sends += u64::from(wire > 0);
        taken
    }

    fn push_shared(&mut self, place: u32, shared: &Arc<Shared>, from: usize, upto: usize) {
        if from < upto {
            self.enqueue(place, upto - from, |queue| queue.push_shared(shared, from, upto));
        }
    }

    /// Queues something if the connection's limit allows `len` bytes more.
    fn enqueue(&mut self, place: u32, len: usize, push: impl FnOnce(&mut Queue)) {
        if self.is_over(place, len) {
            // It may be this thread that is late, and not the reader: so first ask the kernel.
            self.send(place);
            if self.is_over(place, len) {
                self.cut(place, "too much waited for it");
            }
        }
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        if connection.life != Life::Open {
            return;
        }
        push(connection.queue(&mut self.spare, self.now));
        self.touch(place);
    }

    /// The reader of this connection has caused something to be sent.
    pub(super) fn rouse(&mut self, id: ConnectionId) {
        let Some(&place) = self.by_id.get(&id) else { return };
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        if connection.seal.as_ref().is_some_and(|it| it.waits()) {
            connection.queue(&mut self.spare, self.now).has_sealed();
            self.touch(place);
        }
    }

    /// Whatever its size, what comes to an empty queue is taken.
    fn is_over(&self, place: u32, len: usize) -> bool {
        self.places[place as usize].as_ref().is_some_and(|it| {
            it.queue.as_ref().is_some_and(|queue| {
                queue.ordinary() > 0 && queue.ordinary() + len > self.board.queue_bytes
            })
        })
    }

    fn touch(&mut self, place: u32) {
        if let Some(connection) = self.places[place as usize].as_mut()
            && !std::mem::replace(&mut connection.touched, true)
        {
            self.touched.push(place);
        }
    }

    /// Ends a connection after what waits for it.
    pub(super) fn close(&mut self, id: ConnectionId) {
        let Some(&place) = self.by_id.get(&id) else { return };
        self.silence(place);
        if let Some(connection) = self.places[place as usize].as_mut()
            && connection.life == Life::Open
        {
            connection.life = Life::Closing;
        }
        self.touch(place);
    }

    /// Ends a connection after what waits for it, in both directions: its own thread hears no
    /// more either.
    pub(super) fn expel(&mut self, id: ConnectionId) {
        let Some(&place) = self.by_id.get(&id) else { return };
        self.silence(place);
        if let Some(connection) = self.places[place as usize].as_mut()
            && connection.life != Life::Over
        {
            connection.life = Life::Leaving;
        }
        self.touch(place);
    }

    pub(super) fn close_all(&mut self) {
        let mut ids: Vec<_> = self.places.iter().flatten().map(|it| it.id).collect();
        ids.drain(..).for_each(|id| self.close(id));
    }

    /// Cuts a slow reader: its own thread sees the end of the socket and reports it, and the
    /// client comes back with its cursor.
    fn cut(&mut self, place: u32, why: &str) {
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        if connection.life == Life::Over {
            return;
        }
        connection.life = Life::Over;
        let bytes = connection.queue.as_ref().map_or(0, |it| it.len());
        log::info!("connection {} cut: {why}, {bytes} bytes", connection.id.0);
        self.board.cut_slow.fetch_add(1, Ordering::Relaxed);
        self.touch(place);
    }

    /// Sends until nothing waits or the kernel takes no more; then the kernel is asked to say
    /// when it does.
    fn send(&mut self, place: u32) {
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        let Some(queue) = connection.queue.as_mut() else { return };
        while !queue.is_empty() && connection.life != Life::Over {
            match queue.send(&connection.socket, connection.seal.as_deref(), self.now) {
                Ok(taken) if taken > 0 => {
                    self.sent += taken as u64;
                    self.sends += 1;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if queue.watch.is_none() {
                        let token = Token(place as usize);
                        match platform::watch(&self.registry, &connection.socket, token) {
                            Ok(watch) => queue.watch = Some(watch),
                            Err(error) => {
                                log::error!("connection {}: no watch: {error}", connection.id.0);
                                connection.life = Life::Over;
                            }
                        }
                    }
                    return;
                }
                // The other side is gone.
                Ok(_) | Err(_) => connection.life = Life::Over,
            }
        }
    }

    /// The kernel takes bytes again; `token` is from [`platform::watch`], maybe of an earlier
    /// connection at that place, for which trying is harmless.
    pub(super) fn writable(&mut self, token: Token) {
        if let Ok(place) = u32::try_from(token.0)
            && self.places.get(token.0).is_some_and(Option::is_some)
        {
            self.send(place);
            self.touch(place);
        }
    }

    /// The end of a round: sends what was queued in it and ends what is to end. `look` is told
    /// of each reader that starts to be waited for, and when it is stuck if no byte moves.
    pub(super) fn settle(&mut self, mut look: impl FnMut(ConnectionId, Instant)) {
        let mut touched = std::mem::take(&mut self.touched);
        for few in touched.chunks(LOOK_AHEAD) {
            self.fetch(few);
            for &place in few {
                self.settle_one(place, &mut look);
            }
        }
        touched.clear();
        debug_assert!(self.touched.is_empty(), "settling touches nobody");
        self.touched = touched;
        self.board.sends.fetch_add(std::mem::take(&mut self.sends), Ordering::Relaxed);
        self.board.bytes_sent.fetch_add(std::mem::take(&mut self.sent), Ordering::Relaxed);
    }

    fn settle_one(&mut self, place: u32, look: &mut impl FnMut(ConnectionId, Instant)) {
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        connection.touched = false;
        if connection.queue.as_ref().is_some_and(|it| it.watch.is_none()) {
            self.send(place);
        }
        self.say_goodbye(place);
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        let waiting = connection.queue.as_mut().filter(|it| !it.is_empty());
        match (connection.life, waiting) {
            (Life::Open | Life::Closing | Life::Leaving, Some(queue)) => {
                queue.count(&self.board.queued_bytes);
                if !std::mem::replace(&mut connection.timed, true) {
                    look(connection.id, queue.progress_at + self.board.stuck);
                }
            }
            (Life::Open, None) => self.put_queue_away(place),
            (Life::Closing, None) => self.end(place, Shutdown::Write),
            (Life::Leaving, None) | (Life::Over, _) => self.end(place, Shutdown::Both),
        }
    }

    /// The last word of TLS, when nothing else waits at the end.
    fn say_goodbye(&mut self, place: u32) {
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        let is_done = connection.queue.as_ref().is_none_or(|it| it.is_empty());
        if matches!(connection.life, Life::Closing | Life::Leaving)
            && is_done
            && connection.seal.as_ref().is_some_and(|it| it.say_goodbye())
        {
            connection.queue(&mut self.spare, self.now).has_sealed();
            self.send(place);
        }
    }

    /// Asks for the memory of sockets that are about to be sent to.
    fn fetch(&self, places: &[u32]) {
        let connections = places.iter().filter_map(|it| self.places[*it as usize].as_ref());
        platform::fetch(connections.map(|it| &*it.socket));
    }

    /// What a reader does that something waited for. Asks the kernel once more before it calls
    /// it stuck: the kernel announces room only when a good part of its buffer is free.
    pub(super) fn check_progress(&mut self, id: ConnectionId) -> Progress {
        let Some(&place) = self.by_id.get(&id) else { return Progress::Free };
        let (now, stuck) = (self.now, self.board.stuck);
        let is_stuck = |it: &Queue| !it.is_empty() && it.progress_at + stuck <= now;
        let queue = |it: &Self| {
            let connection = it.places[place as usize].as_ref()?;
            connection.queue.as_ref().map(|it| (is_stuck(it), it.is_empty(), it.progress_at))
        };
        if matches!(queue(self), Some((true, ..))) {
            self.send(place);
            self.touch(place);
        }
        match queue(self) {
            Some((true, ..)) => Progress::Stuck,
            Some((false, false, since)) => Progress::LookAgain(since + stuck),
            Some((false, true, _)) | None => {
                if let Some(connection) = self.places[place as usize].as_mut() {
                    connection.timed = false;
                }
                Progress::Free
            }
        }
    }

    /// Cuts by name; see [`Self::cut`].
    pub(super) fn cut_slow(&mut self, id: ConnectionId, why: &str) {
        if let Some(&place) = self.by_id.get(&id) {
            self.cut(place, why);
        }
    }

    /// How many bytes wait for a connection.
    pub(super) fn waiting(&self, id: ConnectionId) -> usize {
        let place = self.by_id.get(&id).and_then(|it| self.places[*it as usize].as_ref());
        place.and_then(|it| it.queue.as_ref()).map_or(0, |it| it.len())
    }

    fn put_queue_away(&mut self, place: u32) {
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        let Some(mut queue) = connection.queue.take() else { return };
        if let Some(watch) = queue.watch.take()
            && let Err(error) = platform::unwatch(&self.registry, &connection.socket, watch)
        {
            log::debug!("connection {}: {error}", connection.id.0);
        }
        queue.clear();
        if self.spare.len() < SPARE_QUEUES {
            self.spare.push(queue);
        }
    }

    /// Ends every subscription.
    fn silence(&mut self, place: u32) {
        let Some(connection) = self.places[place as usize].as_mut() else { return };
        for topic in std::mem::take(&mut connection.topics) {
            self.listeners.remove(topic, place);
        }
    }

    fn end(&mut self, place: u32, how: Shutdown) {
        self.silence(place);
        self.put_queue_away(place);
        let Some(connection) = self.places[place as usize].take() else { return };
        self.by_id.remove(&connection.id);
        self.vacant.push(place);
        self.board.connections.fetch_sub(1, Ordering::Relaxed);
        if let Err(error) = connection.socket.shutdown(how) {
            // It was gone before.
            log::trace!("connection {}: {error}", connection.id.0);
        }
    }
}

impl Drop for Connections {
    /// However the thread ends, nobody is left hanging on a socket that nobody serves.
    fn drop(&mut self) {
        for place in 0..self.places.len() {
            self.end(u32::try_from(place).unwrap_or(u32::MAX), Shutdown::Both);
        }
    }
}
