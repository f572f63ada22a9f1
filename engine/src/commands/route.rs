//! On which cores a command runs, and how the answers of several become one.

use super::context::{Context, PartContext};
use super::error::CommandError;
use crate::resp::Arguments;

/// On which cores a command runs.
#[derive(Clone, Copy, Debug)]
pub enum Route {
    /// On the core that holds the connection.
    Local,
    /// Where its keys are. With keys on several cores, their records are brought together first.
    Keys,
    /// On the core that owns the slot at which the cursor in argument 1 goes on (`ScanCursor::parse`).
    Cursor,
    /// Cut by key, each part on its key's core; the parts' replies are merged.
    Split(Merge),
    /// On every core; the core that holds the connection makes the reply out of the parts.
    Gather(Gather),
}

/// How the replies of a command that was cut by key become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Integers are added.
    Sum,
    /// Array elements go to the places of their keys.
    Array,
    /// All say OK.
    Ok,
}

/// One core's part of a gathered command.
pub type Part = fn(&mut PartContext<'_>, &Arguments<'_>) -> Result<(), CommandError>;

/// What makes one reply out of all cores' parts.
pub type MergeParts = fn(&mut Context<'_>, &Arguments<'_>, &[Vec<u8>]) -> Result<(), CommandError>;

/// A command that every core has a part in.
#[derive(Clone, Copy, Debug)]
pub struct Gather {
    /// What each core does; it appends bytes that only `merge` reads. It runs on the connection's core first: an
    /// error there ends the command before another core hears of it, so it checks its arguments.
    pub part: Part,
    /// Makes the reply out of the parts, in the order of the cores.
    pub merge: MergeParts,
}

/// The `run` of commands with `Route::Gather`, where there is one core only.
pub fn run_gather(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let Route::Gather(gather) = context.spec.route else {
        unreachable!("{} runs as a gather but is not routed as one", context.spec.name);
    };
    let mut part = Vec::new();
    (gather.part)(&mut context.part(&mut part), arguments)?;
    (gather.merge)(context, arguments, &[part])
}
