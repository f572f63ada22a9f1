//! A value of a parameter between its text and its typed field.

use super::choice::Choice;
use super::cpus::CpuList;
use super::output_limits::OutputLimits;
use std::fmt;

/// What a text was read into.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `yes` or `no`.
    YesNo(bool),
    /// A number: plain, of bytes, of percent, or octal.
    Integer(i64),
    /// The index of the chosen word.
    Choice(usize),
    /// Any bytes.
    Text(Vec<u8>),
    /// A list of words.
    Words(Vec<String>),
    /// A list of CPUs.
    Cpus(CpuList),
    /// Limits per class of clients.
    OutputLimits(OutputLimits),
    /// A list of percentiles.
    Percentiles(Vec<f64>),
}

/// A password: never printed by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The password; empty means none.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether no password is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `attempt` is the password. The time does not tell how much of it was right.
    pub fn accepts(&self, attempt: &[u8]) -> bool {
        let mut difference = self.0.len() ^ attempt.len();
        let expected = self.0.iter().copied().chain(std::iter::repeat(0));
        for (expected, given) in expected.zip(attempt) {
            difference |= usize::from(expected ^ given);
        }
        difference == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret(none)" } else { "Secret(set)" })
    }
}

/// A type that a field of `Config` may have.
pub trait Field: Sized {
    /// The field as a value.
    fn to_value(&self) -> Value;

    /// The value as the field. The kind in the parameter's row admits no other value.
    fn from_value(value: Value) -> Self;
}

macro_rules! field {
    ($type:ty, $variant:ident, $to:expr, $from:expr) => {
        impl Field for $type {
            fn to_value(&self) -> Value {
                let to: fn(&Self) -> _ = $to;
                Value::$variant(to(self))
            }

            fn from_value(value: Value) -> Self {
                let from: fn(_) -> Self = $from;
                match value {
                    Value::$variant(inner) => from(inner),
                    other => panic!("the row of this parameter names a kind that gives {other:?}"),
                }
            }
        }
    };
}

const IN_RANGE: &str = "the range in the parameter's row fits the type of its field";

field!(bool, YesNo, |field| *field, |inner| inner);
field!(i64, Integer, |field| *field, |inner| inner);
field!(u8, Integer, |field| i64::from(*field), |inner: i64| inner.try_into().expect(IN_RANGE));
field!(u16, Integer, |field| i64::from(*field), |inner: i64| inner.try_into().expect(IN_RANGE));
field!(u32, Integer, |field| i64::from(*field), |inner: i64| inner.try_into().expect(IN_RANGE));
field!(u64, Integer, |field| (*field).try_into().expect(IN_RANGE), |inner: i64| inner
    .try_into()
    .expect(IN_RANGE));
field!(Vec<String>, Words, Clone::clone, |inner| inner);
field!(Vec<f64>, Percentiles, Clone::clone, |inner| inner);
field!(CpuList, Cpus, Clone::clone, |inner| inner);
field!(OutputLimits, OutputLimits, |field| *field, |inner| inner);
field!(Secret, Text, |field| field.0.clone(), Secret);
field!(String, Text, |field| field.clone().into_bytes(), |inner| {
    String::from_utf8(inner).expect("a text was checked to be UTF-8 when it was read")
});

impl<T: Choice + PartialEq> Field for T {
    fn to_value(&self) -> Value {
        let index = T::ALL.iter().position(|choice| choice == self);
        Value::Choice(index.expect("ALL holds every value of the type"))
    }

    fn from_value(value: Value) -> Self {
        match value {
            Value::Choice(index) => T::ALL[index],
            other => panic!("the row of this parameter names a kind that gives {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_compared_whole_and_never_printed() {
        let secret = Secret(b"abc".to_vec());
        assert!(secret.accepts(b"abc"));
        for wrong in [&b""[..], b"ab", b"abcd", b"abC", b"abc\0"] {
            assert!(!secret.accepts(wrong));
        }
        assert!(!Secret(b"\0".to_vec()).accepts(b""));
        assert_eq!(format!("{secret:?} {:?}", Secret::default()), "Secret(set) Secret(none)");
    }
}
