//! HSET: sets fields; HMSET is the same with another answer.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// HSET.
pub const SPEC: Spec = Spec {
    name: "hset",
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
    let created = set_fields(context, arguments)?;
    context.reply.count(created);
    Ok(())
}

/// Sets the fields that the arguments name; answers how many are new.
pub fn set_fields(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<usize, CommandError> {
    if !arguments.len().is_multiple_of(2) {
        return Err(context.wrong_arity());
    }
    let key = context.key(arguments.at(1))?;
    let mut write = context.core.shard.write(&key, context.now.unix_ms);
    hash_of(write.entry())?;
    let fields = (2..arguments.len()).step_by(2).map(|at| (arguments.at(at), arguments.at(at + 1)));
    Ok(write.hash_set_many(fields, Expiry::Clear)?)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn answers_how_many_fields_are_new() {
        check(
            "
            HSET h a 1 -> :1
            HSET h a 2 b 3 b 4 -> :1
            HGETALL h -> *4 $1 a $1 2 $1 b $1 4
            HSET h -> -ERR wrong number of arguments for 'hset' command
            HSET h a 1 b -> -ERR wrong number of arguments for 'hset' command
            ",
        );
    }
}
