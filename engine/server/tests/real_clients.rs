//! Stock clients run against the server without an error: redis-cli, redis-benchmark, redis-py.
//!
//! `WHIMBREL_REAL_CLIENTS=required` makes a missing client a failure; otherwise its tests say that they are skipped.
//! `WHIMBREL_PYTHON` names the python that has redis-py.

mod served;

use std::process::{Command, Stdio};

use served::{Server, cores, free_ports};

/// Whether a program is there and runs with these arguments.
fn is_there(program: &str, arguments: &[&str]) -> bool {
    let found = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        let is_required = std::env::var("WHIMBREL_REAL_CLIENTS").is_ok_and(|value| value == "required");
        assert!(!is_required, "`{program} {}` is required and does not run", arguments.join(" "));
        eprintln!("skipped: `{program} {}` does not run", arguments.join(" "));
    }
    found
}

fn python() -> String {
    std::env::var("WHIMBREL_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// What the program says, both streams; it must end well.
fn run(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().expect("the program is there");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{text}", output.status);
    text.into_owned()
}

fn cluster() -> Option<(Server, u16)> {
    if whimbrel_net::cpus_available().len() < 2 {
        return None;
    }
    let base = free_ports(2);
    let options = ["--cores", &cores(2), "--cluster-enabled", "yes", "--core-port-base", &base.to_string()];
    Some((Server::start(&options), base))
}

#[test]
fn redis_cli_asks_and_shows() {
    if !is_there("redis-cli", &["--version"]) {
        return;
    }
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        let port = server.port.to_string();
        let ask = |words: &[&str]| run("redis-cli", &[&["-p", &port], words].concat()).trim_end().to_owned();
        for (words, expected) in [
            (&["PING"][..], "PONG"),
            (&["SET", "k", "v"], "OK"),
            (&["GET", "k"], "v"),
            (&["MSET", "a", "1", "b", "2", "c", "3"], "OK"),
            (&["MGET", "a", "b", "c", "d"], "1\n2\n3"),
            (&["HSET", "h", "f", "1"], "1"),
            (&["-3", "HGETALL", "h"], "f 1"),
            (&["DBSIZE"], "5"),
            (&["--scan", "--pattern", "h*"], "h"),
            (&["FLUSHALL"], "OK"),
        ] {
            let answer = ask(words);
            assert_eq!(answer.trim_end(), expected, "{words:?} on {count} cores");
        }
        assert!(ask(&["INFO"]).contains("redis_version:"));
        assert!(ask(&["COMMAND", "DOCS", "get"]).contains("summary"));
        assert!(ask(&["--bigkeys"]).contains("summary"));
        assert!(ask(&["NONSENSE"]).starts_with("ERR unknown command"));
    }
}

#[test]
fn redis_cli_follows_redirections() {
    let Some((_server, base)) = cluster() else { return };
    if !is_there("redis-cli", &["--version"]) {
        return;
    }
    let port = base.to_string();
    for number in 0..20 {
        let (key, value) = (format!("key:{number}"), number.to_string());
        assert!(run("redis-cli", &["-c", "-p", &port, "SET", &key, &value]).contains("OK"));
        assert_eq!(run("redis-cli", &["-c", "-p", &port, "GET", &key]).trim_end(), value);
    }
    let check = run("redis-cli", &["--cluster", "check", &format!("127.0.0.1:{port}")]);
    assert!(check.contains("[OK] All 16384 slots covered."), "{check}");
}

/// Runs redis-benchmark, which must say nothing of errors.
fn benchmark(port: u16, options: &[&str]) {
    let port = port.to_string();
    let all = [&["-p", &port, "-q", "-r", "1000"], options].concat();
    let text = run("redis-benchmark", &all);
    for line in text.split(['\n', '\r']) {
        let complaint =
            ["rror", "ERR", "arning", "WARN", "nvalid", "MOVED"].iter().any(|word| line.contains(word));
        assert!(!complaint, "{all:?}: {line}");
    }
    for test in ["SET", "GET", "INCR", "HSET", "MSET (10 keys)"] {
        assert!(text.contains(&format!("{test}: ")), "{all:?} shows no {test}:\n{text}");
    }
}

/// Pipeline, clients, requests. The requests are a multiple of the pipeline: otherwise redis-benchmark in cluster mode
/// gives up with "All clients disconnected", whatever server it talks to.
const BENCHMARKS: [(&str, &str, &str); 9] = [
    ("1", "1", "300"),
    ("1", "50", "3000"),
    ("1", "500", "5000"),
    ("16", "1", "3200"),
    ("16", "50", "20000"),
    ("16", "500", "20000"),
    ("100", "1", "10000"),
    ("100", "50", "20000"),
    ("100", "500", "50000"),
];

#[test]
fn redis_benchmark_runs_on_one_core_and_two() {
    if !is_there("redis-benchmark", &["--version"]) {
        return;
    }
    whimbrel_net::raise_nofile();
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        for (pipeline, clients, requests) in BENCHMARKS {
            benchmark(
                server.port,
                &["-t", "set,get,incr,hset,mset", "-P", pipeline, "-c", clients, "-n", requests],
            );
        }
    }
}

#[test]
fn redis_benchmark_runs_over_the_nodes_of_a_cluster() {
    let Some((_server, base)) = cluster() else { return };
    if !is_there("redis-benchmark", &["--version"]) {
        return;
    }
    for (pipeline, clients, requests) in BENCHMARKS {
        let all =
            ["--cluster", "-t", "set,get,incr,hset,mset", "-P", pipeline, "-c", clients, "-n", requests];
        benchmark(base, &all);
    }
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redis_py.py");

#[test]
fn redis_py_works_on_one_core_and_two() {
    let python = python();
    if !is_there(&python, &["-c", "import redis"]) {
        return;
    }
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        run(&python, &[SCRIPT, &server.port.to_string()]);
    }
}

#[test]
fn redis_py_works_with_the_nodes_of_a_cluster() {
    let Some((_server, base)) = cluster() else { return };
    let python = python();
    if !is_there(&python, &["-c", "import redis"]) {
        return;
    }
    run(&python, &[SCRIPT, "cluster", &base.to_string()]);
}
