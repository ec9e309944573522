//! What the chat logs should say, told in the simplest way: all in memory, event by event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use parlor_shared::{Fact, RoomEvent, RoomId, UserId};

pub(super) struct Oracle {
    limit: usize,
    pub(super) rooms: BTreeMap<RoomId, String>,
    members: BTreeSet<(RoomId, UserId)>,
    events: Vec<RoomEvent>,
    /// Who has no log any more.
    gone: BTreeSet<UserId>,
    /// User's folder → month → text.
    logs: BTreeMap<String, BTreeMap<(u64, u64), String>>,
}

impl Oracle {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit: limit as usize,
            rooms: BTreeMap::from([(RoomId(1), "lobby".to_owned())]),
            members: BTreeSet::new(),
            events: Vec::new(),
            gone: BTreeSet::new(),
            logs: BTreeMap::new(),
        }
    }

    pub(super) fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.members.contains(&(room, user))
    }

    pub(super) fn hear(&mut self, event: &RoomEvent, names: &BTreeMap<UserId, String>) {
        self.events.push(event.clone());
        let what = match &event.fact {
            Fact::Opened { .. } => "opened".to_owned(),
            Fact::Joined {} => "joined".to_owned(),
            Fact::Left {} => "left".to_owned(),
            Fact::Said { text, .. } => format!("said\t{}", escaped(text.as_str())),
            Fact::Blank { .. } => "blank".to_owned(),
            Fact::Erased { .. } => "erased".to_owned(),
            Fact::Announced { .. }
            | Fact::Renamed { .. }
            | Fact::Kicked { .. }
            | Fact::Banned { .. }
            | Fact::Muted { .. }
            | Fact::Unmuted { .. }
            | Fact::RoleGiven { .. }
            | Fact::Ended { .. }
            | Fact::Unknown => unreachable!("this story has none of them"),
        };
        if matches!(event.fact, Fact::Opened { .. } | Fact::Joined {}) {
            self.members.insert((event.room, event.by));
        }
        let (time, month) = time(event.at.0);
        let room = escaped(&self.rooms[&event.room]);
        let line =
            format!("{time}\t{room}\t{}\t{}\t{what}\n", event.seq, escaped(event.name.as_str()));
        let hears = |it: &&(RoomId, UserId)| it.0 == event.room && !self.gone.contains(&it.1);
        for (_, user) in self.members.iter().filter(hears) {
            let log = self.logs.entry(folder(*user, &names[user])).or_default();
            while log.values().map(String::len).sum::<usize>() + line.len() > self.limit
                && log.pop_first().is_some()
            {}
            log.entry(month).or_default().push_str(&line);
        }
        if event.fact == (Fact::Left {}) {
            self.members.remove(&(event.room, event.by));
        }
    }

    /// Everything is as if it had happened like that.
    pub(super) fn rewrite(
        &mut self,
        names: &BTreeMap<UserId, String>,
        mut change: impl FnMut(&mut RoomEvent),
    ) {
        let events = std::mem::take(&mut self.events);
        self.members.clear();
        self.logs.clear();
        for mut event in events {
            change(&mut event);
            self.hear(&event, names);
        }
    }

    /// The logs are smaller from the beginning.
    pub(super) fn limit(&mut self, limit: u64, names: &BTreeMap<UserId, String>) {
        self.limit = limit as usize;
        self.rewrite(names, |_| {});
    }

    pub(super) fn forget(&mut self, user: UserId) {
        self.gone.insert(user);
    }

    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for (folder, log) in &self.logs {
            for ((year, month), text) in log {
                files.insert(format!("{folder}/{year:04}-{month:02}.log"), text.clone());
            }
        }
        files
    }
}

pub(super) fn folder(user: UserId, name: &str) -> String {
    let mut folder = format!("{user}-");
    for it in name.chars() {
        if it.is_alphanumeric() || it == '_' || it == '-' {
            folder.push(it);
        } else {
            let mut bytes = [0; 4];
            for byte in it.encode_utf8(&mut bytes).bytes() {
                write!(folder, "%{byte:02X}").unwrap();
            }
        }
    }
    folder
}

fn escaped(text: &str) -> String {
    let must = |it: char| {
        it.is_control()
            || "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2028}\u{2029}"
                .contains(it)
            || ('\u{2066}'..='\u{2069}').contains(&it)
    };
    let mut out = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
    for it in text.chars().filter(|it| must(*it) && *it != '\n' && *it != '\t') {
        out = out.replace(it, &format!("\\u{{{:x}}}", u32::from(it)));
    }
    out
}

/// The time as text, and its month; by counting years and months.
fn time(at: u64) -> (String, (u64, u64)) {
    let mut days = at / 86_400_000;
    let by = |year: u64, number| year.is_multiple_of(number);
    let is_leap = |year| (by(year, 4) && !by(year, 100)) || by(year, 400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 0;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        month += 1;
        if days < length {
            break;
        }
        days -= length;
    }
    let (day, millis) = (days + 1, at % 86_400_000);
    let (hour, minute, second) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
    let text = format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        millis % 1000
    );
    (text, (year, month))
}
