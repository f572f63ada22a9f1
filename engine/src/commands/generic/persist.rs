//! PERSIST: takes a key's expiry away.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// PERSIST.
pub const SPEC: Spec = Spec {
    name: "persist",
    arity: 2,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "2.2.0",
    group: Group::Generic,
    summary: "Takes a key's expiry away.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let mut write = context.write(&key);
    let expires = write.expires_at_ms().is_some();
    if expires {
        write.set_expiry(None)?;
    }
    drop(write);
    context.reply.count(usize::from(expires));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn an_expiry_goes() {
        check(
            "
            SET k v EX 10 -> +OK
            PERSIST k -> :1
            PERSIST k -> :0
            PERSIST missing -> :0
            TTL k -> :-1
            GET k -> $1 v
            ",
        );
    }
}
