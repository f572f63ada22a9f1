//! DEBUG OBJECT: how a key's value lies in memory.

use crate::commands::generic::dump::payload;
use crate::commands::{CommandError, Context, PartContext};
use crate::core::Core;
use crate::record::PAYLOAD_TRAILER_SIZE;
use crate::resp::Arguments;

/// Redis keeps the time of the last use in so many bits.
const LRU_BITS: u32 = 24;

/// The core that has the key describes it.
pub fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let Core { shard, encoder, .. } = &mut *context.core;
    let key = shard.key(arguments.at(2));
    let Some(entry) = shard.peek(&key, context.now.unix_ms) else { return Ok(()) };
    // The length of our own DUMP, without the byte that tells the type: small hashes take fewer bytes than in Redis.
    let length = payload(encoder, &entry).map_or(0, |bytes| bytes.len() - PAYLOAD_TRAILER_SIZE - 1);
    let idle_s = entry.idle_s().unwrap_or(0);
    let used_s = context.now.unix_s().saturating_sub(idle_s) & ((1 << LRU_BITS) - 1);
    let text = format!(
        "Value at:{:#x} refcount:1 encoding:{} serializedlength:{length} lru:{used_s} lru_seconds_idle:{idle_s}",
        entry.place(),
        entry.encoding(),
    );
    context.out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Passes on what that core said.
pub fn merge(context: &mut Context<'_>, parts: &[Vec<u8>]) -> Result<(), CommandError> {
    let text = parts.iter().find(|part| !part.is_empty()).ok_or(CommandError::NoSuchKey)?;
    context.reply.simple(str::from_utf8(text).expect("a part is a text"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::allowed::tests::bench;

    #[test]
    fn describes_the_value() {
        bench().check(
            "
            SET k v -> +OK
            SET n 1 EX 100 -> +OK
            HSET h a 1 -> :1
            @after 3000
            DEBUG OBJECT k -> +Value at:0x... refcount:1 encoding:embstr serializedlength:2 lru:... lru_seconds_idle:3
            DEBUG OBJECT n -> +Value at:0x... refcount:1 encoding:int serializedlength:2 lru:... lru_seconds_idle:3
            DEBUG OBJECT h -> +Value at:0x... refcount:1 encoding:listpack serializedlength:5 ...
            DEBUG OBJECT missing -> -ERR no such key
            DEBUG OBJECT k -> ... lru_seconds_idle:3
            @after 98000
            DEBUG OBJECT n -> -ERR no such key
            ",
        );
    }
}
