//! One person's app: the real model, an archive in memory, and one wire at a time.

use parlor_desktop::model::{
    Address, Closed, Effect, Failure, Input, Intent, LinkId, LinkNews, Model, Moment, News,
    PendingState, Stage,
};
use parlor_server::chat::ConnectionId;
use parlor_shared::{ClientId, Refusal, RequestFrame, RoomId, ServerFrame, UnixMillis};

use super::memory::Memory;
use super::{Dice, KEY, NEWEST, PLACE};

pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) model: Model,
    pub(crate) memory: Memory,
    pub(crate) link: Option<(LinkId, Line)>,
    /// Everything that was said and not given up: its text, and what became of its saving.
    pub(crate) words: Vec<Words>,
    pub(crate) sent: u64,
    pub(crate) crashes: u64,
}

/// Something that the person said.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) room: RoomId,
    pub(crate) text: String,
    /// The archive said that it has it; without that a crash may take it.
    pub(crate) is_saved: bool,
    /// It failed and was said again, so its place in the order is a later one.
    pub(crate) is_retried: bool,
}

/// How far the connection has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Line {
    /// Asked for, not connected yet.
    Wanted,
    Open(ConnectionId),
}

impl Client {
    pub(crate) fn new(number: usize, now: u64, dice: &mut Dice) -> Self {
        let name = format!("Person {number}");
        let memory = Memory::new(&format!("device{number}"), NEWEST);
        let (model, _) = Model::start(memory.opened(), moment(now, dice));
        Self { name, model, memory, link: None, words: Vec::new(), sent: 0, crashes: 0 }
    }

    pub(crate) fn is_talking(&self) -> bool {
        self.model.stage == Stage::Talking
    }

    pub(crate) fn want(&mut self, intent: Intent, now: u64, dice: &mut Dice) -> Outgoing {
        self.update(News::Intent(intent), now, dice)
    }

    pub(crate) fn hear(&mut self, news: LinkNews, now: u64, dice: &mut Dice) -> Outgoing {
        let Some((link, _)) = self.link else { return Outgoing::default() };
        if let LinkNews::Closed(_) = news {
            self.link = None;
        }
        self.update(News::Link(link, news), now, dice)
    }

    pub(crate) fn hear_frame(&mut self, frame: ServerFrame, now: u64, dice: &mut Dice) -> Outgoing {
        self.hear(LinkNews::Frame(frame), now, dice)
    }

    pub(crate) fn lose(&mut self, now: u64, dice: &mut Dice) -> Outgoing {
        self.hear(LinkNews::Closed(Closed::Lost), now, dice)
    }

    pub(crate) fn tick(&mut self, now: u64, dice: &mut Dice) -> Outgoing {
        self.update(News::Tick, now, dice)
    }

    /// The archive commits some orders.
    pub(crate) fn commit(&mut self, count: usize, now: u64, dice: &mut Dice) -> Outgoing {
        let mut outgoing = Outgoing::default();
        for news in self.memory.commit(count) {
            outgoing.add(self.update(News::Archive(news), now, dice));
        }
        self.note_what_is_saved();
        outgoing
    }

    /// The app dies at once and starts anew: only what was committed is left.
    pub(crate) fn crash(&mut self, now: u64, dice: &mut Dice) -> Outgoing {
        self.crashes += 1;
        self.memory.queue.clear();
        self.link = None;
        // That it failed may not be kept yet: then the next start sends it by itself.
        for (_, _, text, _) in self.failed() {
            self.note_retry(&text);
        }
        let (model, effects) = Model::start(self.memory.opened(), moment(now, dice));
        self.model = model;
        // Whoever finds the dialog joins under the name that stands in it: a new one may not have
        // been kept yet.
        if let Stage::Joining(joining) = &self.model.stage
            && !joining.name.is_empty()
        {
            self.name.clone_from(&joining.name);
        }
        // What was not saved is what the person sees is missing, and says again if they like.
        self.words.retain(|it| it.is_saved);
        let mut outgoing = self.perform(effects);
        outgoing.drops = true;
        outgoing
    }

