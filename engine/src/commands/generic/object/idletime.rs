//! OBJECT IDLETIME: whole seconds since the key was last used.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// OBJECT IDLETIME.
pub const SPEC: Spec = Spec {
    name: "object|idletime",
    syntax: "key",
    arity: 3,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(2, Access::RO),
    tips: &["nondeterministic_output"],
    since: "2.2.3",
    group: Group::Generic,
    summary: "Whole seconds since the key was last used.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// What is answered under a `maxmemory-policy` that goes by something else.
const NOT_TRACKED: CommandError = CommandError::Static(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies \
     at runtime LRU and LFU data will take some time to adjust.",
);

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(2))?;
    match context.look(&key).map(|entry| entry.idle_s().map(|idle_s| idle_s as i64)) {
        None => context.reply.null(),
        Some(None) => return Err(NOT_TRACKED),
        Some(Some(value)) => context.reply.integer(value),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn follows_the_policy() {
        check(
            "
            SET k v -> +OK
            @after 5500
            OBJECT IDLETIME k -> :5
            EXISTS k -> :1
            TTL k -> :-1
            OBJECT IDLETIME k -> :5
            TOUCH k -> :1
            OBJECT IDLETIME k -> :0
            OBJECT IDLETIME missing -> $-1
            CONFIG SET maxmemory-policy volatile-lfu -> +OK
            OBJECT IDLETIME k -> -ERR An LFU maxmemory policy is selected, idle time not tracked. ...
            OBJECT IDLETIME missing -> $-1
            ",
        );
    }
}
