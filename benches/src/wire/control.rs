//! A blocking client for what happens outside the measurement: logging in, INFO, CONFIG, CLUSTER SLOTS.

use std::io::{self, BufReader, Write};
use std::time::Duration;

use crate::wire::socket::{Address, Socket};
use crate::wire::value::Value;

/// Name and password of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The user, `default` when absent.
    pub user: Option<String>,
    /// The password; no AUTH is sent without one.
    pub password: Option<String>,
}

/// A connection on which one command at a time is asked.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<Socket>,
}

impl Control {
    /// Connects and logs in.
    pub fn connect(address: &Address, credentials: &Credentials) -> io::Result<Self> {
        Self::over(Socket::connect(address, None)?, credentials)
    }

    /// Logs in over a connected blocking socket.
    pub fn over(socket: Socket, credentials: &Credentials) -> io::Result<Self> {
        let mut control = Self { stream: BufReader::new(socket) };
        if let Some(password) = &credentials.password {
            let mut words = vec!["AUTH"];
            words.extend(credentials.user.as_deref());
            words.push(password);
            control.ask_well(&words)?;
        }
        Ok(control)
    }

    /// The socket, with nothing unread on it.
    pub fn into_socket(self) -> Socket {
        assert!(self.stream.buffer().is_empty(), "every reply that was asked for has been read");
        self.stream.into_inner()
    }

    /// Bounds the wait for a reply.
    pub fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(timeout)
    }

    /// Sends a command and reads its reply.
    pub fn ask(&mut self, words: &[&str]) -> io::Result<Value> {
        self.stream.get_mut().write_all(request(words).as_bytes())?;
        Value::read(&mut self.stream)
    }

    /// Sends two commands at once and reads their replies, none of which may be an error.
    pub fn ask_both_well(&mut self, first: &[&str], second: &[&str]) -> io::Result<[Value; 2]> {
        self.stream.get_mut().write_all((request(first) + &request(second)).as_bytes())?;
        let (one, other) = (Value::read(&mut self.stream)?, Value::read(&mut self.stream)?);
        Ok([well(first, one)?, well(second, other)?])
    }

    /// As `ask`; an error reply is an error.
    pub fn ask_well(&mut self, words: &[&str]) -> io::Result<Value> {
        well(words, self.ask(words)?)
    }

    /// Sends a line as it is and reads a line (memcached's `version`).
    pub fn ask_line(&mut self, line: &str) -> io::Result<String> {
        self.stream.get_mut().write_all(line.as_bytes())?;
        let mut reply = String::new();
        io::BufRead::read_line(&mut self.stream, &mut reply)?;
        if reply.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(reply) }
    }
}

fn request(words: &[&str]) -> String {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    request
}

fn well(words: &[&str], reply: Value) -> io::Result<Value> {
    match reply {
        Value::Error(text) => Err(io::Error::other(format!("{}: {text}", words[0]))),
        value => Ok(value),
    }
}
