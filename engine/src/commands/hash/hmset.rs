//! HMSET: sets fields, as HSET does, and answers OK.

use super::hset::set_fields;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HMSET.
pub const SPEC: Spec = Spec {
    name: "hmset",
    arity: -4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "2.0.0",
    group: Group::Hash,
    summary: "Sets fields of a hash and makes it if there is none.",
    complexity: "O(N) where N is the number of fields to be set",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    set_fields(context, arguments)?;
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn answers_ok() {
        check(
            r#"
            HMSET h a 1 b 2 -> +OK
            HMSET h a 3 -> +OK
            HMGET h a b -> *2 $1 3 $1 2
            HMSET h a -> -ERR wrong number of arguments for 'hmset' command
            HMSET h a 1 b -> -ERR wrong number of arguments for 'hmset' command
            "#,
        );
    }
}
