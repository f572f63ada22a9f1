//! Clients that read slowly, late, or not at all: what they may still get, and what they may cost.

mod served;

use std::io::Read;
use std::net::Shutdown;
use std::time::Duration;

use served::{Client, Server, Value, bulk, cores, eventually, frame, ok};

const MIB: usize = 1024 * 1024;

fn value(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| b'a' + (at / 7 % 26) as u8).collect()
}

/// Keys of both cores with values of so many bytes.
fn fill(server: &Server, keys: usize, bytes: usize) {
    let mut client = server.client();
    let value = value(bytes);
    for number in 0..keys {
        assert_eq!(client.ask_bytes(&[b"SET", format!("k{number}").as_bytes(), &value]), ok());
    }
}

fn gets(keys: usize, count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| frame(&[b"GET", format!("k{}", number % keys).as_bytes()])).collect()
}

/// Sends without waiting for the server to read; whoever reads nothing is not read for ever.
fn send_aside(client: &Client, bytes: Vec<u8>) -> std::thread::JoinHandle<()> {
    let mut socket = client.socket().try_clone().expect("a descriptor more");
    std::thread::spawn(move || {
        // The server may close in between.
        let _ = std::io::Write::write_all(&mut socket, &bytes);
    })
}

#[test]
fn a_reader_beyond_the_hard_limit_is_dropped_and_its_memory_comes_back() {
    for count in [1, 2] {
        let server =
            Server::start(&["--cores", &cores(count), "--client-output-buffer-limit", "normal 8mb 0 0"]);
        fill(&server, 4, 4 * MIB);
        let before = server.resident_bytes();
        let mut operator = server.client();
        let mut greedy = server.client();
        assert_eq!(greedy.ask(&["CLIENT", "SETNAME", "greedy"]), ok());
        greedy.send_raw(&gets(4, 100));
        eventually("the reader is dropped", || {
            !operator.ask(&["CLIENT", "LIST"]).text().contains("name=greedy")
        });
        assert!(greedy.read_to_end().len() < 100 * 4 * MIB, "not all was sent");
        eventually("its memory is given back", || server.resident_bytes() < before + 24 * MIB as u64);
        assert_eq!(operator.ask(&["STRLEN", "k0"]), Value::Integer(4 * MIB as i64));
    }
}

#[test]
fn a_reader_that_never_reads_costs_bounded_memory_without_any_limit() {
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        fill(&server, 8, MIB);
        let before = server.resident_bytes();
        let clients: Vec<Client> = (0..4).map(|_| server.client()).collect();
        let senders: Vec<_> = clients.iter().map(|client| send_aside(client, gets(8, 400))).collect();
        let mut other = server.client();
        for _ in 0..300 {
            assert_eq!(other.ask(&["STRLEN", "k3"]), Value::Integer(MIB as i64));
        }
        let grown = server.resident_bytes().saturating_sub(before) / MIB as u64;
        assert!(grown < 200, "{grown} MiB for 4 clients that asked for 1600 MiB, on {count} cores");
        for client in clients {
            client.socket().shutdown(Shutdown::Both).expect("a connected socket");
        }
        senders.into_iter().for_each(|sender| sender.join().expect("it sends"));
    }
}

#[test]
fn a_slow_reader_gets_everything_in_order() {
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        for bytes in [100, 20_000, MIB] {
            fill(&server, 5, bytes);
            let requests = (64 * MIB / bytes).min(20_000);
            let mut client = server.client();
            let sender = send_aside(&client, gets(5, requests));
            // It begins to read when the server has had to wait for it.
            std::thread::sleep(Duration::from_millis(50));
            let expected = Value::Bulk(value(bytes));
            for number in 0..requests {
                assert!(client.read() == expected, "reply {number} of {requests} with {bytes} bytes");
            }
            sender.join().expect("it sends");
            assert_eq!(client.ask(&["ECHO", "end"]), bulk("end"));
        }
    }
}

#[test]
fn a_half_closed_socket_gets_all_its_replies() {
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        for (bytes, requests) in [(10, 5000), (30_000, 1000), (2 * MIB, 60)] {
            fill(&server, 5, bytes);
            let mut client = server.client();
            let sender = send_aside(&client, gets(5, requests));
            sender.join().expect("requests fit into the socket's buffers");
            client.finish_sending();
            let reply = format!("${bytes}\r\n").len() + bytes + 2;
            assert_eq!(client.read_to_end().len(), reply * requests, "{bytes} bytes on {count} cores");
        }
    }
}

#[test]
fn abrupt_resets_leave_nothing_behind() {
    let server = Server::start(&["--cores", &cores(2)]);
    fill(&server, 5, 100_000);
    let mut operator = server.client();
    for round in 0..300 {
        let mut client = server.client();
        client.send_raw(&gets(5, 20));
        client.send(&["MSET", "a", "1", "b", "2", "c", "3"]);
        if round % 3 == 0 {
            let _ = client.socket().read(&mut [0; 1000]);
        }
        let socket = socket2::SockRef::from(client.socket());
        socket.set_linger(Some(Duration::ZERO)).expect("a TCP socket");
    }
    eventually("all are gone", || operator.ask(&["CLIENT", "LIST"]).text().lines().count() == 1);
    assert_eq!(operator.ask(&["MGET", "a", "b"]).array().len(), 2);
}

#[test]
fn ending_delivers_what_was_queued() {
    for count in [1, 2] {
        let mut server = Server::start(&["--cores", &cores(count)]);
        fill(&server, 5, 8 * MIB);
        let mut clients: Vec<Client> = (0..5).map(|_| server.client()).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(&["GET", &format!("k{number}")]);
            // The first byte says that the reply is on its way.
            let mut first = [0];
            let mut socket = client.socket();
            socket.read_exact(&mut first).expect("a reply");
            assert_eq!(first, *b"$");
        }
        let idle = server.client();
        server.terminate();
        let readers: Vec<_> = clients
            .into_iter()
            .map(|mut client| std::thread::spawn(move || client.read_to_end().len()))
            .collect();
        for reader in readers {
            assert_eq!(reader.join().expect("it reads"), "8388608\r\n".len() + 8 * MIB + 2);
        }
        assert_eq!(server.ended().code(), Some(0));
        drop(idle);
    }
}
