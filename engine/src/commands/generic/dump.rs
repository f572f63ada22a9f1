//! DUMP: a value as bytes that RESTORE takes, here or on another server.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use crate::core::Core;
use crate::record::Encoder;
use crate::shard::Entry;

/// DUMP.
pub const SPEC: Spec = Spec {
    name: "dump",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output"],
    since: "2.6.0",
    group: Group::Generic,
    summary: "A value as bytes that RESTORE takes, here, in Redis or in Valkey.",
    complexity: "O(N) where N is the size of the value",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    // The use is noted first: below, the entry borrows the shard alone and leaves the encoder free.
    let there = context.find(&key).is_some();
    let Core { shard, encoder, .. } = &mut *context.core;
    let entry = shard.peek(&key, context.now.unix_ms).filter(|_| there);
    let payload = entry.and_then(|entry| payload(encoder, &entry));
    context.reply.bulk_or_null(payload);
    Ok(())
}

/// The value as DUMP shows it; none if all that it holds has expired.
pub fn payload(encoder: &mut Encoder, entry: &Entry<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if let Some(text) = entry.text() {
        encoder.string_payload(&mut out, &text.bytes());
        return Some(out);
    }
    let mut fields = Vec::new();
    entry.hash()?.for_each(|field| fields.push((field.name, field.value.bytes(), field.expires_at_ms)));
    if fields.is_empty() {
        return None;
    }
    let earliest_ms = fields.iter().filter_map(|(_, _, expires_at_ms)| *expires_at_ms).min();
    let fields = fields.iter().map(|(name, value, expires_at_ms)| (*name, &**value, *expires_at_ms));
    encoder.hash_payload(&mut out, fields, earliest_ms);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::{Bench, check};

    use crate::record::{Decoded, Limits, decode};

    fn dump(bench: &mut Bench, key: &'static [u8]) -> Option<Vec<u8>> {
        let Core { shard, encoder, .. } = &mut bench.core;
        payload(encoder, &shard.peek(&shard.key(key), bench.now.unix_ms).unwrap())
    }

    #[test]
    fn payloads_hold_the_value() {
        let mut bench = Bench::default();
        bench.check("SET n 10 PX 5 -> +OK");
        assert_eq!(dump(&mut bench, b"n").unwrap(), b"\x00\xc0\x0a\x09\x00\xbem\x06\x89Z(\x00\n");
        bench.check("HSET h f v g 12 -> :2");
        let payload = dump(&mut bench, b"h").unwrap();
        let Ok(Decoded::Hash(hash)) = decode(&payload, &Limits::default()) else { panic!("no hash") };
        let mut fields: Vec<_> = hash.fields().map(|field| (field.name, field.value)).collect();
        fields.sort();
        assert_eq!(fields, [(b"f"[..].into(), b"v"[..].into()), (b"g"[..].into(), b"12"[..].into())]);
    }

    #[test]
    fn what_is_not_there_has_none() {
        check(
            "
            DUMP missing -> $-1
            SET k v -> +OK
            DUMP k -> $13 ...
            DUMP -> -ERR wrong number of arguments for 'dump' command
            ",
        );
    }
}
