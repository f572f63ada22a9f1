//! MGET: the values of several keys.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Merge, Route, Spec,
};
use crate::resp::Arguments;

/// MGET.
pub const SPEC: Spec = Spec {
    name: "mget",
    arity: -2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::range(1, -1, 1, Access::READ),
    tips: &["request_policy:multi_shard"],
    since: "1.0.0",
    group: Group::String,
    summary: "Answers the strings that several keys hold.",
    complexity: "O(N) where N is the number of keys.",
    route: Route::Split(Merge::Array),
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.reply.array(arguments.len() - 1);
    for argument in arguments.from(1).iter() {
        let key = context.key(argument)?;
        match context.core.shard.find(&key, context.now.unix_ms).and_then(|entry| entry.text()) {
            Some(text) => value::bulk(context.reply, text),
            None => context.reply.null(),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;

    #[test]
    fn what_is_no_string_is_null() {
        let large = "x".repeat(20_000);
        with_hash("h").check(&format!(
            "
            SET a 1 -> +OK
            SET b hello PX 10 -> +OK
            SET c {large} -> +OK
            MGET a missing h b a c -> *6 $1 1 $-1 $-1 $5 hello $1 1 $20000 {large}
            @after 10
            MGET b -> *1 $-1
            MGET -> -ERR wrong number of arguments for 'mget' command
            "
        ));
    }
}
