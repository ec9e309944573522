//! The first window: a name, an address, or a chat of one's own.

use egui::{
    Align, Button, CentralPanel, Frame, Layout, Margin, Response, RichText, ScrollArea, Sense, Ui,
};

use super::screen::JoinForm;
use super::theme::{self, palette, round, size, space};
use super::{Screen, form, icons, says};
use crate::model::{Entrance, Intent, Joining, Model, Secret, Told, Trouble, Way};
use crate::words;

pub(super) fn ui(
    ui: &mut Ui,
    model: &Model,
    joining: &Joining,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let is_first = !screen.join.is_begun;
    if is_first {
        screen.join.name.clone_from(&joining.name);
        screen.join.address.clone_from(&joining.address);
        screen.join.is_begun = true;
    }
    let colours = palette(ui);
    CentralPanel::default().frame(Frame::new().fill(colours.side)).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink([false; 2]).show(ui, |ui| {
            let room = ui.available_size();
            ui.vertical_centered(|ui| {
                let likely = if joining.way == Way::Recover { 790.0 } else { 600.0 };
                ui.add_space(((room.y - likely) / 2.0).clamp(space::L, 160.0));
                show_title(ui);
                ui.add_space(space::XL);
                let width = size::FORM.min(room.x - 2.0 * space::XL);
                Frame::new()
                    .fill(colours.raised)
                    .stroke(egui::Stroke::new(1.0, colours.line))
                    .corner_radius(round::CARD)
                    .inner_margin(Margin::same(space::XL as i8))
                    .show(ui, |ui| {
                        ui.set_width(width - 2.0 * space::XL);
                        ui.with_layout(Layout::top_down(Align::Min), |ui| {
                            show_form(ui, model, joining, screen, is_first, intents);
                        });
                    });
                ui.add_space(space::XL);
            });
        });
    });
}

fn show_title(ui: &mut Ui) {
    let colours = palette(ui);
    let (sign, _) = ui.allocate_exact_size(theme::square(56.0), Sense::hover());
    icons::sign(ui, sign);
    ui.add_space(space::XS);
    ui.label(RichText::new(words::APP_NAME).font(theme::strong(size::TITLE)));
    ui.label(RichText::new(words::TAGLINE).color(colours.weak));
}

fn show_form(
    ui: &mut Ui,
    model: &Model,
    joining: &Joining,
    screen: &mut Screen,
    is_first: bool,
    intents: &mut Vec<Intent>,
) {
    ui.spacing_mut().item_spacing.y = space::XS + 2.0;
    if let Some(told) = joining.told {
        let says = match told {
            Told::Mailed => words::join::CODE_MAILED,
            Told::Deleted => words::join::ACCOUNT_DELETED,
        };
        form::note(ui, palette(ui).accent_soft, says);
        ui.add_space(space::S);
    }
    if screen.join.way != joining.way {
        // Other fields: what was typed into the old ones is nobody's business any more.
        screen.join.way = joining.way;
        (screen.join.password, screen.join.code) = (Secret::default(), Secret::default());
        screen.join.is_shown = false;
    }
    let explained = match joining.way {
        Way::Recover => Some(words::join::RECOVER_EXPLAINED),
        Way::Invite if joining.refused.is_none() => Some(words::join::INVITE_EXPLAINED),
        Way::Name | Way::Password | Way::Invite => None,
    };
    if let Some(says) = explained {
        form::hint(ui, says);
        ui.add_space(space::XS);
    }
    let was_entered = fields(ui, joining, screen, is_first);
    show_refusal(ui, model, joining, screen, intents);
    ui.add_space(space::XS);
    if joining.busy {
        return show_busy(ui, intents);
    }
    let may_host = !screen.join.name.trim().is_empty();
    let may_join = may_host && !screen.join.address.trim().is_empty();
    let may_enter = may_join
        && match joining.way {
            Way::Name => true,
            Way::Password => !screen.join.password.is_empty(),
            Way::Recover => !screen.join.password.is_empty() && !screen.join.code.is_empty(),
            Way::Invite => !screen.join.code.is_empty(),
        };
    let says = match joining.way {
        Way::Name | Way::Invite => words::JOIN,
        Way::Password => words::join::SIGN_IN,
        Way::Recover => words::join::RECOVER,
    };
    let join = wide_button(ui, says, may_enter, true);
    if join.clicked() || (was_entered && may_enter) {
        intents.push(enter(joining.way, screen));
    }
    show_other_ways(ui, joining.way, screen, intents);
    if joining.way == Way::Name {
        show_host(ui, may_host, screen, intents);
    }
}

