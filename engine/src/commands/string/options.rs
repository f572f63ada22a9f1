//! The options that SET, GETEX and MSETEX share: conditions, and when the key shall expire.

use crate::commands::{CommandError, Context};
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::shard::{Expiry, Text};

use super::value;

/// What must hold for a change to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Nothing.
    None,
    /// NX: the key is missing.
    Missing,
    /// XX: the key is there.
    Present,
    /// IFEQ: the key is a string with this value.
    Equals(&'a [u8]),
}

/// What is said of the key's expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time<'a> {
    /// Nothing.
    Unsaid,
    /// KEEPTTL: it stays.
    Keep,
    /// PERSIST: it goes.
    Persist,
    /// EX, PX, EXAT, PXAT, and the number that follows.
    At { word: &'static str, number: &'a [u8] },
}

/// Which options a command knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// SET: NX, XX, IFEQ, GET, KEEPTTL and times.
    Set,
    /// GETEX: PERSIST and times.
    GetEx,
    /// MSETEX: NX, XX, KEEPTTL and times.
    MultiSetEx,
}

/// The options of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// NX, XX, IFEQ.
    pub condition: Condition<'a>,
    /// GET: answer the old value.
    pub get: bool,
    time: Time<'a>,
}

impl<'a> Options<'a> {
    /// Reads the options from argument `from` on. An option may be repeated; the last one counts.
    pub fn parse(family: Family, arguments: &Arguments<'a>, from: usize) -> Result<Self, CommandError> {
        let mut options = Options { condition: Condition::None, get: false, time: Time::Unsaid };
        let mut at = from;
        while at < arguments.len() {
            at += options.read(family, arguments, at).ok_or(CommandError::Syntax)?;
        }
        Ok(options)
    }

    /// Reads the option at `at`; answers how many arguments it takes.
    fn read(&mut self, family: Family, arguments: &Arguments<'a>, at: usize) -> Option<usize> {
        let is = |word| arguments.is(at, word);
        let sets = family != Family::GetEx;
        if sets && is("NX") {
            self.set_condition(Condition::Missing, &[Condition::Missing])?;
            return Some(1);
        }
        if sets && is("XX") {
            self.set_condition(Condition::Present, &[Condition::Present])?;
            return Some(1);
        }
        if family == Family::Set && is("IFEQ") {
            self.set_condition(Condition::Equals(arguments.opt(at + 1)?), &[])?;
            return Some(2);
        }
        if family == Family::Set && is("GET") {
            self.get = true;
            return Some(1);
        }
        if sets && is("KEEPTTL") {
            return self.set_time(Time::Keep).map(|()| 1);
        }
        if !sets && is("PERSIST") {
            return self.set_time(Time::Persist).map(|()| 1);
        }
        let word = ["EX", "PX", "EXAT", "PXAT"].into_iter().find(|word| is(word))?;
        self.set_time(Time::At { word, number: arguments.opt(at + 1)? }).map(|()| 2)
    }

    /// Sets the condition, unless there is another one than those that may be repeated.
    fn set_condition(&mut self, condition: Condition<'a>, repeated: &[Condition<'a>]) -> Option<()> {
        if self.condition != Condition::None && !repeated.contains(&self.condition) {
            return None;
        }
        self.condition = condition;
        Some(())
    }

    /// Sets the time, unless there is one of another kind.
    fn set_time(&mut self, time: Time<'a>) -> Option<()> {
        let fits = match (self.time, time) {
            (Time::Unsaid, _) | (Time::Keep, Time::Keep) | (Time::Persist, Time::Persist) => true,
            (Time::At { word: old, .. }, Time::At { word, .. }) => old == word,
            _ => false,
        };
        self.time = time;
        fits.then_some(())
    }

    /// What becomes of the expiry of a key that is set.
    pub fn expiry(&self, context: &Context<'_>) -> Result<Expiry, CommandError> {
        match self.time {
            Time::Unsaid | Time::Persist => Ok(Expiry::Clear),
            Time::Keep => Ok(Expiry::Keep),
            Time::At { word, number } => expiry_at(context, word, number),
        }
    }

    /// What becomes of the expiry of a key that is read.
    pub fn expiry_of_reader(&self, context: &Context<'_>) -> Result<Expiry, CommandError> {
        match self.time {
            Time::Unsaid => Ok(Expiry::Keep),
            _ => self.expiry(context),
        }
    }
}

impl Condition<'_> {
    /// Whether it holds for a key: a string, something else, or missing.
    pub fn holds(self, text: Option<Text<'_>>, present: bool) -> Result<bool, CommandError> {
        match (self, text) {
            (Condition::None, _) => Ok(true),
            (Condition::Missing, _) => Ok(!present),
            (Condition::Present, _) => Ok(present),
            (Condition::Equals(expected), Some(text)) => Ok(value::equals(text, expected)),
            (Condition::Equals(_), None) if present => Err(CommandError::WrongType),
            (Condition::Equals(_), None) => Ok(false),
        }
    }
}

/// The expiry that EX, PX, EXAT or PXAT with a number asks for.
pub fn expiry_at(context: &Context<'_>, word: &str, number: &[u8]) -> Result<Expiry, CommandError> {
    let number = parse_i64(number).ok_or(CommandError::NotInteger)?;
    let (unit_ms, start_ms) = match word {
        "EX" => (1000, context.now.unix_ms),
        "PX" => (1, context.now.unix_ms),
        "EXAT" => (1000, 0),
        _ => (1, 0),
    };
    let time_ms = number.checked_mul(unit_ms).filter(|ms| *ms > 0);
    match time_ms.and_then(|ms| ms.checked_add_unsigned(start_ms)) {
        Some(ms) => Ok(Expiry::At(ms.unsigned_abs())),
        None => {
            let name = context.spec.name;
            Err(CommandError::text(format!("ERR invalid expire time in '{name}' command")))
        }
    }
}

/// Whether a key with this expiry is gone as soon as it is set.
pub fn is_past(expiry: Expiry, now_ms: u64) -> bool {
    matches!(expiry, Expiry::At(at) if at <= now_ms)
}
