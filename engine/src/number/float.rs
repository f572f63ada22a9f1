//! Numbers with a fraction, read as `strtod` reads them for Redis.

/// The longest text that is looked at; Redis reads long doubles from a buffer of this size.
pub const FLOAT_BYTES_MAX: usize = 5 * 1024;

/// The number that `text` is: decimal, with or without exponent, or `inf`. Blanks, `nan`, and what lies beyond the range of a
/// double are refused. Unlike `strtod`, hexadecimal is not read.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if text.len() > FLOAT_BYTES_MAX {
        return None;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let is_spelled_out = text.iter().any(|byte| matches!(byte, b'i' | b'I'));
    let is_out_of_range = match value {
        value if value.is_infinite() => !is_spelled_out,
        0.0 => mantissa(text).any(|byte| matches!(byte, b'1'..=b'9')),
        _ => false,
    };
    (!value.is_nan() && !is_out_of_range).then_some(value)
}

fn mantissa(text: &[u8]) -> impl Iterator<Item = u8> {
    text.iter().copied().take_while(|byte| !matches!(byte, b'e' | b'E'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_read_as_strtod_reads_them() {
        let cases: &[(&str, f64)] = &[
            ("0", 0.0),
            ("-0", -0.0),
            ("+1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("007", 7.0),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0e999", 0.0),
            ("1.7976931348623157e308", f64::MAX),
            ("5e-324", 5e-324),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_f64(text.as_bytes()), Some(*expected), "{text}");
        }
        for text in
            ["", " 1", "1 ", "nan", "-nan", "1e400", "-1e400", "1e-400", "1x", ".", "e5", "1\0", "0x", "--1"]
        {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse_f64(&vec![b'1'; FLOAT_BYTES_MAX + 1]), None);
    }
}
