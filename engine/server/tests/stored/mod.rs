//! A real etcd on free ports, for tests of clusters. Where none is installed such tests are skipped, and say so.

#![allow(dead_code, reason = "each test uses what it needs of this")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits for what must happen; reaching it is a failure, never a result.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running etcd; it is ended when the test drops it.
pub struct Etcd {
    child: Child,
    port: u16,
    directory: PathBuf,
}

impl Etcd {
    /// Starts one with nothing in it; nothing if none is installed.
    pub fn start() -> Option<Etcd> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("whimbrel-etcd-{}-{number}", std::process::id()));
        // Somebody may be quicker to take a port that was free.
        for _ in 0..5 {
            let (client, peer) = (free_port(), free_port());
            let url = |port: u16| format!("http://127.0.0.1:{port}");
            let child = Command::new("etcd")
                .arg("--data-dir")
                .arg(&directory)
                .args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)])
                .args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)])
                .args(["--initial-cluster", &format!("default={}", url(peer))])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let child = match child {
                Ok(child) => child,
                Err(error) => {
                    let required = std::env::var("WHIMBREL_ETCD").is_ok_and(|word| word == "required");
                    assert!(!required, "etcd is required, and cannot be started: {error}");
                    eprintln!(
                        "skipped: etcd cannot be started ({error}); install etcd-server to run this test"
                    );
                    return None;
                }
            };
            let mut etcd = Etcd { child, port: client, directory: directory.clone() };
            if etcd.becomes_ready() {
                return Some(etcd);
            }
        }
        panic!("etcd does not start");
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stops it from running, so that it answers nobody.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it run again.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Deletes all keys that begin with this prefix, which ends with `/`.
    pub fn delete(&self, prefix: &str) {
        self.ask_about("/v3/kv/deleterange", prefix);
    }

    /// Whether there is a key that begins with this prefix, which ends with `/`.
    pub fn holds(&self, prefix: &str) -> bool {
        self.ask_about("/v3/kv/range", prefix).contains("\"kvs\"")
    }

    fn ask_about(&self, path: &str, prefix: &str) -> String {
        let end = format!("{}0", prefix.strip_suffix('/').expect("a prefix that ends with `/`"));
        let body = format!("{{\"key\":\"{}\",\"range_end\":\"{}\"}}", base64(prefix), base64(&end));
        let head = format!("POST {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = self.ask(&(head + &body)).expect("etcd answers");
        assert!(answer.contains(" 200 OK"), "{answer}");
        answer
    }

    /// Sends a request; everything that comes back.
    fn ask(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has an id"), signal).expect("a child of ours");
    }

    /// Whether it answers; it may also end, for want of a port.
    fn becomes_ready(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_healthy() {
            if self.child.try_wait().expect("a child of ours").is_some() {
                return false;
            }
            assert!(Instant::now() < deadline, "etcd does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    fn is_healthy(&self) -> bool {
        self.ask("GET /health HTTP/1.0\r\n\r\n").is_some_and(|answer| answer.contains("\"true\""))
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

/// A port that nobody listens on at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
