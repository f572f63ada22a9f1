//! A connection to a node, for one command at a time.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a node has to take a connection, and to say the next part of a reply.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest string and the longest array of a reply.
const BYTES_MAX: i64 = 64 << 20;
const ELEMENTS_MAX: i64 = 1 << 20;
/// How deep arrays may lie in one another.
const DEPTH_MAX: usize = 8;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A status or a string.
    Text(String),
    /// A number.
    Integer(i64),
    /// Several replies; a map is its names and values in turn.
    Array(Vec<Reply>),
    /// Nothing.
    Null,
}

/// Why there is no reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The node cannot be reached, or has gone.
    Io(std::io::Error),
    /// The node has answered an error.
    Refused(String),
    /// What came is no reply.
    Malformed,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Refused(text) => f.write_str(text),
            Self::Malformed => f.write_str("what it answers is not of the Redis protocol"),
        }
    }
}

impl From<std::io::Error> for ClientError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// A connection to a node.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects, and gives the password if there is one.
    pub fn open(address: &str, password: Option<&str>) -> Result<Connection, ClientError> {
        let mut last = std::io::Error::new(std::io::ErrorKind::InvalidInput, "there is no such address");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Connection::greet(stream, password),
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    fn greet(stream: TcpStream, password: Option<&str>) -> Result<Connection, ClientError> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut connection = Connection { stream: BufReader::new(stream) };
        if let Some(password) = password {
            connection.ask(&["AUTH", password])?;
        }
        Ok(connection)
    }

    /// Sends a command and reads its reply.
    pub fn ask(&mut self, words: &[&str]) -> Result<Reply, ClientError> {
        let mut command = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| command.push_str(&format!("${}\r\n{word}\r\n", word.len())));
        self.stream.get_mut().write_all(command.as_bytes())?;
        read(&mut self.stream, 0)
    }
}

fn read(stream: &mut impl BufRead, depth: usize) -> Result<Reply, ClientError> {
    let mut line = Vec::new();
    stream.by_ref().take(BYTES_MAX as u64).read_until(b'\n', &mut line)?;
    let line = line.strip_suffix(b"\r\n").ok_or(ClientError::Malformed)?;
    let text = String::from_utf8_lossy(line.get(1..).unwrap_or_default()).into_owned();
    let number = || text.parse::<i64>().map_err(|_| ClientError::Malformed);
    match line.first() {
        Some(b'+') => Ok(Reply::Text(text)),
        Some(b'-') => Err(ClientError::Refused(text)),
        Some(b':') => Ok(Reply::Integer(number()?)),
        Some(b'$' | b'*') if number()? < 0 => Ok(Reply::Null),
        Some(b'$') if number()? <= BYTES_MAX => {
            let mut bytes = vec![0; number()? as usize + 2];
            stream.read_exact(&mut bytes)?;
            bytes.truncate(bytes.len() - 2);
            Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Some(b'*') if number()? <= ELEMENTS_MAX && depth < DEPTH_MAX => {
            let elements = (0..number()?).map(|_| read(stream, depth + 1));
            Ok(Reply::Array(elements.collect::<Result<_, _>>()?))
        }
        _ => Err(ClientError::Malformed),
    }
}

impl Reply {
    /// The elements of an array; none of anything else.
    pub fn elements(&self) -> &[Reply] {
        match self {
            Self::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The text, empty if there is none.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// The number, if it is one that is not negative.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The value of this name in a map.
    pub fn field(&self, name: &str) -> Option<&Reply> {
        self.elements().chunks_exact(2).find(|pair| pair[0].text() == name).map(|pair| &pair[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &str) -> Result<Reply, ClientError> {
        read(&mut bytes.as_bytes(), 0)
    }

    #[test]
    fn replies_are_read() {
        let reply = parse("*4\r\n$1\r\na\r\n:5\r\n+b\r\n*2\r\n$-1\r\n*-1\r\n").unwrap();
        assert_eq!(reply.field("a").and_then(Reply::count), Some(5));
        assert_eq!(reply.field("b").map(Reply::elements), Some(&[Reply::Null, Reply::Null][..]));
        assert!(reply.field("c").is_none());
        assert_eq!(parse(":-5\r\n").unwrap().count(), None);
        assert!(matches!(parse("-ERR no\r\n"), Err(ClientError::Refused(text)) if text == "ERR no"));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let deep = "*1\r\n".repeat(20);
        for bytes in
            ["", "x\r\n", ":x\r\n", "$99999999999\r\n", "*99999999999\r\n", "+open", "$5\r\nab", &deep]
        {
            assert!(parse(bytes).is_err(), "{bytes}");
        }
    }
}
