//! OBJECT FREQ: how often the key was used: a logarithmic counter that decays.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// OBJECT FREQ.
pub const SPEC: Spec = Spec {
    name: "object|freq",
    syntax: "key",
    arity: 3,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(2, Access::RO),
    tips: &["nondeterministic_output"],
    since: "4.0.0",
    group: Group::Generic,
    summary: "How often the key was used: a logarithmic counter that decays.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// What is answered under a `maxmemory-policy` that goes by something else.
const NOT_TRACKED: CommandError = CommandError::Static(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies \
     at runtime LRU and LFU data will take some time to adjust.",
);

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(2))?;
    match context.look(&key).map(|entry| entry.frequency().map(i64::from)) {
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
            OBJECT FREQ missing -> $-1
            OBJECT FREQ k -> -ERR An LFU maxmemory policy is not selected, access frequency not tracked. ...
            CONFIG SET maxmemory-policy allkeys-lfu lfu-log-factor 0 lfu-decay-time 1 -> +OK
            SET n v -> +OK
            OBJECT FREQ n -> :5
            GET n -> $1 v
            GET n -> $1 v
            OBJECT FREQ n -> :7
            OBJECT FREQ n -> :7
            @after 180000
            OBJECT FREQ n -> :4
            OBJECT FREQ missing -> $-1
            ",
        );
    }
}
