//! Integers as digits, two at a time.

/// The longest integer, `-9223372036854775808`.
pub const DIGITS_MAX: usize = 20;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// An integer as text, without an allocation.
#[derive(Clone, Copy)]
pub struct Digits {
    text: [u8; DIGITS_MAX],
    /// Where the text begins; it ends with the array.
    start: u8,
}

impl Digits {
    /// The digits of `value`.
    #[inline]
    pub fn of(value: i64) -> Self {
        let mut digits = Self { text: [0; DIGITS_MAX], start: 0 };
        let mut at = DIGITS_MAX;
        let mut rest = value.unsigned_abs();
        while rest >= 100 {
            let pair = (rest % 100) as usize * 2;
            rest /= 100;
            at -= 2;
            digits.text[at] = PAIRS[pair];
            digits.text[at + 1] = PAIRS[pair + 1];
        }
        if rest >= 10 {
            let pair = rest as usize * 2;
            at -= 2;
            digits.text[at] = PAIRS[pair];
            digits.text[at + 1] = PAIRS[pair + 1];
        } else {
            at -= 1;
            digits.text[at] = b'0' + rest as u8;
        }
        if value < 0 {
            at -= 1;
            digits.text[at] = b'-';
        }
        digits.start = at as u8;
        digits
    }

    /// The text.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start as usize..]
    }
}

/// Appends a line of the protocol that is a kind and a number.
#[inline]
pub(super) fn append_line(out: &mut Vec<u8>, kind: u8, value: i64) {
    if let 0..=9 = value {
        return out.extend_from_slice(&[kind, b'0' + value as u8, b'\r', b'\n']);
    }
    if let 10..=99 = value {
        let pair = value as usize * 2;
        return out.extend_from_slice(&[kind, PAIRS[pair], PAIRS[pair + 1], b'\r', b'\n']);
    }
    let digits = Digits::of(value);
    out.reserve(DIGITS_MAX + 3);
    out.push(kind);
    out.extend_from_slice(digits.as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(value: i64) {
        assert_eq!(Digits::of(value).as_bytes(), value.to_string().as_bytes());
        let mut line = Vec::new();
        append_line(&mut line, b':', value);
        assert_eq!(line, format!(":{value}\r\n").as_bytes());
    }

    #[test]
    fn digits_are_right_at_every_length() {
        [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX].into_iter().for_each(check);
        let mut power = 1i64;
        for _ in 0..18 {
            power *= 10;
            [power - 1, power, power + 1, -power, 1 - power].into_iter().for_each(check);
        }
    }

    proptest! {
        #[test]
        fn digits_are_right(value: i64) {
            check(value);
        }
    }
}
