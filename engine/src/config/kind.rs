//! The kinds of parameters: how their text is read, checked and printed.

use super::cpus::CpuList;
use super::line::split;
use super::value::Value;
use crate::number::parse_i64;
use std::fmt;

/// What a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`.
    YesNo,
    /// A whole number, `min..=max`.
    Integer {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// A file mode in octal, up to `max`.
    Mode {
        /// The largest value.
        max: i64,
    },
    /// A number of bytes with an optional unit: `1k` is 1000, `1kb` is 1024, likewise `m`, `mb`, `g`, `gb`.
    Bytes {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// A share of a whole, `min..=max`, with or without `%`.
    Percent {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text in UTF-8.
    Text,
    /// Any bytes; not shown in logs.
    Secret,
    /// Words separated by blanks, at most this many.
    Words {
        /// The largest count of words.
        max: usize,
    },
    /// A CPU list such as `0,2,4-7`.
    Cpus,
    /// `<class> <hard> <soft> <seconds>` repeated; classes that are not named keep their limits.
    OutputLimits,
    /// Percentiles from 0 to 100, separated by blanks.
    Percentiles,
    /// A parameter of Redis of which Whimbrel does exactly this, and nothing else.
    Only {
        /// The value that describes what Whimbrel does.
        value: &'static str,
        /// Why there is no other.
        because: &'static str,
    },
}

/// Why a value was refused. The texts are those of Redis where Redis has one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// More or fewer words than the parameter takes.
    ArgumentCount,
    /// Neither `yes` nor `no`.
    NotYesNo,
    /// Not a number.
    NotInteger,
    /// Not a number in octal.
    NotOctal,
    /// Not a number of bytes.
    NotBytes,
    /// Not a percentage.
    NotPercent,
    /// Outside of the range.
    OutOfRange(i64, i64),
    /// Outside of the range, printed in octal.
    ModeOutOfRange(i64, i64),
    /// None of these words.
    NotOneOf(&'static [&'static str]),
    /// Not UTF-8, or it holds a NUL.
    NotText,
    /// More words than this.
    TooManyWords(usize),
    /// Not a list of CPUs.
    NotCpus,
    /// The same CPU twice.
    CpuTwice(u16),
    /// Not a multiple of four words.
    OutputLimitWords,
    /// A class that does not exist.
    OutputLimitClass,
    /// A number that is none.
    OutputLimitNumber,
    /// Not a list of numbers.
    NotPercentiles,
    /// A percentile beyond 0 to 100.
    PercentileOutOfRange,
    /// Only one value describes what Whimbrel does.
    OnlyValue {
        /// That value.
        value: &'static str,
        /// Why there is no other.
        because: &'static str,
    },
    /// More clients than the process can hold.
    ClientsBeyondCeiling(u32),
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArgumentCount => f.write_str("wrong number of arguments"),
            Self::NotYesNo => f.write_str("argument must be 'yes' or 'no'"),
            Self::NotInteger => f.write_str("argument couldn't be parsed into an integer"),
            Self::NotOctal => f.write_str("argument couldn't be parsed as an octal number"),
            Self::NotBytes => f.write_str("argument must be a memory value"),
            Self::NotPercent => f.write_str("argument must be a percent value"),
            Self::OutOfRange(min, max) => write!(f, "argument must be between {min} and {max} inclusive"),
            Self::ModeOutOfRange(min, max) => {
                write!(f, "argument must be between {min:o} and {max:o} inclusive")
            }
            Self::NotOneOf(names) => {
                write!(f, "argument(s) must be one of the following: {}", names.join(", "))
            }
            Self::NotText => f.write_str("argument must be UTF-8 text without NUL bytes"),
            Self::TooManyWords(max) => write!(f, "argument must be at most {max} words"),
            Self::NotCpus => f.write_str("argument must be a list of CPUs such as 0,2,4-7"),
            Self::CpuTwice(cpu) => write!(f, "CPU {cpu} stands in the list twice"),
            Self::OutputLimitWords => f.write_str("Wrong number of arguments in buffer limit configuration."),
            Self::OutputLimitClass => {
                f.write_str("Invalid client class specified in buffer limit configuration.")
            }
            Self::OutputLimitNumber => {
                f.write_str("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
            }
            Self::NotPercentiles => f.write_str("Invalid latency-tracking-info-percentiles parameters"),
            Self::PercentileOutOfRange => {
                f.write_str("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
            }
            Self::OnlyValue { value: "", because } => write!(f, "the only value is \"\": {because}"),
            Self::OnlyValue { value, because } => write!(f, "the only value is {value}: {because}"),
            Self::ClientsBeyondCeiling(ceiling) => write!(
                f,
                "The operating system is not able to handle the specified number of clients, try with {ceiling}"
            ),
        }
    }
}

/// The most percentiles that may be asked for.
const PERCENTILES_MAX: usize = 16;

