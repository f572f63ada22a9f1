//! An etcd for the nodes of a Whimbrel cluster: started in a temporary folder, ended when it is dropped.

use std::fs::{self, File};
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::priority::elsewhere;

/// Longest wait for its first connection.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Time between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// A running etcd.
#[derive(Debug)]
pub struct Etcd {
    child: Child,
    /// Where clients reach it.
    pub url: String,
}

impl Etcd {
    /// Starts it with two ports from `port` on. Its data go to `dir`.
    pub fn start(host: &str, port: u16, dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let log = File::create(dir.join("etcd.log"))?;
        let (clients, peers) = (format!("http://{host}:{port}"), format!("http://{host}:{}", port + 1));
        let mut command = Command::new("etcd");
        command
            .args(["--name", "one", "--log-level", "error", "--initial-cluster", &format!("one={peers}")])
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .arg("--data-dir")
            .arg(dir.join("data"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = elsewhere(|| command.spawn())
            .map_err(|error| io::Error::new(error.kind(), format!("cannot start etcd: {error}")))?;
        let mut etcd = Self { child, url: clients };
        let started = Instant::now();
        while TcpStream::connect((host, port)).is_err() {
            if let Some(status) = etcd.child.try_wait()? {
                return Err(io::Error::other(format!("etcd ended with {status}")));
            }
            if started.elapsed() > START_TIMEOUT {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "etcd does not answer"));
            }
            thread::sleep(RETRY_INTERVAL);
        }
        Ok(etcd)
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // One that has ended already needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
