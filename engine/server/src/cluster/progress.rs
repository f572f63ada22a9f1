//! Watching moves: a line for each, drawn anew on a terminal, and one for each step elsewhere.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::figures;
use super::report::MoveReport;
use super::survey::{self, Access, Node};

/// How often the nodes are asked.
pub const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long the sources of moves may all be silent before the watch is given up.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Between two lines about a move that stays in one phase, where lines are not drawn anew.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Set once the operator interrupts.
#[derive(Clone)]
pub struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    /// From now on an interrupt is noted, and ends nothing by itself.
    pub fn watch() -> Result<Interrupted, String> {
        let flag = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&flag))
            .map_err(|error| format!("cannot watch for signals: {error}"))?;
        Ok(Interrupted(flag))
    }

    /// Whether that was so.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A move as a line.
pub fn line(nodes: &[Node], report: &MoveReport) -> String {
    let mut line = format!(
        "{}  {} → {}  {:<12} {:>3}.{} %  {} of {}",
        report.short_name(),
        survey::name(nodes, &report.source_node),
        survey::name(nodes, &report.target_node),
        report.stage(),
        report.permille() / 10,
        report.permille() % 10,
        figures::bytes(report.bytes_done),
        figures::bytes(report.bytes_total.max(report.bytes_done)),
    );
    if !report.is_over() {
        line.push_str(&format!("  {}/s", figures::bytes(report.rate)));
        let eta = report.eta_ms.map_or_else(|| "?".to_owned(), figures::wait);
        line.push_str(&format!("  ETA {eta}"));
    }
    line.push_str(&format!("  pause {}", figures::pause(report.pause_max_us)));
    if !report.has_succeeded() && !report.reason().is_empty() {
        line.push_str(&format!("  {}", report.reason()));
    }
    line
}

/// Where progress is shown.
pub struct Display {
    is_terminal: bool,
    is_silent: bool,
    /// Lines that stand on the terminal and are drawn anew.
    drawn: usize,
    /// What was said last of each move, and when.
    said: BTreeMap<String, (String, Instant)>,
}

impl Display {
    /// On standard output; silent if the output is for programs.
    pub fn new(is_silent: bool) -> Display {
        Display { is_terminal: std::io::stdout().is_terminal(), is_silent, drawn: 0, said: BTreeMap::new() }
    }

    /// Shows how far moves are.
    pub fn show(&mut self, nodes: &[Node], reports: &[MoveReport], notes: &[String]) {
        if self.is_silent {
            return;
        }
        let mut text = String::new();
        if self.is_terminal {
            if self.drawn > 0 {
                text.push_str(&format!("\x1b[{}A\r\x1b[J", self.drawn));
            }
            let lines = reports.iter().map(|report| line(nodes, report)).chain(notes.iter().cloned());
            let lines: Vec<String> = lines.collect();
            self.drawn = lines.len();
            // A line that is too long for the terminal is cut: wrapped, it could not be drawn over.
            text.push_str("\x1b[?7l");
            lines.iter().for_each(|line| text.push_str(&format!("{line}\x1b[K\n")));
            text.push_str("\x1b[?7h");
        } else {
            for report in reports {
                let last = self.said.get(&report.name);
                let is_news = last.is_none_or(|(stage, at)| {
                    stage != report.stage() || (!report.is_over() && at.elapsed() >= LINE_EVERY)
                });
                if is_news {
                    self.said.insert(report.name.clone(), (report.stage().to_owned(), Instant::now()));
                    text.push_str(&format!("{}\n", line(nodes, report)));
                }
            }
        }
        // Whoever reads it may have gone; the moves go on all the same.
        let mut output = std::io::stdout();
        let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }
}

/// How a watch has ended.
#[derive(Debug)]
pub enum Watched {
    /// All moves are over.
    Over,
    /// The operator has interrupted; the moves go on.
    Interrupted,
}

/// Moves that are being watched.
pub struct Watch<'a> {
    pub access: &'a Access,
    pub nodes: &'a [Node],
    pub interrupted: &'a Interrupted,
    pub display: Display,
    /// By name, as they were told last.
    pub reports: BTreeMap<String, MoveReport>,
    heard: Instant,
}

impl<'a> Watch<'a> {
    /// Nothing to watch yet.
    pub fn new(
        access: &'a Access,
        nodes: &'a [Node],
        interrupted: &'a Interrupted,
        is_silent: bool,
    ) -> Watch<'a> {
        let display = Display::new(is_silent);
        Watch { access, nodes, interrupted, display, reports: BTreeMap::new(), heard: Instant::now() }
    }

    /// Watches a move too.
    pub fn add(&mut self, report: MoveReport) {
        self.reports.insert(report.name.clone(), report);
    }

    /// How many go on.
    pub fn active(&self) -> usize {
        self.reports.values().filter(|report| !report.is_over()).count()
    }

    /// Moves that ended without having arrived.
    pub fn failed(&self) -> usize {
        self.reports.values().filter(|report| report.is_over() && !report.has_succeeded()).count()
    }

    /// Asks the sources of moves that go on how far they are, and shows it.
    pub fn look(&mut self) -> Result<(), String> {
        let going = self.reports.values().filter(|report| !report.is_over());
        let mut addresses: Vec<String> = going
            .filter_map(|report| self.nodes.iter().find(|node| node.id == report.source_node))
            .map(|node| node.address.clone())
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        let (moves, silent) = self.access.moves(&addresses);
        if silent.is_empty() {
            self.heard = Instant::now();
        } else if self.heard.elapsed() > SILENCE_MAX {
            return Err(format!(
                "{}\n    `whimbrel cluster status` shows what became of the moves.",
                silent[0]
            ));
        }
        for report in moves {
            if let Some(known) = self.reports.get_mut(&report.name) {
                *known = report;
            }
        }
        let reports: Vec<MoveReport> = self.reports.values().cloned().collect();
        self.display.show(self.nodes, &reports, &silent);
        Ok(())
    }

    /// Watches until all moves are over.
    pub fn until_over(&mut self) -> Result<Watched, String> {
        loop {
            self.look()?;
            if self.active() == 0 {
                return Ok(Watched::Over);
            }
            if self.interrupted.is_set() {
                return Ok(Watched::Interrupted);
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_one_line() {
        let node = |id: &str, port: u16| Node {
            id: id.to_owned(),
            address: format!("h:{port}"),
            is_live: true,
            slots: Vec::new(),
        };
        let nodes = [node("one", 1), node("two", 2)];
        let mut report = MoveReport {
            name: "000123456789".to_owned(),
            source_node: "one".to_owned(),
            target_node: "two".to_owned(),
            phase: "snapshot".to_owned(),
            bytes_done: 480_000_000,
            bytes_total: 960_000_000,
            rate: 210_000_000,
            eta_ms: Some(2300),
            ..MoveReport::default()
        };
        assert_eq!(
            line(&nodes, &report),
            "12345678  h:1 → h:2  snapshot      50.0 %  480 MB of 960 MB  210 MB/s  ETA 3 s  pause –"
        );
        (report.state, report.phase) = ("failed".to_owned(), "failed".to_owned());
        (report.error, report.pause_max_us) = ("the target is gone".to_owned(), 312);
        assert_eq!(
            line(&nodes, &report),
            "12345678  h:1 → h:2  failed        50.0 %  480 MB of 960 MB  pause 0.31 ms  the target is gone"
        );
    }
}
