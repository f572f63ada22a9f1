//! GET: the value of a key.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// GET.
pub const SPEC: Spec = Spec {
    name: "get",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::READ),
    since: "1.0.0",
    group: Group::String,
    summary: "Answers the string that a key holds.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    value::answer(context.reply, context.core.shard.find(&key, context.now.unix_ms))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::{Bench, check};

    #[test]
    fn answers_values_as_they_were_set() {
        check(
            r#"
            GET k -> $-1
            SET k hello -> +OK
            GET k -> $5 hello
            SET k "" -> +OK
            GET k -> $0
            SET k -42 -> +OK
            GET k -> $3 -42
            SET k 0042 -> +OK
            GET k -> $4 0042
            SET k "a\x00b" -> +OK
            GET k -> $3 a\x00b
            GET -> -ERR wrong number of arguments for 'get' command
            GET a b -> -ERR wrong number of arguments for 'get' command
            "#,
        );
    }

    #[test]
    fn other_types_are_refused() {
        with_hash("h").check("GET h -> -WRONGTYPE Operation against a key holding the wrong kind of value");
    }

    #[test]
    fn hits_and_misses_are_counted() {
        let mut bench = Bench::default();
        bench.check(
            "
            SET k v PX 100 -> +OK
            GET k -> $1 v
            GET missing -> $-1
            @after 100
            GET k -> $-1
            ",
        );
        let stats = bench.core.shard.stats();
        assert_eq!((stats.hits, stats.misses, stats.expired_keys), (1, 2, 1));
    }

    #[test]
    fn keys_have_a_longest_length() {
        let mut bench = Bench::default();
        let key = "k".repeat(crate::key::KEY_BYTES_MAX);
        bench.check(&format!(
            "
            SET {key} v -> +OK
            GET {key} -> $1 v
            GET {key}k -> -ERR key is longer than 7168 bytes
            SET {key}k v -> -ERR key is longer than 7168 bytes
            "
        ));
    }
}
