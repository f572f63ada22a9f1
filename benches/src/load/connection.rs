//! One connection: what still has to be written, what has been sent, what comes back.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use crate::load::in_flight::InFlight;
use crate::traffic::workload::Protocol;
use crate::wire::replies::{ReplyCounter, Tally};
use crate::wire::socket::Socket;

/// A non-blocking connection to one node.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    replies: ReplyCounter,
    /// Bytes that the kernel has not taken yet.
    unsent: Vec<u8>,
    /// Bytes of `unsent` that it has taken. 0 <= unsent_start <= unsent.len()
    unsent_start: usize,
    /// Commands without a reply.
    pub in_flight: InFlight,
    /// The node it leads to.
    pub node: usize,
    /// It has failed; nothing is sent on it any more.
    pub closed: bool,
}

impl Connection {
    /// Takes over a connected socket, from which nothing is left to read.
    pub fn new(socket: Socket, node: usize, protocol: Protocol) -> io::Result<Self> {
        socket.set_nonblocking()?;
        Ok(Self {
            socket,
            replies: ReplyCounter::new(protocol),
            unsent: Vec::new(),
            unsent_start: 0,
            in_flight: InFlight::default(),
            node,
            closed: false,
        })
    }

    /// Sends bytes behind those that wait already.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let taken = write_some(&mut self.socket, bytes)?;
        self.unsent.extend_from_slice(&bytes[taken..]);
        Ok(())
    }

    /// Adds bytes that the next flush sends.
    pub fn queue(&mut self) -> &mut Vec<u8> {
        &mut self.unsent
    }

    /// Writes what waits, as far as the kernel takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.unsent_start < self.unsent.len() {
            let taken = write_some(&mut self.socket, &self.unsent[self.unsent_start..])?;
            if taken == 0 {
                return Ok(());
            }
            self.unsent_start += taken;
        }
        self.unsent.clear();
        self.unsent_start = 0;
        Ok(())
    }

    /// Reads what is there and counts it. Returns the bytes read; the end of the stream is an error.
    pub fn receive(&mut self, buffer: &mut [u8], tally: &mut Tally) -> io::Result<u64> {
        let mut total = 0;
        loop {
            let read = match self.socket.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(total),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            total += read as u64;
            self.replies
                .feed(&buffer[..read], tally)
                .map_err(|violation| io::Error::new(ErrorKind::InvalidData, violation))?;
            // A short read has emptied the socket: the next arrival raises a new event.
            if read < buffer.len() {
                return Ok(total);
            }
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Bytes that the kernel took, 0 when it takes none now.
fn write_some(socket: &mut Socket, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match socket.write(bytes) {
            Ok(taken) => return Ok(taken),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
