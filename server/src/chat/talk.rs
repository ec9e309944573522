//! Saying something, exactly once.

use parlor_shared::request::Say;
use parlor_shared::{ClientId, Fact as Happening, Refusal, Reply, RoomId, Text};

use super::{Asked, Chat, Effect, Fact};

impl Chat {
    pub(super) fn say(
        &mut self,
        asked: Asked,
        say: Say,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let Say { room, client_id, text } = say;
        self.put_message(asked, room, client_id, text, false, fact, out).map(|(reply, _)| reply)
    }

    /// The answer, and whether it is the first time that this is said.
    #[expect(clippy::too_many_arguments, reason = "all of them are what a message is")]
    pub(super) fn put_message(
        &mut self,
        asked: Asked,
        room: RoomId,
        client_id: ClientId,
        text: Text,
        is_announcement: bool,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<(Reply, bool), Refusal> {
        if let Some(Fact::ClientId { known: Some(known), .. }) = &fact {
            // A resend gets the first answer again, whatever became of the membership since. Of
            // what was erased nobody can say any more whether it was the same.
            let is_same = known.text.as_ref().is_none_or(|it| *it == text);
            let is_same =
                is_same && (known.text.is_none() || known.is_announcement == is_announcement);
            if known.room != room || !is_same {
                return Err(Refusal::Conflict);
            }
            let (seq, nth, at) = (known.seq, known.nth, known.at);
            let erased = known.text.is_none();
            return Ok((Reply::Said { room, client_id, seq, nth, at, erased }, false));
        }
        self.check_may_write(asked.user, room, asked.at)?;
        let last_nth = self.durable.rooms.get(&room).ok_or(Refusal::NoSuchRoom)?.last_nth;
        if let Some(author) = self.durable.users.get_mut(&asked.user) {
            let remembered = self.limits.devices_remembered;
            if let Some(Fact::ClientId { highest: Some(highest), .. }) = fact {
                author.devices.note(client_id.device, highest, remembered);
            }
            author.devices.note(client_id.device, client_id.counter, remembered);
        }
        let nth = last_nth.next();
        let said = if is_announcement {
            Happening::Announced { nth, client_id, text }
        } else {
            Happening::Said { nth, client_id, text }
        };
        let seq = self.happen(room, asked.user, asked.at, said, out).ok_or(Refusal::NoSuchRoom)?;
        let (at, erased) = (asked.at, false);
        Ok((Reply::Said { room, client_id, seq, nth, at, erased }, true))
    }
}
