//! COMMAND GETKEYS: the keys of a command.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Spec, for_each_key, resolve,
};
use crate::resp::Arguments;

/// COMMAND GETKEYS.
pub const SPEC: Spec = Spec {
    name: "command|getkeys",
    syntax: "command [arg ...]",
    arity: -3,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "2.8.13",
    group: Group::Server,
    summary: "The keys among the arguments of a command.",
    complexity: "O(N) where N is the number of arguments",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let (spec, inner) = inner(arguments)?;
    let mut keys = Vec::new();
    for_each_key(spec, &inner, |position, _| keys.push(inner.at(position)))
        .map_err(|_| CommandError::Static("ERR Invalid arguments specified for command"))?;
    context.reply.array(keys.len());
    keys.iter().for_each(|key| context.reply.bulk(key));
    Ok(())
}

/// The command that the arguments from the third on call, and those arguments.
pub fn inner<'a>(arguments: &Arguments<'a>) -> Result<(&'static Spec, Arguments<'a>), CommandError> {
    let inner = arguments.from(2);
    let spec = resolve(&inner).map_err(|_| CommandError::Static("ERR Invalid command specified"))?.spec;
    if matches!(spec.keys, Keys::None) {
        return Err(CommandError::Static("ERR The command has no key arguments"));
    }
    if !spec.accepts(inner.len()) {
        return Err(CommandError::Static("ERR Invalid number of arguments specified for command"));
    }
    Ok((spec, inner))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn commands_without_keys_are_refused() {
        check(
            r#"
            COMMAND GETKEYS nosuch a -> -ERR Invalid command specified
            COMMAND GETKEYS ping a -> -ERR The command has no key arguments
            COMMAND GETKEYS -> -ERR wrong number of arguments for 'command|getkeys' command
            "#,
        );
    }
}
