//! Thousands of connections that do nothing cost little memory and hardly ever wake a core.

mod served;

use std::time::{Duration, Instant};

use served::{Client, Server, Value, bulk, cores};

/// Our memory for one connection, what the kernel keeps of its socket not counted.
const BYTES_PER_CONNECTION_MAX: u64 = 2048;

/// Turns of one idle core in a second: what it does at set times, with room. A core that polls has tens of thousands.
const IDLE_TURNS_PER_SECOND_MAX: f64 = 50.0;

/// Connections, if the machine has descriptors for them.
const CONNECTIONS_MAX: u64 = 10_000;

/// Turns that all cores have had.
fn turns(client: &mut Client) -> u64 {
    let text = client.ask(&["INFO", "stats"]).text();
    let value = text.lines().find_map(|line| line.strip_prefix("eventloop_cycles:"));
    value.expect("INFO counts turns").parse().expect("a number")
}

fn open(server: &Server, count: u64) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    while (clients.len() as u64) < count {
        // In groups that fit into the listener's backlog; a reply shows that the server has taken the connection.
        let group = 100.min(count - clients.len() as u64);
        let first = clients.len();
        clients.extend((0..group).map(|_| server.client()));
        for client in &mut clients[first..] {
            assert_eq!(client.ask(&["PING"]), Value::Simple("PONG".to_owned()));
        }
    }
    clients
}

#[test]
fn idle_connections_cost_little_memory_and_few_turns() {
    let descriptors = whimbrel_net::raise_nofile().now;
    let count = CONNECTIONS_MAX.min(descriptors.saturating_sub(500) * 9 / 10);
    for core_count in [1, 2] {
        let server =
            Server::start(&["--cores", &cores(core_count), "--maxclients", &(count + 100).to_string()]);
        // What the first connections bring with them is not theirs: pools, tables, code that runs the first time.
        drop(open(&server, 200));
        let before = server.resident_bytes();
        let mut clients = open(&server, count);
        let each = server.resident_bytes().saturating_sub(before) / count;
        assert!(
            each <= BYTES_PER_CONNECTION_MAX,
            "{each} bytes for each of {count} connections on {core_count} cores"
        );
        let before = turns(&mut clients[0]);
        let asked = Instant::now();
        std::thread::sleep(Duration::from_secs(2));
        let per_second = (turns(&mut clients[0]) - before) as f64 / asked.elapsed().as_secs_f64();
        assert!(
            per_second <= IDLE_TURNS_PER_SECOND_MAX * core_count as f64,
            "{per_second} turns a second of {core_count} idle cores"
        );
        for number in [0, clients.len() / 2, clients.len() - 1] {
            assert_eq!(clients[number].ask(&["ECHO", "still here"]), bulk("still here"));
        }
    }
}
