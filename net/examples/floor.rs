//! The floor of the benchmarks: answers every RESP command blindly, a fixed bulk to `GET` and `+OK` to all else.
//!
//! It parses just enough to find where commands end, keeps nothing, and so shows what the reactor and the kernel cost:
//! `cargo run --release -p whimbrel-net --example floor -- --port 17000 --cpu 0 --value-bytes 64`.
#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::net::SocketAddr;

use clap::Parser;
use whimbrel_net::{
    ConnectionId, Io, ListenerId, MinWait, Monotonic, PeerAddress, Reactor, ReactorOptions, Service,
    TcpOptions, Wake, listen_tcp, mailbox_mesh, pin_to_cpu, raise_nofile,
};

/// Answers every RESP command blindly.
#[derive(Parser)]
struct Arguments {
    /// Port on 127.0.0.1.
    #[arg(long, default_value_t = 17000)]
    port: u16,
    /// CPU of the only thread.
    #[arg(long, default_value_t = 0)]
    cpu: usize,
    /// Size of the value that GET answers.
    #[arg(long, default_value_t = 64)]
    value_bytes: usize,
    /// Collect completions for up to this many microseconds before waking.
    #[arg(long, default_value_t = 0)]
    min_wait_us: u32,
    /// … or until this many are there.
    #[arg(long, default_value_t = 8)]
    min_wait_completions: usize,
}

struct Floor {
    bulk: Vec<u8>,
    /// By place: the beginning of a command whose end has not arrived.
    partial: Vec<Vec<u8>>,
}

impl Service for Floor {
    type Message = ();

    fn opened(&mut self, _: &mut Io<()>, id: ConnectionId, _: ListenerId, _: &PeerAddress) {
        if self.partial.len() <= id.index() {
            self.partial.resize(id.index() + 1, Vec::new());
        }
        self.partial[id.index()].clear();
    }

    fn received(&mut self, io: &mut Io<()>, id: ConnectionId, bytes: &[u8]) {
        let partial = &mut self.partial[id.index()];
        let output = io.output(id);
        if partial.is_empty() {
            let used = answer_all(bytes, &self.bulk, output);
            partial.extend_from_slice(&bytes[used..]);
        } else {
            partial.extend_from_slice(bytes);
            let used = answer_all(partial, &self.bulk, output);
            partial.drain(..used);
        }
    }

    fn end_of_input(&mut self, io: &mut Io<()>, id: ConnectionId) {
        io.close(id);
    }

    fn closed(&mut self, _: &mut Io<()>, id: ConnectionId) {
        self.partial[id.index()] = Vec::new();
    }

    fn output_drained(&mut self, _: &mut Io<()>, _: ConnectionId) {}

    fn message(&mut self, _: &mut Io<()>, _: usize, (): ()) {}

    fn turn(&mut self, _: &mut Io<()>, _: Monotonic) -> Wake {
        Wake::Idle
    }
}

/// Answers the whole commands at the front of `bytes`; says how many bytes they were.
fn answer_all(bytes: &[u8], bulk: &[u8], output: &mut Vec<u8>) -> usize {
    let mut used = 0;
    while let Some((length, is_get)) = command(&bytes[used..]) {
        output.extend_from_slice(if is_get { bulk } else { b"+OK\r\n" });
        used += length;
    }
    used
}

/// The length of the first command, and whether it is a GET; `None` until it is whole.
fn command(bytes: &[u8]) -> Option<(usize, bool)> {
    if *bytes.first()? != b'*' {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        return Some((end + 1, false));
    }
    let (arguments, mut at) = number(bytes, 1)?;
    let mut is_get = false;
    for argument in 0..arguments {
        let (length, start) = number(bytes, at + 1)?;
        at = start + length + 2;
        if argument == 0 {
            is_get = length == 3 && matches!(bytes.get(start)?, b'G' | b'g');
        }
    }
    (at <= bytes.len()).then_some((at, is_get))
}

/// A decimal number and the place behind its line end.
fn number(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    loop {
        match *bytes.get(at)? {
            digit @ b'0'..=b'9' => value = value * 10 + usize::from(digit - b'0'),
            _ => return bytes.get(at + 1).map(|_| (value, at + 2)),
        }
        at += 1;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    raise_nofile();
    let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    let listener = listen_tcp(address, &TcpOptions::default())?;
    pin_to_cpu(arguments.cpu)?;
    let min_wait = (arguments.min_wait_us > 0).then_some(MinWait {
        completions: arguments.min_wait_completions,
        microseconds: arguments.min_wait_us,
    });
    let mailboxes = mailbox_mesh(1, 1)?.pop().ok_or("a mesh of one has one")?;
    let mut reactor = Reactor::new(ReactorOptions { min_wait, ..Default::default() }, mailboxes)?;
    println!("floor on {} by CPU {}", listener.local_address(), arguments.cpu);
    reactor.listen(ListenerId(0), listener);
    let mut bulk = format!("${}\r\n", arguments.value_bytes).into_bytes();
    bulk.extend(std::iter::repeat_n(b'x', arguments.value_bytes));
    bulk.extend_from_slice(b"\r\n");
    reactor.run(&mut Floor { bulk, partial: Vec::new() })?;
    Ok(())
}
