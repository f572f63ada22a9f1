//! PING: is the server alive?

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// PING.
pub const SPEC: Spec = Spec {
    name: "ping",
    arity: -1,
    flags: Flags::of(&[Flag::Fast]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    since: "1.0.0",
    group: Group::Connection,
    summary: "Answers PONG, or the given message.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    match arguments.len() {
        1 => context.reply.simple("PONG"),
        2 => context.reply.bulk(arguments.at(1)),
        _ => return Err(context.wrong_arity()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn answers_pong_or_the_message() {
        check(
            "
            PING -> +PONG
            ping hello -> $5 hello
            PING a b -> -ERR wrong number of arguments for 'ping' command
            ",
        );
    }
}
