//! MSETEX: sets several keys with one expiry time, all or none.

use super::options::{Condition, Family, Options};
use super::set::set_if;
use crate::commands::{
    Access, Begin, Categories, Category, CommandError, Context, Find, Flag, Flags, Group, KeySpec, Keys,
    Route, Spec,
};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// MSETEX.
pub const SPEC: Spec = Spec {
    name: "msetex",
    arity: -4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::MovableKeys]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::Rule(KeySpec {
        begin: Begin::Index(1),
        find: Find::Count { count: 0, first: 1, step: 2 },
        access: Access::OW.and(Access::UPDATE),
    }),
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    since: "9.1.0",
    group: Group::String,
    summary: "Sets several keys with one expiry time, all or none.",
    complexity: "O(N) where N is the number of keys to set.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// The first pair.
const PAIRS_AT: usize = 2;

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let pair_count = pair_count(arguments.at(1))?;
    let options_at = pair_count
        .checked_mul(2)
        .and_then(|count| count.checked_add(PAIRS_AT))
        .filter(|at| *at <= arguments.len())
        .ok_or(CommandError::Static("ERR wrong number of key-value pairs"))?;
    let options = Options::parse(Family::MultiSetEx, arguments, options_at)?;
    let expiry = options.expiry(context)?;
    let positions = (PAIRS_AT..options_at).step_by(2);
    for position in positions.clone() {
        let key = context.key(arguments.at(position))?;
        let is_there = context.core.shard.peek(&key, context.now.unix_ms).is_some();
        if !options.condition.holds(None, is_there)? {
            context.reply.integer(0);
            return Ok(());
        }
    }
    for position in positions {
        let key = context.key(arguments.at(position))?;
        set_if(context, &key, arguments.at(position + 1), Condition::None, expiry)?;
    }
    context.reply.integer(1);
    Ok(())
}

fn pair_count(text: &[u8]) -> Result<usize, CommandError> {
    let number = parse_i64(text).filter(|number| (1..=i64::from(i32::MAX)).contains(number));
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or(CommandError::Static("ERR invalid numkeys value"))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn all_keys_are_set_with_one_expiry() {
        check(
            "
            MSETEX 2 a 1 b 2 EX 1 -> :1
            @after 999
            GET a -> $1 1
            GET b -> $1 2
            MSETEX 2 a 3 c 4 KEEPTTL -> :1
            @after 1
            GET a -> $-1
            GET b -> $-1
            GET c -> $1 4
            MSETEX 1 c 5 PX 10 -> :1
            MSETEX 1 c 6 -> :1
            @after 10
            GET c -> $1 6
            MSETEX 2 d 1 d 2 PXAT 1700000005000 -> :1
            GET d -> $1 2
            MSETEX 2 c 1 e 1 EXAT 1 -> :1
            GET c -> $-1
            GET e -> $-1
            ",
        );
    }

    #[test]
    fn conditions_hold_for_all_or_nothing_happens() {
        check(
            "
            MSETEX 2 a 1 b 2 XX -> :0
            MSETEX 2 a 1 b 2 NX -> :1
            MSETEX 2 c 1 b 3 ex 10 nx -> :0
            MSETEX 2 c 1 b 3 xx ex 10 -> :0
            GET c -> $-1
            GET b -> $1 2
            MSETEX 2 a 5 b 6 XX -> :1
            GET a -> $1 5
            MSETEX 2 n 1 n 2 NX -> :1
            GET n -> $1 2
            ",
        );
    }

    #[test]
    fn arguments_must_fit_together() {
        check(
            "
            MSETEX 1 a -> -ERR wrong number of arguments for 'msetex' command
            MSETEX a 1 b 2 -> -ERR invalid numkeys value
            MSETEX 0 a 1 -> -ERR invalid numkeys value
            MSETEX 2147483648 a 1 -> -ERR invalid numkeys value
            MSETEX 2147483647 a 1 -> -ERR wrong number of key-value pairs
            MSETEX 2 a 1 b -> -ERR wrong number of key-value pairs
            MSETEX 1 a 1 b 2 -> -ERR syntax error
            MSETEX 1 a 1 NX XX -> -ERR syntax error
            MSETEX 1 a 1 EX 1 PX 1 -> -ERR syntax error
            MSETEX 1 a 1 EX -> -ERR syntax error
            MSETEX 1 a 1 GET -> -ERR syntax error
            MSETEX 1 a 1 EX 0 -> -ERR invalid expire time in 'msetex' command
            GET a -> $-1
            ",
        );
    }
}
