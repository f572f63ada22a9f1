//! A plain client that speaks to a server: it sends what it is given and reads one reply after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::PATIENCE;

/// Longest wait for a connection to a server that may not live.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// A reply, RESP2 or RESP3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Simple(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Null,
    Array(Vec<Value>),
}

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of this machine.
    pub fn connect(port: u16) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Client::on(stream)
    }

    /// Connects to a host and port; nothing if nobody listens there.
    pub fn try_connect_to(address: &str) -> Option<Client> {
        let address = address.parse().expect("an address and a port");
        let stream = TcpStream::connect_timeout(&address, CONNECT_PATIENCE).ok()?;
        stream.set_nodelay(true).expect("a TCP socket");
        Some(Client::on(stream))
    }

    /// Connects to a Unix socket.
    pub fn connect_unix(path: &Path) -> Client {
        let stream = UnixStream::connect(path).expect("the server listens");
        // A stream socket reads and writes alike, whatever its family.
        Client::on(TcpStream::from(OwnedFd::from(stream)))
    }

    fn on(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        Client { stream: BufReader::new(stream) }
    }

    /// The socket itself.
    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the server reads");
    }

    /// Sends bytes to a server that may close in between.
    pub fn try_send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.get_mut().write_all(bytes).is_ok()
    }

    /// Sends a command without waiting for its reply.
    pub fn send(&mut self, words: &[&str]) {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.send_raw(&frame(&words));
    }

    /// Sends a command and reads its reply.
    pub fn ask(&mut self, words: &[&str]) -> Value {
        self.send(words);
        self.read()
    }

    /// Sends a command and reads its reply; nothing if the server closed the connection.
    pub fn try_ask(&mut self, words: &[&str]) -> Option<Value> {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        if self.try_send_raw(&frame(&words)) { self.try_read() } else { None }
    }

    /// Sends a command of any bytes and reads its reply.
    pub fn ask_bytes(&mut self, words: &[&[u8]]) -> Value {
        self.send_raw(&frame(words));
        self.read()
    }

    /// Says that nothing more will be sent.
    pub fn finish_sending(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Write).expect("a connected socket");
    }

    /// Everything that still comes, until the server closes or resets the connection.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return all,
                Ok(count) => all.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("the server keeps the connection open after {} bytes", all.len())
                }
                Err(_) => return all,
            }
        }
    }

    /// Reads a reply.
    pub fn read(&mut self) -> Value {
        self.try_read().expect("a reply")
    }

    /// Reads a reply; nothing if the server closed the connection.
    pub fn try_read(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        let (kind, rest) = line.trim_end().split_at(1);
        let count = || rest.parse::<i64>().expect("a length");
        Some(match kind {
            "+" => Value::Simple(rest.to_owned()),
            "-" => Value::Error(rest.to_owned()),
            ":" => Value::Integer(count()),
            "_" => Value::Null,
            "$" | "*" | "%" | "~" if count() < 0 => Value::Null,
            "$" | "=" => {
                let mut bytes = vec![0; count() as usize + 2];
                self.stream.read_exact(&mut bytes).ok()?;
                bytes.truncate(count() as usize);
                Value::Bulk(bytes)
            }
            "*" | "~" | ">" => Value::Array((0..count()).map(|_| self.try_read()).collect::<Option<_>>()?),
            "%" => Value::Array((0..count() * 2).map(|_| self.try_read()).collect::<Option<_>>()?),
            _ => panic!("no reply begins with {line:?}"),
        })
    }
}

impl Value {
    /// The elements of an array.
    pub fn array(self) -> Vec<Value> {
        match self {
            Value::Array(values) => values,
            other => panic!("no array: {other:?}"),
        }
    }

    /// The text of a string.
    pub fn text(self) -> String {
        match self {
            Value::Bulk(bytes) => String::from_utf8(bytes).expect("text"),
            Value::Simple(text) => text,
            other => panic!("no text: {other:?}"),
        }
    }

    /// The number of an integer.
    pub fn integer(self) -> i64 {
        match self {
            Value::Integer(number) => number,
            other => panic!("no number: {other:?}"),
        }
    }
}

/// A command as bytes.
pub fn frame(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).into_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The reply to a command that only had to be done.
pub fn ok() -> Value {
    Value::Simple("OK".to_owned())
}

/// An error reply.
pub fn error(text: &str) -> Value {
    Value::Error(text.to_owned())
}

/// A string.
pub fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}
