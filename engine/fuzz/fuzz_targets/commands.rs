//! Whole sessions: any bytes on a connection end in replies, never in a panic.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use whimbrel_engine::commands::{execute, finish};
use whimbrel_engine::config::Config;
use whimbrel_engine::core::{Core, CoreParts, Now};
use whimbrel_engine::key::HashSeed;
use whimbrel_engine::resp::{Batch, Limits, Parser, Reply, reply_len};
use whimbrel_engine::session::Session;
use whimbrel_engine::shard::{Shard, ShardLimits};
use whimbrel_engine::topology::{Node, NodeId, NodeIndex, Topology};

fn core() -> Core {
    let id = NodeId::derived(1, 0);
    let node =
        Node { id, shard: id.shard(), host: String::new(), port: 7000, core: Some(0), incarnation: 1 };
    let topology = Topology::even(vec![node], NodeIndex::new(0));
    let shard = Shard::new(HashSeed(1), ShardLimits::default()).expect("address space");
    let (config, started) = (Config::default(), Now::default());
    Core::new(CoreParts { index: 0, count: 1, shard, config, topology, seed: 1, started })
}

thread_local! {
    // Mapping memory for a shard takes longer than a run; each run begins with an empty one and default settings.
    static CORE: RefCell<Core> = RefCell::new(core());
}

fuzz_target!(|input: &[u8]| CORE.with_borrow_mut(|core| serve(core, input)));

fn serve(core: &mut Core, input: &[u8]) {
    core.config = Config::default();
    core.pause.end();
    core.shard.flush();
    while core.shard.reclaim(1000) {}
    let (mut parser, mut batch) = (Parser::new(), Batch::default());
    let index = core.sessions.insert(Session { authenticated: true, ..Session::default() });
    let filled = batch.fill(&mut parser, input, &Limits::default(), 1000);
    assert!(filled.consumed <= input.len());
    let mut now = Now { unix_ms: 1_700_000_000_000, monotonic_us: 1 };
    for at in 0..batch.len() {
        let arguments = batch.arguments(input, at);
        let mut session = core.sessions.take(index);
        let mut reply = Reply::new(session.protocol);
        let executed = execute(core, &mut session, &mut reply, now, &arguments);
        finish(core, &session, now, executed, &arguments, 1000);
        core.sessions.put(index, session);
        let bytes = reply.into_bytes();
        assert!(bytes.is_empty() || bytes.ends_with(b"\r\n"));
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            rest = &rest[reply_len(rest).expect("replies are whole")..];
        }
        now.unix_ms += 1;
    }
    core.sessions.remove(index);
    core.actions.clear();
}