/// What the main button means.
fn enter(way: Way, screen: &mut Screen) -> Intent {
    let form = &mut screen.join;
    let (name, address) = (form.name.clone(), form.address.clone());
    form.is_shown = false;
    let entrance = match way {
        Way::Name => return Intent::Join { name, address },
        Way::Password => Entrance::Password(form.password.take()),
        Way::Invite => Entrance::Invite(form.code.take()),
        Way::Recover => {
            Entrance::Recover { code: form.code.take(), password: form.password.take() }
        }
    };
    Intent::Enter { name, address, entrance }
}

fn show_busy(ui: &mut Ui, intents: &mut Vec<Intent>) {
    ui.horizontal(|ui| {
        // A word, not a spinner: a spinner would repaint the window all the time.
        ui.label(RichText::new(words::JOINING).color(palette(ui).weak));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(words::CANCEL).clicked() {
                intents.push(Intent::Cancel);
            }
        });
    });
}

/// Ways in other than the present one.
fn show_other_ways(ui: &mut Ui, way: Way, screen: &mut Screen, intents: &mut Vec<Intent>) {
    let others: &[(Way, &str)] = match way {
        Way::Name => &[(Way::Password, words::join::HAVE_ACCOUNT)],
        Way::Password => &[(Way::Recover, words::join::FORGOT), (Way::Name, words::join::AS_GUEST)],
        Way::Recover => &[],
        Way::Invite => {
            &[(Way::Password, words::join::HAVE_ACCOUNT), (Way::Name, words::join::WITHOUT_INVITE)]
        }
    };
    ui.horizontal_wrapped(|ui| {
        for (way, says) in others {
            if form::quiet_button(ui, says).clicked() {
                intents.push(Intent::ChooseWay(*way));
            }
        }
    });
    if way != Way::Recover {
        return;
    }
    ui.add_space(space::S);
    ui.separator();
    form::hint(ui, words::join::MAIL_EXPLAINED);
    let email = form::field(
        ui,
        words::join::MAIL_ADDRESS,
        &mut screen.join.email,
        words::join::MAIL_ADDRESS_HINT,
    );
    let may = !screen.join.email.trim().is_empty() && !screen.join.address.trim().is_empty();
    ui.horizontal_wrapped(|ui| {
        let send = ui.add_enabled(may, Button::new(words::join::SEND_CODE));
        if send.clicked() || (may && form::is_entered(ui, &[&email])) {
            let (address, email) = (screen.join.address.clone(), screen.join.email.clone());
            intents.push(Intent::MailCode { address, email });
        }
        if form::quiet_button(ui, words::join::BACK_TO_SIGN_IN).clicked() {
            intents.push(Intent::ChooseWay(Way::Password));
        }
    });
}

fn show_host(ui: &mut Ui, may_host: bool, screen: &Screen, intents: &mut Vec<Intent>) {
    let colours = palette(ui);
    ui.vertical_centered(|ui| {
        ui.label(RichText::new(words::OR).size(size::SMALL).color(colours.weak));
    });
    ui.add_space(space::XS);
    if wide_button(ui, words::HOST_HERE, may_host, false).clicked() {
        intents.push(Intent::HostHere { name: screen.join.name.clone() });
    }
    let says = RichText::new(words::host_explained()).size(size::SMALL).color(colours.weak);
    ui.add(egui::Label::new(says).wrap());
}

/// Name, address and what else is asked for; true when Enter was pressed in one of them.
fn fields(ui: &mut Ui, joining: &Joining, screen: &mut Screen, is_first: bool) -> bool {
    ui.add_enabled_ui(!joining.busy, |ui| {
        let form = &mut screen.join;
        let name = form::field(ui, words::YOUR_NAME, &mut form.name, words::YOUR_NAME_HINT);
        ui.add_space(space::S);
        let address =
            form::field(ui, words::SERVER_ADDRESS, &mut form.address, words::SERVER_ADDRESS_HINT);
        if joining.way == Way::Name {
            show_remembered(ui, screen);
        }
        let more = more_fields(ui, joining.way, &mut screen.join);
        if is_first {
            let first_empty = if screen.join.name.is_empty() || !screen.join.address.is_empty() {
                &name
            } else {
                &address
            };
            first_empty.request_focus();
        }
        if screen.join.began_with != Some(joining.way) {
            screen.join.began_with = Some(joining.way);
            if let Some(first) = more.first()
                && !screen.join.name.is_empty()
            {
                first.request_focus();
            }
        }
        let all: Vec<&Response> = [&name, &address].into_iter().chain(&more).collect();
        form::is_entered(ui, &all)
    })
    .inner
}

