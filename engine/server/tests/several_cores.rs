//! One keyspace over several cores: keys anywhere, replies in order, commands over several cores as one.

mod served;

use served::{Client, Server, Value, bulk, cores, ok};

fn two_cores() -> Server {
    Server::start(&["--cores", &cores(2)])
}

#[test]
fn replies_keep_the_order_of_a_pipeline_whatever_core_makes_them() {
    let server = two_cores();
    let mut client = server.client();
    for number in 0..2000 {
        client.send(&["SET", &format!("key:{number}"), &number.to_string()]);
        client.send(&["GET", &format!("key:{number}")]);
        client.send(&["ECHO", &number.to_string()]);
    }
    for number in 0..2000 {
        assert_eq!(client.read(), ok());
        assert_eq!(client.read(), bulk(&number.to_string()));
        assert_eq!(client.read(), bulk(&number.to_string()));
    }
    assert_eq!(client.ask(&["DBSIZE"]), Value::Integer(2000));
}

#[test]
fn commands_over_several_cores_answer_as_on_one() {
    let server = two_cores();
    let mut client = server.client();
    let mut words = vec!["MSET".to_owned()];
    for number in 0..50 {
        words.extend([format!("k{number}"), format!("v{number}")]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert_eq!(client.ask(&words), ok());
    let keys: Vec<String> = (0..51).map(|number| format!("k{number}")).collect();
    let with = |name: &'static str| -> Vec<&str> {
        [name].into_iter().chain(keys.iter().map(String::as_str)).collect()
    };
    let mut expected: Vec<Value> = (0..50).map(|number| bulk(&format!("v{number}"))).collect();
    expected.push(Value::Null);
    assert_eq!(client.ask(&with("MGET")), Value::Array(expected));
    assert_eq!(client.ask(&with("EXISTS")), Value::Integer(50));
    assert_eq!(client.ask(&["MSETNX", "k0", "x", "new1", "x", "new2", "x"]), Value::Integer(0));
    assert_eq!(client.ask(&["EXISTS", "new1", "new2"]), Value::Integer(0));
    assert_eq!(client.ask(&["MSETNX", "n0", "x", "n1", "y", "n2", "z", "n3", "w"]), Value::Integer(1));
    assert_eq!(client.ask(&["MGET", "n0", "n3"]), Value::Array(vec![bulk("x"), bulk("w")]));
    for number in 0..20 {
        let (from, to) = (format!("k{number}"), format!("renamed{number}"));
        client.ask(&["PEXPIRE", &from, "100000"]);
        assert_eq!(client.ask(&["RENAME", &from, &to]), ok());
        assert_eq!(client.ask(&["GET", &to]), bulk(&format!("v{number}")));
        assert!(
            matches!(client.ask(&["PTTL", &to]), Value::Integer(90_000..=100_000)),
            "the expiry moves too"
        );
        assert_eq!(client.ask(&["EXISTS", &from]), Value::Integer(0));
    }
    for number in 0..20 {
        client.ask(&["HSET", "hash", &format!("field{number}"), "value"]);
    }
    for number in 0..8 {
        assert_eq!(client.ask(&["COPY", "hash", &format!("copy{number}")]), Value::Integer(1));
        assert_eq!(client.ask(&["HLEN", &format!("copy{number}")]), Value::Integer(20));
    }
    assert!(
        matches!(client.ask(&["RENAME", "missing", "k40"]), Value::Error(text) if text == "ERR no such key")
    );
    assert_eq!(client.ask(&with("DEL")), Value::Integer(30));
    assert_eq!(client.ask(&["FLUSHALL"]), ok());
    assert_eq!(client.ask(&["DBSIZE"]), Value::Integer(0));
}

#[test]
fn a_scan_goes_over_all_cores() {
    let server = two_cores();
    let mut client = server.client();
    for number in 0..3000 {
        client.send(&["SET", &format!("key:{number}"), "v"]);
    }
    (0..3000).for_each(|_| assert_eq!(client.read(), ok()));
    let mut seen = std::collections::HashSet::new();
    let mut cursor = "0".to_owned();
    loop {
        let Value::Array(reply) = client.ask(&["SCAN", &cursor, "COUNT", "100"]) else {
            panic!("SCAN answers an array")
        };
        let [Value::Bulk(next), Value::Array(keys)] = &reply[..] else { panic!("a cursor and keys") };
        seen.extend(
            keys.iter().cloned().map(|key| if let Value::Bulk(key) = key { key } else { panic!("a key") }),
        );
        cursor = String::from_utf8(next.clone()).expect("a number");
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 3000);
    let Value::Array(keys) = client.ask(&["KEYS", "key:1*"]) else { panic!("KEYS answers an array") };
    assert_eq!(keys.len(), 1111);
}

#[test]
fn clients_of_all_cores_are_listed_and_killed() {
    let server = two_cores();
    let mut clients: Vec<Client> = (0..20).map(|_| server.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.ask(&["CLIENT", "SETNAME", &format!("c{number}")]), ok());
    }
    // The connection that found the server ready may still be on its way out.
    let list = loop {
        let Value::Bulk(list) = clients[0].ask(&["CLIENT", "LIST"]) else {
            panic!("CLIENT LIST answers text")
        };
        let list = String::from_utf8(list).expect("text");
        if list.lines().count() == clients.len() {
            break list;
        }
    };
    assert!((0..20).all(|number| list.contains(&format!(" name=c{number} "))), "{list}");
    assert_eq!(clients[0].ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]), Value::Integer(19));
    for client in &mut clients[1..] {
        assert_eq!(client.try_read(), None, "the connection is closed");
    }
    assert_eq!(clients[0].ask(&["PING"]), Value::Simple("PONG".to_owned()));
}
