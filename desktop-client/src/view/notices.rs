//! Folds joinings and leavings into one sentence, "Ann, Ben and 3 others joined", and tells what
//! was done to people and the room.

use parlor_shared::{Fact, UserId, UserName};

use super::message::Sight;
use super::says;
use crate::model::{Row, What};
use crate::words::{self, acts};

/// What became of somebody over a run of notices.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Way {
    began_inside: bool,
    is_inside: bool,
}

/// One sentence for a run of notices; empty when there is none among the rows. Each person is
/// named once, by what became of them in the end.
#[must_use]
pub(super) fn in_words<'a>(see: &'a Sight<'_>, rows: impl Iterator<Item = &'a Row>) -> String {
    let mut people: Vec<(UserId, &str, Way)> = Vec::new();
    let mut parts = Vec::new();
    for row in rows {
        let name = see.model.names.of(row.by, &row.name).as_str();
        let comes = match &row.what {
            What::Opened(room) => {
                parts.push(words::opened(name, room.as_str()));
                continue;
            }
            What::Joined => true,
            What::Left => false,
            What::Act(fact) => {
                parts.extend(act_in_words(see, row, fact));
                continue;
            }
            What::Said(_) | What::Announced(_) | What::Blank | What::Unknown => continue,
        };
        match people.iter_mut().find(|(user, _, _)| *user == row.by) {
            Some((_, latest_name, way)) => {
                *latest_name = name;
                way.is_inside = comes;
            }
            None => people.push((row.by, name, Way { began_inside: !comes, is_inside: comes })),
        }
    }
    let who = |began_inside: bool, is_inside: bool| -> Vec<&str> {
        let wanted = Way { began_inside, is_inside };
        people.iter().filter(|(_, _, way)| *way == wanted).map(|(_, name, _)| *name).collect()
    };
    type Sentence = fn(&[&str]) -> String;
    let sentences: [(bool, bool, Sentence); 4] = [
        (false, true, words::joined),
        (true, false, words::left),
        (false, false, words::came_and_went),
        (true, true, words::came_back),
    ];
    for (began_inside, is_inside, sentence) in sentences {
        let who = who(began_inside, is_inside);
        if !who.is_empty() {
            parts.push(sentence(&who));
        }
    }
    parts.join(words::BETWEEN)
}

/// What somebody did to somebody or to the room, in a sentence.
fn act_in_words(see: &Sight<'_>, row: &Row, fact: &Fact) -> Option<String> {
    let by = see.model.names.of(row.by, &row.name).as_str();
    let person = |user: UserId, who: &UserName| see.model.names.of(user, who).to_string();
    let moment = |at| says::moment(see.calendar, see.now, at);
    Some(match fact {
        // Both names are those of that moment: a later one would make it nonsense.
        Fact::Renamed { was } => acts::renamed(was.as_str(), row.name.as_str()),
        Fact::Kicked { user, who, reason } => {
            acts::kicked(by, &person(*user, who), reason.as_ref().map(|it| it.as_str()))
        }
        Fact::Banned { user, who, until, reason } => {
            let until = until.map(moment);
            let reason = reason.as_ref().map(|it| it.as_str());
            acts::banned(by, &person(*user, who), until.as_deref(), reason)
        }
        Fact::Muted { user, who, until, reason } => {
            let until = until.map(moment);
            let reason = reason.as_ref().map(|it| it.as_str());
            acts::muted(by, &person(*user, who), until.as_deref(), reason)
        }
        Fact::Unmuted { user, who } => acts::unmuted(by, &person(*user, who)),
        Fact::RoleGiven { user, who, role } => {
            acts::role_given(by, &person(*user, who), role.word())
        }
        Fact::Erased { user, .. } => acts::erased(by, &erased_one(see, *user)),
        Fact::Ended { reason } => acts::ended(by, reason.as_ref().map(|it| it.as_str())),
        Fact::Opened { .. }
        | Fact::Joined {}
        | Fact::Left {}
        | Fact::Said { .. }
        | Fact::Blank { .. }
        | Fact::Announced { .. }
        | Fact::Unknown => return None,
    })
}

/// Whose texts were erased: an `erased` event does not say the name.
fn erased_one(see: &Sight<'_>, user: UserId) -> String {
    let member = see.room.members.get(&user).map(|it| it.name.to_string());
    let said = || {
        let mut rows = see.room.timeline.iter();
        let row = rows.find(|(_, it)| it.by == user)?.1;
        Some(see.model.names.of(user, &row.name).to_string())
    };
    member.or_else(said).unwrap_or_else(|| acts::SOMEBODY.to_owned())
}