fn more_fields(ui: &mut Ui, way: Way, form: &mut JoinForm) -> Vec<Response> {
    let mut more = Vec::new();
    if way != Way::Name {
        ui.add_space(space::S);
    }
    match way {
        Way::Name => {}
        Way::Password => {
            let (password, is_shown) = (&mut form.password, &mut form.is_shown);
            more.push(form::secret(ui, words::join::PASSWORD, password, is_shown));
        }
        Way::Invite => {
            let (code, hint) = (form.code.text_mut(), words::join::CODE_HINT);
            more.push(form::field(ui, words::join::INVITATION, code, hint));
        }
        Way::Recover => {
            let (code, hint) = (form.code.text_mut(), words::join::CODE_HINT);
            more.push(form::field(ui, words::join::CODE, code, hint));
            ui.add_space(space::S);
            let (password, is_shown) = (&mut form.password, &mut form.is_shown);
            more.push(form::secret(ui, words::join::NEW_PASSWORD, password, is_shown));
            form::hint(ui, words::account::PASSWORD_RULE);
        }
    }
    more
}

/// Addresses that were joined before, a click away.
fn show_remembered(ui: &mut Ui, screen: &mut Screen) {
    let others: Vec<String> = screen
        .remembered
        .iter()
        .map(ToString::to_string)
        .filter(|it| *it != screen.join.address)
        .take(4)
        .collect();
    if others.is_empty() || !ui.is_enabled() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().button_padding = egui::vec2(space::S, 1.0);
        ui.spacing_mut().interact_size.y = 24.0;
        for other in others {
            if ui.button(RichText::new(&other).size(size::SMALL)).clicked() {
                screen.join.address = other;
            }
        }
    });
}

/// Why the last try failed, and what there is to take instead.
fn show_refusal(
    ui: &mut Ui,
    model: &Model,
    joining: &Joining,
    screen: &mut Screen,
    intents: &mut Vec<Intent>,
) {
    let colours = palette(ui);
    let refused = joining.refused.as_ref().or(model.trouble.as_ref());
    if refused.is_none() && joining.offer.is_none() {
        return;
    }
    ui.add_space(space::S);
    Frame::new()
        .fill(colours.danger_soft)
        .corner_radius(round::LARGE)
        .inner_margin(Margin::same(space::M as i8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            if let Some(trouble) = refused {
                ui.add(
                    egui::Label::new(
                        RichText::new(says::trouble(screen, trouble)).color(colours.text),
                    )
                    .wrap(),
                );
            }
            if let Some(free) = &joining.suggestion
                && ui.button(words::take_name(free.as_str())).clicked()
            {
                screen.join.name = free.as_str().to_owned();
                let (name, address) = (screen.join.name.clone(), screen.join.address.clone());
                intents.push(Intent::Join { name, address });
            }
            if matches!(refused, Some(Trouble::NameTaken { .. })) && joining.way == Way::Name {
                let account = ui.button(words::join::HAVE_ACCOUNT_OF_NAME);
                if account.clicked() {
                    intents.push(Intent::ChooseWay(Way::Password));
                }
            }
            if let Some(offer) = &joining.offer
                && ui.button(words::join_offer(&offer.to_string())).clicked()
            {
                screen.join.address = offer.to_string();
                let name = screen.join.name.clone();
                intents.push(Intent::Join { name, address: offer.to_string() });
            }
        });
}

fn wide_button(ui: &mut Ui, says: &str, may: bool, is_main: bool) -> Response {
    let size = egui::vec2(ui.available_width(), size::CONTROL + 6.0);
    ui.allocate_ui_with_layout(
        size,
        Layout::centered_and_justified(egui::Direction::TopDown),
        |ui| {
            if is_main {
                button(ui, says, may, size)
            } else {
                ui.add_enabled(may, Button::new(says).min_size(size))
            }
        },
    )
    .inner
}

/// The button that one came for.
pub(super) fn main_button(ui: &mut Ui, says: &str, may: bool) -> Response {
    button(ui, says, may, egui::vec2(0.0, size::CONTROL))
}

fn button(ui: &mut Ui, says: &str, may: bool, min: egui::Vec2) -> Response {
    let colours = palette(ui);
    ui.scope(|ui| {
        let widgets = &mut ui.visuals_mut().widgets;
        for (widget, fill) in [
            (&mut widgets.inactive, colours.accent),
            (&mut widgets.hovered, colours.accent_hover),
            (&mut widgets.active, colours.accent_hover),
        ] {
            widget.weak_bg_fill = fill;
            widget.bg_fill = fill;
            widget.bg_stroke = egui::Stroke::new(1.0, fill);
            widget.fg_stroke.color = colours.on_accent;
        }
        let text = RichText::new(says).font(theme::strong(size::BODY));
        ui.add_enabled(may, Button::new(text).min_size(min))
    })
    .inner
}
