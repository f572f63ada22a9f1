//! All that a core has to say for INFO.

use super::{Core, Now};
use crate::commands;
use crate::config::ClientClass;
use crate::info::{CommandCount, CoreStats, Counters};
use crate::session::Session;

impl Core {
    /// All that this core has to say. `running` is the session that is taken out of `sessions` while its command runs.
    pub fn report(&mut self, running: Option<&Session>, now: Now) -> CoreStats {
        let lifetimes = self.shard.lifetimes(now.unix_ms);
        let commands = commands::all().filter_map(|command| {
            let stats = self.stats.command(command.id)?;
            let count = CommandCount {
                calls: stats.calls,
                nanos: stats.nanos,
                rejected_calls: stats.rejected_calls,
                failed_calls: stats.failed_calls,
                times: stats.histogram.clone().filter(|_| self.config.latency_tracking),
            };
            let is_used = count.calls + count.rejected_calls > 0;
            is_used.then(|| (command.spec.name.to_owned(), count))
        });
        CoreStats {
            core: self.topology.node(self.topology.myself()).core.unwrap_or_default(),
            counters: Counters {
                keys_expiring: lifetimes.keys,
                keys_with_expiring_fields: lifetimes.hashes,
                ttl_sampled_ms: lifetimes.sampled_ms,
                ttl_samples: lifetimes.samples,
                ..self.counters(running)
            },
            commands: commands.collect(),
            errors: self.stats.errors().map(|(code, count)| (code.to_owned(), count)).collect(),
            limits: self.observed.limits.iter().map(|(name, limit)| ((*name).to_owned(), *limit)).collect(),
        }
    }

    fn counters(&self, running: Option<&Session>) -> Counters {
        let (shard, memory) = (&self.shard, self.shard.memory());
        let (arena, stats) = (memory.arena.usage(), shard.stats());
        let used_bytes = shard.used_bytes();
        let active_bytes = memory.allocated_bytes() - arena.allocated_bytes + arena.page_bytes;
        let mut counters = Counters {
            used_bytes: used_bytes + shard.overhead_bytes(),
            uncharged_bytes: (used_bytes + shard.overhead_bytes()).saturating_sub(shard.charged_bytes()),
            overhead_bytes: shard.overhead_bytes(),
            arena_allocated_bytes: memory.allocated_bytes(),
            arena_active_bytes: active_bytes,
            arena_mapped_bytes: active_bytes + arena.idle_bytes + memory.arena.ahead_bytes(),
            fork_retained_bytes: memory.retained_bytes(),
            reclaiming_bytes: memory.reclaiming_bytes(),
            reclaiming_objects: memory.reclaiming_count(),
            reclaimed_objects: memory.reclaimed_count(),
            defragmenting: shard.is_defragmenting().into(),
            defragmented: memory.moved,
            auth_failures: self.stats.auth_failures,
            query_buffer_disconnections: self.stats.request_limit_closed,
            command_us: self.stats.command_us(),
            changes: stats.changes,
            forks_opened: stats.forks_opened,
            forks_live: shard.forks_live(),
            commands_processed: self.stats.commands_processed,
            error_replies: self.stats.error_replies,
            keys: shard.keys(),
            hits: stats.hits,
            misses: stats.misses,
            keys_expired: stats.expired_keys,
            fields_expired: stats.expired_fields,
            keys_evicted: stats.evicted_keys,
            slots: self.topology.slots_of(self.topology.myself()),
            ..self.observed.counters(used_bytes + shard.overhead_bytes())
        };
        for session in self.sessions.iter().chain(running) {
            let traffic = &session.traffic;
            let is_client = session.class != ClientClass::Replica && !session.is_link;
            counters.connected_clients += u64::from(is_client);
            counters.pubsub_clients += u64::from(session.class == ClientClass::Pubsub);
            counters.clients_bytes += traffic.memory_bytes as u64;
            let (input, output) = (traffic.query_bytes as u64, traffic.output_bytes as u64);
            counters.client_input_buffer_bytes_max = counters.client_input_buffer_bytes_max.max(input);
            counters.client_output_buffer_bytes_max = counters.client_output_buffer_bytes_max.max(output);
        }
        counters
    }
}
