//! When fields expire: what HEXPIRE and its kin set, and HTTL and its kin show.
//!
//! Times, and the codes for each field, are those of Redis and Valkey alike. Where the two differ: times that are not whole
//! seconds are rounded to the nearest, as Valkey does; several conditions may be given if they do not contradict each
//! other, as in Valkey; a field is removed by a time in the past only if its condition holds, as in Redis (and as with
//! EXPIRE in both); any time up to 2^63 ms is taken, as in Valkey.

use super::hash_of;
use super::numbered::{find_fields, numbered};
use crate::commands::{CommandError, Context};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// What a number of a command counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// From when on it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Since {
    /// From the command on.
    Now,
    /// From the beginning of 1970 on.
    Epoch,
}

/// What became of one field, as the codes of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// There is no such field.
    Missing = -2,
    /// The condition does not hold.
    Refused = 0,
    /// The expiry was changed.
    Done = 1,
    /// The time is in the past, so the field is gone.
    Removed = 2,
}

/// The code for a field that never expires.
pub const NO_EXPIRY: i64 = -1;

/// The Unix time in milliseconds that a number means.
pub fn deadline_ms(
    context: &Context<'_>,
    number: &[u8],
    unit: Unit,
    since: Since,
) -> Result<u64, CommandError> {
    let number = parse_i64(number).ok_or(CommandError::NotInteger)?;
    let milliseconds = match unit {
        Unit::Seconds => number.checked_mul(1000),
        Unit::Milliseconds => Some(number),
    };
    let base = match since {
        Since::Now => i64::try_from(context.now.unix_ms).expect("the clock stays below 2^63 ms"),
        Since::Epoch => 0,
    };
    milliseconds
        .filter(|milliseconds| *milliseconds >= 0)
        .and_then(|milliseconds| milliseconds.checked_add(base))
        .and_then(|at| u64::try_from(at).ok())
        .ok_or_else(|| {
            CommandError::Text(format!("ERR invalid expire time in '{}' command", context.spec.name))
        })
}

/// `H[P]EXPIRE[AT] key time [NX | XX | GT | LT] FIELDS n name …`.
pub fn set_deadline(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    unit: Unit,
    since: Since,
) -> Result<(), CommandError> {
    let at = find_fields(arguments, 3)?;
    let conditions = Conditions::parse(arguments, 3..at)?;
    let names = numbered(arguments, at, 1)?;
    let at_ms = deadline_ms(context, arguments.at(2), unit, since)?;
    let now_ms = context.now.unix_ms;
    let key = context.key(arguments.at(1))?;
    let mut write = context.core.shard.write(&key, now_ms);
    hash_of(write.entry())?;
    context.reply.array(names.len());
    for name in names.iter() {
        let field = hash_of(write.entry())?.and_then(|hash| hash.field(name));
        let outcome = match field.map(|field| field.expires_at_ms) {
            None => Outcome::Missing,
            Some(old) if !conditions.hold(old, at_ms) => Outcome::Refused,
            Some(_) if at_ms <= now_ms => {
                write.hash_remove(name)?;
                Outcome::Removed
            }
            Some(_) => {
                write.hash_set_expiry(name, Some(at_ms))?;
                Outcome::Done
            }
        };
        context.reply.integer(outcome as i64);
    }
    Ok(())
}

/// `H[P]TTL` and `H[P]EXPIRETIME key FIELDS n name …`.
pub fn show_deadline(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    unit: Unit,
    since: Since,
) -> Result<(), CommandError> {
    let names = numbered(arguments, 2, 1).map_err(|error| match error {
        // Valkey's word for it here, unlike in commands that write.
        _ if arguments.is(2, "FIELDS") && error != CommandError::NotInteger => CommandError::Syntax,
        error => error,
    })?;
    let key = context.key(arguments.at(1))?;
    let now_ms = context.now.unix_ms;
    let hash = hash_of(context.core.shard.find(&key, now_ms))?;
    context.reply.array(names.len());
    for name in names.iter() {
        let code = match hash.and_then(|hash| hash.field(name)).map(|field| field.expires_at_ms) {
            None => Outcome::Missing as i64,
            Some(None) => NO_EXPIRY,
            Some(Some(at_ms)) => {
                let shown_ms = if since == Since::Now { at_ms - now_ms } else { at_ms };
                (if unit == Unit::Seconds { (shown_ms + 500) / 1000 } else { shown_ms }) as i64
            }
        };
        context.reply.integer(code);
    }
    Ok(())
}

/// Which old expiry a new one may replace.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Conditions {
    /// NX: none.
    none: bool,
    /// XX: some.
    some: bool,
    /// GT: an earlier one. None at all is never earlier.
    earlier: bool,
    /// LT: a later one. None at all is later.
    later: bool,
}

impl Conditions {
    fn parse(arguments: &Arguments<'_>, range: std::ops::Range<usize>) -> Result<Self, CommandError> {
        let mut conditions = Self::default();
        for at in range {
            let condition = match arguments.at(at).to_ascii_uppercase().as_slice() {
                b"NX" => &mut conditions.none,
                b"XX" => &mut conditions.some,
                b"GT" => &mut conditions.earlier,
                b"LT" => &mut conditions.later,
                _ => {
                    let word = String::from_utf8_lossy(arguments.at(at));
                    return Err(CommandError::Text(format!("ERR Unsupported option {word}")));
                }
            };
            *condition = true;
        }
        let Self { none, some, earlier, later } = conditions;
        if none && (some || earlier || later) {
            return Err(CommandError::Static(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if earlier && later {
            return Err(CommandError::Static("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(conditions)
    }

    fn hold(self, old: Option<u64>, new_ms: u64) -> bool {
        (!self.none || old.is_none())
            && (!self.some || old.is_some())
            && (!self.earlier || old.is_some_and(|old| new_ms > old))
            && (!self.later || old.is_none_or(|old| new_ms < old))
    }
}
