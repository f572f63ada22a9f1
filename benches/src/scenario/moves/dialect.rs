//! How a product is told to move slots, and how it tells what became of it.

use std::collections::BTreeSet;
use std::io;

use crate::scenario::moves::figures::{Figure, Figures};
use crate::wire::control::Control;
use crate::wire::value::Value;

/// Who is asked, and in which words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The source: CLUSTER MIGRATESLOTS, CLUSTER GETSLOTMIGRATIONS.
    Source,
    /// The target: CLUSTER MIGRATION IMPORT, CLUSTER MIGRATION STATUS.
    Target,
}

/// What became of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Under way.
    Running,
    /// The target owns the slots.
    Done,
    /// It has ended without that, for this reason.
    Failed(String),
}

/// A move that was asked for.
#[derive(Debug)]
pub struct Move {
    control: Control,
    dialect: Dialect,
    /// Moves that the node knew before.
    earlier: BTreeSet<String>,
}

impl Dialect {
    /// What a node understands; nothing when it cannot move slots while traffic flows.
    pub fn of(node: &mut Control) -> io::Result<Option<Self>> {
        let understands = |reply: Value| !matches!(reply, Value::Error(_));
        if understands(node.ask(&["CLUSTER", "GETSLOTMIGRATIONS"])?) {
            return Ok(Some(Self::Source));
        }
        let is_target = understands(node.ask(&["CLUSTER", "MIGRATION", "STATUS", "ALL"])?);
        Ok(is_target.then_some(Self::Target))
    }

    /// What asks for all moves, and the field that names one.
    fn question(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Source => (&["CLUSTER", "GETSLOTMIGRATIONS"], "name"),
            Self::Target => (&["CLUSTER", "MIGRATION", "STATUS", "ALL"], "id"),
        }
    }
}

impl Move {
    /// Asks for the move of these slots, first and last, with connections to both nodes.
    pub fn start(
        dialect: Dialect,
        (source, target): (Control, Control),
        target_id: &str,
        moving: (u16, u16),
    ) -> io::Result<Self> {
        let mut control = match dialect {
            Dialect::Source => source,
            Dialect::Target => target,
        };
        let earlier = moves(&mut control, dialect)?.into_iter().map(|(name, ..)| name).collect();
        let (first, last) = (moving.0.to_string(), moving.1.to_string());
        match dialect {
            Dialect::Source => control.ask_well(&[
                "CLUSTER",
                "MIGRATESLOTS",
                "SLOTSRANGE",
                &first,
                &last,
                "NODE",
                target_id,
            ])?,
            Dialect::Target => control.ask_well(&["CLUSTER", "MIGRATION", "IMPORT", &first, &last])?,
        };
        Ok(Self { control, dialect, earlier })
    }

    /// Looks once.
    pub fn state(&mut self) -> io::Result<State> {
        let moves = moves(&mut self.control, self.dialect)?;
        let of_ours = moves.into_iter().filter(|(name, ..)| !self.earlier.contains(name));
        Ok(together(of_ours.map(|(_, state, message)| (state, message)).collect()))
    }

    /// What the node says of the move beyond its state; empty where it says nothing.
    pub fn own_figures(&mut self) -> io::Result<Figures> {
        let (words, name) = self.dialect.question();
        let reply = self.control.ask_well(words)?;
        let mut figures = Figures::new();
        for entry in reply.list().unwrap_or_default() {
            if field(entry, name).is_some_and(|name| self.earlier.contains(&name)) {
                continue;
            }
            for (field, figure, unit) in OWN {
                if let Some(value) = number(entry, field) {
                    let before = figures.get(figure).copied().unwrap_or(0.0);
                    figures.insert(*figure, (value / unit).max(before));
                }
            }
        }
        Ok(figures)
    }
}

/// Fields of a move with a figure of ours, and how many of their unit make one of ours.
const OWN: &[(&str, Figure, f64)] = &[
    ("cow_size", Figure::RetainedMb, 1e6),
    ("bytes_resent", Figure::SentAgainMb, 1e6),
    ("pause_max_us", Figure::PauseMs, 1e3),
    ("write_pause_ms", Figure::PauseMs, 1.0),
];

/// Name, state and message of every move that a node knows.
fn moves(node: &mut Control, dialect: Dialect) -> io::Result<Vec<(String, String, String)>> {
    let (words, name) = dialect.question();
    let reply = node.ask_well(words)?;
    let entries = reply.list().unwrap_or_default().iter();
    Ok(entries
        .map(|entry| {
            let text = |wanted: &str| field(entry, wanted).unwrap_or_default();
            let message = [text("message"), text("last_error")].concat();
            (text(name), text("state").to_ascii_lowercase(), message)
        })
        .collect())
}

/// A text of a map as RESP2 sends it: names and values in turn.
fn field(entry: &Value, name: &str) -> Option<String> {
    value(entry, name)?.text().map(str::to_owned)
}

fn number(entry: &Value, name: &str) -> Option<f64> {
    value(entry, name)?.int().map(|value| value as f64)
}

fn value<'v>(entry: &'v Value, name: &str) -> Option<&'v Value> {
    let pair = entry.list()?.chunks_exact(2).find(|pair| pair[0].text() == Some(name))?;
    Some(&pair[1])
}

/// One state of all that a command has set off: it is done when all are.
fn together(states: Vec<(String, String)>) -> State {
    // Valkey has states such as `failover-paused` on the way to success.
    let failed = |state: &str| matches!(state, "failed" | "failure" | "cancelled" | "canceled");
    if let Some((state, message)) = states.iter().find(|(state, _)| failed(state)) {
        return State::Failed(format!("{state}: {message}"));
    }
    let done = |state: &str| matches!(state, "success" | "done" | "completed");
    let all_done = !states.is_empty() && states.iter().all(|(state, _)| done(state));
    if all_done { State::Done } else { State::Running }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_of_all_products_are_understood() {
        let state =
            |states: &[&str]| together(states.iter().map(|s| ((*s).to_owned(), "why".to_owned())).collect());
        for running in [&[][..], &["waiting-to-pause"], &["success", "snapshotting"], &["failover-paused"]] {
            assert_eq!(state(running), State::Running, "{running:?}");
        }
        for done in [&["success"][..], &["completed"], &["done", "done"]] {
            assert_eq!(state(done), State::Done, "{done:?}");
        }
        assert_eq!(state(&["success", "failed"]), State::Failed("failed: why".into()));
        assert_eq!(state(&["cancelled"]), State::Failed("cancelled: why".into()));
    }

    #[test]
    fn fields_are_found_by_name() {
        let entry =
            Value::read(&mut "*4\r\n$4\r\nname\r\n$1\r\nx\r\n$5\r\nstate\r\n$4\r\ndone\r\n".as_bytes());
        let entry = entry.unwrap();
        assert_eq!((field(&entry, "name"), field(&entry, "state")), (Some("x".into()), Some("done".into())));
        assert_eq!(field(&entry, "message"), None);
    }
}
