//! What only the screen cares about: where one scrolls, what is half typed into a form, which
//! drawer is open. None of it survives a restart.

use std::collections::BTreeMap;

use parlor_shared::{Epoch, RoomId, UnixMillis, UserId};

use super::account::AccountForm;
use super::acts::ActForm;
use super::admin::AdminForm;
use super::calendar::Calendar;
use super::page::Page;
use super::timeline::Reading;
use crate::model::{AccountWish, Address, AdminWish, Intent, Model, Secret, Section, Stage, Way};

/// Places in this many rooms are remembered.
const READINGS_MAX: usize = 32;

/// The view's own state.
#[derive(Debug)]
pub struct Screen {
    pub calendar: Calendar,
    /// This computer's clock, for "Today".
    pub now: UnixMillis,
    /// Monotonic milliseconds of the same clock as the model's, for "again in 4 s".
    pub millis: u64,
    /// Addresses that were joined before, the latest first.
    pub remembered: Vec<Address>,
    /// Light, dark, or like the system.
    pub theme: egui::ThemePreference,
    pub(super) join: JoinForm,
    pub(super) readings: BTreeMap<RoomId, Reading>,
    /// The room that was drawn last.
    pub(super) shown: Option<RoomId>,
    pub(super) drawer: Option<Drawer>,
    /// The page that takes the chat's place.
    pub page: Option<Page>,
    pub(super) account: AccountForm,
    pub(super) admin: AdminForm,
    /// What is about to be done to somebody, while that is asked.
    pub(super) act: Option<ActForm>,
    /// All notices are shown, not only the first.
    pub(super) notices_open: bool,
    /// The name typed into the new room's form, while it is open.
    pub(super) new_room: Option<String>,
    /// The person has ticked that the changed key was asked about, while that is the question.
    pub(super) has_asked_about_key: bool,
    /// Whose rooms the places belong to.
    owner: Option<(UserId, Option<Address>)>,
    epoch: Option<Epoch>,
}

/// The join form's fields.
#[derive(Debug, Default)]
pub(super) struct JoinForm {
    pub name: String,
    pub address: String,
    pub password: Secret,
    pub code: Secret,
    pub email: String,
    pub is_shown: bool,
    /// The way that the fields belong to.
    pub way: Way,
    /// The way whose first field had the focus given.
    pub began_with: Option<Way>,
    /// The fields were filled with what the model remembers, and the focus was set.
    pub is_begun: bool,
}

/// A pane that comes over the timeline in a narrow window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Drawer {
    Rooms,
    People,
}

impl Screen {
    #[must_use]
    pub fn new(calendar: Calendar) -> Self {
        Self {
            calendar,
            now: UnixMillis(0),
            millis: 0,
            remembered: Vec::new(),
            theme: egui::ThemePreference::System,
            join: JoinForm::default(),
            readings: BTreeMap::new(),
            shown: None,
            drawer: None,
            page: None,
            account: AccountForm::default(),
            admin: AdminForm::default(),
            act: None,
            notices_open: false,
            new_room: None,
            has_asked_about_key: false,
            owner: None,
            epoch: None,
        }
    }

    /// Forgets places that belong to another sign-in or another history.
    pub(super) fn follow(&mut self, model: &Model) {
        if model.stage == Stage::Talking {
            // Signed out, one finds the fields as the model remembers them.
            self.join = JoinForm::default();
        }
        let owner = model.me.as_ref().map(|me| (me.user, model.server.clone()));
        // While the server is away its epoch may be unknown, and that changes nothing.
        let is_other_history =
            self.epoch.is_some() && model.epoch.is_some() && self.epoch != model.epoch;
        self.epoch = model.epoch.or(self.epoch);
        if owner != self.owner || is_other_history {
            self.owner = owner;
            self.readings.clear();
            self.shown = None;
            self.drawer = None;
            self.new_room = None;
            (self.page, self.act, self.notices_open) = (None, None, false);
            (self.account, self.admin) = (AccountForm::default(), AdminForm::default());
        }
        if self.readings.len() > READINGS_MAX {
            let shown = self.shown;
            self.readings.retain(|room, _| Some(*room) == shown);
        }
        if self.shown != model.selected {
            self.shown = model.selected;
            if let Some((id, room)) = model.open_room()
                && let Some(reading) = self.readings.get_mut(&id)
            {
                reading.reopen(room);
            }
        }
    }

    /// Opens one's own page, with what the server has to say of it.
    pub(super) fn open_account(&mut self, intents: &mut Vec<Intent>) {
        self.page = Some(Page::Account);
        self.account.open(None);
        intents.push(Intent::Account(AccountWish::Forget));
        intents.push(Intent::Account(AccountWish::Look));
    }

    /// Opens a section of the admin's page, with what the server has to say of it.
    pub(super) fn open_admin(&mut self, section: Section, intents: &mut Vec<Intent>) {
        self.page = Some(Page::Admin(section));
        self.admin = AdminForm::default();
        intents.push(Intent::Dismiss);
        intents.push(Intent::Admin(AdminWish::Look(section)));
    }
}
