//! A store in memory: [`Stored`] kept record by record, the events, what codes are good for, and
//! what of all that may never be.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlor_server::chat::{
    Fact as Found, KnownCode, KnownMail, KnownMessage, MailText, Purpose, Question, Record, Stored,
    TokenHash,
};
use parlor_shared::event::CodeKind;
use parlor_shared::{
    ClientId, EmailAddress, Epoch, Fact, InviteId, LOBBY, LOBBY_ID, Nth, RoomEvent, RoomId, Seq,
    Text, UnixMillis, UserId,
};

/// The least that a store has to be.
#[derive(Clone, Default)]
pub(super) struct Disk {
    pub(super) stored: Stored,
    pub(super) events: BTreeMap<RoomId, Vec<Arc<RoomEvent>>>,
    codes: BTreeMap<TokenHash, (UserId, Purpose, Option<UnixMillis>)>,
    invites: BTreeMap<InviteId, (TokenHash, UnixMillis, u64)>,
    mails: BTreeMap<u64, (KnownMail, Purpose)>,
    last_mail: u64,
    /// Everything that these ever said is erased.
    blanked: Vec<UserId>,
}

impl Disk {
    pub(super) fn new() -> Self {
        let mut disk = Self::default();
        disk.stored.epoch = Epoch([7; 8]);
        let name = LOBBY.parse().expect("a name");
        disk.save(&Record::Room { room: LOBBY_ID, name, by: UserId(0) });
        disk
    }

    pub(super) fn load(&self) -> Stored {
        self.stored.clone()
    }

    pub(super) fn last_seq(&self, room: RoomId) -> Seq {
        self.stored.rooms.get(&room).map_or(Seq(0), |it| it.last_seq)
    }

