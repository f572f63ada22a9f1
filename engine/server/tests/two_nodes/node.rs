//! One process of the cluster, in a network namespace of its own or on the loopback interface.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::served::{Client, Value, eventually, scratch_path};

/// A running node; it is ended when the test drops it.
pub struct Node {
    child: Child,
    /// Host and port at which clients reach it.
    pub address: String,
    /// What it says on standard error.
    log: PathBuf,
}

/// How a node is started.
pub struct Start<'s> {
    /// Its address.
    pub host: &'s str,
    /// Its shared port; its core has the next one.
    pub port: u16,
    /// Where it runs.
    pub namespace: Option<&'s str>,
    /// CPU of its core.
    pub cpu: usize,
    /// The cluster's store.
    pub etcd: &'s str,
    /// Further options.
    pub options: &'s [&'s str],
}

impl Node {
    /// Starts it and waits until it answers.
    pub fn start(start: &Start<'_>) -> Node {
        let binary = env!("CARGO_BIN_EXE_whimbrel");
        let mut command = match start.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, binary]);
                command
            }
            None => Command::new(binary),
        };
        let (shared, own) = (start.port.to_string(), start.port + 1);
        let log = scratch_path(&format!("{}-{shared}.log", start.host));
        let child = command
            .args(["serve", "--bind", start.host, "--protected-mode", "no", "--port", &shared])
            .args(["--cores", &start.cpu.to_string(), "--core-port-base", &own.to_string()])
            .args(["--cluster", "faults", "--etcd", start.etcd])
            .args(start.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a writable temporary folder"))
            .spawn()
            .expect("the binary starts");
        let mut node = Node { child, address: format!("{}:{own}", start.host), log };
        eventually("a node answers", || {
            let status = node.child.try_wait().expect("a child of ours");
            assert!(status.is_none(), "the node ended with {status:?}: {}", node.said());
            node.try_ask(&["PING"]) == Some(Value::Simple("PONG".into()))
        });
        node
    }

    /// A new connection, if it lives.
    pub fn try_client(&self) -> Option<Client> {
        Client::try_connect_to(&self.address)
    }

    /// Asks on a connection of its own; nothing if the node does not live.
    pub fn try_ask(&self, words: &[&str]) -> Option<Value> {
        self.try_client()?.try_ask(words)
    }

    /// Asks a node that lives.
    pub fn ask(&self, words: &[&str]) -> Value {
        self.try_ask(words).unwrap_or_else(|| panic!("{} does not answer {words:?}", self.address))
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it says on standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {:?}; it said:\n{}", self.address, self.child.try_wait(), self.said());
        }
        self.kill();
        // The file may have been removed by somebody else.
        let _ = std::fs::remove_file(&self.log);
    }
}
