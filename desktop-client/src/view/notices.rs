//! Folds joinings and leavings into one sentence: "Ann, Ben and 3 others joined".

use parlor_shared::UserId;

use crate::model::{Row, What};
use crate::words;

/// What became of somebody over a run of notices.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Way {
    began_inside: bool,
    is_inside: bool,
}

/// One sentence for a run of notices; empty when there is none among the rows. Each person is
/// named once, by what became of them in the end.
#[must_use]
pub(super) fn in_words<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut people: Vec<(UserId, &str, Way)> = Vec::new();
    let mut parts = Vec::new();
    for row in rows {
        let name = row.name.as_str();
        let comes = match &row.what {
            What::Opened(room) => {
                parts.push(words::opened(name, room.as_str()));
                continue;
            }
            What::Joined => true,
            What::Left => false,
            What::Said(_) | What::Announced(_) | What::Blank | What::Act(_) | What::Unknown => {
                continue;
            }
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
