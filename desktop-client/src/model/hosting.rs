//! A chat that is served from this computer: started, joined, and not closed while others are
//! inside without asking.

use parlor_shared::request::Claim;
use parlor_shared::{Code, Request, UserName};

use super::asked::Asked;
use super::effect::{Effect, Turn};
use super::{Address, HostNews, LinkState, Model, Question, Stage, Trouble};

/// What is waited for while the host starts.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosted {
    /// Join under this name once it serves.
    name: Option<UserName>,
    /// Connect again once it serves: it was this computer's chat last time.
    again: bool,
    /// Where it serves.
    address: Option<Address>,
    /// Who knows this becomes its owner.
    claim: Option<Code>,
    /// How many others were inside when one signed out.
    others: usize,
}

impl Hosted {
    pub(super) fn stop_waiting(&mut self) {
        (self.name, self.again) = (None, false);
    }

    /// The server at `address` is the one that this app started.
    pub(super) fn is_at(&self, address: &Address) -> bool {
        self.address.as_ref() == Some(address)
    }
}

impl Model {
    pub(super) fn want_host(&mut self, name: &str, turn: &mut Turn) {
        if self.stage == Stage::Talking {
            return;
        }
        name.clone_into(&mut self.joining().name);
        match name.parse::<UserName>().and_then(|it| it.check_new().map(|()| it)) {
            Err(refusal) => self.joining().refused = Some(Trouble::BadName(refusal)),
            Ok(name) => {
                let joining = self.joining();
                (joining.busy, joining.refused, joining.offer) = (true, None, None);
                self.hosted.name = Some(name);
                turn.effects.push(Effect::StartHost);
            }
        }
    }

    /// The chat was served from here when the app was closed.
    pub(super) fn host_again(&mut self, turn: &mut Turn) {
        self.hosted.again = true;
        self.link = LinkState::Connecting;
        turn.effects.push(Effect::StartHost);
    }

    /// Whoever starts the chat owns it, without being asked.
    pub(super) fn claim(&mut self, turn: &mut Turn) {
        let is_here = self.server.as_ref().is_some_and(|it| self.hosted.is_at(it));
        if is_here
            && self.is_online()
            && let Some(code) = self.hosted.claim.take()
        {
            self.asked.ask(Request::Claim(Claim { code }), Asked::Claim, turn);
        }
    }

    pub(super) fn hear_host(&mut self, news: HostNews, turn: &mut Turn) {
        if let HostNews::Unclaimed(code) = news {
            self.hosted.claim = Some(code);
            return self.claim(turn);
        }
        let waited = self.hosted.clone();
        self.hosted.stop_waiting();
        match news {
            HostNews::Serving { address, shown } => {
                self.hosting = Some(shown);
                self.hosted.address = Some(address.clone());
                if let Some(name) = waited.name {
                    self.joining().address = address.to_string();
                    self.join(name, address, turn);
                }
            }
            HostNews::ServesAlready { address } => {
                if waited.name.is_some() {
                    let joining = self.joining();
                    joining.busy = false;
                    joining.offer = Some(address);
                }
            }
            HostNews::Unclaimed(_) => {}
            HostNews::Ended { says } => {
                self.hosting = None;
                self.hosted.address = None;
                if waited.name.is_some() {
                    let joining = self.joining();
                    joining.busy = false;
                    joining.refused = Some(Trouble::Host(says));
                } else {
                    self.trouble = Some(Trouble::Host(says));
                }
            }
        }
        // Whatever became of it: somebody may answer there.
        if waited.again {
            self.connect(turn);
        }
    }

    /// Closes the app, unless that would end the chat for others: then the person is asked.
    pub(super) fn quit(&mut self, turn: &mut Turn) {
        self.count_others();
        let others = self.hosted.others;
        if self.hosting.is_some() && others > 0 {
            self.asking = Some(Question::CloseWithOthersInside { others });
        } else {
            turn.effects.push(Effect::Quit);
        }
    }

    /// Counts who would be cut off. Signed out one cannot see it, so the last count stays.
    pub(super) fn count_others(&mut self) {
        let Some(me) = self.me.as_ref().map(|it| it.user) else { return };
        let others_here = |room: &super::Room| {
            room.members.iter().filter(|(id, it)| it.here && **id != me).count()
        };
        self.hosted.others = self.rooms.values().map(others_here).max().unwrap_or(0);
    }

    /// The question was answered with "not now".
    pub(super) fn stay(&mut self) {
        let was_closing = matches!(self.asking, Some(Question::CloseWithOthersInside { .. }));
        self.asking = None;
        if was_closing {
            self.ask_about_held();
        }
    }
}
