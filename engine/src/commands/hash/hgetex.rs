//! HGETEX: the values of fields, whose expiry changes.

use super::hash_of;
use super::numbered::{find_fields, numbered};
use super::options::Options;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// HGETEX.
pub const SPEC: Spec = Spec {
    name: "hgetex",
    arity: -5,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "8.0.0",
    group: Group::Hash,
    summary: "The values of fields of a hash, whose expiry is set or taken away.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let at = find_fields(arguments, 2)?;
    let options = Options::parse(context, arguments, 2..at, Options::reads)?;
    let names = numbered(arguments, at, 1)?;
    let now_ms = context.now.unix_ms;
    let key = context.key(arguments.at(1))?;
    let mut write = context.core.shard.write(&key, now_ms);
    hash_of(write.entry())?;
    context.reply.array(names.len());
    for name in names.iter() {
        let field = hash_of(write.entry())?.and_then(|hash| hash.field(name));
        context.reply.bulk_text_or_null(field.map(|field| field.value));
        let Some(old) = field.map(|field| field.expires_at_ms) else { continue };
        match options.expiry {
            Some(Expiry::At(at_ms)) if at_ms <= now_ms => drop(write.hash_remove(name)?),
            Some(expiry) if expiry.after(old) != old => drop(write.hash_set_expiry(name, expiry.after(old))?),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn the_expiry_changes() {
        check(
            r#"
            HGETEX h EX 10 FIELDS 1 a -> *1 $-1
            HSET h a 1 b 2 -> :2
            HGETEX h FIELDS 2 a x -> *2 $1 1 $-1
            HTTL h FIELDS 1 a -> *1 :-1
            HGETEX h EX 10 FIELDS 2 a b -> *2 $1 1 $1 2
            HGETEX h px 1500 FIELDS 1 b -> *1 $1 2
            HPTTL h FIELDS 2 a b -> *2 :10000 :1500
            HGETEX h PERSIST FIELDS 1 a -> *1 $1 1
            HGETEX h EXAT 1700000003 FIELDS 1 b -> *1 $1 2
            HPTTL h FIELDS 2 a b -> *2 :-1 :3000
            HGETEX h PXAT 1700000000500 FIELDS 1 b -> *1 $1 2
            @after 500
            HGETEX h FIELDS 2 a b -> *2 $1 1 $-1
            2> HELLO 3 -> %...
            2> HGETEX h EX 0 FIELDS 2 a a -> *2 $1 1 _
            HGET h a -> $-1
            "#,
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            r#"
            HSET h a 1 -> :1
            HGETEX h KEEPTTL FIELDS 1 a -> -ERR syntax error
            HGETEX h FNX FIELDS 1 a -> -ERR syntax error
            HGETEX h EX FIELDS 1 a -> -ERR syntax error
            HGETEX h EX 1 PX 1 FIELDS 1 a -> -ERR syntax error
            HGETEX h EX 1 PERSIST FIELDS 1 a -> -ERR syntax error
            HGETEX h EX x FIELDS 1 a -> -ERR value is not an integer or out of range
            HGETEX h EX -1 FIELDS 1 a -> -ERR invalid expire time in 'hgetex' command
            HGETEX h FIELDS 2 a -> -ERR numfields should be greater than 0 and match the provided number of fields
            HGETEX h EX 1 FELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
            SET s v -> +OK
            HGETEX s EX 10 FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
