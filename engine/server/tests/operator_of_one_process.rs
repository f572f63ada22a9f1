//! The operator's tool at a process by itself: its cores are the nodes, on the port that they share.

mod served;

use std::process::Stdio;

use serde_json::Value as Json;
use served::{Server, command, cores, eventually, ok};

fn json(server: &Server, arguments: &str) -> Json {
    let node = format!("127.0.0.1:{}", server.port);
    let mut words = vec!["cluster", "--json", "--node", &node];
    words.extend(arguments.split(' '));
    let output =
        command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("the binary runs");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn slots_move_between_cores_and_are_weighed() {
    if whimbrel_net::cpus_available().len() < 2 {
        return;
    }
    let server = Server::start(&["--cores", &cores(2)]);
    let mut client = server.client();
    for key in 0..1000 {
        assert_eq!(client.ask(&["SET", &format!("key:{key}"), "value"]), ok());
    }
    let status = json(&server, "status");
    let nodes = status["nodes"].as_array().expect("nodes").clone();
    assert_eq!(nodes.len(), 2);
    let sum = |status: &Json, field: &str| -> u64 {
        status["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .map(|node| node[field].as_u64().expect("a number"))
            .sum()
    };
    assert_eq!((sum(&status, "keys"), sum(&status, "slot_count")), (1000, 16_384));

    let second = nodes.iter().find(|node| node["slots"][0][0] == 8192).expect("core 1");
    let id = second["id"].as_str().expect("an id");
    let moved = json(&server, &format!("move 0-4095 --to {id}"));
    assert_eq!(moved["moves"][0]["state"], "success", "{moved}");
    let status = json(&server, "status");
    let second = status["nodes"].as_array().expect("nodes").iter().find(|node| node["id"] == id);
    assert_eq!((&second.expect("core 1")["slot_count"], sum(&status, "keys")), (&Json::from(12_288), 1000));
    for key in 0..1000 {
        assert_eq!(client.ask(&["GET", &format!("key:{key}")]), served::bulk("value"));
    }

    // Half of the slots back; which ones does not matter to a plan by slots.
    let balanced = json(&server, "rebalance --by slots --threshold 0");
    assert_eq!(balanced["moves"][0]["state"], "success", "{balanced}");
    let counts: Vec<u64> = json(&server, "status")["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| node["slot_count"].as_u64().expect("a number"))
        .collect();
    assert_eq!(counts, [8192, 8192]);

    eventually("the load of a key's slot shows", || {
        (0..500).for_each(|_| client.send(&["GET", "key:1"]));
        (0..500).for_each(|_| drop(client.read()));
        sum(&json(&server, "status"), "load") > 0
    });
}
