//! When a key is to expire: what EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT have in common.

use crate::commands::{CommandError, Context};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// What a time is counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// What a time is counted from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    Now,
    Epoch,
}

/// What must hold for the expiry that a key has already.
#[derive(Clone, Copy, Default)]
struct Conditions {
    /// There is none.
    none: bool,
    /// There is one.
    some: bool,
    /// The new one is later; none is later than any.
    later: bool,
    /// The new one is earlier.
    earlier: bool,
}

/// Sets the expiry of the first argument to the second, if the conditions behind it hold; a time that has passed removes
/// the key.
pub(super) fn set_deadline(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    unit: Unit,
    since: Since,
) -> Result<(), CommandError> {
    let conditions = Conditions::parse(&arguments.from(3))?;
    let number = parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    let now_ms = context.now.unix_ms.cast_signed();
    let base_ms = if since == Since::Now { now_ms } else { 0 };
    let number_ms = if unit == Unit::Seconds { number.checked_mul(1000) } else { Some(number) };
    let invalid =
        || CommandError::text(format!("ERR invalid expire time in '{}' command", context.spec.name));
    let at_ms = number_ms.and_then(|ms| ms.checked_add(base_ms)).ok_or_else(invalid)?;

    let key = context.key(arguments.at(1))?;
    let mut write = context.write(&key);
    let set = match write.entry() {
        Some(entry) if conditions.hold(entry.expires_at_ms().map(u64::cast_signed), at_ms) => {
            if at_ms <= now_ms { write.remove()? } else { write.set_expiry(Some(at_ms.cast_unsigned()))? }
        }
        _ => false,
    };
    drop(write);
    context.reply.count(usize::from(set));
    Ok(())
}

impl Conditions {
    fn parse(words: &Arguments<'_>) -> Result<Conditions, CommandError> {
        let mut conditions = Conditions::default();
        for word in words.iter() {
            match word.to_ascii_uppercase().as_slice() {
                b"NX" => conditions.none = true,
                b"XX" => conditions.some = true,
                b"GT" => conditions.later = true,
                b"LT" => conditions.earlier = true,
                _ => {
                    let word = String::from_utf8_lossy(word);
                    return Err(CommandError::text(format!("ERR Unsupported option {word}")));
                }
            }
        }
        match conditions {
            Conditions { none: true, some, later, earlier } if some || later || earlier => Err(
                CommandError::Static("ERR NX and XX, GT or LT options at the same time are not compatible"),
            ),
            Conditions { later: true, earlier: true, .. } => {
                Err(CommandError::Static("ERR GT and LT options at the same time are not compatible"))
            }
            conditions => Ok(conditions),
        }
    }

    fn hold(self, current_ms: Option<i64>, new_ms: i64) -> bool {
        let Some(current_ms) = current_ms else { return !self.some && !self.later };
        let refused =
            self.none || (self.later && new_ms <= current_ms) || (self.earlier && new_ms >= current_ms);
        !refused
    }
}
