//! How long a key lives: what TTL, PTTL, EXPIRETIME and PEXPIRETIME have in common.

use crate::commands::{CommandError, Context};
use crate::resp::Arguments;

/// What is answered for a key that is not there.
const NO_KEY: i64 = -2;

/// What is answered for a key that never expires.
const NO_EXPIRY: i64 = -1;

/// Answers what `show` makes of when the key expires and of the time now, both in Unix milliseconds.
pub(super) fn tell_lifetime(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    show: fn(i64, i64) -> i64,
) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let now_ms = context.now.unix_ms.cast_signed();
    let expires_at_ms = context.look(&key).map(|entry| entry.expires_at_ms());
    context.reply.integer(match expires_at_ms {
        None => NO_KEY,
        Some(None) => NO_EXPIRY,
        Some(Some(at_ms)) => show(at_ms.cast_signed(), now_ms),
    });
    Ok(())
}

/// Milliseconds as the nearest second.
pub(super) fn rounded_s(ms: i64) -> i64 {
    ms.saturating_add(500) / 1000
}
