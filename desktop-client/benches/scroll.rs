//! What the view costs: our own code in a frame while 100,000 messages scroll by.
//!
//! `cargo bench -p parlor-desktop --bench scroll` runs without a window: no rasteriser, no driver,
//! everything from the model to the finished meshes. `-- --window` does the same in a real
//! window for as many frames, and prints the process's memory and what it costs when idle.

#[expect(dead_code, reason = "the benchmark needs one of the scenes")]
#[path = "../tests/it/view_scene.rs"]
mod scene;

use std::io::Write as _;
use std::time::{Duration, Instant};

use parlor_desktop::model::Model;
use parlor_desktop::view::{self, Screen};

const EVENTS: u64 = 100_000;
const FRAMES: usize = 600;
const SIZE: egui::Vec2 = egui::vec2(1_120.0, 740.0);

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|it| it == "--window") {
        window();
        return Ok(());
    }
    writeln!(out, "{EVENTS} events, {} x {} points, {FRAMES} frames each", SIZE.x, SIZE.y)?;
    writeln!(out, "{:<34} {:>9} {:>9} {:>9}", "", "median", "p99", "worst")?;
    for way in [Way::Wheel, Way::Fling, Way::Bar, Way::Live, Way::Still] {
        let (first, mut times) = run(way);
        times.sort();
        let at = |part: usize| times[(times.len() - 1) * part / 100];
        let ms = |it: Duration| format!("{:.2} ms", it.as_secs_f64() * 1_000.0);
        let (median, p99, worst) = (ms(at(50)), ms(at(99)), ms(at(100)));
        writeln!(out, "{:<34} {median:>9} {p99:>9} {worst:>9}   first {}", way.says(), ms(first))?;
    }
    writeln!(out, "peak memory of this process: {} MB", memory("VmHWM") / 1_024)
}

/// How one scrolls.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Wheel,
    Fling,
    Bar,
    Live,
    Still,
}

impl Way {
    fn says(self) -> &'static str {
        match self {
            Self::Wheel => "wheel, 50 points a frame",
            Self::Fling => "fling, 500 points a frame",
            Self::Bar => "scroll bar, end to end",
            Self::Live => "at the end, a message each frame",
            Self::Still => "nothing moves",
        }
    }
}

/// The first frame, and all others. CPU time of this thread would be the same: nothing waits.
fn run(way: Way) -> (Duration, Vec<Duration>) {
    let mut model = scene::talking("Ann");
    scene::crowd(&mut model, EVENTS);
    // So that it shows whether the scroll bar has led to the oldest message.
    scene::room(&mut model, scene::LOBBY).history = parlor_desktop::model::History::More;
    let mut is_at_top = false;
    let mut screen = scene::screen();
    let context = egui::Context::default();
    view::install(&context);
    let mut times = Vec::with_capacity(FRAMES);
    let mut first = None;
    for frame in 0..FRAMES {
        let at = frame as f64 / 60.0;
        let pointer = match way {
            Way::Bar => {
                let part = frame as f32 / FRAMES as f32;
                egui::pos2(SIZE.x - 208.0 - 6.0, 660.0 - part * 640.0)
            }
            Way::Wheel | Way::Fling | Way::Live | Way::Still => egui::pos2(600.0, 400.0),
        };
        let mut events = vec![egui::Event::PointerMoved(pointer)];
        match way {
            Way::Wheel => events.push(wheel(50.0)),
            Way::Fling => events.push(wheel(500.0)),
            Way::Bar if frame == 3 => events.push(egui::Event::PointerButton {
                pos: pointer,
                button: egui::PointerButton::Primary,
                pressed: true,
                modifiers: egui::Modifiers::NONE,
            }),
            Way::Live => {
                scene::Teller::new(&mut model, scene::LOBBY).said(
                    scene::EVENING,
                    2,
                    "Ben",
                    "one more",
                );
            }
            Way::Bar | Way::Still => {}
        }
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, SIZE)),
            time: Some(at),
            events,
            focused: true,
            ..egui::RawInput::default()
        };
        let begun = Instant::now();
        let mut output = context.run_ui(input, |ui| {
            let intents = view::ui(ui, &model, &mut screen);
            is_at_top |= intents.contains(&parlor_desktop::model::Intent::LoadOlder(scene::LOBBY));
        });
        // There is no graphics card that would take them.
        output.textures_delta.clear();
        let meshes = context.tessellate(output.shapes, output.pixels_per_point);
        let taken = begun.elapsed();
        assert!(!meshes.is_empty(), "something is drawn");
        match first {
            None => first = Some(taken),
            Some(_) => times.push(taken),
        }
    }
    assert_eq!(is_at_top, way == Way::Bar, "the scroll bar, and nothing else, leads to the top");
    (first.unwrap_or_default(), times)
}

