//! The keys by which servers are known again: trust on first use.
//!
//! The first key that a server shows at an address is believed and kept, before anything that is
//! secret is said to it. From then on no other key is spoken to, unless the person says that the
//! server was reinstalled. Only the key counts: a certificate's names and dates are made up by
//! the server itself here, and so say nothing.

use parlor_shared::Fingerprint;

use super::effect::{Keep, Turn};
use super::limits::PINS_MAX;
use super::wire::Phase;
use super::{Address, LinkState, Model, Session, Stage, Trouble};

/// A server's address and the key that it is known by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pin {
    pub address: Address,
    pub key: Fingerprint,
}

/// A server showed another key than the pinned one; the person is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyChanged {
    pub address: Address,
    pub known: Fingerprint,
    pub found: Fingerprint,
}

/// The pins of this profile, the latest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins(Vec<Pin>);

impl Pins {
    pub(super) fn new(pins: Vec<Pin>) -> Self {
        Self(pins)
    }

    pub(super) fn of(&self, address: &Address) -> Option<Fingerprint> {
        self.0.iter().find(|it| it.address == *address).map(|it| it.key)
    }

    /// Adds or replaces one. Where there are too many, the oldest goes that no sign-in needs.
    fn put(&mut self, pin: Pin, sessions: &[Session]) -> Option<Address> {
        self.0.retain(|it| it.address != pin.address);
        self.0.insert(0, pin);
        if self.0.len() <= PINS_MAX {
            return None;
        }
        let is_needed = |it: &Pin| sessions.iter().any(|session| session.address == it.address);
        let at = self.0.iter().rposition(|it| !is_needed(it)).unwrap_or(self.0.len() - 1);
        Some(self.0.remove(at).address)
    }
}

impl Model {
    /// The connection stands, and nothing was said on it yet: goes on only when its key is the
    /// pinned one, or the first.
    pub(super) fn recognise(&mut self, key: Option<Fingerprint>, turn: &mut Turn) {
        let Some(address) = self.server.clone() else { return };
        // The link sees to both; a mistake in it must not cost a secret.
        let pinned = self.pins.of(&address);
        match (key, pinned) {
            (None, _) if !address.is_plain => {
                self.drop_link(turn);
                self.lose(Some(Trouble::NotPrivate(address)), turn);
                return;
            }
            (Some(found), Some(known)) if found != known => {
                self.drop_link(turn);
                self.key_changed(known, found, turn);
                return;
            }
            (Some(found), None) => self.pin(address, found, turn),
            (Some(_) | None, _) => {}
        }
        self.key = key;
        self.greet(turn);
    }

    fn pin(&mut self, address: Address, key: Fingerprint, turn: &mut Turn) {
        let pin = Pin { address, key };
        turn.keep(Keep::Pin(pin.clone()));
        if let Some(oldest) = self.pins.put(pin, &self.sessions) {
            turn.keep(Keep::ForgetPin(oldest));
        }
    }

    /// Nothing is tried again by itself until the person has decided.
    pub(super) fn key_changed(&mut self, known: Fingerprint, found: Fingerprint, turn: &mut Turn) {
        let Some(address) = self.server.clone() else { return };
        let trouble = Trouble::KeyChanged(address.clone());
        // As whom one wanted to come in is still to be said, once the key is believed.
        let greeting = self.wire.greeting.take();
        self.lose(Some(trouble), turn);
        self.wire.greeting = greeting;
        self.link = LinkState::Offline { retry_at: None };
        self.key_changed = Some(KeyChanged { address, known, found });
    }

    /// "The server was reinstalled": its new key takes the old one's place.
    pub(super) fn trust_key(&mut self, turn: &mut Turn) {
        let Some(changed) = self.key_changed.take() else { return };
        if self.server.as_ref() != Some(&changed.address) || self.wire.phase != Phase::Idle {
            return;
        }
        self.pin(changed.address, changed.found, turn);
        if let Stage::Joining(joining) = &mut self.stage {
            (joining.busy, joining.refused) = (true, None);
        }
        self.connect(turn);
    }

    pub(super) fn refuse_key(&mut self) {
        self.key_changed = None;
        if let Stage::Joining(_) = self.stage {
            self.wire.greeting = None;
        }
    }
}
