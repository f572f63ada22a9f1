//! HGETALL: all fields with their values.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HGETALL.
pub const SPEC: Spec = Spec {
    name: "hgetall",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output_order"],
    since: "2.0.0",
    group: Group::Hash,
    summary: "All fields of a hash with their values.",
    complexity: "O(N) where N is the number of fields",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let Some(hash) = hash_of(context.core.shard.find(&key, context.now.unix_ms))? else {
        context.reply.map(0);
        return Ok(());
    };
    let reply = &mut *context.reply;
    if let Some(count) = hash.live_len() {
        reply.map(count);
        hash.for_each(|field| {
            reply.bulk(field.name);
            reply.bulk_text(field.value);
        });
        return Ok(());
    }
    let map = reply.defer();
    let mut count = 0;
    hash.for_each(|field| {
        reply.bulk(field.name);
        reply.bulk_text(field.value);
        count += 1;
    });
    reply.end_map(map, count);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn shows_every_field_once() {
        check(
            "
            HGETALL h -> *0
            HSET h a 1 b 2 -> :2
            HGETALL h -> *4 $1 a $1 1 $1 b $1 2
            2> HELLO 3 -> %...
            2> HGETALL h -> %2 $1 a $1 1 $1 b $1 2
            2> HGETALL x -> %0
            HSET h a 3 -> :0
            HGETALL h -> *4 $1 a $1 3 $1 b $1 2
            ",
        );
    }
}
