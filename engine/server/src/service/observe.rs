//! What a core is told of the process, the reactor and its connections, for INFO and CLIENT LIST.

use whimbrel_engine::info::{Counters, LimitUse};
use whimbrel_engine::session::{Session, Traffic};
use whimbrel_net::Io;

use super::CoreService;
use super::connection::Connection;
use super::message::Message;
use crate::facts;

impl CoreService {
    /// Brings what the core is told up to date; asked for by the few commands that show it.
    pub(super) fn observe(&mut self, io: &Io<Message>) {
        let gauges = io.gauges();
        let options = io.options();
        self.forget_longest();
        let moves = self.count_moves();
        let spent = self.background.spent;
        let observed = &mut self.core.observed;
        observed.outside = Counters {
            connections_received: self.core.stats.connections_received,
            connections_rejected: self.core.stats.rejected_connections + gauges.refused,
            output_buffer_disconnections: self.core.stats.output_limit_closed,
            net_input_bytes: gauges.bytes_in,
            net_output_bytes: gauges.bytes_out,
            reads_processed: gauges.completions,
            writes_processed: gauges.sends,
            turns: gauges.turns,
            turn_us: spent.turns.as_micros() as u64,
            turn_us_max: spent.turn_max.as_micros() as u64,
            turn_ran_us_max: spent.ran_max.as_micros() as u64,
            reclaim_turn_us_max: spent.reclaim_max.as_micros() as u64,
            background_us: spent.background.as_micros() as u64,
            expire_us: spent.expiry.as_micros() as u64,
            forwarded_out: self.forwarded_out,
            forwarded_in: self.forwarded_in,
            mailbox_full: gauges.mailbox_full,
            receive_buffer_exhaustions: gauges.buffer_exhaustions,
            ..moves
        };
        let connections = LimitUse {
            now: gauges.connections,
            max: options.connections_max.into(),
            reached: gauges.refused,
        };
        observed.limits.insert("connections", connections);
        let buffers =
            LimitUse { now: 0, max: options.receive_buffers.into(), reached: gauges.buffer_exhaustions };
        observed.limits.insert("receive-buffers", buffers);
        facts::refresh(&mut observed.process);
        self.observe_moves();
    }

    /// Notes how far the totals are, for rates and peaks.
    pub(super) fn sample(&mut self, io: &Io<Message>) {
        let now = self.now(io);
        let gauges = io.gauges();
        let outside = &mut self.core.observed.outside;
        outside.net_input_bytes = gauges.bytes_in;
        outside.net_output_bytes = gauges.bytes_out;
        outside.turns = gauges.turns;
        outside.turn_us = self.background.spent.turns.as_micros() as u64;
        let used_bytes = self.core.shard.used_bytes() + self.core.shard.overhead_bytes();
        let is_over = self.core.memory_max().is_some_and(|max| self.core.shard.charged_bytes() > max);
        self.core.observed.sample(now, self.core.stats.commands_processed, used_bytes, is_over);
    }

    /// What CLIENT LIST shows of every connection.
    pub(super) fn observe_clients(&mut self, io: &Io<Message>) {
        for connection in self.connections.iter().flatten() {
            if let Some(session) = self.core.sessions.at_mut(connection.session) {
                note_traffic(io, connection, session);
            }
        }
    }
}

/// Notes what is known of a connection's buffers. Bytes that came in are counted in the session itself.
pub fn note_traffic(io: &Io<Message>, connection: &Connection, session: &mut Session) {
    let backlog: usize = connection.backlog.iter().map(|command| command.view().bytes_total()).sum();
    let query_bytes = connection.pending_input() + backlog;
    let output_bytes = io.output_pending_bytes(connection.id);
    let input_room = connection.input.capacity();
    session.traffic = Traffic {
        bytes_in: session.traffic.bytes_in,
        descriptor: connection.id.index() as i32,
        query_bytes,
        query_free_bytes: input_room.saturating_sub(connection.input.len()),
        output_bytes,
        bytes_out: connection.bytes_out,
        memory_bytes: size_of::<Connection>() + input_room + output_bytes + connection.parser.memory_bytes(),
        ..Traffic::default()
    };
}
