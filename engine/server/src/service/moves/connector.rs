//! Links to other nodes are opened by threads of their own: looking up names and connecting may block, and a core never does.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use whimbrel_engine::commands::cluster::LINK_VERSION;
use whimbrel_engine::topology::NodeId;
use whimbrel_migration::{BatchId, Lane};
use whimbrel_net::{Mailboxes, Waker};

use super::super::message::Message;
use crate::log;

/// How long each step of opening a link may take.
const STEP_MAX: Duration = Duration::from_secs(2);

/// Bytes of a reply to what is said before the first frame.
const REPLY_BYTES_MAX: usize = 1024;

/// Links that may be opened at the same time.
const OPENING_MAX: usize = 64;

/// A link that a core wants: one connection for each lane.
pub struct LinkRequest {
    pub batch: BatchId,
    /// Which attempt of the batch it is.
    pub attempt: u64,
    pub host: String,
    pub port: u16,
    /// What the target asks for, if anything.
    pub password: Vec<u8>,
    pub source: NodeId,
    pub target: NodeId,
}

/// What became of it.
pub struct LinkOutcome {
    pub batch: BatchId,
    pub attempt: u64,
    /// The connections in the order of `Lane::ALL`, ready for frames.
    pub sockets: Result<[OwnedFd; 2], String>,
}

/// The housekeeping thread's part in opening links.
pub struct Connector {
    sender: Sender<(usize, LinkOutcome)>,
    receiver: Receiver<(usize, LinkOutcome)>,
    waker: Waker,
    opening: usize,
    /// What found no room in a core's mailbox.
    waiting: Vec<(usize, LinkOutcome)>,
}

impl Connector {
    /// `waker` wakes the housekeeping thread.
    pub fn new(waker: Waker) -> Connector {
        let (sender, receiver) = channel();
        Connector { sender, receiver, waker, opening: 0, waiting: Vec::new() }
    }

    /// Takes what a core asks for; gives back what is none of its business.
    pub fn take(&mut self, core: usize, message: Message) -> Option<Message> {
        let Message::OpenLink(request) = message else { return Some(message) };
        let (batch, attempt) = (request.batch, request.attempt);
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        let fail = |why: String| LinkOutcome { batch, attempt, sockets: Err(why) };
        if self.opening >= OPENING_MAX {
            self.waiting.push((core, fail("too many links are being opened".to_owned())));
            return None;
        }
        let opening = std::thread::Builder::new().name("link".to_owned()).spawn(move || {
            let sockets = open(&request);
            // Without a receiver the process ends.
            let _ = sender.send((core, LinkOutcome { batch, attempt, sockets }));
            waker.wake();
        });
        match opening {
            Ok(_) => self.opening += 1,
            Err(error) => self.waiting.push((core, fail(format!("no thread for a link: {error}")))),
        }
        None
    }

    /// Sends the cores what there is for them; whether all of it found room in their mailboxes.
    pub fn tell(&mut self, mailboxes: &mut Mailboxes<Message>) -> bool {
        while let Ok(outcome) = self.receiver.try_recv() {
            self.opening -= 1;
            self.waiting.push(outcome);
        }
        for (core, outcome) in std::mem::take(&mut self.waiting) {
            if let Err(Message::LinkOpened(outcome)) = mailboxes.send(core, Message::LinkOpened(outcome)) {
                self.waiting.push((core, outcome));
            }
        }
        mailboxes.ring_doorbells();
        self.waiting.is_empty()
    }
}

fn open(request: &LinkRequest) -> Result<[OwnedFd; 2], String> {
    let at = format!("{}:{}", request.host, request.port);
    let open = || open_lane(request).map_err(|error| format!("no link to {at}: {error}"));
    let sockets = Lane::ALL.map(|_| open());
    let [delta, snapshot] = sockets;
    log::verbose(format_args!("Move {}: linked to {at}", request.batch));
    Ok([delta?, snapshot?])
}

fn open_lane(request: &LinkRequest) -> Result<OwnedFd, String> {
    let text = |error: std::io::Error| error.to_string();
    let addresses = (request.host.as_str(), request.port).to_socket_addrs().map_err(text)?;
    let mut last = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, STEP_MAX) {
            Ok(stream) => return greet(stream, request),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

/// Says who is there, up to the first frame.
fn greet(mut stream: TcpStream, request: &LinkRequest) -> Result<OwnedFd, String> {
    let text = |error: std::io::Error| error.to_string();
    stream.set_nodelay(true).map_err(text)?;
    stream.set_read_timeout(Some(STEP_MAX)).map_err(text)?;
    stream.set_write_timeout(Some(STEP_MAX)).map_err(text)?;
    if !request.password.is_empty() {
        ask(&mut stream, &[b"AUTH", &request.password])?;
    }
    let (source, target) = (request.source.as_str(), request.target.as_str());
    let version = LINK_VERSION.to_string();
    ask(&mut stream, &[b"CLUSTER", b"LINK", version.as_bytes(), source.as_bytes(), target.as_bytes()])?;
    stream.set_read_timeout(None).map_err(text)?;
    stream.set_write_timeout(None).map_err(text)?;
    Ok(stream.into())
}

/// Sends a command that is answered by +OK.
fn ask(stream: &mut TcpStream, words: &[&[u8]]) -> Result<(), String> {
    let mut command = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        command.extend(format!("${}\r\n", word.len()).into_bytes());
        command.extend_from_slice(word);
        command.extend_from_slice(b"\r\n");
    }
    stream.write_all(&command).map_err(|error| error.to_string())?;
    // Byte by byte: what follows the line belongs to whoever takes the socket over.
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        let count = stream.read(&mut byte).map_err(|error| error.to_string())?;
        if count == 0 || line.len() >= REPLY_BYTES_MAX {
            return Err("it was closed before a reply came".to_owned());
        }
        line.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    if line == "+OK" { Ok(()) } else { Err(line) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use whimbrel_migration::MoveId;

    fn request(port: u16) -> LinkRequest {
        LinkRequest {
            batch: BatchId { job: MoveId(1), number: 0 },
            attempt: 1,
            host: "127.0.0.1".to_owned(),
            port,
            password: b"sesame".to_vec(),
            source: NodeId::derived(1, 0),
            target: NodeId::derived(2, 0),
        }
    }

    /// Answers each connection's commands with these lines, then sends `behind`.
    fn peer(lines: &'static [&'static str], behind: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut stream = stream.expect("a connection");
                let mut chunk = [0; 1024];
                for line in lines {
                    let _ = stream.read(&mut chunk);
                    let _ = stream.write_all(line.as_bytes());
                }
                let _ = stream.write_all(behind);
            }
        });
        port
    }

    #[test]
    fn a_link_is_two_connections_with_nothing_read_ahead() {
        let sockets = open(&request(peer(&["+OK\r\n", "+OK\r\n"], b"frame"))).expect("a link");
        for socket in sockets {
            let mut bytes = [0; 5];
            TcpStream::from(socket).read_exact(&mut bytes).expect("what follows the reply");
            assert_eq!(&bytes, b"frame");
        }
    }

    #[test]
    fn a_refusal_is_told() {
        let refused = open(&request(peer(&["-WRONGPASS no\r\n"], b""))).expect_err("no link");
        assert!(refused.ends_with("-WRONGPASS no"), "{refused}");
        let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        assert!(open(&request(nobody)).expect_err("no link").contains("no link to 127.0.0.1"));
    }
}
