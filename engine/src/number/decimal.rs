//! Numbers with a fraction that are added without rounding: what INCRBYFLOAT and HINCRBYFLOAT need.
//!
//! Redis adds long doubles and prints 17 decimals. Here values below 10^20 with at most 17 decimals, all that
//! applications count with, are added exactly, so the text is the true sum: `0.1 + 0.2` is `0.3` in both, and `3000.1 + 0` is
//! `3000.1`, where Redis prints `3000.10000000000000009`. Whatever is larger or finer is added as doubles, so digits after
//! the 16th differ from Redis there.

use super::float::parse_f64;

/// Decimals that are kept, and printed at most.
const DECIMALS: i32 = 17;
/// Exact values lie below this times 10^-17, that is below 10^20; the sum of two cannot overflow.
const EXACT_MAX: i128 = 10i128.pow(37);

/// A number with a fraction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decimal {
    /// This many 10^-17.
    Exact(i128),
    /// A number that is too large or too fine for that, or infinite.
    Float(f64),
}

impl Decimal {
    /// The number that `text` is, with the same grammar as `parse_f64`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let float = parse_f64(text)?;
        Some(exact(text).map_or(Self::Float(float), Self::Exact))
    }

    /// The sum; none if it is infinite or no number.
    pub fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) if (a + b).abs() < EXACT_MAX => Some(Self::Exact(a + b)),
            _ => Some(self.as_f64() + other.as_f64()).filter(|sum| sum.is_finite()).map(Self::Float),
        }
    }

    /// The nearest double.
    pub fn as_f64(self) -> f64 {
        match self {
            // Through text, because the division of two rounded doubles would round twice.
            Self::Exact(_) => self.to_text().parse().expect("a decimal reads as a double"),
            Self::Float(value) => value,
        }
    }

    /// The text without exponent and without zeros at the end of the fraction.
    pub fn to_text(self) -> String {
        let text = match self {
            Self::Exact(scaled) => {
                let (sign, scaled) = (if scaled < 0 { "-" } else { "" }, scaled.unsigned_abs());
                let one = 10u128.pow(DECIMALS as u32);
                format!("{sign}{}.{:017}", scaled / one, scaled % one)
            }
            Self::Float(value) => format!("{value:.17}"),
        };
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if text == "-0" { "0".to_owned() } else { text.to_owned() }
    }
}

/// The number in units of 10^-17, if it is a whole number of them and small enough.
fn exact(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let is_negative = mantissa.starts_with('-');
    let digits = mantissa.trim_start_matches(['+', '-']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut scaled: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        scaled = scaled.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    let power = exponent.checked_add(DECIMALS)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let factor = 10i128.checked_pow(power.unsigned_abs());
    let scaled = match power {
        _ if scaled == 0 => 0,
        0.. => scaled.checked_mul(factor?)?,
        _ => Some(scaled / factor?).filter(|_| scaled % 10i128.pow(power.unsigned_abs()) == 0)?,
    };
    (scaled < EXACT_MAX).then_some(if is_negative { -scaled } else { scaled })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(a: &str, b: &str) -> Option<String> {
        Some(Decimal::parse(a.as_bytes())?.plus(Decimal::parse(b.as_bytes())?)?.to_text())
    }

    #[test]
    fn sums_are_those_of_redis() {
        let cases: &[(&str, &str, &str)] = &[
            ("10.5", "0.1", "10.6"),
            ("0.1", "0.2", "0.3"),
            ("10.50", "-0.50", "10"),
            ("3.0e3", "200", "3200"),
            ("5.0e3", "2.0e2", "5200"),
            ("1", "1e-17", "1.00000000000000001"),
            ("1", "1e-18", "1"),
            ("-0.5", "0.5", "0"),
            ("0", "-0", "0"),
            ("1e20", "1", "100000000000000000000"),
            ("17179869184.5", "0.25", "17179869184.75"),
            ("+.5", "5.", "5.5"),
            ("00012", "1", "13"),
        ];
        for (a, b, expected) in cases {
            assert_eq!(sum(a, b).as_deref(), Some(*expected), "{a} + {b}");
        }
        for (a, b) in
            [("1", "inf"), ("-inf", "inf"), ("1e308", "1.7e308"), ("x", "1"), ("nan", "1"), ("", "1")]
        {
            assert_eq!(sum(a, b), None, "{a} + {b}");
        }
    }

    #[test]
    fn what_is_no_small_decimal_is_a_double() {
        assert_eq!(Decimal::parse(b"1e20"), Some(Decimal::Float(1e20)));
        assert_eq!(Decimal::parse(b"1e-18"), Some(Decimal::Float(1e-18)));
        assert_eq!(Decimal::parse(b"1e300"), Some(Decimal::Float(1e300)));
        assert_eq!(Decimal::parse(b"0e300"), Some(Decimal::Exact(0)));
        assert_eq!(Decimal::Float(1e30).to_text(), "1000000000000000019884624838656");
    }

    proptest! {
        #[test]
        fn sums_of_cents_are_exact(a in -1_000_000_000_000i64..1_000_000_000_000, b in -1_000_000_000_000i64..1_000_000_000_000) {
            let text = |cents: i64| {
                let sign = if cents < 0 { "-" } else { "" };
                format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
            };
            let expected = text(a + b);
            let expected = expected.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(sum(&text(a), &text(b)).unwrap(), expected);
        }

        #[test]
        fn any_bytes_are_safe(text in "[-+0-9.eEinfa]{0,50}") {
            if let Some(value) = Decimal::parse(text.as_bytes()) {
                let _ = value.plus(value).map(Decimal::to_text);
            }
        }
    }
}
