//! SHUTDOWN: ends the process.
//!
//! Nothing is ever saved, because there is nothing to save to: SAVE is refused rather than ignored, unless FORCE says that
//! what cannot be saved may be lost.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::core::Action;
use crate::resp::Arguments;

/// SHUTDOWN.
pub const SPEC: Spec = Spec {
    name: "shutdown",
    syntax: "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
    arity: -1,
    flags: Flags::of(&[
        Flag::Admin,
        Flag::NoScript,
        Flag::Loading,
        Flag::Stale,
        Flag::NoMulti,
        Flag::AllowBusy,
    ]),
    since: "1.0.0",
    group: Group::Server,
    summary: "Ends the process. Data is not saved.",
    route: Route::Local,
    run,
    ..Spec::BASE
};

const NOTHING_SAVES: CommandError = CommandError::Static(
    "ERR Errors trying to SHUTDOWN. Data cannot be saved because persistence is not available; use NOSAVE to end without it.",
);

#[derive(Clone, Copy, Default)]
struct Options {
    nosave: bool,
    save: bool,
    now: bool,
    force: bool,
    abort: bool,
}

impl Options {
    fn parse(words: &Arguments<'_>) -> Result<Self, CommandError> {
        let mut options = Self::default();
        for index in 0..words.len() {
            let option = match words {
                words if words.is(index, "NOSAVE") => &mut options.nosave,
                words if words.is(index, "SAVE") => &mut options.save,
                words if words.is(index, "NOW") => &mut options.now,
                words if words.is(index, "FORCE") => &mut options.force,
                words if words.is(index, "ABORT") => &mut options.abort,
                _ => return Err(CommandError::Syntax),
            };
            *option = true;
        }
        let Self { nosave, save, now, force, abort } = options;
        if (abort && (nosave || save || now || force)) || (nosave && save) {
            return Err(CommandError::Syntax);
        }
        Ok(options)
    }
}

/// A shutdown that is carried out answers nothing: the connection ends with the process.
fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let options = Options::parse(&arguments.from(1))?;
    if options.abort {
        return Err(CommandError::Static("ERR No shutdown in progress."));
    }
    if options.save && !options.force {
        return Err(NOTHING_SAVES);
    }
    context.act(Action::Shutdown { now: options.now });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Bench;

    #[test]
    fn ends_the_process_without_an_answer() {
        for (request, now) in [
            ("SHUTDOWN", false),
            ("SHUTDOWN nosave", false),
            ("SHUTDOWN NOW", true),
            ("SHUTDOWN NOSAVE NOW FORCE", true),
            ("SHUTDOWN SAVE FORCE", false),
        ] {
            let mut bench = Bench::default();
            assert_eq!(bench.ask(1, request), "");
            assert_eq!(bench.actions, [Action::Shutdown { now }], "{request}");
        }
    }

    #[test]
    fn what_cannot_be_done_ends_nothing() {
        let mut bench = Bench::default();
        bench.check(
            "
            SHUTDOWN foo -> -ERR syntax error
            SHUTDOWN NOSAVE SAVE -> -ERR syntax error
            SHUTDOWN ABORT NOW -> -ERR syntax error
            SHUTDOWN SAVE ABORT -> -ERR syntax error
            SHUTDOWN ABORT -> -ERR No shutdown in progress.
            SHUTDOWN ABORT ABORT -> -ERR No shutdown in progress.
            SHUTDOWN SAVE -> -ERR Errors trying to SHUTDOWN. Data cannot be saved ...
            ",
        );
        assert_eq!(bench.actions, []);
    }
}
