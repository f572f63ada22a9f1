//! CONFIG GET: parameters and their values.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CONFIG GET.
pub const SPEC: Spec = Spec {
    name: "config|get",
    syntax: "parameter [parameter ...]",
    arity: -3,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    since: "2.0.0",
    group: Group::Server,
    summary: "The parameters that these names or patterns match, with their values.",
    complexity: "O(N) where N is the number of parameters",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let patterns: Vec<&[u8]> = arguments.from(2).iter().collect();
    let found = context.core.config.query(&patterns);
    context.reply.map(found.len());
    for (name, value) in found {
        context.reply.bulk(name);
        context.reply.bulk(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn names_and_patterns() {
        check(
            r#"
            CONFIG GET timeout -> *2 $7 timeout $1 0
            CONFIG GET TimeOut nosuch slowlog-m* -> *4 $7 TimeOut $1 0 $15 slowlog-max-len $3 128
            CONFIG GET save appendonly -> *4 $4 save $0  $10 appendonly $2 no
            CONFIG GET nosuch -> *0
            CONFIG GET -> -ERR wrong number of arguments for 'config|get' command
            HELLO 3 -> ...
            CONFIG GET timeout -> %1 $7 timeout $1 0
            "#,
        );
    }
}
