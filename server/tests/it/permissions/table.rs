//! The table of permissions as a text: how it is read and written.

use std::collections::{BTreeMap, BTreeSet};

use super::asks::names;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub(crate) enum $name { $($variant,)* }

        impl $name {
            pub(crate) const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            fn of_word(word: &str) -> Self {
                let found = Self::ALL.into_iter().find(|it| it.word() == word);
                found.unwrap_or_else(|| panic!("{word:?} is no {}", stringify!($name)))
            }
        }
    };
}

words! {
    /// Who asks. `inside`: a plain member of the room that is named.
    Who {
        SignedOut "signed_out",
        Guest "guest",
        GuestInside "guest_inside",
        User "user",
        Member "member",
        Moderator "moderator",
        RoomOwner "room_owner",
        Admin "admin",
        AdminInside "admin_inside",
        Owner "owner",
        OwnerInside "owner_inside",
        Shell "shell",
    }
}

words! {
    /// The room that a request names.
    Place {
        None "none",
        There "there",
        Missing "missing",
    }
}

words! {
    /// Whom, or whose, a request names.
    Whom {
        Nobody "nobody",
        Nothing "nothing",
        Own "own",
        Guest "guest",
        User "user",
        Member "member",
        Moderator "moderator",
        RoomOwner "room_owner",
        Admin "admin",
        AdminInside "admin_inside",
        Owner "owner",
    }
}

impl Whom {
    pub(crate) const OTHERS: [Self; 8] = [
        Self::Guest,
        Self::User,
        Self::Member,
        Self::Moderator,
        Self::RoomOwner,
        Self::Admin,
        Self::AdminInside,
        Self::Owner,
    ];
}

/// A letter for each outcome, so that a row is a line.
const LETTERS: &[(char, &str)] = &[
    ('+', "ok"),
    ('h', "hello_first"),
    ('t', "hello_twice"),
    ('-', "not_allowed"),
    ('r', "no_such_room"),
    ('u', "no_such_user"),
    ('s', "no_such_session"),
    ('b', "no_such_ban"),
    ('y', "not_yourself"),
    ('n', "not_registered"),
    ('a', "registered_already"),
];

const HEAD: &str = "\
# Who may ask what. A row: the request | the room that it names | whom or whose it names |
# what comes of it, a letter for each who asks, in this order (a moderator of another room than the
# one that is named is just a user):
#";

struct Row {
    label: String,
    places: Vec<Place>,
    whoms: Vec<Whom>,
    cells: Vec<&'static str>,
}

pub(crate) struct Table(Vec<Row>);

/// Every cell that there has to be.
pub(crate) fn all<'a>(
    labels: &'a [&'a str],
) -> impl Iterator<Item = (&'a str, Who, Place, Whom)> + 'a {
    labels.iter().flat_map(|label| {
        Who::ALL.into_iter().flat_map(move |who| {
            Place::ALL.into_iter().flat_map(move |place| {
                let whoms = Whom::ALL.into_iter().filter(move |it| names(label).can_be(place, *it));
                whoms.map(move |whom| (*label, who, place, whom))
            })
        })
    })
}

impl Table {
    pub(crate) fn read(text: &str) -> Self {
        let named = text.lines().filter_map(|it| it.strip_prefix("#   "));
        let columns = named.filter(|it| !it.contains(' ')).map(Who::of_word);
        assert_eq!(columns.collect::<Vec<_>>(), Who::ALL, "the columns");
        let rows = text.lines().filter(|it| !it.starts_with('#') && !it.trim().is_empty());
        Self(rows.map(read_row).collect())
    }

    pub(crate) fn labels(&self) -> BTreeSet<&str> {
        self.0.iter().map(|it| it.label.as_str()).collect()
    }

    /// What the one row says that is about this, which can be.
    pub(crate) fn outcome(&self, label: &str, who: Who, place: Place, whom: Whom) -> &'static str {
        let is_about =
            |it: &&Row| it.label == label && it.places.contains(&place) && it.whoms.contains(&whom);
        let rows: Vec<&Row> = self.0.iter().filter(is_about).collect();
        let [row] = rows[..] else {
            panic!("{} rows about {label} in {place:?} about {whom:?}", rows.len())
        };
        row.cells[Who::ALL.iter().position(|it| *it == who).expect("one of all")]
    }
}

fn read_row(line: &str) -> Row {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let [label, places, whoms, cells] = fields[..] else { panic!("not a row: {line}") };
    let letter = |it: char| {
        let found = LETTERS.iter().find(|(letter, _)| *letter == it);
        found.unwrap_or_else(|| panic!("no outcome is {it:?}: {line}")).1
    };
    let cells: Vec<_> = cells.chars().filter(|it| *it != ' ').map(letter).collect();
    assert_eq!(cells.len(), Who::ALL.len(), "a letter for each: {line}");
    let places = places.split(", ").map(Place::of_word).collect();
    let whoms = match whoms {
        "*" => Whom::ALL.to_vec(),
        some => some.split(", ").map(Whom::of_word).collect(),
    };
    Row { label: label.to_owned(), places, whoms, cells }
}

/// The table of what `decided` says.
pub(crate) fn write(
    labels: &[&str],
    decided: impl Fn(&str, Who, Place, Whom) -> &'static str,
) -> String {
    let mut text = format!("{HEAD}\n");
    for who in Who::ALL {
        text.push_str(&format!("#   {}\n", who.word()));
    }
    text.push_str("#\n# The letters:\n#\n");
    for (letter, code) in LETTERS {
        text.push_str(&format!("#   {letter} {code}\n"));
    }
    for label in labels {
        text.push('\n');
        let mut of_place: BTreeMap<BTreeMap<String, Vec<Whom>>, Vec<Place>> = BTreeMap::new();
        for place in Place::ALL {
            let mut of_cells: BTreeMap<String, Vec<Whom>> = BTreeMap::new();
            for whom in Whom::ALL.into_iter().filter(|it| names(label).can_be(place, *it)) {
                let cells: String = Who::ALL
                    .iter()
                    .map(|who| letter_of(decided(label, *who, place, whom)))
                    .collect();
                of_cells.entry(cells).or_default().push(whom);
            }
            if !of_cells.is_empty() {
                of_place.entry(of_cells).or_default().push(place);
            }
        }
        let mut groups: Vec<_> = of_place.into_iter().collect();
        groups.sort_by_key(|it| it.1.clone());
        for (of_cells, places) in groups {
            let places = listed(&places, &Place::ALL, Place::word);
            let mut rows: Vec<_> = of_cells.into_iter().collect();
            rows.sort_by_key(|it| it.1.clone());
            for (cells, whoms) in rows {
                let whoms = listed(&whoms, &Whom::ALL, Whom::word);
                let (out, rest) = cells.split_at(1);
                let (guests, rest) = rest.split_at(2);
                let (users, rest) = rest.split_at(4);
                let row = format!("{label} | {places} | {whoms} | {out} {guests} {users} {rest}");
                text.push_str(&row);
                text.push('\n');
            }
        }
    }
    text
}

fn listed<T: Copy>(some: &[T], all: &[T], word: impl Fn(T) -> &'static str) -> String {
    if some.len() == all.len() && all.len() > 3 {
        return "*".to_owned();
    }
    some.iter().map(|it| word(*it)).collect::<Vec<_>>().join(", ")
}

fn letter_of(code: &str) -> char {
    let found = LETTERS.iter().find(|it| it.1 == code);
    found.unwrap_or_else(|| panic!("{code} has no letter")).0
}
