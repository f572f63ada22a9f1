//! HPERSIST: takes the expiry of fields away.

use super::deadline::{NO_EXPIRY, Outcome};
use super::hash_of;
use super::numbered::numbered;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HPERSIST.
pub const SPEC: Spec = Spec {
    name: "hpersist",
    arity: -5,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "7.4.0",
    group: Group::Hash,
    summary: "Takes the expiry of fields of a hash away.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let names = numbered(arguments, 2, 1)?;
    let key = context.key(arguments.at(1))?;
    let mut write = context.core.shard.write(&key, context.now.unix_ms);
    hash_of(write.entry())?;
    context.reply.array(names.len());
    for name in names.iter() {
        let field = hash_of(write.entry())?.and_then(|hash| hash.field(name));
        let code = match field.map(|field| field.expires_at_ms) {
            None => Outcome::Missing as i64,
            Some(None) => NO_EXPIRY,
            Some(Some(_)) => {
                write.hash_set_expiry(name, None)?;
                Outcome::Done as i64
            }
        };
        context.reply.integer(code);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn fields_stay() {
        check(
            r#"
            HPERSIST h FIELDS 1 a -> *1 :-2
            HSET h a 1 b 2 -> :2
            HPEXPIRE h 10 FIELDS 1 a -> *1 :1
            HPERSIST h FIELDS 3 a b x -> *3 :1 :-1 :-2
            @after 10
            HGET h a -> $1 1
            HPERSIST h FIELDS 2 a -> -ERR numfields should be greater than 0 and match the provided number of fields
            HPERSIST h FELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
            SET s v -> +OK
            HPERSIST s FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
