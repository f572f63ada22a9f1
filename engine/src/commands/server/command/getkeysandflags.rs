//! COMMAND GETKEYSANDFLAGS: the keys of a command and what it does with them.

use super::describe::names;
use super::getkeys::inner;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec, for_each_key};
use crate::resp::Arguments;

/// COMMAND GETKEYSANDFLAGS.
pub const SPEC: Spec = Spec {
    name: "command|getkeysandflags",
    syntax: "command [arg ...]",
    arity: -3,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "7.0.0",
    group: Group::Server,
    summary: "The keys among the arguments of a command, and what it does with them.",
    complexity: "O(N) where N is the number of arguments",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let (spec, inner) = inner(arguments)?;
    let mut keys = Vec::new();
    for_each_key(spec, &inner, |position, access| keys.push((inner.at(position), access)))
        .map_err(|_| CommandError::Static("ERR Invalid arguments specified for command"))?;
    context.reply.array(keys.len());
    for (key, stated) in keys {
        let access = spec.access.map_or(stated, |access| access(&inner));
        context.reply.array(2);
        context.reply.bulk(key);
        names(context.reply, access.names());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn what_is_done_with_a_key_may_depend_on_the_arguments() {
        check(
            r#"
            COMMAND GETKEYSANDFLAGS SET k v -> *1 *2 $1 k *2 +OW +update
            COMMAND GETKEYSANDFLAGS SET k GET EX 10 -> *1 *2 $1 k *2 +OW +update
            COMMAND GETKEYSANDFLAGS SET k v EX 10 get -> *1 *2 $1 k *3 +RW +access +update
            COMMAND GETKEYSANDFLAGS SET k v IFEQ w -> *1 *2 $1 k *2 +RW +update
            COMMAND GETKEYSANDFLAGS GETEX k -> *1 *2 $1 k *3 +RW +access +update
            "#,
        );
    }

    #[test]
    fn commands_without_keys_are_refused() {
        check(
            r#"
            COMMAND GETKEYSANDFLAGS nosuch a -> -ERR Invalid command specified
            COMMAND GETKEYSANDFLAGS ping a -> -ERR The command has no key arguments
            "#,
        );
    }
}
