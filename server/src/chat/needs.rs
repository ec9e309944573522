//! What has to be looked up for a command, because the chat does not remember it.

use parlor_shared::{ClientId, Request, UserId};

use super::{Act, Arrival, Chat, Command, Question, SHELL, TokenHash};
use parlor_shared::request::WhatOfMessages;

impl Chat {
    /// What has to be looked up, in the open transaction, right before `command` is applied.
    #[must_use]
    pub fn needs(&self, command: &Command) -> Option<Question> {
        match &command.act {
            Act::Hello { arrival: Arrival::Guest { invite: Some(hash), .. }, .. } => {
                Some(Question::Code { hash: *hash })
            }
            Act::Mailed { mail, .. } => Some(Question::Mail { mail: *mail }),
            Act::Ask { connection, request, .. } => {
                let asker = self.live.user_of(*connection);
                self.needs_for(asker, request, command)
            }
            Act::Hello { .. }
            | Act::Lost { .. }
            | Act::Forgot { .. }
            | Act::Tick
            | Act::Stop { .. } => None,
        }
    }

    fn needs_for(
        &self,
        asker: Option<UserId>,
        request: &Request,
        command: &Command,
    ) -> Option<Question> {
        if let Request::Recover(it) = request {
            return Some(Question::Code { hash: TokenHash::of_code(&it.code) });
        }
        let asker = asker?;
        // One arm for each request would say "nothing" forty times.
        if let Request::Say(it) = request {
            return self.needs_client_id(asker, it.client_id);
        }
        if let Request::Announce(it) = request {
            return self.needs_client_id(asker, it.client_id);
        }
        if let Request::Read(it) = request {
            let member = self.durable.member(it.room, asker)?;
            let last = self.durable.rooms.get(&it.room)?.last_seq;
            let seq = it.seq.min(last);
            return (seq > member.read_seq).then_some(Question::NthAt { room: it.room, seq });
        }
        if let Request::VerifyEmail(it) = request {
            return Some(Question::Code { hash: TokenHash::of_code(&it.code) });
        }
        if let Request::EraseMessages(it) = request
            && it.room.is_none()
        {
            return Some(Question::RoomsOf { user: it.user });
        }
        if let Request::DeleteAccount(it) = request
            && it.messages == WhatOfMessages::Erase
        {
            return Some(Question::RoomsOf { user: asker });
        }
        if matches!(request, Request::Account(_)) {
            return Some(Question::CodesLeft { user: asker });
        }
        if matches!(request, Request::MakeInvite(_)) {
            return Some(Question::Invites { at: command.at, one: None });
        }
        if let Request::CancelInvite(it) = request {
            return Some(Question::Invites { at: command.at, one: Some(it.invite) });
        }
        None
    }

    fn needs_client_id(&self, author: UserId, client_id: ClientId) -> Option<Question> {
        if author != SHELL {
            let devices = &self.durable.users.get(&author)?.devices;
            if devices.highest(client_id.device).is_some_and(|it| client_id.counter > it) {
                return None;
            }
        }
        Some(Question::ClientId { author, client_id })
    }
}
