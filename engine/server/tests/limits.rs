//! Who may connect and for how long: `maxclients`, `requirepass`, `timeout`, a taken port, a Unix socket, CLIENT PAUSE
//! and CLIENT REPLY.

mod served;

use std::io::Read;
use std::process::Stdio;

use served::{Client, Server, Value, bulk, command, cores, error, eventually, free_ports, ok, scratch_path};

fn pong() -> Value {
    Value::Simple("PONG".to_owned())
}

#[test]
fn clients_beyond_the_maximum_are_told_and_room_is_used_again() {
    let server = Server::start(&["--cores", &cores(2), "--maxclients", "20"]);
    let full = error("ERR max number of clients reached");
    let admitted = || {
        let mut client = server.client();
        // A refused client may find its connection reset before it has read why.
        client.try_send_raw(b"PING\r\n");
        let reply = client.try_read();
        assert!(reply.as_ref().is_none_or(|reply| *reply == full || *reply == pong()), "{reply:?}");
        (reply == Some(pong())).then_some(client)
    };
    // The connections that only looked whether the server answers may still be counted.
    let mut clients: Vec<Client> = Vec::new();
    eventually("20 clients are admitted", || {
        clients.extend(admitted());
        clients.len() == 20
    });
    for _ in 0..50 {
        let mut refused = server.client();
        assert_eq!(refused.read(), full);
        assert_eq!(refused.try_read(), None);
    }
    clients.iter_mut().for_each(|client| assert_eq!(client.ask(&["PING"]), pong()));
    clients.truncate(5);
    eventually("15 places are free again", || {
        clients.extend(admitted());
        clients.len() == 20
    });
    assert_eq!(server.client().read(), full);
}

#[test]
fn nothing_is_served_without_the_password() {
    let server = Server::start(&["--cores", &cores(2), "--requirepass", "open sesame"]);
    let mut client = server.client();
    let noauth = error("NOAUTH Authentication required.");
    for words in
        [&["GET", "k"][..], &["MSET", "a", "1", "b", "2"], &["DBSIZE"], &["CONFIG", "GET", "*"], &["PING"]]
    {
        assert_eq!(client.ask(words), noauth, "{words:?}");
    }
    assert!(matches!(client.ask(&["HELLO", "3"]), Value::Error(text) if text.starts_with("NOAUTH ")));
    let wrong = error("WRONGPASS invalid username-password pair or user is disabled.");
    assert_eq!(client.ask(&["AUTH", "open"]), wrong);
    assert_eq!(client.ask(&["AUTH", "nobody", "open sesame"]), wrong);
    assert_eq!(client.ask(&["GET", "k"]), noauth);
    assert_eq!(client.ask(&["AUTH", "default", "open sesame"]), ok());
    assert_eq!(client.ask(&["MSET", "a", "1", "b", "2"]), ok());
    assert_eq!(client.ask(&["DBSIZE"]), Value::Integer(2));
    assert_eq!(client.ask(&["RESET"]), Value::Simple("RESET".to_owned()));
    assert_eq!(client.ask(&["GET", "a"]), noauth);
    assert_eq!(client.ask(&["AUTH", "open sesame"]), ok());
    // A password that is set later asks the clients that come later, on every core.
    assert_eq!(client.ask(&["CONFIG", "SET", "requirepass", ""]), ok());
    assert_eq!(server.client().ask(&["GET", "a"]), bulk("1"));
}