impl Kind {
    /// Whether the parameter takes several words.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Words { .. } | Self::OutputLimits | Self::Percentiles)
    }

    /// Reads the words behind a parameter's name. `current` is the value now: output limits change in part.
    pub(super) fn read(&self, words: &[Vec<u8>], current: &Value) -> Result<Value, Rejection> {
        if let Self::Only { value, because } = *self {
            let text = words.join(&b' ');
            let same = text.eq_ignore_ascii_case(value.as_bytes());
            return if same { Ok(current.clone()) } else { Err(Rejection::OnlyValue { value, because }) };
        }
        if self.is_list() {
            return self.read_list(words, current);
        }
        match words {
            [word] => self.read_word(word),
            _ => Err(Rejection::ArgumentCount),
        }
    }

    fn read_word(&self, word: &[u8]) -> Result<Value, Rejection> {
        match *self {
            Self::YesNo if word.eq_ignore_ascii_case(b"yes") => Ok(Value::YesNo(true)),
            Self::YesNo if word.eq_ignore_ascii_case(b"no") => Ok(Value::YesNo(false)),
            Self::YesNo => Err(Rejection::NotYesNo),
            Self::Integer { min, max } => within(parse_i64(word).ok_or(Rejection::NotInteger)?, min, max),
            Self::Mode { max } => {
                let number = octal(word).ok_or(Rejection::NotOctal)?;
                within(number, 0, max).map_err(|_| Rejection::ModeOutOfRange(0, max))
            }
            Self::Bytes { min, max } => {
                let number = bytes(word).ok_or(Rejection::NotBytes)?;
                within(i64::try_from(number).unwrap_or(i64::MAX), min, max)
            }
            Self::Percent { min, max } => {
                let number = parse_i64(word.strip_suffix(b"%").unwrap_or(word));
                within(number.ok_or(Rejection::NotPercent)?, min, max)
            }
            Self::Choice(names) => names
                .iter()
                .position(|name| word.eq_ignore_ascii_case(name.as_bytes()))
                .map(Value::Choice)
                .ok_or(Rejection::NotOneOf(names)),
            Self::Text => text(word).map(|_| Value::Text(word.to_vec())),
            Self::Secret => Ok(Value::Text(word.to_vec())),
            Self::Cpus => Ok(Value::Cpus(CpuList::parse(text(word)?)?)),
            Self::Words { .. } | Self::OutputLimits | Self::Percentiles | Self::Only { .. } => {
                unreachable!("read in `read`")
            }
        }
    }

    fn read_list(&self, words: &[Vec<u8>], current: &Value) -> Result<Value, Rejection> {
        // One word may hold the whole list: that is how CONFIG SET and a shell's quotes give it.
        let split_word = match words {
            [word] => Some(split(word).ok_or(Rejection::ArgumentCount)?),
            _ => None,
        };
        let words = split_word.as_deref().unwrap_or(words);
        match (self, current) {
            (Self::Words { max }, _) if words.len() > *max => Err(Rejection::TooManyWords(*max)),
            (Self::Words { .. }, _) => {
                let list: Result<_, _> = words.iter().map(|word| text(word).map(str::to_owned)).collect();
                Ok(Value::Words(list?))
            }
            (Self::OutputLimits, Value::OutputLimits(limits)) => Ok(Value::OutputLimits(limits.with(words)?)),
            (Self::Percentiles, _) if words.len() > PERCENTILES_MAX => Err(Rejection::NotPercentiles),
            (Self::Percentiles, _) => {
                let list: Result<_, _> = words.iter().map(|word| percentile(word)).collect();
                Ok(Value::Percentiles(list?))
            }
            _ => unreachable!("only lists come here, and the current value is of the parameter's kind"),
        }
    }

    /// The value as `CONFIG GET` prints it.
    pub(super) fn text(&self, value: &Value) -> Vec<u8> {
        match (self, value) {
            (Self::Only { value, .. }, _) => value.as_bytes().to_vec(),
            (Self::Choice(names), Value::Choice(index)) => names[*index].as_bytes().to_vec(),
            (Self::Mode { .. }, Value::Integer(number)) => format!("{number:o}").into_bytes(),
            (Self::Percent { .. }, Value::Integer(number)) => format!("{number}%").into_bytes(),
            (_, Value::YesNo(yes)) => if *yes { "yes" } else { "no" }.into(),
            (_, Value::Integer(number)) => number.to_string().into_bytes(),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Words(words)) => words.join(" ").into_bytes(),
            (_, Value::Cpus(cpus)) => cpus.to_string().into_bytes(),
            (_, Value::OutputLimits(limits)) => limits.text().into_bytes(),
            (_, Value::Percentiles(list)) => {
                list.iter().map(f64::to_string).collect::<Vec<_>>().join(" ").into_bytes()
            }
            (_, Value::Choice(_)) => unreachable!("a choice is printed above"),
        }
    }
}

