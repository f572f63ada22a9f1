//! The list at the end of a command, its length before it: `FIELDS 2 name name`.

use crate::commands::CommandError;
use crate::number::parse_i64;
use crate::resp::Arguments;

const MISSING: CommandError =
    CommandError::Static("ERR Mandatory argument FIELDS is missing or not at the right position");

const MISMATCH: CommandError =
    CommandError::Static("ERR numfields should be greater than 0 and match the provided number of fields");

/// Where the word FIELDS stands, looked for from an argument on.
pub fn find_fields(arguments: &Arguments<'_>, from: usize) -> Result<usize, CommandError> {
    (from..arguments.len()).find(|at| arguments.is(*at, "FIELDS")).ok_or(MISSING)
}

/// The list whose word FIELDS stands at `at`, in groups of `width`.
pub fn numbered<'a>(
    arguments: &Arguments<'a>,
    at: usize,
    width: usize,
) -> Result<Arguments<'a>, CommandError> {
    if !arguments.is(at, "FIELDS") {
        return Err(MISSING);
    }
    let count = parse_i64(arguments.opt(at + 1).ok_or(MISMATCH)?).ok_or(CommandError::NotInteger)?;
    let list = arguments.from(at + 2);
    let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(width));
    if list.is_empty() || length != Some(list.len()) {
        return Err(MISMATCH);
    }
    Ok(list)
}
