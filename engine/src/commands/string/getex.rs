//! GETEX: the value of a key, and when it shall expire.

use super::options::{Family, Options, is_past};
use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// GETEX.
pub const SPEC: Spec = Spec {
    name: "getex",
    arity: -2,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "6.2.0",
    group: Group::String,
    summary: "Answers the string that a key holds and sets when the key expires.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let now_ms = context.now.unix_ms;
    let expiry = Options::parse(Family::GetEx, arguments, 2)?.expiry_of_reader(context)?;
    let key = context.key(arguments.at(1))?;
    let is_there = value::answer(context.reply, context.core.shard.find(&key, now_ms))?;
    if !is_there || expiry == Expiry::Keep {
        return Ok(());
    }
    let mut write = context.write(&key);
    let expires_at_ms = write.expires_at_ms();
    if is_past(expiry, now_ms) {
        write.remove()?;
    } else if expiry.after(expires_at_ms) != expires_at_ms {
        write.set_expiry(expiry.after(expires_at_ms))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::{Bench, check};

    #[test]
    fn the_expiry_is_set_and_taken_away() {
        check(
            "
            GETEX k -> $-1
            GETEX k EX 10 -> $-1
            SET k v -> +OK
            GETEX k -> $1 v
            GETEX k PX 100 -> $1 v
            GETEX k -> $1 v
            @after 99
            GETEX k PERSIST PERSIST -> $1 v
            @after 1
            GETEX k EX 1 -> $1 v
            GETEX k EXAT 1700000002 -> $1 v
            @after 1899
            GETEX k PXAT 1700000002001 -> $1 v
            @after 1
            GET k -> $1 v
            @after 1
            GETEX k -> $-1
            ",
        );
    }

    #[test]
    fn an_expiry_in_the_past_removes_the_key() {
        check(
            "
            SET k v -> +OK
            GETEX k EXAT 1 -> $1 v
            GET k -> $-1
            ",
        );
    }

    #[test]
    fn options_must_fit_together() {
        check(
            "
            SET k v -> +OK
            GETEX k EX -> -ERR syntax error
            GETEX k EX 10 PERSIST -> -ERR syntax error
            GETEX k PERSIST EX 10 -> -ERR syntax error
            GETEX k KEEPTTL -> -ERR syntax error
            GETEX k NX -> -ERR syntax error
            GETEX k GET -> -ERR syntax error
            GETEX k EX 0 -> -ERR invalid expire time in 'getex' command
            GETEX k PX 9223372036854775807 -> -ERR invalid expire time in 'getex' command
            GETEX k EX abc -> -ERR value is not an integer or out of range
            GETEX missing EX 0 -> -ERR invalid expire time in 'getex' command
            ",
        );
    }

    #[test]
    fn large_values_keep_their_bytes() {
        let mut bench = Bench::default();
        let value = "x".repeat(300_000);
        bench.check(&format!(
            "
            SET k {value} -> +OK
            GETEX k PX 10 -> $300000 {value}
            GETEX k PERSIST -> $300000 {value}
            @after 10
            GET k -> $300000 {value}
            "
        ));
    }

    #[test]
    fn other_types_are_refused() {
        with_hash("h")
            .check("GETEX h EX 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value");
    }
}
