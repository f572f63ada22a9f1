//! PSETEX: sets a key that expires after so many milliseconds.

use super::options::{Condition, expiry_at};
use super::set::set_if;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// PSETEX.
pub const SPEC: Spec = Spec {
    name: "psetex",
    arity: 4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::OW.and(Access::UPDATE)),

    since: "2.6.0",
    group: Group::String,
    summary: "Sets the string of a key that expires after so many milliseconds.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let expiry = expiry_at(context, "PX", arguments.at(2))?;
    let key = context.key(arguments.at(1))?;
    set_if(context, &key, arguments.at(3), Condition::None, expiry)?;
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn keys_expire_after_their_time() {
        check(
            "
            PSETEX k 1000 v -> +OK
            @after 999
            GET k -> $1 v
            @after 1
            GET k -> $-1
            ",
        );
    }

    #[test]
    fn expiry_times_have_bounds() {
        check(
            "
            PSETEX k 0 v -> -ERR invalid expire time in 'psetex' command
            PSETEX k -1 v -> -ERR invalid expire time in 'psetex' command
            PSETEX k 9223372036854775807 v -> -ERR invalid expire time in 'psetex' command
            PSETEX k abc v -> -ERR value is not an integer or out of range
            PSETEX k 1 -> -ERR wrong number of arguments for 'psetex' command
            GET k -> $-1
            ",
        );
    }
}