    pub(crate) fn say(&mut self, room: RoomId, now: u64, dice: &mut Dice) -> Outgoing {
        self.sent += 1;
        let text = format!("{} says {}", self.name, self.sent);
        let is_taken = self.model.rooms[&room].is_member && !self.model.rooms[&room].is_leaving;
        if is_taken {
            let words = Words { room, text: text.clone(), is_saved: false, is_retried: false };
            self.words.push(words);
        }
        self.want(Intent::Say { room, text }, now, dice)
    }

    fn failed(&self) -> Vec<(RoomId, ClientId, String, Failure)> {
        let mut failed = Vec::new();
        for (id, room) in &self.model.rooms {
            for it in &room.outbox {
                if let PendingState::Failed(why) = &it.state {
                    failed.push((*id, it.client_id, it.text.to_string(), why.clone()));
                }
            }
        }
        failed
    }

    /// Leaves a room, and gives up what failed there.
    pub(crate) fn leave(&mut self, room: RoomId, now: u64, dice: &mut Dice) -> Outgoing {
        let failed: Vec<_> =
            self.failed().into_iter().filter(|it| it.0 == room).map(|it| it.2).collect();
        self.words.retain(|it| !failed.contains(&it.text));
        self.want(Intent::LeaveRoom(room), now, dice)
    }

    fn note_retry(&mut self, text: &str) {
        for it in self.words.iter_mut().filter(|it| it.text == text) {
            it.is_retried = true;
        }
    }

    /// Says again what failed for a reason that passes, and gives up the rest.
    pub(crate) fn retry_failed(&mut self, now: u64, dice: &mut Dice) -> Outgoing {
        let mut outgoing = Outgoing::default();
        for (room, client_id, text, why) in self.failed() {
            let intent = if why == Failure::Refused(Refusal::StorageFull) {
                self.note_retry(&text);
                Intent::Retry { room, client_id }
            } else {
                self.words.retain(|it| it.text != text);
                Intent::Discard { room, client_id }
            };
            outgoing.add(self.want(intent, now, dice));
        }
        outgoing
    }

    fn note_what_is_saved(&mut self) {
        let kept = self.memory.opened();
        let pending = kept.current.iter().flat_map(|it| &it.rooms).flat_map(|it| &it.outbox);
        let texts: Vec<_> = pending.map(|it| it.text.to_string()).collect();
        for it in self.words.iter_mut().filter(|it| texts.contains(&it.text)) {
            it.is_saved = true;
        }
    }

    fn update(&mut self, news: News, now: u64, dice: &mut Dice) -> Outgoing {
        let effects = self.model.update(Input { moment: moment(now, dice), news });
        if let Some(me) = &self.model.me {
            self.name = me.name.to_string();
        }
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Outgoing {
        let mut outgoing = Outgoing::default();
        for effect in effects {
            match effect {
                Effect::Connect { link, address, pin } => {
                    assert!(pin.is_none_or(|it| it == KEY), "there is one server");
                    assert_eq!(address, PLACE.parse::<Address>().expect("an address"));
                    outgoing.drops = true;
                    outgoing.frames.clear();
                    self.link = Some((link, Line::Wanted));
                }
                Effect::Disconnect => {
                    outgoing.drops = true;
                    outgoing.frames.clear();
                    self.link = None;
                }
                Effect::Send(frame) => outgoing.frames.push(frame),
                Effect::Keep(keep) => self.memory.queue.push_back(keep),
                Effect::StartHost | Effect::WriteFile { .. } | Effect::Quit => {
                    panic!("nobody asked for it")
                }
            }
        }
        outgoing
    }
}

/// What is to be done with the client's wire.
#[derive(Default)]
pub(crate) struct Outgoing {
    /// The old wire is dropped, before anything is sent.
    pub(crate) drops: bool,
    pub(crate) frames: Vec<RequestFrame>,
}

impl Outgoing {
    fn add(&mut self, later: Self) {
        if later.drops {
            self.frames.clear();
            self.drops = true;
        }
        self.frames.extend(later.frames);
    }
}

pub(crate) fn moment(now: u64, dice: &mut Dice) -> Moment {
    Moment { millis: now, wall: UnixMillis(1_763_700_000_000 + now), random: dice.roll() }
}