/// A number of bytes with its unit.
pub(super) fn bytes(word: &[u8]) -> Option<u64> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: u64 = str::from_utf8(&word[..digits]).ok()?.parse().ok()?;
    let unit: u64 = match word[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1_000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

fn octal(word: &[u8]) -> Option<i64> {
    let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    digits.then(|| i64::from_str_radix(str::from_utf8(word).ok()?, 8).ok())?
}

fn percentile(word: &[u8]) -> Result<f64, Rejection> {
    let number: Option<f64> = str::from_utf8(word).ok().and_then(|text| text.parse().ok());
    let number = number.filter(|number| number.is_finite()).ok_or(Rejection::NotPercentiles)?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err(Rejection::PercentileOutOfRange) }
}

fn text(word: &[u8]) -> Result<&str, Rejection> {
    let text = str::from_utf8(word).map_err(|_| Rejection::NotText)?;
    if text.contains('\0') { Err(Rejection::NotText) } else { Ok(text) }
}

fn within(number: i64, min: i64, max: i64) -> Result<Value, Rejection> {
    if (min..=max).contains(&number) {
        Ok(Value::Integer(number))
    } else {
        Err(Rejection::OutOfRange(min, max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads one word and gives its text again, or the rejection's text.
    fn reading(kind: Kind, word: &str) -> String {
        match kind.read(&[word.as_bytes().to_vec()], &Value::YesNo(false)) {
            Ok(value) => String::from_utf8(kind.text(&value)).unwrap(),
            Err(rejection) => format!("! {rejection}"),
        }
    }

    #[test]
    fn numbers() {
        let integer = Kind::Integer { min: -1, max: 100 };
        let cases = [
            ("5", "5"),
            ("-1", "-1"),
            ("100", "100"),
            ("101", "! argument must be between -1 and 100 inclusive"),
            ("-2", "! argument must be between -1 and 100 inclusive"),
            ("", "! argument couldn't be parsed into an integer"),
            ("+5", "! argument couldn't be parsed into an integer"),
            ("05", "! argument couldn't be parsed into an integer"),
            ("-0", "! argument couldn't be parsed into an integer"),
            (" 5", "! argument couldn't be parsed into an integer"),
            ("5k", "! argument couldn't be parsed into an integer"),
            ("9223372036854775808", "! argument couldn't be parsed into an integer"),
        ];
        for (word, expected) in cases {
            assert_eq!(reading(integer, word), expected, "{word}");
        }
    }

    #[test]
    fn sizes() {
        let size = Kind::Bytes { min: 1, max: i64::MAX };
        let cases = [
            ("1", "1"),
            ("1b", "1"),
            ("1k", "1000"),
            ("1kb", "1024"),
            ("2M", "2000000"),
            ("2Mb", "2097152"),
            ("3g", "3000000000"),
            ("3GB", "3221225472"),
            ("0", "! argument must be between 1 and 9223372036854775807 inclusive"),
            ("", "! argument must be a memory value"),
            ("kb", "! argument must be a memory value"),
            ("-1", "! argument must be a memory value"),
            ("1.5gb", "! argument must be a memory value"),
            ("1tb", "! argument must be a memory value"),
            ("1 gb", "! argument must be a memory value"),
            ("99999999999999999gb", "! argument must be a memory value"),
        ];
        for (word, expected) in cases {
            assert_eq!(reading(size, word), expected, "{word}");
        }
    }

    #[test]
    fn the_other_kinds() {
        let mode = Kind::Mode { max: 0o777 };
        let percent = Kind::Percent { min: 1, max: 90 };
        let choice = Kind::Choice(&["one", "two"]);
        let only = Kind::Only { value: "no", because: "reasons" };
        let cases = [
            (Kind::YesNo, "YES", "yes"),
            (Kind::YesNo, "true", "! argument must be 'yes' or 'no'"),
            (mode, "700", "700"),
            (mode, "0770", "770"),
            (mode, "1000", "! argument must be between 0 and 777 inclusive"),
            (mode, "9", "! argument couldn't be parsed as an octal number"),
            (percent, "25", "25%"),
            (percent, "25%", "25%"),
            (percent, "0%", "! argument must be between 1 and 90 inclusive"),
            (percent, "%", "! argument must be a percent value"),
            (choice, "Two", "two"),
            (choice, "three", "! argument(s) must be one of the following: one, two"),
            (Kind::Text, "a b", "a b"),
            (Kind::Text, "a\0b", "! argument must be UTF-8 text without NUL bytes"),
            (Kind::Words { max: 2 }, " a  b ", "a b"),
            (Kind::Words { max: 2 }, "", ""),
            (Kind::Words { max: 2 }, "a b c", "! argument must be at most 2 words"),
            (Kind::Words { max: 2 }, "a 'b", "! wrong number of arguments"),
            (Kind::Percentiles, "50 99.90 100", "50 99.9 100"),
            (Kind::Percentiles, "", ""),
            (Kind::Percentiles, "inf", "! Invalid latency-tracking-info-percentiles parameters"),
            (only, "No", "no"),
            (only, "yes", "! the only value is no: reasons"),
        ];
        for (kind, word, expected) in cases {
            assert_eq!(reading(kind, word), expected, "{kind:?} {word}");
        }
        assert_eq!(Kind::Text.read(&[], &Value::YesNo(false)), Err(Rejection::ArgumentCount));
    }
}
