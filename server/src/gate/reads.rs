//! Reads: answered on the connection's own thread from the store, without the chat.

use parlor_shared::request::{Audit, History, Mine, Request, Rooms};
use parlor_shared::{Refusal, Reply, RequestId, RoomId, UserId};

use super::Gate;
use crate::chat::SHELL;
use crate::chat::access::{self, Standing, Target};
use crate::connection::Stopping;
use crate::platform;
use crate::store::{PageSize, Reader, StoreError};

/// An answer, or a "no", or a damaged store.
type Answer = Result<Result<Reply, Refusal>, StoreError>;

impl Gate {
    /// Answers a read. What this connection said before is in what it reads.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are asked of the chat")]
    pub(super) fn read(
        &mut self,
        id: RequestId,
        user: UserId,
        request: &Request,
    ) -> Result<(), Stopping> {
        self.connection.wait_for_sent();
        self.connection.settle()?;
        let answer = match request {
            Request::History(it) => self.history(user, it),
            Request::Rooms(it) => self.rooms(it),
            Request::Mine(it) => self.mine(user, *it),
            Request::Audit(_) | Request::Invites(_) | Request::Storage(_) => {
                self.of_house(user, request)
            }
            _ => Ok(Err(Refusal::UnknownRequest)),
        };
        match answer {
            Ok(Ok(reply)) => self.connection.answer_long(id, reply),
            Ok(Err(refusal)) => self.connection.answer(id, Err(refusal)),
            Err(error) => {
                log::error!("answering {}: {error}", request.verb());
                self.connection.answer(id, Err(Refusal::HistoryDamaged))
            }
        }
    }

    fn history(&self, user: UserId, asked: &History) -> Answer {
        let limits = &self.shared.limits;
        let events = asked.limit.map_or(limits.page_events, u64::from);
        let size = PageSize {
            events: events.clamp(1, limits.page_events_max) as usize,
            bytes: limits.page_bytes as usize,
        };
        let room = asked.room;
        let page = self.shared.readers.with(|it| it.history(user, room, asked.page, size))?;
        Ok(page.ok_or(Refusal::NoSuchRoom).map(|it| Reply::Page {
            room,
            events: it.events,
            more: it.more,
            last_seq: it.last_seq,
            names: it.names,
        }))
    }

    fn rooms(&self, asked: &Rooms) -> Answer {
        let entries = self.shared.limits.list_entries as usize;
        let after = asked.after.unwrap_or(RoomId(0));
        let (rooms, more) = self.shared.readers.with(|it| it.rooms(after, entries))?;
        Ok(Ok(Reply::Rooms { rooms, more }))
    }

    fn mine(&self, user: UserId, asked: Mine) -> Answer {
        let limit = self.shared.limits.page_events as usize;
        let (events, more, last) =
            self.shared.readers.with(|it| it.mine(user, asked.after, limit))?;
        Ok(Ok(Reply::Mine { events, more, last }))
    }

    /// What only those may read who see to the server: as of the state that is read.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller passes three")]
    fn of_house(&self, user: UserId, request: &Request) -> Answer {
        self.shared.readers.with(|reader| {
            if let Err(refusal) = access::may(request, standing(reader, user)?, Target::default()) {
                return Ok(Err(refusal));
            }
            Ok(Ok(match request {
                Request::Audit(Audit { before }) => {
                    let limit = self.shared.limits.audit_page as usize;
                    let (entries, more) = reader.audit(*before, limit)?;
                    Reply::Audit { entries, more }
                }
                Request::Invites(_) => {
                    Reply::Invites { invites: reader.invites(platform::wall_time())? }
                }
                _ => Reply::Storage(Box::new(self.shared.figures.storage(reader)?)),
            }))
        })
    }
}

fn standing(reader: &mut Reader, user: UserId) -> Result<Standing, StoreError> {
    if user == SHELL {
        let role = Some(parlor_shared::Role::Owner);
        return Ok(Standing { role, ..Standing::default() });
    }
    Ok(reader.role_of(user)?.map_or_else(Standing::default, |(role, is_account)| Standing {
        role: Some(role),
        is_account,
        in_room: None,
    }))
}
