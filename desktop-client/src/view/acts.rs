//! Keeping order in a room: the menu on somebody, with only what one may do, and the question
//! before it is done.

use egui::{Frame, Id, Margin, Modal, RichText, Ui};
use parlor_shared::{LOBBY_ID, RoomId, RoomRole, UserId};

use super::theme::{self, palette, round, size, space};
use super::{Screen, form};
use crate::model::may::{Deed, Standing, may};
use crate::model::{Intent, Model, Order, Whom};
use crate::words::acts as say;

/// What is asked before it is done.
#[derive(Debug)]
pub(super) struct ActForm {
    pub act: Act,
    /// Who it is about, as one reads it.
    pub who: String,
    /// What the room is called; nothing for the whole server.
    pub room: Option<String>,
    pub reason: String,
    /// Which of [`say::SPANS`].
    pub span: usize,
    /// An address or a range, where it is about one.
    pub network: String,
}

/// What can be asked about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    Kick(RoomId, UserId),
    Ban(Option<RoomId>, UserId),
    BanNetwork,
    Mute(Option<RoomId>, UserId),
    Erase(Option<RoomId>, UserId),
    MakeOwner(RoomId, UserId),
    EndRoom(RoomId),
}

impl ActForm {
    pub(super) fn new(act: Act, who: &str, room: Option<&str>) -> Self {
        Self {
            act,
            who: who.to_owned(),
            room: room.map(str::to_owned),
            reason: String::new(),
            span: 1,
            network: String::new(),
        }
    }

    fn asking(&self) -> say::Asking {
        let room = self.room.as_deref();
        let here = room.unwrap_or_default();
        match self.act {
            Act::Kick(..) => say::kick(&self.who, here),
            Act::Ban(..) => say::ban(&self.who, room),
            Act::BanNetwork => say::ban_network(),
            Act::Mute(..) => say::mute(&self.who, room),
            Act::Erase(..) => say::erase(&self.who, room),
            Act::MakeOwner(..) => say::make_owner(&self.who, here),
            Act::EndRoom(_) => say::end_room(here),
        }
    }

    fn has_span(&self) -> bool {
        matches!(self.act, Act::Ban(..) | Act::BanNetwork | Act::Mute(..))
    }

    fn has_reason(&self) -> bool {
        !matches!(self.act, Act::Erase(..) | Act::MakeOwner(..))
    }

    fn order(&self) -> Order {
        let reason = self.reason.clone();
        let millis = say::SPANS.get(self.span).and_then(|it| it.0);
        match self.act {
            Act::Kick(room, user) => Order::Kick { room, user, reason },
            Act::Ban(room, user) => Order::Ban { whom: Whom::User(user), room, millis, reason },
            Act::BanNetwork => {
                let whom = Whom::Network(self.network.clone());
                Order::Ban { whom, room: None, millis, reason }
            }
            Act::Mute(room, user) => Order::Mute { user, room, millis, reason },
            Act::Erase(room, user) => Order::Erase { user, room },
            Act::MakeOwner(room, user) => Order::GiveRoomRole { room, user, role: RoomRole::Owner },
            Act::EndRoom(room) => Order::EndRoom { room, reason },
        }
    }
}

/// Where one stands in a room, and where somebody else does as far as one can see.
fn standings(model: &Model, room: RoomId, user: UserId) -> Option<(Standing, Standing)> {
    let (me, it) = (model.me.as_ref()?, model.rooms.get(&room)?);
    if !it.is_member {
        return None;
    }
    let theirs = it.members.get(&user).map(|it| it.role).unwrap_or_default();
    Some((Standing::of(me.role, it.role), Standing::of(parlor_shared::Role::Guest, theirs)))
}

/// There is something that one may do about somebody.
pub(super) fn has_any(model: &Model, room: RoomId, user: UserId) -> bool {
    let is_me = model.me.as_ref().is_some_and(|it| it.user == user);
    let offered = |(mine, theirs)| may(mine, theirs, room == LOBBY_ID, Deed::Mute);
    is_me || standings(model, room, user).is_some_and(offered)
}

