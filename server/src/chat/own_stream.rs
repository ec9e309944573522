//! A user's own stream: what concerns that user, on whatever device.

use std::sync::Arc;

use parlor_shared::request::Read;
use parlor_shared::{Nth, Refusal, Reply, UnixMillis, UserEvent, UserId, UserNews};

use super::{Asked, Chat, Effect, Fact, Heard, Record, Topic};

impl Chat {
    /// Tells a user something that is kept until it is asked for. Users that are gone hear nothing.
    pub(super) fn tell_user(
        &mut self,
        user: UserId,
        news: UserNews,
        at: UnixMillis,
        out: &mut Vec<Effect>,
    ) {
        let Some(it) = self.durable.users.get_mut(&user) else { return };
        it.mine = it.mine.next();
        let event = Arc::new(UserEvent { mine: it.mine, at, news });
        out.push(Effect::Save(Record::UserEvent { user, event: Arc::clone(&event) }));
        out.push(Effect::Publish { topic: Topic::User(user), event: Heard::User(event) });
    }

    /// Moves the asking user's place in a room forward. Of all places only the latest is kept.
    pub(super) fn read(
        &mut self,
        asked: Asked,
        read: Read,
        fact: Option<Fact>,
        out: &mut Vec<Effect>,
    ) -> Result<Reply, Refusal> {
        let (room, user) = (read.room, asked.user);
        let it = self.durable.rooms.get_mut(&room).ok_or(Refusal::NoSuchRoom)?;
        let seq = read.seq.min(it.last_seq);
        let member = it.members.get_mut(&user).ok_or(Refusal::NoSuchRoom)?;
        if seq <= member.read_seq {
            return Ok(Reply::Read { room, seq: member.read_seq, nth: member.read_nth });
        }
        let nth = match fact {
            Some(Fact::NthAt(Some(nth))) => nth,
            _ => Nth(0),
        };
        (member.read_seq, member.read_nth) = (seq, nth);
        let holder = self.durable.users.get_mut(&user).ok_or(Refusal::NoSuchRoom)?;
        holder.mine = holder.mine.next();
        let mine = holder.mine;
        out.push(Effect::Save(Record::Read { room, user, seq, nth, mine }));
        let news = UserNews::Read { room, seq, nth };
        let event = Heard::User(Arc::new(UserEvent { mine, at: asked.at, news }));
        out.push(Effect::Publish { topic: Topic::User(user), event });
        Ok(Reply::Read { room, seq, nth })
    }
}
