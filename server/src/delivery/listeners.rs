//! Who of one thread's connections listens to what.

use std::collections::HashMap;

use crate::chat::Topic;

/// Topic → places of the connections that listen to it.
///
/// Invariant: a topic without listeners has no entry, so that memory follows who is here and
/// not which rooms there ever were.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    of: HashMap<Topic, Vec<u32>>,
}

impl Listeners {
    /// The caller knows that `place` does not listen yet.
    pub(super) fn add(&mut self, topic: Topic, place: u32) {
        self.of.entry(topic).or_insert_with(|| Vec::with_capacity(1)).push(place);
    }

    /// Looking for the place is a scan of four bytes per listener: at a thousand members that
    /// is less than the one system call that a leave costs anyway.
    pub(super) fn remove(&mut self, topic: Topic, place: u32) {
        let Some(places) = self.of.get_mut(&topic) else { return };
        if let Some(at) = places.iter().position(|it| *it == place) {
            places.swap_remove(at);
        }
        if places.is_empty() {
            self.of.remove(&topic);
        }
    }

    /// Takes the list out, so that it can be walked while connections change. To be put back.
    pub(super) fn take(&mut self, topic: Topic) -> Vec<u32> {
        self.of.get_mut(&topic).map(std::mem::take).unwrap_or_default()
    }

    /// Puts back what [`Self::take`] gave. Nothing was added or removed in between.
    pub(super) fn put_back(&mut self, topic: Topic, places: Vec<u32>) {
        if let Some(slot) = self.of.get_mut(&topic) {
            *slot = places;
        }
    }
}
