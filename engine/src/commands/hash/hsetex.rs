//! HSETEX: sets fields together with their expiry, under conditions on the key (NX, XX) or its fields (FNX, FXX). The answer
//! to an expiry in the past is Valkey's: the fields go, and 1 means that all of them were there.

use super::hash_of;
use super::numbered::{find_fields, numbered};
use super::options::{Condition, Options};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// HSETEX.
pub const SPEC: Spec = Spec {
    name: "hsetex",
    arity: -6,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "8.0.0",
    group: Group::Hash,
    summary: "Sets fields of a hash together with their expiry.",
    complexity: "O(N) where N is the number of fields to be set",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let at = find_fields(arguments, 2)?;
    let options = Options::parse(context, arguments, 2..at, Options::writes)?;
    let pairs = numbered(arguments, at, 2)?;
    let names = || (0..pairs.len()).step_by(2).map(|at| pairs.at(at));
    let now_ms = context.now.unix_ms;
    let key = context.key(arguments.at(1))?;
    let mut write = context.core.shard.write(&key, now_ms);
    let hash = hash_of(write.entry())?;
    let is_there = |name: &[u8]| hash.is_some_and(|hash| hash.field(name).is_some());
    let holds = match options.condition {
        None => true,
        Some(Condition::KeyMissing) => hash.is_none(),
        Some(Condition::KeyThere) => hash.is_some(),
        Some(Condition::FieldsMissing) => !names().any(is_there),
        Some(Condition::FieldsThere) => names().all(is_there),
    };
    let done = match options.expiry.unwrap_or(Expiry::Clear) {
        _ if !holds => false,
        // Fields that are set to expire in the past were set, and have expired.
        Expiry::At(at_ms) if at_ms <= now_ms => {
            write.hash_remove_many(names())?;
            true
        }
        expiry => {
            write.hash_set_many(names().zip((1..pairs.len()).step_by(2).map(|at| pairs.at(at))), expiry)?;
            true
        }
    };
    drop(write);
    context.reply.integer(i64::from(done));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn fields_are_set_with_their_expiry() {
        check(
            r#"
            HSETEX h EX 10 FIELDS 2 a 1 b 2 -> :1
            HPTTL h FIELDS 2 a b -> *2 :10000 :10000
            HSETEX h KEEPTTL FIELDS 2 a 3 c 4 -> :1
            HMGET h a c -> *2 $1 3 $1 4
            HPTTL h FIELDS 2 a c -> *2 :10000 :-1
            HSETEX h FIELDS 1 a 5 -> :1
            HPTTL h FIELDS 1 a -> *1 :-1
            HSETEX h PXAT 1700000001500 FIELDS 1 a 6 -> :1
            HSETEX h EXAT 1700000002 FIELDS 1 c 6 -> :1
            HSETEX h px 1200 FIELDS 1 d 7 -> :1
            HPTTL h FIELDS 3 a c d -> *3 :1500 :2000 :1200
            @after 2000
            HGETALL h -> *2 $1 b $1 2
            "#,
        );
    }

    #[test]
    fn conditions_must_hold() {
        check(
            r#"
            HSETEX h FXX FIELDS 1 a 1 -> :0
            HSETEX h XX FIELDS 1 a 1 -> :0
            HSETEX h FNX EX 10 FIELDS 2 a 1 b 2 -> :1
            HSETEX h FNX FIELDS 2 b 3 c 3 -> :0
            HSETEX h EX 20 fxx FIELDS 2 b 3 c 3 -> :0
            HSETEX h NX FIELDS 1 a 1 -> :0
            HGETALL h -> *4 $1 a $1 1 $1 b $1 2
            HSETEX h XX FIELDS 1 a 2 -> :1
            HSETEX h FXX FIELDS 2 a 3 b 3 -> :1
            HSETEX g NX FIELDS 1 a 2 -> :1
            HGETALL h -> *4 $1 a $1 3 $1 b $1 3
            "#,
        );
    }

    #[test]
    fn the_past_removes_fields() {
        check(
            r#"
            HSETEX h EX 0 FIELDS 1 a 1 -> :1
            EXISTS h -> :0
            HSET h a 1 b 2 c 3 -> :3
            HSETEX h PXAT 1 FIELDS 2 a 1 x 1 -> :1
            HSETEX h EX 0 FIELDS 2 b 1 c 1 -> :1
            HLEN h -> :0
            SET h s -> +OK
            "#,
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            r#"
            HSETEX h EX 10 FIELDS 1 a -> -ERR numfields should be greater than 0 and match the provided number of fields
            HSETEX h EX 10 FIELDS 2 a 1 -> -ERR numfields should be greater than 0 and match the provided number of fields
            HSETEX h EX 10 FIELDS 9223372036854775807 a 1 -> -ERR numfields should be greater than 0 and match the provided number of fields
            HSETEX h EX 10 FELDS 1 a 1 -> -ERR Mandatory argument FIELDS is missing or not at the right position
            HSETEX h EX 10 PX 10 FIELDS 1 a 1 -> -ERR syntax error
            HSETEX h EX 10 KEEPTTL FIELDS 1 a 1 -> -ERR syntax error
            HSETEX h FNX FXX FIELDS 1 a 1 -> -ERR syntax error
            HSETEX h PERSIST FIELDS 1 a 1 -> -ERR syntax error
            HSETEX h YY FIELDS 1 a 1 -> -ERR syntax error
            HSETEX h EX -1 FIELDS 1 a 1 -> -ERR invalid expire time in 'hsetex' command
            HSETEX h EX x FIELDS 1 a 1 -> -ERR value is not an integer or out of range
            SET s v -> +OK
            HSETEX s FIELDS 1 a 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
