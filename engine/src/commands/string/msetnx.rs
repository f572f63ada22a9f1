//! MSETNX: sets several keys if all of them are missing.

use super::mset::set_all;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// MSETNX.
pub const SPEC: Spec = Spec {
    name: "msetnx",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::range(1, -1, 2, Access::OW.and(Access::INSERT)),
    tips: &["request_policy:multi_shard", "response_policy:agg_min"],
    since: "1.0.1",
    group: Group::String,
    summary: "Sets the strings of several keys, all of which must be missing.",
    complexity: "O(N) where N is the number of keys.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if arguments.len().is_multiple_of(2) {
        return Err(context.wrong_arity());
    }
    for position in (1..arguments.len()).step_by(2) {
        let key = context.key(arguments.at(position))?;
        if context.core.shard.peek(&key, context.now.unix_ms).is_some() {
            context.reply.integer(0);
            return Ok(());
        }
    }
    set_all(context, arguments)?;
    context.reply.integer(1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;

    #[test]
    fn all_are_set_or_none() {
        with_hash("h").check(
            "
            MSETNX a 1 b 2 -> :1
            MSETNX c 1 b 3 -> :0
            MSETNX c 1 h 3 -> :0
            MGET a b c -> *3 $1 1 $1 2 $-1
            MSETNX c 1 c 2 -> :1
            GET c -> $1 2
            MSETNX d 1 e -> -ERR wrong number of arguments for 'msetnx' command
            ",
        );
    }
}
