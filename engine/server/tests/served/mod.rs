//! A server of the built binary on a free port, for tests of the whole process.

#![allow(dead_code, unused_imports, reason = "each test uses what it needs of this")]

mod client;
mod process;

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub use client::{Client, Value, bulk, error, frame, ok};

/// How long a test waits for what must happen; reaching it is a failure, never a result.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it is ended when the test drops it.
pub struct Server {
    child: Child,
    /// The shared port.
    pub port: u16,
    /// What it says on standard error.
    log: PathBuf,
}

/// CPUs that this process may use, `count` at most, as `--cores` takes them.
pub fn cores(count: usize) -> String {
    let available = whimbrel_net::cpus_available();
    available.iter().take(count).map(usize::to_string).collect::<Vec<_>>().join(",")
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first of `count` ports in a row that nobody listens on at the moment.
pub fn free_ports(count: u16) -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let first = listener.local_addr().expect("a bound socket has an address").port();
        if (1..count).all(|step| {
            first.checked_add(step).is_some_and(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        }) {
            return first;
        }
    }
}

/// Waits until `is_so`; a test fails if that takes forever.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The built binary with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whimbrel"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A path that nothing else uses.
pub fn scratch_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("whimbrel-{}-{name}", std::process::id()))
}

impl Server {
    /// Starts the server with further options and waits until it answers.
    pub fn start(options: &[&str]) -> Server {
        let port = free_port();
        let log = scratch_path(&format!("{port}.log"));
        let child = command(&["serve", "--port", &port.to_string()])
            .args(options)
            .stderr(File::create(&log).expect("a writable temporary folder"))
            .spawn()
            .expect("the binary starts");
        let mut server = Server { child, port, log };
        server.wait();
        server
    }

    /// Waits until this very server listens: on a port that somebody else was quicker to take, another one may answer.
    fn wait(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.said().contains("listens") || TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "the server does not answer");
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                panic!("the server ended with {status}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        Client::connect(self.port)
    }

    /// Stops all its threads from running.
    pub fn pause(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets them run again.
    pub fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// Asks the process to end, as an operator would.
    pub fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process has an id"), signal).expect("a child of ours");
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server ends", || {
            status = self.child.try_wait().expect("a child of ours");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Memory that the process has of the machine.
    pub fn resident_bytes(&self) -> u64 {
        process::resident_bytes(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's state: {:?}; it said:\n{}", self.child.try_wait(), self.said());
        }
        // It may have ended by itself; there is nothing more to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}
