//! A stock cluster client, redis-py's RedisCluster, writes and reads while slots move there and its user is shown no error.
//!
//! `WHIMBREL_REAL_CLIENTS=required` makes a missing client a failure; `WHIMBREL_PYTHON` names the python that has redis-py.

mod served;
mod two_nodes;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use two_nodes::{Cluster, Data, Link, Outcome, Owners, Sizes, Writers};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redis_py_moves.py");

/// A running script.
struct Script {
    child: Child,
    output: BufReader<ChildStdout>,
}

fn python() -> Option<String> {
    let python = std::env::var("WHIMBREL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import redis"]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let is_required = std::env::var("WHIMBREL_REAL_CLIENTS").is_ok_and(|value| value == "required");
    assert!(!is_required, "redis-py is required and is not there");
    eprintln!("skipped: `{python} -c 'import redis'` does not run");
    None
}

impl Script {
    /// Starts it and waits until it writes.
    fn start(python: &str, node: &str, prefix: &str) -> Script {
        let (host, port) = node.rsplit_once(':').expect("a host and a port");
        let mut child = Command::new(python)
            .args([SCRIPT, host, port, prefix])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        assert_eq!(line, "writing\n");
        Script { child, output }
    }

    /// Tells it to stop and to read everything back. Returns what it says.
    fn stop(mut self) -> String {
        let input = self.child.stdin.as_mut().expect("a pipe");
        input.write_all(b"stop\n").expect("the script runs: an error has ended it");
        let mut said = String::new();
        self.output.read_to_string(&mut said).expect("text");
        let status = self.child.wait().expect("a child of ours");
        assert!(status.success(), "the script ended with {status}: {said}");
        said
    }
}

#[test]
fn a_stock_client_sees_nothing_of_a_move() {
    let Some(python) = python() else { return };
    let sizes = Sizes::chosen();
    let rate = sizes.link_rate_max.to_string();
    let Some(cluster) = Cluster::start(&["--link-rate-max", &rate]) else { return };
    let data = Data::fill(&cluster, &sizes);
    let scripts = [(cluster.source(), "a"), (cluster.target(), "b")]
        .map(|(node, prefix)| Script::start(&python, &node.address, prefix));
    let (writers, owners) = (Writers::start(&cluster, &sizes), Owners::watch(&cluster));
    cluster.begin_move();
    assert_eq!(cluster.wait_for_outcome(), Outcome::Done);
    for script in scripts {
        eprintln!("redis-py: {}", script.stop().trim());
    }
    let written = writers.stop();
    owners.stop();
    assert!(written.errors.is_empty(), "clients were shown {:?}", written.errors);
    let mut link = Link::new(&cluster);
    assert_eq!((data.check(&mut link).1, written.check(&mut link).1), (0, 0));
}
