//! The view on made-up chats, for looking at it: `cargo run --example gallery -- evening dark`.
//! Scenes: `join`, `refused`, `busy`, `sign-in`, `recover`, `invite`, `evening`, `offline`, `empty`,
//! `crowd`, `ask`, `key`, `key-join`, `acts`, `news`, `guest`, `account`, `codes`, `admin-1` to
//! `admin-8`.

#[expect(dead_code, reason = "the gallery shows some of the scenes")]
#[path = "../tests/it/view_scene.rs"]
mod scene;

use parlor_desktop::model::{
    Intent, Joining, LinkState, Model, Question, Row, Section, Trouble, Way,
};
use parlor_desktop::view::{self, Page, Screen};
use parlor_shared::{Fact, Refusal, RoomEvent, Seq, UserName};

struct Gallery {
    model: Model,
    screen: Screen,
    /// To be opened after the first frame, which forgets what belongs to somebody else.
    page: Option<Page>,
}

impl eframe::App for Gallery {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        for intent in view::ui(ui, &self.model, &mut self.screen) {
            self.obey(intent);
        }
        if let Some(page) = self.page.take() {
            self.screen.page = Some(page);
            ui.ctx().request_repaint();
        }
    }
}

impl Gallery {
    /// As much of a model as there is to look at.
    fn obey(&mut self, intent: Intent) {
        if let Intent::Select(room) = intent {
            self.model.selected = Some(room);
        } else if let Intent::EditDraft { room, text } = intent {
            scene::room(&mut self.model, room).draft = text;
        } else if let Intent::Say { room, text } = intent {
            let me = self.model.me.as_ref().map(|it| it.name.to_string()).unwrap_or_default();
            scene::room(&mut self.model, room).draft.clear();
            scene::Teller::new(&mut self.model, room).said(scene::EVENING, 1, &me, &text);
        }
    }
}

fn scene_of(name: &str) -> Model {
    match name {
        "refused" => scene::joining(Joining {
            name: "Ann".to_owned(),
            address: "192.168.1.5".to_owned(),
            refused: Some(Trouble::NameTaken {
                name: "Ann".to_owned(),
                suggestion: Some(scene::user_name("Ann 2")),
            }),
            suggestion: Some(scene::user_name("Ann 2")),
            ..Joining::default()
        }),
        "busy" => scene::joining(Joining {
            name: "Ann".to_owned(),
            address: "192.168.1.5".to_owned(),
            busy: true,
            ..Joining::default()
        }),
        "evening" => scene::evening("Ann"),
        "offline" => {
            let mut model = scene::evening("Ann");
            model.link = LinkState::Offline { retry_at: Some(4_000) };
            model.trouble = Some(Trouble::OutboxFull);
            model
        }
        "ask" => {
            let mut model = scene::evening("Ann");
            model.asking = Some(Question::CloseWithOthersInside { others: 3 });
            model
        }
        "key" => scene::asked_about_key(scene::evening("Ann")),
        "key-join" => scene::asked_about_key(scene::fresh()),
        "empty" => scene::talking("Ann"),
        "sign-in" | "recover" | "invite" => join_by(name),
        "guest" => scene::evening("Ann"),
        "account" => scene::account::account(),
        "codes" => scene::account::codes(),
        "acts" => scene::account::acts(),
        "news" => {
            let mut model = scene::account::acts();
            model.own = scene::account::muted();
            let timeline = &scene::room(&mut model, scene::LOBBY).timeline;
            let row = timeline.iter().last().map(|(seq, row)| (seq, row.clone()));
            model.announcement = row.map(|(seq, row)| announced(seq, &row));
            model
        }
        other if other.starts_with("admin") => scene::account::owner(),
        "crowd" => {
            let mut model = scene::talking("Ann");
            scene::crowd(&mut model, 100_000);
            model
        }
        _ => scene::fresh(),
    }
}

/// The join dialog with more than a name.
fn join_by(name: &str) -> Model {
    let (way, refused) = match name {
        "recover" => (Way::Recover, None),
        "invite" => (Way::Invite, Some(Refusal::InviteNeeded)),
        _ => (Way::Password, Some(Refusal::Throttled { retry_millis: 170_000 })),
    };
    scene::joining(Joining {
        name: "Ann".to_owned(),
        address: "192.168.1.5".to_owned(),
        way,
        refused: refused.map(Trouble::Refused),
        ..Joining::default()
    })
}

fn announced(seq: Seq, row: &Row) -> RoomEvent {
    let text = row.text().and_then(|it| it.parse().ok());
    let (nth, client_id) = (row.nth, scene::client_id(900));
    let fact = text.map_or(Fact::Unknown, |text| Fact::Announced { nth, client_id, text });
    let name = UserName::clone(&row.name);
    RoomEvent { room: scene::LOBBY, seq, at: row.at, by: row.by, name, fact }
}

/// `admin-3` is the admin's third section.
fn page_of(name: &str) -> Option<Page> {
    if matches!(name, "guest" | "account") {
        return Some(Page::Account);
    }
    let number: usize = name.strip_prefix("admin-")?.parse().ok()?;
    Section::ALL.get(number - 1).copied().map(Page::Admin)
}

fn main() -> eframe::Result {
    let arguments: Vec<String> = std::env::args().collect();
    let name = arguments.get(1).map_or("join", String::as_str);
    let is_light = arguments.get(2).is_some_and(|it| it == "light");
    let model = scene_of(name);
    let mut screen = scene::screen();
    let page = page_of(name);
    screen.remembered =
        ["192.168.1.5", "office:7667"].iter().filter_map(|it| it.parse().ok()).collect();
    let width = arguments.get(3).and_then(|it| it.parse().ok()).unwrap_or(1_200.0);
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size([width, 780.0]),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "Parlor gallery",
        options,
        Box::new(move |context| {
            view::install(&context.egui_ctx);
            context.egui_ctx.set_theme(if is_light {
                egui::Theme::Light
            } else {
                egui::Theme::Dark
            });
            Ok(Box::new(Gallery { model, screen, page }))
        }),
    )
}
