//! RESTORE: makes a value of what DUMP gave, here or on another server.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use crate::key::KEY_BYTES_MAX;
use crate::number::parse_i64;
use crate::record::{self, Decoded, Limits, RecordError, payload};
use crate::shard::{Expiry, Write};

/// RESTORE.
pub const SPEC: Spec = Spec {
    name: "restore",
    arity: -4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom]),
    acl: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    keys: Keys::one(1, Access::OW.and(Access::UPDATE)),
    since: "2.6.0",
    group: Group::Generic,
    summary: "Makes a value of what DUMP gave, here, in Redis or in Valkey.",
    complexity: "O(N) where N is the size of the value",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

struct Options {
    replace: bool,
    /// The time to live is a Unix time.
    absolute: bool,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let options = Options::parse(&arguments.from(4))?;
    let key = context.key(arguments.at(1))?;
    let now_ms = context.now.unix_ms;
    if !options.replace && context.core.shard.peek(&key, now_ms).is_some() {
        return Err(CommandError::Static("BUSYKEY Target key name already exists."));
    }
    let expires_at_ms = options.expires_at_ms(arguments.at(2), now_ms)?;
    let value = decode_payload(arguments.at(3))?;
    let mut write = context.write(&key);
    write.remove()?;
    if expires_at_ms.is_none_or(|at| at > now_ms) {
        put(&mut write, &value, expires_at_ms, now_ms)?;
        // Each is kept only under a policy that goes by it.
        if let Some(idle_s) = options.idle_s {
            write.set_idle_s(idle_s);
        }
        if let Some(frequency) = options.frequency {
            write.set_frequency(frequency);
        }
    }
    drop(write);
    context.reply.ok();
    Ok(())
}

fn decode_payload(payload: &[u8]) -> Result<Decoded<'_>, CommandError> {
    let value = record::decode(payload, &Limits::default()).map_err(|error| match error {
        RecordError::VersionUnsupported(_) | RecordError::ChecksumMismatch => BAD_PAYLOAD,
        _ if payload.len() < payload::TRAILER_SIZE => BAD_PAYLOAD,
        _ => CommandError::Static("ERR Bad data format"),
    })?;
    match &value {
        Decoded::Hash(hash) if hash.fields().any(|field| field.name.len() > KEY_BYTES_MAX) => {
            Err(CommandError::Static("ERR a field of the hash is longer than 7168 bytes"))
        }
        _ => Ok(value),
    }
}

const BAD_PAYLOAD: CommandError = CommandError::Static("ERR DUMP payload version or checksum are wrong");

/// Makes the key, which is not there, what was decoded; on an error it is not there either.
fn put(
    write: &mut Write<'_, '_>,
    value: &Decoded<'_>,
    expires_at_ms: Option<u64>,
    now_ms: u64,
) -> Result<(), CommandError> {
    let expiry = |expires_at_ms: Option<u64>| expires_at_ms.map_or(Expiry::Clear, Expiry::At);
    let mut filled = || match value {
        Decoded::String(text) => write.set(text, expiry(expires_at_ms)),
        Decoded::Hash(hash) => {
            let live = |expires_at_ms: Option<u64>| expires_at_ms.is_none_or(|at| at > now_ms);
            for field in hash.fields().filter(|field| live(field.expires_at_ms)) {
                write.hash_set(&field.name, &field.value, expiry(field.expires_at_ms))?;
            }
            if expires_at_ms.is_some() {
                write.set_expiry(expires_at_ms)?;
            }
            Ok(())
        }
    };
    if let Err(error) = filled() {
        write.remove()?;
        return Err(error.into());
    }
    Ok(())
}

