//! A real etcd in a temporary folder: it can be killed, started again with its data, stopped for a while.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::served::{eventually, scratch_path};

/// Whether the program is there; a test that needs it says that it is skipped.
pub fn is_etcd_there() -> bool {
    let found = Command::new("etcd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        let is_required = std::env::var("WHIMBREL_ETCD").is_ok_and(|value| value == "required");
        assert!(!is_required, "etcd is required and is not on PATH");
        eprintln!("skipped: `etcd` is not on PATH");
    }
    found
}

/// A running etcd.
pub struct Etcd {
    child: Child,
    host: String,
    port: u16,
    dir: PathBuf,
}

impl Etcd {
    /// Starts it with no data and with two ports from `port` on.
    pub fn start(host: &str, port: u16) -> Etcd {
        let dir = scratch_path(&format!("etcd-{host}-{port}"));
        let mut etcd = Etcd { child: spawn(host, port, &dir), host: host.to_owned(), port, dir };
        etcd.wait();
        etcd
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.host, self.port)
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again with the data that it had.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.host, self.port, &self.dir);
        self.wait();
    }

    /// It neither answers nor closes anything.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has an id"), signal).expect("a child of ours");
    }

    fn wait(&mut self) {
        eventually("etcd answers", || {
            let status = self.child.try_wait().expect("a child of ours");
            assert!(status.is_none(), "etcd ended with {status:?}");
            TcpStream::connect((&*self.host, self.port)).is_ok()
        });
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.kill();
        // What it has left behind is of no use to anybody.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn spawn(host: &str, port: u16, dir: &PathBuf) -> Child {
    let (clients, peers) = (format!("http://{host}:{port}"), format!("http://{host}:{}", port + 1));
    Command::new("etcd")
        .args(["--name", "one", "--log-level", "error", "--initial-cluster", &format!("one={peers}")])
        .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
        .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
        .arg("--data-dir")
        .arg(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("etcd starts")
}
