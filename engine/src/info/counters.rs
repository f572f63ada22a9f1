//! The numbers of one core, in one table: what each is, and how the cores' become one.

use super::codec::{Reader, put_u64};

/// How the numbers of several cores become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// They are added.
    Sum,
    /// The largest one counts.
    Max,
}

macro_rules! counters {
    ($( $(#[doc = $doc:literal])+ $name:ident: $merge:ident, )*) => {
        /// The numbers of one core, or of several merged.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $( $(#[doc = $doc])+ pub $name: u64, )* }

        impl Counters {
            /// Names and ways of merging, in the order of the bytes.
            pub const TABLE: &'static [(&'static str, Merge)] = &[$((stringify!($name), Merge::$merge)),*];

            /// Takes the numbers of another core in.
            pub fn merge(&mut self, other: &Self) {
                $( match Merge::$merge {
                    Merge::Sum => self.$name = self.$name.saturating_add(other.$name),
                    Merge::Max => self.$name = self.$name.max(other.$name),
                } )*
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
    connected_clients: Sum,
    /// Clients that wait for a key.
    blocked_clients: Sum,
    /// Clients that track keys.
    tracking_clients: Sum,
    /// Clients with a subscription.
    pubsub_clients: Sum,
    /// Clients that watch keys.
    watching_clients: Sum,
    /// Largest request buffer of a client.
    client_input_buffer_bytes_max: Max,
    /// Largest reply buffer of a client.
    client_output_buffer_bytes_max: Max,
    /// Request and reply buffers and sessions of all clients.
    clients_bytes: Sum,

    /// Bytes in use: data, tables, buffers.
    used_bytes: Sum,
    /// The most that this core ever had in use.
    used_bytes_peak: Sum,
    /// Bytes in use that are not keys and values.
    overhead_bytes: Sum,
    /// Bytes that an empty core uses.
    startup_bytes: Sum,
    /// Bytes of the arena's objects, with what their size classes waste.
    arena_allocated_bytes: Sum,
    /// Bytes of memory that the arena holds from the kernel.
    arena_mapped_bytes: Sum,
    /// Bytes that forks keep from being given back.
    fork_retained_bytes: Sum,
    /// Bytes that were deleted and are still to be given back.
    reclaiming_bytes: Sum,
    /// Objects that were deleted and are still to be given back.
    reclaiming_objects: Sum,

    /// Connections that were accepted.
    connections_received: Sum,
    /// Connections that were refused because of `maxclients`.
    connections_rejected: Sum,
    /// Commands that ran.
    commands_processed: Sum,
    /// Commands a second, lately.
    commands_per_second: Sum,
    /// Bytes that clients sent.
    net_input_bytes: Sum,
    /// Bytes that clients were sent.
    net_output_bytes: Sum,
    /// Bytes a second that clients sent, lately.
    net_input_bytes_per_second: Sum,
    /// Bytes a second that clients were sent, lately.
    net_output_bytes_per_second: Sum,
    /// Chunks that were received.
    reads_processed: Sum,
    /// Sends that were given to the kernel.
    writes_processed: Sum,
    /// Errors that were answered.
    error_replies: Sum,
    /// AUTH with the wrong password.
    auth_failures: Sum,
    /// Clients closed because of `client-query-buffer-limit`.
    query_buffer_disconnections: Sum,
    /// Clients closed because of `client-output-buffer-limit`.
    output_buffer_disconnections: Sum,

    /// Keys.
    keys: Sum,
    /// Keys that expire.
    keys_expiring: Sum,
    /// Hashes with a field that expires.
    keys_with_expiring_fields: Sum,
    /// Time to live of sampled keys, in milliseconds, added up.
    ttl_sampled_ms: Sum,
    /// Keys in that sample.
    ttl_samples: Sum,
    /// Changes of keys.
    changes: Sum,
    /// Reads that found their key.
    hits: Sum,
    /// Reads that found none.
    misses: Sum,
    /// Keys that expired.
    keys_expired: Sum,
    /// Fields that expired.
    fields_expired: Sum,
    /// Keys that were evicted.
    keys_evicted: Sum,
    /// Microseconds spent in looking for expired keys.
    expire_us: Sum,
    /// Forks that were opened.
    forks_opened: Sum,
    /// Forks that are open.
    forks_live: Sum,
    /// Microseconds that the last fork took to open.
    fork_last_us: Max,
    /// Slots of this core.
    slots: Sum,

    /// Turns of the loop.
    turns: Sum,
    /// Turns a second, lately.
    turns_per_second: Sum,
    /// Microseconds in turns, without sleep.
    turn_us: Sum,
    /// Microseconds in commands.
    command_us: Sum,
    /// Microseconds in background work.
    background_us: Sum,
    /// Longest turn, in microseconds.
    turn_us_max: Max,
    /// Commands that were forwarded to another core.
    forwarded_out: Sum,
    /// Commands that another core forwarded here.
    forwarded_in: Sum,
    /// Messages to other cores that found the mailbox full.
    mailbox_full: Sum,
    /// Receives that found every buffer in use.
    receive_buffer_exhaustions: Sum,
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
    }
}
