//! Whole sessions: any bytes on a connection end in replies, never in a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whimbrel_engine::commands::{execute, finish};
use whimbrel_engine::config::Config;
use whimbrel_engine::core::{Core, CoreParts, Now};
use whimbrel_engine::key::HashSeed;
use whimbrel_engine::resp::{Batch, Limits, Parser, Reply};
use whimbrel_engine::session::Session;
use whimbrel_engine::shard::{Shard, ShardLimits};
use whimbrel_engine::topology::{Node, NodeId, NodeIndex, Topology};

fn core() -> Core {
    let id = NodeId::derived(1, 0);
    let node = Node { id, shard: NodeId::derived(2, 0), host: String::new(), port: 7000, core: Some(0) };
    let topology = Topology::even(vec![node], NodeIndex::new(0));
    let shard = Shard::new(HashSeed(1), ShardLimits::default()).expect("address space");
    let (config, started) = (Config::default(), Now::default());
    Core::new(CoreParts { index: 0, count: 1, shard, config, topology, seed: 1, started })
}

fuzz_target!(|input: &[u8]| {
    let (mut core, mut parser, mut batch) = (core(), Parser::new(), Batch::default());
    let index = core.sessions.insert(Session { authenticated: true, ..Session::default() });
    let filled = batch.fill(&mut parser, input, &Limits::default(), 1000);
    assert!(filled.consumed <= input.len());
    let mut now = Now { unix_ms: 1_700_000_000_000, monotonic_us: 1 };
    for at in 0..batch.len() {
        let arguments = batch.arguments(input, at);
        let mut session = core.sessions.take(index);
        let mut reply = Reply::new(session.protocol);
        let executed = execute(&mut core, &mut session, &mut reply, now, &arguments);
        finish(&mut core, &session, now, executed, &arguments, 1000);
        core.sessions.put(index, session);
        let bytes = reply.into_bytes();
        assert!(bytes.is_empty() || bytes.ends_with(b"\r\n"));
        now.unix_ms += 1;
    }
});
