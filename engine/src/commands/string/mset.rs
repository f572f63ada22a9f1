//! MSET: sets several keys.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Merge, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// MSET.
pub const SPEC: Spec = Spec {
    name: "mset",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::range(1, -1, 2, Access::OW.and(Access::UPDATE)),
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    since: "1.0.1",
    group: Group::String,
    summary: "Sets the strings that several keys hold.",
    complexity: "O(N) where N is the number of keys.",
    route: Route::Split(Merge::Ok),
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    set_all(context, arguments)?;
    context.reply.ok();
    Ok(())
}

/// Sets the keys at the odd places to the values behind them.
pub fn set_all(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if arguments.len().is_multiple_of(2) {
        return Err(context.wrong_arity());
    }
    let positions = (1..arguments.len()).step_by(2);
    for position in positions.clone() {
        context.key(arguments.at(position))?;
    }
    for position in positions {
        let key = context.key(arguments.at(position))?;
        context.write(&key).set(arguments.at(position + 1), Expiry::Clear)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;

    #[test]
    fn all_keys_are_set() {
        let long = "k".repeat(crate::key::KEY_BYTES_MAX + 1);
        with_hash("h").check(&format!(
            "
            MSET a 1 h b a 3 -> +OK
            MGET a h -> *2 $1 3 $1 b
            SET a 1 PX 10 -> +OK
            MSET a 2 -> +OK
            @after 10
            GET a -> $1 2
            MSET a 5 b -> -ERR wrong number of arguments for 'mset' command
            MSET a -> -ERR wrong number of arguments for 'mset' command
            MSET a 6 {long} 7 -> -ERR key is longer than 7168 bytes
            GET a -> $1 2
            "
        ));
    }
}
