//! A server of the built binary on a free port, and a plain client that speaks to it, for tests of the whole process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server; it is ended when the test drops it.
pub struct Server {
    child: Child,
    /// The shared port.
    pub port: u16,
}

/// A reply, RESP2 or RESP3.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(dead_code, reason = "each test uses the kinds that it meets")]
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

/// CPUs that this process may use, two at most, as `--cores` takes them.
pub fn cores(count: usize) -> String {
    let available = whimbrel_net::cpus_available();
    available.iter().take(count).map(usize::to_string).collect::<Vec<_>>().join(",")
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

impl Server {
    /// Starts the server with further options and waits until it answers.
    pub fn start(options: &[&str]) -> Server {
        let port = free_port();
        let child = Command::new(env!("CARGO_BIN_EXE_whimbrel"))
            .args(["serve", "--port", &port.to_string()])
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut server = Server { child, port };
        server.wait();
        server
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "the server does not answer");
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                panic!("the server ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        Client::connect(self.port)
    }

    /// The process, to be looked at.
    #[allow(dead_code, reason = "used by the tests that look at memory")]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing more to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    /// Connects to a port of this machine.
    pub fn connect(port: u16) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a TCP socket");
        Client { stream: BufReader::new(stream) }
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("the server reads");
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

/// Shorthand for expected replies.
#[allow(dead_code, reason = "each test uses the kinds that it meets")]
pub fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}
