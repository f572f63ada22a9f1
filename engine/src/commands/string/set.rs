//! SET: makes a key a string, with conditions and an expiry time.

use super::options::{Condition, Family, Options, is_past};
use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::{Expiry, Key};

/// SET.
pub const SPEC: Spec = Spec {
    name: "set",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE).and(Access::VARIABLE)),
    access: Some(access),
    since: "1.0.0",
    group: Group::String,
    summary: "Sets the string that a key holds, whatever it held before.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// The old value matters only to some options.
fn access(arguments: &Arguments<'_>) -> Access {
    let has = |option: &str| (3..arguments.len()).any(|at| arguments.is(at, option));
    match (has("GET"), has("IFEQ")) {
        (true, _) => Access::RW.and(Access::ACCESS).and(Access::UPDATE),
        (false, true) => Access::RW.and(Access::UPDATE),
        (false, false) => Access::OW.and(Access::UPDATE),
    }
}

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let options = match arguments.len() {
        3 => {
            let key = context.key(arguments.at(1))?;
            context.write(&key).set(arguments.at(2), Expiry::Clear)?;
            context.reply.ok();
            return Ok(());
        }
        _ => Options::parse(Family::Set, arguments, 3)?,
    };
    let expiry = options.expiry(context)?;
    let key = context.key(arguments.at(1))?;
    if options.get {
        value::answer(context.reply, context.core.shard.find(&key, context.now.unix_ms))?;
    }
    let is_set = set_if(context, &key, arguments.at(2), options.condition, expiry)?;
    match (options.get, is_set) {
        (true, _) => {}
        (false, true) => context.reply.ok(),
        (false, false) => context.reply.null(),
    }
    Ok(())
}

/// Sets the key if the condition holds, and says whether it does. A key that is to expire in the past is gone at once.
pub fn set_if(
    context: &mut Context<'_>,
    key: &Key<'_>,
    value: &[u8],
    condition: Condition<'_>,
    expiry: Expiry,
) -> Result<bool, CommandError> {
    let now_ms = context.now.unix_ms;
    let mut write = context.write(key);
    let entry = write.entry();
    if !condition.holds(entry.and_then(|entry| entry.text()), entry.is_some())? {
        return Ok(false);
    }
    if is_past(expiry, now_ms) {
        write.remove()?;
    } else {
        write.set(value, expiry)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn conditions_decide() {
        check(
            "
            SET k a XX -> $-1
            SET k a NX -> +OK
            SET k b NX -> $-1
            SET k b xx -> +OK
            GET k -> $1 b
            SET k c IFEQ a -> $-1
            SET k c IFEQ b -> +OK
            SET missing c IFEQ b -> $-1
            SET k 42 -> +OK
            SET k 43 IFEQ 42 -> +OK
            SET k 44 IFEQ 043 -> $-1
            GET k -> $2 43
            ",
        );
    }

    #[test]
    fn get_answers_the_old_value() {
        check(
            "
            SET k a GET -> $-1
            SET k b GET -> $1 a
            SET k c NX GET -> $1 b
            SET k2 c NX GET -> $-1
            SET k2 d XX GET -> $1 c
            SET k3 d XX GET -> $-1
            GET k3 -> $-1
            SET k d GET IFEQ b -> $1 b
            SET k e GET IFEQ b -> $1 d
            SET k f GET GET EXAT 1 -> $1 d
            GET k -> $-1
            ",
        );
    }

    #[test]
    fn options_must_fit_together() {
        check(
            "
            SET k v EX -> -ERR syntax error
            SET k v EX 10 PX 10 -> -ERR syntax error
            SET k v EX 10 EXAT 10 -> -ERR syntax error
            SET k v KEEPTTL EX 10 -> -ERR syntax error
            SET k v EX 10 KEEPTTL -> -ERR syntax error
            SET k v NX XX -> -ERR syntax error
            SET k v NX IFEQ a -> -ERR syntax error
            SET k v IFEQ a XX -> -ERR syntax error
            SET k v IFEQ a IFEQ a -> -ERR syntax error
            SET k v IFEQ -> -ERR syntax error
            SET k v PERSIST -> -ERR syntax error
            SET k v foo -> -ERR syntax error
            SET k v EX 10 EX 20 NX NX -> +OK
            SET k -> -ERR wrong number of arguments for 'set' command
            ",
        );
    }

    #[test]
    fn keys_expire_when_told() {
        check(
            "
            SET k v EX 10 -> +OK
            @after 9999
            GET k -> $1 v
            @after 1
            GET k -> $-1
            SET k v PX 10 -> +OK
            SET k w KEEPTTL -> +OK
            @after 10
            GET k -> $-1
            SET k v PX 10 -> +OK
            SET k w -> +OK
            @after 10
            GET k -> $1 w
            SET k v EXAT 1700000011 -> +OK
            SET k2 v PXAT 1700000011000 -> +OK
            GET k -> $1 v
            GET k2 -> $1 v
            @after 1000
            GET k -> $-1
            GET k2 -> $-1
            ",
        );
    }

    #[test]
    fn an_expiry_in_the_past_removes_the_key() {
        check(
            "
            SET k v -> +OK
            SET k w NX EXAT 1 -> $-1
            GET k -> $1 v
            SET k w EXAT 1 -> +OK
            GET k -> $-1
            SET k w PXAT 1 XX -> $-1
            SET k w PXAT 1700000000000 -> +OK
            GET k -> $-1
            ",
        );
    }

    #[test]
    fn expiry_times_have_bounds() {
        check(
            "
            SET k v EX 0 -> -ERR invalid expire time in 'set' command
            SET k v PX -1 -> -ERR invalid expire time in 'set' command
            SET k v EXAT -1 -> -ERR invalid expire time in 'set' command
            SET k v EX abc -> -ERR value is not an integer or out of range
            SET k v EX 9223372036854775807 -> -ERR invalid expire time in 'set' command
            SET k v PX 9223372036854775807 -> -ERR invalid expire time in 'set' command
            SET k v PXAT 9223372036854775807 -> +OK
            GET k -> $1 v
            SET k v EXAT 9223372036854775 -> +OK
            GET k -> $1 v
            SET k v EXAT 9223372036854776 -> -ERR invalid expire time in 'set' command
            ",
        );
    }

    #[test]
    fn other_types_are_overwritten_but_not_read() {
        with_hash("h").check(
            "
            SET h v GET -> -WRONGTYPE Operation against a key holding the wrong kind of value
            SET h v NX GET -> -WRONGTYPE Operation against a key holding the wrong kind of value
            SET h v IFEQ v -> -WRONGTYPE Operation against a key holding the wrong kind of value
            SET h v NX -> $-1
            SET h v -> +OK
            GET h -> $1 v
            ",
        );
    }
}