fn wheel(points: f32) -> egui::Event {
    egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, points),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Trackpad,
        modifiers: egui::Modifiers::NONE,
    }
}

/// A line of this process's status, in KB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':'));
    found.and_then(|it| it.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// Ticks of CPU that this process has used; a hundred are a second.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |index: usize| fields.get(index).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
    field(11) + field(12)
}

struct Window {
    model: Model,
    screen: Screen,
    frames: usize,
    ours: Vec<Duration>,
    begun: Option<(Instant, u64)>,
    idle: Option<(Instant, u64)>,
}

impl eframe::App for Window {
    fn raw_input_hook(&mut self, _context: &egui::Context, input: &mut egui::RawInput) {
        if self.frames < FRAMES {
            input.events.push(egui::Event::PointerMoved(egui::pos2(600.0, 400.0)));
            input.events.push(wheel(50.0));
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let begun = Instant::now();
        view::ui(ui, &self.model, &mut self.screen);
        self.ours.push(begun.elapsed());
        self.frames += 1;
        if self.frames == 10 {
            self.begun = Some((Instant::now(), ticks()));
        }
        if self.frames < FRAMES {
            ui.ctx().request_repaint();
            return;
        }
        match (self.begun.take(), self.idle) {
            (Some((since, used)), _) => {
                self.ours.sort();
                let at =
                    |part: usize| self.ours[(self.ours.len() - 1) * part / 100].as_secs_f64() * 1e3;
                let frames = (FRAMES - 10) as f64;
                let whole = since.elapsed().as_secs_f64() * 1e3 / frames;
                let cpu = (ticks() - used) as f64 * 10.0 / frames;
                let says = format!(
                    "our code in a frame: median {:.2} ms, p99 {:.2} ms; whole frame {whole:.1} ms, CPU {cpu:.1} ms (software rasteriser included)\nmemory: {} MB",
                    at(50),
                    at(99),
                    memory("VmRSS") / 1_024
                );
                writeln!(std::io::stdout(), "{says}").ok();
                self.idle = Some((Instant::now() + Duration::from_secs(1), 0));
                ui.ctx().request_repaint_after(Duration::from_secs(1));
            }
            (None, Some((since, 0))) if Instant::now() >= since => {
                // The caret stands in the composer; nothing is to happen for ten seconds.
                self.idle = Some((Instant::now(), ticks().max(1)));
                ui.ctx().request_repaint_after(Duration::from_secs(10));
            }
            (None, Some((since, used)))
                if used > 0 && since.elapsed() >= Duration::from_secs(10) =>
            {
                let share = (ticks() - used) as f64 / since.elapsed().as_secs_f64();
                writeln!(std::io::stdout(), "idle: {share:.2} % of a core").ok();
                ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
            }
            (None, Some((_, used))) => {
                // Woken a little early.
                let wait = if used == 0 { 50 } else { 1_000 };
                ui.ctx().request_repaint_after(Duration::from_millis(wait));
            }
            (None, None) => {}
        }
    }
}

fn window() {
    let mut model = scene::talking("Ann");
    scene::crowd(&mut model, EVENTS);
    let app = Window {
        model,
        screen: scene::screen(),
        frames: 0,
        ours: Vec::new(),
        begun: None,
        idle: None,
    };
    let viewport = egui::ViewportBuilder::default().with_inner_size(SIZE);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    let make = |context: &eframe::CreationContext<'_>| {
        view::install(&context.egui_ctx);
        Ok(Box::new(app) as Box<dyn eframe::App>)
    };
    if let Err(error) = eframe::run_native("Parlor bench", options, Box::new(make)) {
        writeln!(std::io::stderr(), "no window: {error}").ok();
    }
}
