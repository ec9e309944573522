//! Saying something, exactly once.

use parlor_shared::request::Say;
use parlor_shared::{Fact as Happening, Refusal, Reply};

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
        if let Some(Fact::ClientId { known: Some(known), .. }) = &fact {
            // A resend gets the first answer again, whatever became of the membership since.
            if known.room != room || known.text != text {
                return Err(Refusal::Conflict);
            }
            let (seq, nth, at) = (known.seq, known.nth, known.at);
            return Ok(Reply::Said { room, client_id, seq, nth, at });
        }
        if !self.durable.is_member(room, asked.user) {
            return Err(Refusal::NoSuchRoom);
        }
        let last_nth = self.durable.rooms.get(&room).ok_or(Refusal::NoSuchRoom)?.last_nth;
        let author = self.durable.users.get_mut(&asked.user).ok_or(Refusal::HelloFirst)?;
        let remembered = self.limits.devices_remembered;
        if let Some(Fact::ClientId { highest: Some(highest), .. }) = fact {
            author.devices.note(client_id.device, highest, remembered);
        }
        author.devices.note(client_id.device, client_id.counter, remembered);
        let nth = last_nth.next();
        let said = Happening::Said { nth, client_id, text };
        let seq = self.happen(room, asked.user, asked.at, said, out).ok_or(Refusal::NoSuchRoom)?;
        Ok(Reply::Said { room, client_id, seq, nth, at: asked.at })
    }
}
