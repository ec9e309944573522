//! The view in a harness without a window: its model stands still but for what a test changes,
//! and every intent is remembered.

use egui_kittest::kittest::NodeT as _;
use egui_kittest::{Harness, HarnessBuilder};
use parlor_desktop::model::{Intent, Model};
use parlor_desktop::view::{self, Screen};

use crate::view_scene::screen;

/// What a test sees of the view.
pub(crate) struct Seat {
    pub(crate) model: Model,
    pub(crate) screen: Screen,
    pub(crate) intents: Vec<Intent>,
}

impl Seat {
    /// The intents since the last look, but those that only follow what is in view.
    pub(crate) fn wishes(&mut self) -> Vec<Intent> {
        let follows = |it: &Intent| matches!(it, Intent::Seen { .. } | Intent::LoadOlder(_));
        std::mem::take(&mut self.intents).into_iter().filter(|it| !follows(it)).collect()
    }
}

pub(crate) type Stage = Harness<'static, Seat>;

/// The view of `model` in a window of this size.
pub(crate) fn stage_of(model: Model, size: [f32; 2]) -> Stage {
    let seat = Seat { model, screen: screen(), intents: Vec::new() };
    let builder: HarnessBuilder<Seat> = Harness::builder();
    let mut stage = builder
        // Which scripts the system has fonts for is not what is tested.
        .allow_missing_glyphs()
        .with_size(size)
        .with_pixels_per_point(1.0)
        .with_theme(egui::Theme::Dark)
        .with_context_setup(view::install)
        .build_ui_state(
            |ui, seat: &mut Seat| {
                let intents = view::ui(ui, &seat.model, &mut seat.screen);
                for intent in &intents {
                    // The one thing that comes back at once: what is typed.
                    if let Intent::EditDraft { room, text } = intent
                        && let Some(room) = seat.model.rooms.get_mut(room)
                    {
                        room.draft.clone_from(text);
                    }
                }
                seat.intents.extend(intents);
            },
            seat,
        );
    stage.run();
    stage
}

/// The usual window.
pub(crate) fn stage(model: Model) -> Stage {
    stage_of(model, [1_120.0, 740.0])
}

/// What is said of a node: its name, or the text that it is.
pub(crate) fn said_of(node: &egui_kittest::Node<'_>) -> Option<String> {
    let node = node.accesskit_node();
    node.label().or_else(|| node.value())
}

/// Everything that is said of the window, in reading order.
pub(crate) fn labels(stage: &Stage) -> Vec<String> {
    let mut found: Vec<(i32, i32, String)> = stage
        .root()
        .children_recursive()
        .filter(|it| it.accesskit_node().raw_bounds().is_some())
        .filter_map(|it| {
            let at = it.rect().min;
            Some((at.y as i32, at.x as i32, said_of(&it)?))
        })
        .collect();
    found.sort();
    found.into_iter().map(|it| it.2).collect()
}
