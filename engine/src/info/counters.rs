//! The numbers of one core, in one table: what each is, and how the cores' become one.

use super::codec::{Reader, put_u64};

/// Whether CONFIG RESETSTAT sets a number back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It counts what happened, and starts anew.
    Total,
    /// It says how things are.
    State,
    /// It says what was longest since then: whoever measures it starts anew.
    Longest,
}

/// How the numbers of several cores become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// They are added.
    Sum,
    /// The largest one counts.
    Max,
}

macro_rules! counters {
    ($( $(#[doc = $doc:literal])+ $name:ident: $merge:ident $kept:ident, )*) => {
        /// The numbers of one core, or of several merged.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $( $(#[doc = $doc])+ pub $name: u64, )* }

        impl Counters {
            /// Takes the numbers of another core in.
            pub fn merge(&mut self, other: &Self) {
                $( match Merge::$merge {
                    Merge::Sum => self.$name = self.$name.saturating_add(other.$name),
                    Merge::Max => self.$name = self.$name.max(other.$name),
                } )*
            }

            /// These numbers with the totals that `before` had taken off.
            pub fn since(&self, before: &Self) -> Self {
                Self { $( $name: match Kept::$kept {
                    Kept::Total => self.$name.saturating_sub(before.$name),
                    Kept::State | Kept::Longest => self.$name,
                }, )* }
            }

            pub(super) fn encode(&self, out: &mut Vec<u8>) {
                $( put_u64(out, self.$name); )*
            }

            pub(super) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
                Some(Self { $( $name: reader.u64()?, )* })
            }
        }
    };
}

counters! {
    /// Clients that are connected.
    connected_clients: Sum State,
    /// Clients that wait for a key.
    blocked_clients: Sum State,
    /// Clients that track keys.
    tracking_clients: Sum State,
    /// Clients with a subscription.
    pubsub_clients: Sum State,
    /// Clients that watch keys.
    watching_clients: Sum State,
    /// Largest request buffer of a client.
    client_input_buffer_bytes_max: Max State,
    /// Largest reply buffer of a client.
    client_output_buffer_bytes_max: Max State,
    /// Request and reply buffers and sessions of all clients.
    clients_bytes: Sum State,

    /// Bytes in use: data, tables, buffers.
    used_bytes: Sum State,
    /// The most that this core ever had in use.
    used_bytes_peak: Sum State,
    /// Bytes in use that are not keys and values.
    overhead_bytes: Sum State,
    /// Bytes in use that do not count against `maxmemory`: tables, and what waits to be freed.
    uncharged_bytes: Sum State,
    /// Bytes that an empty core uses.
    startup_bytes: Sum State,
    /// Bytes of the arena's objects, with what their size classes waste.
    arena_allocated_bytes: Sum State,
    /// Bytes of the pages that hold objects, and of large objects.
    arena_active_bytes: Sum State,
    /// Bytes of memory that the arena holds from the kernel: with empty pages, and pages that are backed ahead.
    arena_mapped_bytes: Sum State,
    /// Bytes that forks keep from being given back.
    fork_retained_bytes: Sum State,
    /// Bytes that were deleted and are still to be given back.
    reclaiming_bytes: Sum State,
    /// Things (slots, large values) that were deleted and are still to be given back.
    reclaiming_objects: Sum State,
    /// Things that were given back in the background.
    reclaimed_objects: Sum State,
    /// Milliseconds for which there has been more data than `maxmemory`, until now.
    over_memory_ms: Max State,
    /// The same of all times together.
    over_memory_ms_total: Max Total,
    /// When the most was in use, in Unix seconds.
    used_bytes_peak_at_s: Max State,
    /// Whether sparse pages are being emptied.
    defragmenting: Max State,
    /// Allocations that were moved out of sparse pages.
    defragmented: Sum State,

    /// Connections that were accepted.
    connections_received: Sum Total,
    /// Connections that were refused because of `maxclients`.
    connections_rejected: Sum Total,
    /// Commands that ran.
    commands_processed: Sum Total,
    /// Commands a second, lately.
    commands_per_second: Sum State,
    /// Bytes that clients sent.
    net_input_bytes: Sum Total,
    /// Bytes that clients were sent.
    net_output_bytes: Sum Total,
    /// Bytes a second that clients sent, lately.
    net_input_bytes_per_second: Sum State,
    /// Bytes a second that clients were sent, lately.
    net_output_bytes_per_second: Sum State,
    /// Chunks that were received.
    reads_processed: Sum Total,
    /// Sends that were given to the kernel.
    writes_processed: Sum Total,
    /// Errors that were answered.
    error_replies: Sum Total,
    /// AUTH with the wrong password.
    auth_failures: Sum Total,
    /// Clients closed because of `client-query-buffer-limit`.
    query_buffer_disconnections: Sum Total,
    /// Clients closed because of `client-output-buffer-limit`.
    output_buffer_disconnections: Sum Total,

    /// Keys.
    keys: Sum State,
    /// Keys that expire.
    keys_expiring: Sum State,
    /// Hashes with a field that expires.
    keys_with_expiring_fields: Sum State,
    /// Time to live of sampled keys, in milliseconds, added up.
    ttl_sampled_ms: Sum State,
    /// Keys in that sample.
    ttl_samples: Sum State,
    /// Changes of keys.
    changes: Sum State,
    /// Reads that found their key.
    hits: Sum Total,
    /// Reads that found none.
    misses: Sum Total,
    /// Keys that expired.
    keys_expired: Sum Total,
    /// Fields that expired.
    fields_expired: Sum Total,
    /// Keys that were evicted.
    keys_evicted: Sum Total,
    /// Microseconds spent in looking for expired keys in the background.
    expire_us: Sum Total,
    /// Forks that were opened.
    forks_opened: Sum Total,
    /// Forks that are open.
    forks_live: Sum State,
    /// Slots of this core.
    slots: Sum State,

    /// Moves that are planned or go on, of slots that go.
    moves_outgoing: Sum State,
    /// Batches of slots that come.
    moves_incoming: Sum State,
    /// Moves that came to their end.
    moves_done: Sum Total,
    /// Moves that failed.
    moves_failed: Sum Total,
    /// Moves that were cancelled.
    moves_cancelled: Sum Total,
    /// Slots that went.
    moves_slots_out: Sum Total,
    /// Slots that came.
    moves_slots_in: Sum Total,
    /// Bytes that were sent for moves, those sent again included.
    moves_bytes_sent: Sum Total,
    /// Bytes among them that were sent again.
    moves_bytes_sent_again: Sum Total,
    /// Bytes that came and were applied.
    moves_bytes_applied: Sum Total,
    /// Bytes a second that moves make now.
    moves_bytes_per_second: Sum State,
    /// Pauses of writes before a hand-over that have ended.
    moves_pauses: Sum Total,
    /// Pauses of half a millisecond at most.
    moves_pauses_500us: Sum Total,
    /// Pauses of a millisecond at most.
    moves_pauses_1ms: Sum Total,
    /// Pauses of ten milliseconds at most.
    moves_pauses_10ms: Sum Total,
    /// Microseconds of all pauses.
    moves_pause_us: Sum Total,
    /// The longest pause, in microseconds.
    moves_pause_us_max: Max Longest,
    /// Commands that waited for a hand-over.
    moves_held_commands: Sum Total,
    /// The longest time for which this core let commands wait for a hand-over, in microseconds.
    moves_hold_us_max: Max Longest,
    /// The most that a turn of move work took of the core's own time, in microseconds.
    moves_turn_us_max: Max Longest,
    /// Turns of move work.
    moves_turns: Sum Total,
    /// Those that took more than a millisecond of the core's own time.
    moves_turns_over_1ms: Sum Total,

    /// Turns of the loop.
    turns: Sum Total,
    /// Turns a second, lately.
    turns_per_second: Sum State,
    /// Microseconds a second in turns, lately.
    turn_us_per_second: Sum State,
    /// Microseconds in turns, without sleep and without the system call that ends a turn.
    turn_us: Sum Total,
    /// Microseconds in commands.
    command_us: Sum Total,
    /// Microseconds in background work.
    background_us: Sum Total,
    /// Longest turn, in microseconds.
    turn_us_max: Max Longest,
    /// The most that the core's thread itself ran for a turn, in microseconds: what others had its CPU for does not count.
    turn_ran_us_max: Max Longest,
    /// The most that it ran for a turn of background work in which something was freed, in microseconds.
    reclaim_turn_us_max: Max Longest,
    /// Commands that were forwarded to another core.
    forwarded_out: Sum Total,
    /// Commands that another core forwarded here.
    forwarded_in: Sum Total,
    /// Messages to other cores that found the mailbox full.
    mailbox_full: Sum Total,
    /// Receives that found every buffer in use.
    receive_buffer_exhaustions: Sum Total,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_become_one() {
        let one = Counters { keys: 3, turn_us_max: 9, ..Counters::default() };
        let mut both = Counters { keys: 4, turn_us_max: 5, hits: u64::MAX, ..Counters::default() };
        both.merge(&one);
        both.merge(&Counters { hits: 1, ..Counters::default() });
        assert_eq!((both.keys, both.turn_us_max, both.hits), (7, 9, u64::MAX));
        let since = both.since(&Counters { keys: 5, hits: 1, ..Counters::default() });
        assert_eq!((since.keys, since.hits), (7, u64::MAX - 1));
    }
}