    pub(super) fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.stored.members.contains_key(&(room, user))
    }

    pub(super) fn rooms_of(&self, user: UserId) -> Vec<RoomId> {
        self.stored.members.keys().filter(|it| it.1 == user).map(|it| it.0).collect()
    }

    pub(super) fn members_of(&self, room: RoomId) -> Vec<UserId> {
        self.stored.members.keys().filter(|it| it.0 == room).map(|it| it.1).collect()
    }

    pub(super) fn save(&mut self, record: &Record) {
        self.check(record);
        self.stored.keep(record);
        match record {
            Record::Event { event, .. } => {
                self.events.entry(event.room).or_default().push(Arc::clone(event));
            }
            Record::Deleted { user, erase, .. } => {
                self.forget(*user);
                self.blanked.extend(erase.then_some(*user));
            }
            Record::Freed { user } => self.forget(*user),
            Record::Code { hash, user, purpose, until } => {
                let double = self.codes.insert(*hash, (*user, *purpose, *until));
                assert_eq!(double, None, "a code twice");
            }
            Record::CodeUsed { hash } => {
                assert!(self.codes.remove(hash).is_some(), "a code that is not there was used");
            }
            Record::CodeUntil { hash, until } => {
                if let Some(it) = self.codes.get_mut(hash) {
                    it.2 = Some(*until);
                }
            }
            Record::CodesGone { user, purpose } => {
                self.codes.retain(|_, it| (it.0, it.1) != (*user, *purpose));
                self.mails.retain(|_, it| (it.0.user, it.1) != (*user, *purpose));
            }
            Record::Invite { invite, hash, until, uses, .. } => {
                self.invites.insert(*invite, (*hash, *until, *uses));
            }
            Record::InviteUsed { invite } => {
                let (_, _, uses_left) = self.invites.get_mut(invite).expect("an invitation");
                *uses_left = uses_left.checked_sub(1).expect("nobody comes in with a used one");
            }
            Record::InviteGone { invite } => {
                assert!(self.invites.remove(invite).is_some(), "an invitation gone twice");
            }
            Record::Mail { user, to, letter, .. } => {
                self.last_mail += 1;
                let (purpose, code) = match letter {
                    MailText::Verify { code, .. } => (Purpose::Verify, code),
                    MailText::Reset { code, .. } => (Purpose::Reset(CodeKind::Mail), code),
                };
                let code = TokenHash::of_code(code);
                let mail = KnownMail { user: *user, to: to.clone(), code };
                self.mails.insert(self.last_mail, (mail, purpose));
            }
            Record::MailGone { mail } => _ = self.mails.remove(mail),
            _ => {}
        }
        self.check_names();
    }

    fn forget(&mut self, user: UserId) {
        self.codes.retain(|_, it| it.0 != user);
        self.mails.retain(|_, it| it.0.user != user);
    }

    /// What has to be true of a record before it is kept.
    fn check(&self, record: &Record) {
        let stored = &self.stored;
        let there = |user: &UserId| assert!(stored.users.contains_key(user), "{record:?}");
        match record {
            Record::User { user, .. } => {
                assert!(*user > stored.last.user, "a user id was given twice");
            }
            Record::Session(it) => {
                assert!(it.session > stored.last.session, "a session id was given twice");
                assert!(stored.sessions.values().all(|old| old.token != it.token), "a token twice");
                there(&it.user);
            }
            Record::Ban(it) => assert!(it.ban > stored.last.ban, "a ban's id was given twice"),
            Record::Invite { invite, .. } => {
                assert!(*invite > stored.last.invite, "an invitation's id was given twice");
            }
            Record::Freed { user } | Record::Deleted { user, .. } => {
                there(user);
                assert!(stored.members.keys().all(|it| it.1 != *user), "a member that is gone");
            }
            Record::Seen { user, .. }
            | Record::Renamed { user, .. }
            | Record::Role { user, .. }
            | Record::Password { user, .. }
            | Record::Email { user, .. }
            | Record::Code { user, .. }
            | Record::CodesGone { user, .. }
            | Record::Mail { user, .. } => there(user),
            Record::SessionUsed { session, .. } | Record::SessionEnded { session } => {
                assert!(stored.sessions.contains_key(session), "{record:?}");
            }
            Record::BanGone { ban } => assert!(stored.bans.contains_key(ban), "{record:?}"),
            Record::Mute(it) => there(&it.user),
            Record::MuteGone { user, room } => {
                assert!(stored.mutes.contains_key(&(*user, *room)), "{record:?}");
            }
            Record::Room { room, name, .. } => {
                let looks = name.skeleton();
                assert!(
                    stored.rooms.values().all(|it| it.name.skeleton() != looks),
                    "a room twice"
                );
                assert!(!stored.rooms.contains_key(room), "a room id was given twice");
            }
            Record::RoomRole { room, user, .. } => assert!(self.is_member(*room, *user)),
            Record::Read { room, user, seq, nth, mine } => {
                let member = stored.members[&(*room, *user)];
                assert!(member.read_seq < *seq && *seq <= self.last_seq(*room), "{record:?}");
                assert!(member.read_nth <= *nth && *nth <= stored.rooms[room].last_nth);
                assert!(*mine > stored.users[user].mine, "the own stream grows");
            }
            Record::UserEvent { user, event } => {
                assert!(event.mine > stored.users[user].mine, "the own stream grows");
            }
            Record::Event { event, nth } => self.check_event(event, *nth),
            Record::OldNamesGone { until } => {
                assert!(stored.old_names.iter().any(|it| it.2 <= *until), "{record:?}");
            }
            Record::CodeUsed { .. }
            | Record::CodeUntil { .. }
            | Record::InviteUsed { .. }
            | Record::InviteGone { .. }
            | Record::Policy(_)
            | Record::Audit(_)
            | Record::MailGone { .. } => {}
        }
    }

    fn check_event(&self, event: &RoomEvent, nth: Nth) {
        let room = &self.stored.rooms[&event.room];
        assert_eq!(event.seq, room.last_seq.next(), "seq is dense");
        let is_member = |user| self.is_member(event.room, user);
        match &event.fact {
            Fact::Opened { title } => assert!(event.seq == Seq(1) && *title == room.name),
            Fact::Joined {} => assert!(!is_member(event.by), "joined twice"),
            Fact::Left {} => assert!(is_member(event.by), "left without being in"),
            Fact::Kicked { user, .. } | Fact::Banned { user, .. } => {
                assert!(is_member(*user), "put out without being in");
            }
            Fact::Said { nth: said, client_id, .. }
            | Fact::Announced { nth: said, client_id, .. } => {
                let is_said = matches!(event.fact, Fact::Said { .. });
                assert!(is_member(event.by) || !is_said, "said from outside");
                assert_eq!((*said, nth), (room.last_nth.next(), *said), "nth is dense");
                assert!(self.find(event.by, *client_id).is_none(), "a client id twice");
                assert!(!room.has_ended, "said after the end");
            }
            Fact::Erased { through, .. } => assert_eq!(*through, room.last_seq),
            Fact::Renamed { .. } | Fact::RoleGiven { .. } => {}
            Fact::Muted { .. } | Fact::Unmuted { .. } => {}
            Fact::Ended { .. } => assert!(!room.has_ended, "ended twice"),
            Fact::Blank { .. } | Fact::Unknown => panic!("the chat says only what it knows"),
        }
        if !matches!(event.fact, Fact::Said { .. } | Fact::Announced { .. }) {
            assert_eq!(nth, room.last_nth);
        }
        if let Some(author) = self.stored.users.get(&event.by) {
            assert_eq!(event.name, author.name, "the author's name at that moment");
        }
    }

    /// Nobody has a name, or one that looks the same, that somebody else has or had a moment ago.
    fn check_names(&self) {
        let mut held = BTreeMap::new();
        for (user, it) in &self.stored.users {
            let double = held.insert(it.name.skeleton().as_str().to_owned(), *user);
            assert_eq!(double, None, "{} is held twice", it.name);
        }
        for (name, holder, _) in &self.stored.old_names {
            let now = held.get(name.skeleton().as_str());
            assert!(now.is_none(), "{name} of {holder} is somebody's and kept");
        }
    }

    pub(super) fn find(&self, by: UserId, client_id: ClientId) -> Option<KnownMessage> {
        self.events.values().flatten().filter(|it| it.by == by).find_map(|it| {
            let (nth, id, text, is_announcement) = said(&it.fact)?;
            let text = (!self.is_erased(it)).then(|| text.clone());
            let (room, seq, at) = (it.room, it.seq, it.at);
            (id == client_id).then_some(KnownMessage { room, seq, nth, at, text, is_announcement })
        })
    }

    fn is_erased(&self, said: &RoomEvent) -> bool {
        let erases = |it: &Arc<RoomEvent>| {
            matches!(&it.fact, Fact::Erased { user, through }
                if *user == said.by && *through >= said.seq)
        };
        self.blanked.contains(&said.by) || self.events[&said.room].iter().any(erases)
    }

    pub(super) fn look_up(&self, question: Question, at: UnixMillis) -> Found {
        match question {
            Question::ClientId { author, client_id } => {
                let mine = self.events.values().flatten().filter(|it| it.by == author);
                let ids = mine.filter_map(|it| said(&it.fact)).map(|it| it.1);
                let counters = ids.filter(|it| it.device == client_id.device).map(|it| it.counter);
                let known = self.find(author, client_id).map(Arc::new);
                Found::ClientId { highest: counters.max(), known }
            }
            Question::Code { hash } => Found::Code(self.known_code(hash, at)),
            Question::NthAt { room, seq } => {
                let upto = self.events.get(&room).into_iter().flatten().filter(|it| it.seq <= seq);
                let count = upto.filter(|it| said(&it.fact).is_some()).count();
                Found::NthAt(Some(Nth(count as u64)))
            }
            Question::CodesLeft { user } => {
                let purpose = Purpose::Reset(CodeKind::Recovery);
                let left = self.codes.values().filter(|it| (it.0, it.1) == (user, purpose));
                Found::CodesLeft(left.count() as u64)
            }
            Question::RoomsOf { user } => {
                // Whoever says something was a member at that moment.
                let came = |it: &Arc<RoomEvent>| {
                    it.by == user && matches!(it.fact, Fact::Opened { .. } | Fact::Joined {})
                };
                let rooms = self.events.iter().filter(|it| it.1.iter().any(came)).map(|it| *it.0);
                Found::RoomsOf(rooms.collect())
            }
            Question::Mail { mail } => Found::Mail(self.mails.get(&mail).map(|it| it.0.clone())),
            Question::Invites { at, one } => {
                let is_good = |it: &&(TokenHash, UnixMillis, u64)| it.1 > at && it.2 > 0;
                let count = self.invites.values().filter(is_good).count() as u64;
                let has_one = one.and_then(|it| self.invites.get(&it)).filter(is_good).is_some();
                Found::Invites { count, has_one }
            }
        }
    }

    fn known_code(&self, hash: TokenHash, at: UnixMillis) -> Option<KnownCode> {
        if let Some((user, purpose, _)) =
            self.codes.get(&hash).filter(|it| it.2.is_none_or(|until| until > at))
        {
            let email = || -> Option<EmailAddress> {
                self.stored.users.get(user)?.account.as_ref()?.email.clone()
            };
            return match purpose {
                Purpose::Reset(kind) => Some(KnownCode::Reset { user: *user, kind: *kind }),
                Purpose::Verify => email().map(|email| KnownCode::Verify { user: *user, email }),
            };
        }
        let good = |it: &(&InviteId, &(TokenHash, UnixMillis, u64))| {
            it.1.0 == hash && it.1.1 > at && it.1.2 > 0
        };
        let (invite, (_, _, uses_left)) = self.invites.iter().find(good)?;
        Some(KnownCode::Invite { invite: *invite, uses_left: *uses_left })
    }
}

fn said(fact: &Fact) -> Option<(Nth, ClientId, &Text, bool)> {
    match fact {
        Fact::Said { nth, client_id, text } => Some((*nth, *client_id, text, false)),
        Fact::Announced { nth, client_id, text } => Some((*nth, *client_id, text, true)),
        _ => None,
    }
}
