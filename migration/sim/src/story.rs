//! The story of a run: what happened to some slots, in the order in which it happened.

use std::fmt;

use whimbrel_engine::key::SlotId;

use crate::checks::Violation;

/// What a line of a story is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    /// Something that concerns every slot, such as a crash.
    All,
    /// Some slots.
    Slots(Vec<SlotId>),
    /// One key.
    Key(SlotId, Vec<u8>),
}

/// One line.
#[derive(Clone, Debug)]
struct Line {
    at_us: u64,
    about: About,
    text: String,
}

/// The story of a run; empty unless somebody listens.
#[derive(Clone, Default, Debug)]
pub struct Story {
    lines: Vec<Line>,
    is_told: bool,
}

impl Story {
    /// A story that is told, or not.
    pub fn new(is_told: bool) -> Story {
        Story { lines: Vec::new(), is_told }
    }

    /// Tells that something happened.
    pub fn tell(&mut self, at_us: u64, about: impl FnOnce() -> About, text: impl FnOnce() -> String) {
        if self.is_told {
            self.lines.push(Line { at_us, about: about(), text: text() });
        }
    }

    /// The lines that concern a violation: its slots, and of the commands on them those on its key if it names one.
    pub fn of<'s>(&'s self, violation: &'s Violation) -> impl fmt::Display + 's {
        Telling { story: self, violation: Some(violation) }
    }

    /// All lines.
    pub fn whole(&self) -> impl fmt::Display {
        Telling { story: self, violation: None }
    }
}

struct Telling<'s> {
    story: &'s Story,
    violation: Option<&'s Violation>,
}

impl fmt::Display for Telling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.story.lines {
            let concerns = self.violation.is_none_or(|violation| violation.concerns(&line.about));
            if concerns {
                writeln!(f, "{:>6}.{:06} {}", line.at_us / 1_000_000, line.at_us % 1_000_000, line.text)?;
            }
        }
        Ok(())
    }
}