/// The entries of the menu on a member, or on the author of a message.
pub(super) fn menu(
    ui: &mut Ui,
    model: &Model,
    (room, user, who): (RoomId, UserId, &str),
    screen: &mut Option<ActForm>,
    intents: &mut Vec<Intent>,
) {
    let Some((mine, theirs)) = standings(model, room, user) else { return };
    let Some(it) = model.rooms.get(&room) else { return };
    let title = it.name.as_str().to_owned();
    let mut ask = |ui: &Ui, act: Act| {
        *screen = Some(ActForm::new(act, who, Some(&title)));
        ui.close();
    };
    if model.me.as_ref().is_some_and(|it| it.user == user) {
        if ui.button(say::ERASE_OWN).clicked() {
            ask(ui, Act::Erase(Some(room), user));
        }
        return;
    }
    let is_lobby = room == LOBBY_ID;
    let offered = |deed| may(mine, theirs, is_lobby, deed);
    let member = it.members.get(&user);
    let is_muted = member.is_some_and(|it| it.muted);
    if offered(Deed::Mute) && !is_muted && ui.button(say::MUTE).clicked() {
        ask(ui, Act::Mute(Some(room), user));
    }
    if offered(Deed::Unmute) && is_muted && ui.button(say::UNMUTE).clicked() {
        intents.push(Intent::Order(Order::Unmute { user, room: Some(room) }));
        ui.close();
    }
    if offered(Deed::Kick) && member.is_some() && ui.button(say::KICK).clicked() {
        ask(ui, Act::Kick(room, user));
    }
    if offered(Deed::Ban) && ui.button(say::BAN).clicked() {
        ask(ui, Act::Ban(Some(room), user));
    }
    if offered(Deed::Erase) && ui.button(say::ERASE).clicked() {
        ask(ui, Act::Erase(Some(room), user));
    }
    if offered(Deed::GiveRole(RoomRole::Member)) && !is_lobby {
        let Some(member) = member else { return };
        ui.separator();
        let mut give = |ui: &Ui, role| {
            intents.push(Intent::Order(Order::GiveRoomRole { room, user, role }));
            ui.close();
        };
        let role = member.role;
        if role != RoomRole::Member && ui.button(say::MAKE_MEMBER).clicked() {
            give(ui, RoomRole::Member);
        }
        if role != RoomRole::Moderator && ui.button(say::MAKE_MODERATOR).clicked() {
            give(ui, RoomRole::Moderator);
        }
        if role != RoomRole::Owner && ui.button(say::MAKE_OWNER).clicked() {
            ask(ui, Act::MakeOwner(room, user));
        }
    }
}

/// One may end this room.
pub(super) fn may_end(model: &Model, room: RoomId) -> bool {
    let me = model.me.as_ref().map(|it| it.user).unwrap_or_default();
    standings(model, room, me)
        .is_some_and(|(mine, _)| may(mine, Standing::Member, room == LOBBY_ID, Deed::EndRoom))
}

/// The question, while there is one.
pub(super) fn dialog(ui: &mut Ui, model: &Model, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let Some(mut asked) = screen.act.take() else { return };
    let mut is_done = model.link != crate::model::LinkState::Online && model.me.is_none();
    let frame = Frame::popup(ui.style())
        .inner_margin(Margin::same(space::XL as i8))
        .corner_radius(round::CARD);
    let dialog = Modal::new(Id::unique("act")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(size::FORM.min(ui.ctx().content_rect().width() - 2.0 * space::XXL));
        let asking = asked.asking();
        let title = RichText::new(&asking.title).font(theme::strong(size::HEADING));
        ui.add(egui::Label::new(title).wrap());
        let says = RichText::new(&asking.says).color(palette(ui).weak);
        ui.add(egui::Label::new(says).wrap());
        if asked.act == Act::BanNetwork {
            let hint = crate::words::admin::NETWORK_HINT;
            form::field(ui, crate::words::admin::NETWORK, &mut asked.network, hint);
        }
        if asked.has_span() {
            spans(ui, &mut asked.span);
        }
        if asked.has_reason() {
            form::field(ui, say::REASON, &mut asked.reason, "");
        }
        ui.add_space(space::XS);
        ui.horizontal_wrapped(|ui| {
            let may = asked.act != Act::BanNetwork || !asked.network.trim().is_empty();
            let yes = form::danger_button(ui, asking.yes, may);
            if yes.clicked() {
                intents.push(Intent::Order(asked.order()));
                is_done = true;
            }
            let no = ui.button(say::CANCEL);
            if ui.memory(|it| it.focused().is_none()) {
                no.request_focus();
            }
            is_done |= no.clicked();
        });
    });
    if !is_done && !dialog.should_close() {
        screen.act = Some(asked);
    }
}

fn spans(ui: &mut Ui, chosen: &mut usize) {
    form::label(ui, say::HOW_LONG);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        for (index, (_, says)) in say::SPANS.iter().enumerate() {
            if form::choice(ui, *chosen == index, says) {
                *chosen = index;
            }
        }
    });
}
