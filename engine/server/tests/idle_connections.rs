//! Thousands of connections that do nothing cost little memory and next to no CPU.

mod served;

use std::time::Duration;

use served::{Client, Server, Value, bulk, cores};

/// Our memory for one connection, what the kernel keeps of its socket not counted.
const BYTES_PER_CONNECTION_MAX: u64 = 2048;

/// Connections, if the machine has descriptors for them.
const CONNECTIONS_MAX: u64 = 10_000;

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
fn idle_connections_cost_little_memory_and_no_cpu() {
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
        let used = server.cpu_time();
        std::thread::sleep(Duration::from_secs(2));
        let used = server.cpu_time() - used;
        assert!(used < Duration::from_millis(50), "{used:?} of CPU in two idle seconds");
        for number in [0, clients.len() / 2, clients.len() - 1] {
            assert_eq!(clients[number].ask(&["ECHO", "still here"]), bulk("still here"));
        }
    }
}