#[test]
fn idle_clients_are_closed_after_the_timeout_and_busy_ones_are_not() {
    let server = Server::start(&["--cores", &cores(2), "--timeout", "1"]);
    let mut busy = server.client();
    let mut idle: Vec<Client> = (0..20).map(|_| server.client()).collect();
    let mut half = server.client();
    half.send_raw(b"*2\r\n$3\r\nGET\r\n");
    let (done, stop) = std::sync::mpsc::channel();
    let pinging = std::thread::spawn(move || {
        while stop.try_recv().is_err() {
            assert_eq!(busy.ask(&["PING"]), pong());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    idle.iter_mut().for_each(|client| assert_eq!(client.try_read(), None));
    assert_eq!(half.try_read(), None, "a frame that does not go on is idle too");
    done.send(()).expect("it pings");
    pinging.join().expect("the busy client is kept");
}

#[test]
fn a_taken_port_is_named_with_a_remedy() {
    let server = Server::start(&["--cores", &cores(1)]);
    let mut second = command(&["serve", "--port", &server.port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let status = second.wait().expect("a child of ours");
    let mut text = String::new();
    second.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
    assert!(!status.success());
    assert!(text.contains(&format!("127.0.0.1:{} is in use", server.port)), "{text}");
    assert_eq!(server.client().ask(&["PING"]), pong());
}

#[test]
fn listening_for_everybody_needs_a_password_or_a_plain_no() {
    let port = free_ports(1).to_string();
    let mut open = command(&["serve", "--bind", "0.0.0.0", "--port", &port])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let status = open.wait().expect("a child of ours");
    let mut text = String::new();
    open.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
    assert!(!status.success() && text.contains("there is no password"), "{text}");
    let server = Server::start(&["--bind", "0.0.0.0", "--requirepass", "x", "--cores", &cores(1)]);
    assert_eq!(server.client().ask(&["AUTH", "x"]), ok());
}

#[test]
fn the_unix_socket_serves_the_same_keys() {
    let path = scratch_path("limits.sock");
    let mut server =
        Server::start(&["--cores", &cores(2), "--unixsocket", path.to_str().expect("a plain path")]);
    let mut local = Client::connect_unix(&path);
    let mut remote = server.client();
    for number in 0..200 {
        let (key, value) = (format!("k{number}"), "v".repeat(number * 500));
        assert_eq!(local.ask(&["SET", &key, &value]), ok());
        assert_eq!(remote.ask(&["GET", &key]), bulk(&value));
        assert_eq!(local.ask(&["GET", &key]), bulk(&value));
    }
    assert!(local.ask(&["CLIENT", "INFO"]).text().contains(path.to_str().expect("a plain path")));
    local.send(&["GET", "k199"]);
    local.finish_sending();
    assert_eq!(local.read_to_end().len(), "$99500\r\n".len() + 99_500 + 2);
    server.terminate();
    assert!(server.ended().success());
    assert!(!path.exists(), "the path is removed at the end");
}

#[test]
fn a_pause_holds_commands_of_all_cores_until_it_is_taken_back() {
    for mode in ["ALL", "WRITE"] {
        let server = Server::start(&["--cores", &cores(2)]);
        let mut operator = server.client();
        let mut clients: Vec<Client> = (0..8).map(|_| server.client()).collect();
        clients.iter_mut().for_each(|client| assert_eq!(client.ask(&["PING"]), pong()));
        assert_eq!(operator.ask(&["CLIENT", "PAUSE", "1000000", mode]), ok());
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(&["INCR", &format!("k{number}")]);
            client.send(&["MSET", &format!("a{number}"), "1", &format!("b{number}"), "2"]);
            client.send(&["DBSIZE"]);
        }
        if mode == "WRITE" {
            // Reads go on, and see none of the writes, whose connections have surely been read by the second round.
            for _ in 0..200 {
                assert_eq!(operator.ask(&["DBSIZE"]), Value::Integer(0));
                assert_eq!(operator.ask(&["GET", "k0"]), Value::Null);
            }
        }
        assert_eq!(operator.ask(&["CLIENT", "UNPAUSE"]), ok());
        for client in &mut clients {
            assert_eq!(client.read(), Value::Integer(1));
            assert_eq!(client.read(), ok());
            assert!(client.read().integer() >= 3);
        }
        assert_eq!(operator.ask(&["DBSIZE"]), Value::Integer(24));
        assert_eq!(operator.ask(&["CLIENT", "PAUSE", "50", mode]), ok());
        assert_eq!(operator.ask(&["INCR", "k0"]), Value::Integer(2), "a pause ends by itself");
    }
}

#[test]
fn replies_that_are_not_wanted_are_not_sent_whatever_core_makes_them() {
    let server = Server::start(&["--cores", &cores(2)]);
    let mut client = server.client();
    client.send(&["CLIENT", "REPLY", "OFF"]);
    for number in 0..100 {
        client.send(&["SET", &format!("k{number}"), "v"]);
        client.send(&["MGET", "k0", "k1", "k2", "k3"]);
        client.send(&["DBSIZE"]);
        client.send(&["nonsense"]);
    }
    client.send(&["CLIENT", "REPLY", "ON"]);
    assert_eq!(client.read(), ok());
    assert_eq!(client.ask(&["DBSIZE"]), Value::Integer(100));
    for number in 0..100 {
        client.send(&["CLIENT", "REPLY", "SKIP"]);
        client.send(&["INCR", &format!("n{number}")]);
        client.send(&["INCR", &format!("n{number}")]);
    }
    (0..100).for_each(|_| assert_eq!(client.read(), Value::Integer(2)));
    client.send(&["CLIENT", "REPLY", "SKIP"]);
    client.send(&["MSET", "a", "1", "b", "2", "c", "3", "d", "4"]);
    client.send(&["CLIENT", "REPLY", "SKIP"]);
    client.send(&["DBSIZE"]);
    assert_eq!(client.ask(&["PING"]), pong());
}
