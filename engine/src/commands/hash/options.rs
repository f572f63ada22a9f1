//! The options of HSETEX and HGETEX.

use super::deadline::{Since, Unit, deadline_ms};
use crate::commands::{CommandError, Context};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// What must hold before HSETEX sets anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    /// NX: there is no such key.
    KeyMissing,
    /// XX: there is one.
    KeyThere,
    /// FNX: none of the fields is there.
    FieldsMissing,
    /// FXX: all of the fields are.
    FieldsThere,
}

/// What stands between the key and FIELDS.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Options {
    /// What becomes of the expiry, if anything was said.
    pub expiry: Option<Expiry>,
    /// The condition, if there is one.
    pub condition: Option<Condition>,
}

impl Options {
    /// The words that HGETEX knows beside those with a time.
    pub fn reads(word: &[u8]) -> Option<Options> {
        (word == b"PERSIST").then_some(Options { expiry: Some(Expiry::Clear), condition: None })
    }

    /// The words that HSETEX knows beside those with a time.
    pub fn writes(word: &[u8]) -> Option<Options> {
        let condition = match word {
            b"NX" => Condition::KeyMissing,
            b"XX" => Condition::KeyThere,
            b"FNX" => Condition::FieldsMissing,
            b"FXX" => Condition::FieldsThere,
            b"KEEPTTL" => return Some(Options { expiry: Some(Expiry::Keep), condition: None }),
            _ => return None,
        };
        Some(Options { expiry: None, condition: Some(condition) })
    }

    /// Reads the options in a range of the arguments. What kind of option comes twice is an error.
    pub fn parse(
        context: &Context<'_>,
        arguments: &Arguments<'_>,
        range: std::ops::Range<usize>,
        known: fn(&[u8]) -> Option<Options>,
    ) -> Result<Options, CommandError> {
        let mut options = Options::default();
        let mut at = range.start;
        while at < range.end {
            let word = arguments.at(at).to_ascii_uppercase();
            let timed = match word.as_slice() {
                b"EX" => Some((Unit::Seconds, Since::Now)),
                b"PX" => Some((Unit::Milliseconds, Since::Now)),
                b"EXAT" => Some((Unit::Seconds, Since::Epoch)),
                b"PXAT" => Some((Unit::Milliseconds, Since::Epoch)),
                _ => None,
            };
            let option = match timed {
                Some((unit, since)) if at + 1 < range.end => {
                    at += 1;
                    let at_ms = deadline_ms(context, arguments.at(at), unit, since)?;
                    Options { expiry: Some(Expiry::At(at_ms)), condition: None }
                }
                Some(_) => return Err(CommandError::Syntax),
                None => known(&word).ok_or(CommandError::Syntax)?,
            };
            if options.expiry.is_some() && option.expiry.is_some()
                || options.condition.is_some() && option.condition.is_some()
            {
                return Err(CommandError::Syntax);
            }
            options.expiry = options.expiry.or(option.expiry);
            options.condition = options.condition.or(option.condition);
            at += 1;
        }
        Ok(options)
    }
}
