//! A double in the fewest digits that read back as the same double, laid out as Redis 7.2 and Valkey lay it out.

use std::fmt::Write;

/// The longest text: sign, 17 digits, the point, and an exponent or the zeros in its stead.
const TEXT_BYTES_MAX: usize = 32;

/// A double as text, without an allocation.
#[derive(Clone, Copy)]
pub struct Shortest {
    text: [u8; TEXT_BYTES_MAX],
    len: usize,
}

impl Shortest {
    /// The text of `value`: `inf`, `-inf`, `nan`, integers without a point, exponents as in `1e+21`.
    pub fn of(value: f64) -> Self {
        const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
        let mut text = Self { text: [0; TEXT_BYTES_MAX], len: 0 };
        let written = if value.is_nan() {
            text.write_str("nan")
        } else if value.is_infinite() {
            text.write_str(if value > 0.0 { "inf" } else { "-inf" })
        } else if value == 0.0 {
            text.write_str(if value.is_sign_negative() { "-0" } else { "0" })
        } else if value.abs() <= INTEGER_MAX && value.trunc() == value {
            write!(text, "{}", value as i64)
        } else {
            lay_out(&mut text, value)
        };
        written.expect("the text fits");
        text
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.len]).expect("numbers are ASCII")
    }
}

impl Write for Shortest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.text.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Writes a finite value that is not 0 from its shortest digits.
fn lay_out(out: &mut Shortest, value: f64) -> std::fmt::Result {
    let mut scientific = Shortest { text: [0; TEXT_BYTES_MAX], len: 0 };
    write!(scientific, "{:e}", value.abs())?;
    let (mantissa, exponent) = scientific.as_str().split_once('e').ok_or(std::fmt::Error)?;
    let exponent: i32 = exponent.parse().map_err(|_| std::fmt::Error)?;
    let (head, tail) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = (head.len() + tail.len()) as i32;
    // The value is its digits, read as an integer, times ten to this power.
    let power = exponent - (digits - 1);
    if value < 0.0 {
        out.write_char('-')?;
    }
    if power >= 0 && exponent.abs() < digits + 7 {
        write!(out, "{head}{tail}{:0<width$}", "", width = power as usize)
    } else if power < 0 && (power > -7 || exponent.abs() < 4) {
        if exponent < 0 {
            return write!(out, "0.{:0<width$}{head}{tail}", "", width = (-exponent - 1) as usize);
        }
        let (before, after) = tail.split_at(exponent as usize);
        write!(out, "{head}{before}.{after}")
    } else {
        let point = if tail.is_empty() { "" } else { "." };
        write!(out, "{head}{point}{tail}e{exponent:+}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_are_laid_out_as_in_valkey() {
        let cases: &[(f64, &str)] = &[
            (0.0, "0"),
            (-0.0, "-0"),
            (3.1, "3.1"),
            (-3.1, "-3.1"),
            (100.0, "100"),
            (1234567.125, "1234567.125"),
            (1e17, "100000000000000000"),
            (1e19, "1e+19"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.0001, "0.0001"),
            (1e-7, "1e-7"),
            (1e-6, "0.000001"),
            (1.5e-6, "1.5e-6"),
            (12345.000001, "12345.000001"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, expected) in cases {
            assert_eq!(Shortest::of(*value).as_str(), *expected);
        }
    }

    proptest! {
        #[test]
        fn doubles_read_back(value: f64) {
            let text = Shortest::of(value);
            let back: f64 = text.as_str().parse().unwrap();
            prop_assert!(back == value || value.is_nan());
        }
    }
}
