//! KEYS: all keys whose names match a pattern.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::resp::{Arguments, Protocol, Reply};
use crate::shard::ScanCursor;

use super::pattern::KeyPattern;

/// KEYS.
pub const SPEC: Spec = Spec {
    name: "keys",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    tips: &["request_policy:all_shards", "nondeterministic_output_order"],
    since: "1.0.0",
    group: Group::Generic,
    summary: "All keys whose names match a pattern. It stops everything else meanwhile; SCAN does not.",
    complexity: "O(N) where N is the number of keys; O(1) for a plain name, and only one slot is searched for a pattern that begins with a hash tag",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// Writes how many keys match, and then each as a bulk string.
fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let pattern = KeyPattern::new(arguments.at(1));
    let (shard, now_ms) = (&context.core.shard, context.now.unix_ms);
    let mut found = Reply::new(Protocol::Resp2);
    let mut count: u64 = 0;
    if let Some(name) = pattern.literal() {
        if shard.peek(&shard.key(name), now_ms).is_some() {
            count = 1;
            found.bulk(name);
        }
    } else {
        let slots = pattern.slots();
        shard.scan(ScanCursor::at_slot(slots.start), slots.end, usize::MAX, now_ms, |entry| {
            if pattern.matches(entry.key()) {
                count += 1;
                found.bulk(entry.key());
            }
        });
    }
    context.out.extend_from_slice(&count.to_le_bytes());
    context.out.extend_from_slice(&found.into_bytes());
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let parts = || parts.iter().map(|part| part.split_first_chunk().expect("a part begins with a count"));
    let count: u64 = parts().map(|(count, _)| u64::from_le_bytes(*count)).sum();
    context.reply.array(count as usize);
    parts().for_each(|(_, keys)| context.reply.raw(keys));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::{Bench, check};
    use crate::resp::OwnedArguments;
    use crate::session::Session;

    #[test]
    fn names_match() {
        check(
            r#"
            KEYS * -> *0
            SET one 1 -> +OK
            SET two 2 -> +OK
            SET {t}one 3 -> +OK
            SET {t}two 4 PX 10 -> +OK
            KEYS * -> ~ *4 $3 one $3 two $6 {t}one $6 {t}two
            KEYS o* -> *1 $3 one
            KEYS one -> *1 $3 one
            KEYS onee -> *0
            KEYS *[no]e -> ~ *2 $3 one $6 {t}one
            KEYS \one -> *1 $3 one
            KEYS {t}* -> ~ *2 $6 {t}one $6 {t}two
            KEYS {t}o* -> *1 $6 {t}one
            KEYS {*}o* -> *1 $6 {t}one
            KEYS {}* -> *0
            @after 10
            KEYS {t}* -> *1 $6 {t}one
            KEYS {t}two -> *0
            KEYS -> -ERR wrong number of arguments for 'keys' command
            "#,
        );
    }

    #[test]
    fn parts_of_several_cores_become_one() {
        let mut bench = Bench::default();
        bench.check("SET a 1 -> +OK");
        let one = b"\x01\0\0\0\0\0\0\0$1\r\na\r\n".to_vec();
        let none = vec![0; 8];
        let mut session = Session::default();
        let mut reply = Reply::new(Protocol::Resp2);
        let mut context = Context {
            core: &mut bench.core,
            session: &mut session,
            reply: &mut reply,
            now: bench.now,
            spec: &SPEC,
        };
        let arguments: OwnedArguments = ["KEYS", "*"].into_iter().collect();
        merge(&mut context, &arguments.view(), &[one.clone(), none, one]).unwrap();
        assert_eq!(reply.into_bytes(), b"*2\r\n$1\r\na\r\n$1\r\na\r\n");
    }
}