impl Options {
    fn parse(words: &Arguments<'_>) -> Result<Self, CommandError> {
        let mut options = Self { replace: false, absolute: false, idle_s: None, frequency: None };
        let mut at = 0;
        while at < words.len() {
            let number = || words.opt(at + 1).map(|word| parse_i64(word).ok_or(CommandError::NotInteger));
            if words.is(at, "REPLACE") {
                options.replace = true;
            } else if words.is(at, "ABSTTL") {
                options.absolute = true;
            } else if let Some(number) = number()
                && words.is(at, "IDLETIME")
                && options.frequency.is_none()
            {
                let invalid = |_| CommandError::Static("ERR Invalid IDLETIME value, must be >= 0");
                options.idle_s = Some(u64::try_from(number?).map_err(invalid)?);
                at += 1;
            } else if let Some(number) = number()
                && words.is(at, "FREQ")
                && options.idle_s.is_none()
            {
                let invalid = |_| CommandError::Static("ERR Invalid FREQ value, must be >= 0 and <= 255");
                options.frequency = Some(u8::try_from(number?).map_err(invalid)?);
                at += 1;
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        Ok(options)
    }

    /// When the key expires, by its time to live; 0 is never.
    fn expires_at_ms(&self, ttl: &[u8], now_ms: u64) -> Result<Option<u64>, CommandError> {
        let invalid = || CommandError::Static("ERR Invalid TTL value, must be >= 0");
        let ttl_ms = parse_i64(ttl).ok_or(CommandError::NotInteger)?;
        match u64::try_from(ttl_ms).map_err(|_| invalid())? {
            0 => Ok(None),
            ttl_ms if self.absolute => Ok(Some(ttl_ms)),
            ttl_ms => Ok(Some(ttl_ms.saturating_add(now_ms).min(i64::MAX as u64))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::{Bench, check};

    use crate::record::{Encoder, EncoderOptions};

    /// The payload as a script writes it.
    fn escaped(payload: &[u8]) -> String {
        payload.iter().map(|byte| format!("\\x{byte:02x}")).collect()
    }

    #[test]
    fn payloads_of_redis_become_values() {
        check(
            r#"
            RESTORE s 0 "\x00\x05hello\x0a\x00cr\xdfve4\x20\x0a" -> +OK
            GET s -> $5 hello
            TTL s -> :-1
            RESTORE i 100 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb" -> +OK
            GET i -> $2 10
            PTTL i -> :100
            RESTORE h 0 "\x10\x12\x12\x00\x00\x00\x04\x00\x81f\x02\x81v\x02\x81g\x02\x0c\x01\xff\x0a\x00\xde\x139\x93\xf7\x83\x81\x7e" -> +OK
            HGET h f -> $1 v
            HGET h g -> $2 12
            "#,
        );
    }

    #[test]
    fn times_to_live() {
        check(
            r#"
            RESTORE a 1700000000001 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb" ABSTTL -> +OK
            PTTL a -> :1
            RESTORE a 1700000000000 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb" ABSTTL REPLACE -> +OK
            EXISTS a -> :0
            RESTORE a 9223372036854775807 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb" -> +OK
            PEXPIRETIME a -> :9223372036854775807
            "#,
        );
    }

    #[test]
    fn the_last_use_is_told() {
        check(
            r#"
            RESTORE a 0 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb" IDLETIME 100 -> +OK
            OBJECT IDLETIME a -> :100
            CONFIG SET maxmemory-policy allkeys-lfu -> +OK
            RESTORE b 0 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb" FREQ 200 -> +OK
            OBJECT FREQ b -> :200
            RESTORE b 0 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb" REPLACE IDLETIME 100 -> +OK
            OBJECT FREQ b -> :5
            "#,
        );
    }

    #[test]
    fn fields_keep_their_expiry_and_expired_ones_are_left_out() {
        let mut bench = Bench::default();
        let now_ms = bench.now.unix_ms;
        let mut payload = Vec::new();
        let fields: [(&[u8], &[u8], Option<u64>); 3] =
            [(b"a", b"1", None), (b"b", b"2", Some(now_ms)), (b"c", b"3", Some(now_ms + 10))];
        let mut encoder = Encoder::new(EncoderOptions::default());
        encoder.hash_payload(&mut payload, fields.into_iter(), Some(now_ms));
        bench.check(&format!("RESTORE h 50 \"{}\" -> +OK", escaped(&payload)));
        bench.check("HGETALL h -> ~ *4 $1 a $1 1 $1 c $1 3");
        bench.check("PTTL h -> :50");
        bench.check("@after 10");
        bench.check("HGETALL h -> *2 $1 a $1 1");
        payload.clear();
        encoder.hash_payload(&mut payload, fields[1..2].iter().copied(), Some(now_ms));
        bench.check(&format!("RESTORE none 0 \"{}\" -> +OK", escaped(&payload)));
        bench.check("EXISTS none -> :0");
        let long = vec![b'x'; KEY_BYTES_MAX + 1];
        payload.clear();
        encoder.hash_payload(&mut payload, [(&*long, &b"v"[..], None)].into_iter(), None);
        let error = "-ERR a field of the hash is longer than 7168 bytes";
        bench.check(&format!("RESTORE none 0 \"{}\" -> {error}", escaped(&payload)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            r#"
            SET k v -> +OK
            RESTORE k x "" -> -BUSYKEY Target key name already exists.
            RESTORE k 0 "" REPLACE -> -ERR DUMP payload version or checksum are wrong
            GET k -> $1 v
            RESTORE z -1 "" -> -ERR Invalid TTL value, must be >= 0
            RESTORE z x "" -> -ERR value is not an integer or out of range
            RESTORE z 0 x -> -ERR DUMP payload version or checksum are wrong
            RESTORE z 0 "\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbc" -> -ERR DUMP payload version or checksum are wrong
            RESTORE z 0 "\x12\x01\x02\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\xff\x0a\x00\x09\xb9\xed\xf5\x94\xde\xd9\x95" -> -ERR Bad data format
            RESTORE z 0 "" foo -> -ERR syntax error
            RESTORE z 0 "" FREQ 256 -> -ERR Invalid FREQ value, must be >= 0 and <= 255
            RESTORE z 0 "" FREQ x -> -ERR value is not an integer or out of range
            RESTORE z 0 "" FREQ 1 IDLETIME 3 -> -ERR syntax error
            RESTORE z 0 "" IDLETIME -1 -> -ERR Invalid IDLETIME value, must be >= 0
            RESTORE z 0 "" IDLETIME -> -ERR syntax error
            "#,
        );
    }
}
