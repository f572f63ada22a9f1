//! RESP replies as values, for the few replies whose content matters.

use std::io::{self, BufRead, Read};

/// Deepest nesting that is read; no reply of a sound server comes near.
const DEPTH_MAX: usize = 32;
/// Longest bulk string that is read.
const BULK_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// An integer.
    Int(i64),
    /// A simple or bulk string.
    Text(Vec<u8>),
    /// An error's text.
    Error(String),
    /// An array, a set, a push message, or a map as a flat list.
    List(Vec<Value>),
}

impl Value {
    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The value of an integer.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of an aggregate.
    pub fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    /// Reads one reply.
    pub fn read(input: &mut impl BufRead) -> io::Result<Self> {
        read_nested(input, 0)
    }
}

fn read_nested(input: &mut impl BufRead, depth: usize) -> io::Result<Value> {
    if depth > DEPTH_MAX {
        return Err(invalid("a reply is nested too deeply"));
    }
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let [kind, rest @ .., b'\r', b'\n'] = &line[..] else { return Err(invalid("a line is not ended")) };
    let text = String::from_utf8_lossy(rest).into_owned();
    let number = || text.parse::<i64>().map_err(|_| invalid("a number is not one"));
    match kind {
        b'+' | b',' | b'(' | b'#' => Ok(Value::Text(rest.to_vec())),
        b'-' => Ok(Value::Error(text)),
        b':' => Ok(Value::Int(number()?)),
        b'_' => Ok(Value::Null),
        b'$' | b'=' | b'!' => read_bulk(input, number()?),
        b'*' | b'~' | b'>' => read_list(input, number()?, depth),
        b'%' => read_list(input, number()?.saturating_mul(2), depth),
        _ => Err(invalid("a reply starts with an unknown marker")),
    }
}

fn read_bulk(input: &mut impl BufRead, length: i64) -> io::Result<Value> {
    let Ok(length) = u64::try_from(length) else { return Ok(Value::Null) };
    if length > BULK_BYTES_MAX {
        return Err(invalid("a bulk string is too long"));
    }
    let mut bytes = Vec::new();
    let read = input.take(length + 2).read_to_end(&mut bytes)?;
    if read as u64 != length + 2 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.truncate(length as usize);
    Ok(Value::Text(bytes))
}

fn read_list(input: &mut impl BufRead, length: i64, depth: usize) -> io::Result<Value> {
    let Ok(length) = usize::try_from(length) else { return Ok(Value::Null) };
    let mut values = Vec::new();
    for _ in 0..length {
        values.push(read_nested(input, depth + 1)?);
    }
    Ok(Value::List(values))
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_read() {
        let text = |t: &str| Value::Text(t.as_bytes().to_vec());
        let cases = [
            ("+OK|", text("OK")),
            (":-5|", Value::Int(-5)),
            ("$4|a|b|", text("a\r\nb")),
            ("$-1|", Value::Null),
            ("*2|:1|*1|+x|", Value::List(vec![Value::Int(1), Value::List(vec![text("x")])])),
            ("-MOVED 1 h:2|", Value::Error("MOVED 1 h:2".into())),
            ("%1|+a|:1|", Value::List(vec![text("a"), Value::Int(1)])),
        ];
        for (stream, wanted) in cases {
            let input = stream.replace('|', "\r\n");
            assert_eq!(Value::read(&mut input.as_bytes()).unwrap(), wanted, "{stream}");
        }
    }

    #[test]
    fn broken_replies_are_errors() {
        let deep = "*1\r\n".repeat(DEPTH_MAX + 2);
        for input in ["", "+OK", "?x\r\n", "$5\r\nab\r\n", ":x\r\n", &deep] {
            assert!(Value::read(&mut input.as_bytes()).is_err(), "{input}");
        }
    }
}
