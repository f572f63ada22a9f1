//! DELIFEQ: removes a key that holds a given string.

use super::options::Condition;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// DELIFEQ.
pub const SPEC: Spec = Spec {
    name: "delifeq",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RM.and(Access::DELETE)),
    since: "9.0.0",
    group: Group::String,
    summary: "Removes a key if it holds this string.",
    complexity: "O(N) where N is the length of the string.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let mut write = context.write(&key);
    let entry = write.entry();
    let condition = Condition::Equals(arguments.at(2));
    let is_equal = condition.holds(entry.and_then(|entry| entry.text()), entry.is_some())?;
    let is_removed = is_equal && write.remove()?;
    drop(write);
    context.reply.integer(is_removed.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn only_equal_values_are_removed() {
        check(
            "
            DELIFEQ k a -> :0
            SET k a -> +OK
            DELIFEQ k b -> :0
            DELIFEQ k a -> :1
            GET k -> $-1
            SET k 42 -> +OK
            DELIFEQ k 042 -> :0
            DELIFEQ k 42 -> :1
            DELIFEQ k -> -ERR wrong number of arguments for 'delifeq' command
            ",
        );
    }

    #[test]
    fn other_types_are_refused() {
        with_hash("h").check(
            "
            DELIFEQ h v -> -WRONGTYPE Operation against a key holding the wrong kind of value
            SETNX h v -> :0
            ",
        );
    }
}
