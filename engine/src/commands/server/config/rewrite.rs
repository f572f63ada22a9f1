//! CONFIG REWRITE: makes the configuration file say what the settings are.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::core::Action;
use crate::resp::Arguments;

/// CONFIG REWRITE.
pub const SPEC: Spec = Spec {
    name: "config|rewrite",
    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    since: "2.8.0",
    group: Group::Server,
    summary: "Makes the configuration file say what the settings are; the rest of it stays as it is.",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if context.core.observed.process.config_file.is_empty() {
        return Err(CommandError::Static("ERR The server is running without a config file"));
    }
    let asking = context.session.index;
    context.act(Action::RewriteConfig(asking));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::core::Action;

    #[test]
    fn the_process_answers() {
        let mut bench = Bench::default();
        bench.check("CONFIG REWRITE -> -ERR The server is running without a config file");
        bench.core.observed.process.config_file = "/etc/whimbrel.conf".to_owned();
        assert_eq!(bench.ask(1, "CONFIG REWRITE"), "");
        assert!(matches!(bench.actions[..], [Action::RewriteConfig(_)]));
    }
}
