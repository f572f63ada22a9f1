//! The table of parameters, and the struct that holds their values.

use super::choice::{Choice, DebugCommand, LogLevel, MaxmemoryPolicy};
use super::cpus::CpuList;
use super::kind::Kind::{
    Bytes, Choice as OneOf, Cpus, Integer, Mode, Only, OutputLimits as Limits, Percent, Percentiles,
    Secret as Hidden, Text, Words, YesNo,
};
use super::output_limits::OutputLimits;
use super::parameter::Group::{
    Clients, Cluster, Cores, Memory, Moves, Network, Observing, Persistence, Process, Types,
};
use super::parameter::When::{Runtime, Start};
use super::parameter::{Group, Parameter};
use super::value::{Field, Secret, Value};

/// What the machine allows, found out at the start. No parameter may be set beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// How many clients the process has descriptors for.
    pub clients: u32,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self { clients: u32::MAX }
    }
}

/// Makes the struct, its default and the rows out of
/// `/// doc` `name | "alias": type = default, when, kind;`. The name's `_` becomes `-`.
macro_rules! table {
    ($($group:ident { $( $(#[doc = $doc:literal])+
        $field:ident $(| $alias:literal)* : $type:ty = $default:expr, $when:ident, $kind:expr; )* } )*) => {
        /// The values of all parameters. Every core has its own copy; CONFIG SET changes all of them alike.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $($( $(#[doc = $doc])+ pub $field: $type, )*)*
            /// What the machine allows.
            pub ceilings: Ceilings,
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($( $field: $default, )*)* ceilings: Ceilings::default() }
            }
        }

        static TABLE: &[Parameter] = &[$($( Parameter {
            name: {
                const UNDERSCORED: &str = stringify!($field);
                const BYTES: [u8; UNDERSCORED.len()] = hyphenated(UNDERSCORED);
                match str::from_utf8(&BYTES) {
                    Ok(name) => name,
                    Err(_) => panic!("a field's name is ASCII"),
                }
            },
            aliases: &[$($alias),*],
            group: $group,
            when: $when,
            kind: $kind,
            doc: concat!($($doc),+),
            read: |config| Field::to_value(&config.$field),
            write: |config, value| config.$field = Field::from_value(value),
        }, )*)*];
    };
}

const fn hyphenated<const LENGTH: usize>(underscored: &str) -> [u8; LENGTH] {
    let mut name = [0; LENGTH];
    let mut at = 0;
    while at < LENGTH {
        let byte = underscored.as_bytes()[at];
        name[at] = if byte == b'_' { b'-' } else { byte };
        at += 1;
    }
    name
}

const SECONDS_MAX: i64 = i32::MAX as i64;
const GIB: i64 = 1 << 30;

table! {
    Network {
        /// TCP port that clients connect to on any core; 0 listens on none.
        port: u16 = 6379, Start, Integer { min: 0, max: 65535 };
        /// Addresses to listen on; `*` is all of IPv4, `::*` all of IPv6. One that begins with `-` may be missing.
        bind: Vec<String> = vec!["127.0.0.1".to_owned()], Start, Words { max: 16 };
        /// Whether clients from other machines are refused while there is no password.
        protected_mode: bool = true, Runtime, YesNo;
        /// Password that clients give with AUTH; empty asks for none.
        requirepass: Secret = Secret::default(), Runtime, Hidden;
        /// Path of a Unix socket to listen on as well; empty for none.
        unixsocket: String = String::new(), Start, Text;
        /// Mode of the Unix socket, in octal; 0 is 700, its owner alone.
        unixsocketperm: u32 = 0, Start, Mode { max: 0o777 };
        /// Connections that may wait to be accepted, per listener.
        tcp_backlog: u32 = 511, Start, Integer { min: 1, max: 65535 };
        /// Seconds between probes of an idle connection; 0 sends none.
        tcp_keepalive: u32 = 300, Runtime, Integer { min: 0, max: SECONDS_MAX };
        /// Seconds after which an idle client is closed; 0 never closes one.
        timeout: u32 = 0, Runtime, Integer { min: 0, max: SECONDS_MAX };
    }
    Clients {
        /// Clients that may be connected at once, over all cores.
        maxclients: u32 = 10_000, Runtime, Integer { min: 1, max: u32::MAX as i64 };
        /// Unsent reply bytes at which a client is closed: class, hard limit, soft limit, seconds over the soft limit.
        client_output_buffer_limit: OutputLimits = OutputLimits::default(), Runtime, Limits;
        /// Unparsed request bytes at which a client is closed.
        client_query_buffer_limit: u64 = GIB as u64, Runtime, Bytes { min: 1 << 20, max: i64::MAX };
        /// Largest single argument of a command.
        proto_max_bulk_len: u64 = 512 << 20, Runtime, Bytes { min: 1 << 20, max: 2 * GIB };
        /// Who may use DEBUG: `no`, `yes` or `local`.
        enable_debug_command: DebugCommand = DebugCommand::No, Start, OneOf(DebugCommand::NAMES);
    }
    Memory {
        /// Memory for data over all cores, split evenly among them; 0 sets no limit.
        maxmemory: u64 = 0, Runtime, Bytes { min: 0, max: i64::MAX };
        /// What is evicted when maxmemory is reached; allkeys-s3fifo is the one for caches.
        maxmemory_policy: MaxmemoryPolicy = MaxmemoryPolicy::Noeviction, Runtime, OneOf(MaxmemoryPolicy::NAMES);
        /// Keys compared per eviction by the policies that sample.
        maxmemory_samples: u32 = 5, Runtime, Integer { min: 1, max: 64 };
        /// How slowly the LFU counter grows with hits.
        lfu_log_factor: u32 = 10, Runtime, Integer { min: 0, max: SECONDS_MAX };
        /// Minutes after which the LFU counter of an untouched key falls by one; 0 never lets it fall.
        lfu_decay_time: u32 = 1, Runtime, Integer { min: 0, max: SECONDS_MAX };
        /// How eagerly expired keys are swept, 1 to 10.
        active_expire_effort: u8 = 1, Runtime, Integer { min: 1, max: 10 };
        /// Memory that forks may retain per core; at the ceiling the fork that stands in the way of a write is ended.
        fork_retained_max: u64 = 128 << 20, Runtime, Bytes { min: 1 << 20, max: i64::MAX };
    }
    Cores {
        /// CPUs to run a core on, such as `0,2,4-7`; empty takes every CPU that the process may use.
        cores: CpuList = CpuList::default(), Start, Cpus;
        /// Share of a core's time that background work may take while clients want it too.
        background_share: u8 = 10, Runtime, Percent { min: 1, max: 90 };
        /// Microseconds that background work may take in one turn of a core's loop.
        background_turn_us: u32 = 50, Runtime, Integer { min: 10, max: 10_000 };
    }
    Cluster {
        /// Whether every core is a cluster node of its own, with its own port and slots.
        cluster_enabled: bool = false, Start, YesNo;
        /// Port of core 0 in cluster mode; core k listens on this plus k.
        core_port_base: u16 = 7000, Start, Integer { min: 1, max: 65535 };
        /// Name of the cluster that this process takes part in; needs `etcd`, and turns cluster-enabled on.
        cluster_name | "cluster": String = String::new(), Start, Text;
        /// Endpoints of the etcd that keeps the cluster's slot map, such as http://10.0.0.1:2379; commas may part them.
        etcd: Vec<String> = Vec::new(), Start, Words { max: 16 };
        /// Seconds for which a process that cannot reach etcd goes on serving, a tenth less.
        cluster_lease_seconds: u32 = 10, Start, Integer { min: 2, max: 3600 };
        /// Address that clients are told in redirections; empty takes the one they connected to.
        cluster_announce_ip: String = String::new(), Runtime, Text;
        /// Whether nothing is served while some slot has no owner.
        cluster_require_full_coverage: bool = true, Runtime, YesNo;
    }
    Moves {
        /// Bytes a second that all moves of this process together may take on the network, headers included, each way; 0 sets no limit.
        link_rate_max: u64 = 0, Runtime, Bytes { min: 0, max: i64::MAX };
        /// Bytes a second that one move may take; 0 sets no limit.
        migration_rate_max: u64 = 0, Runtime, Bytes { min: 0, max: i64::MAX };
        /// Share of a core's time that moves may take while clients want it too.
        migration_share: u8 = 10, Runtime, Percent { min: 1, max: 90 };
        /// Slots of one core that are copied at the same time.
        moves_concurrent_max: u32 = 4, Runtime, Integer { min: 1, max: 256 };
        /// Slots that change hands at one instant, at most; larger moves are cut.
        migration_batch_slots: u32 = 2048, Runtime, Integer { min: 1, max: 16384 };
        /// Bytes of changes that may wait for a target that is slower than the writers; beyond them the move fails.
        migration_delta_max: u64 = 64 << 20, Runtime, Bytes { min: 1 << 20, max: i64::MAX };
        /// Seconds without a link after which a target gives up what it has received, and a source its move.
        migration_link_timeout: u32 = 10, Runtime, Integer { min: 1, max: 3600 };
        /// Microseconds that what is left to send may take for writes to be paused.
        pause_target_us: u32 = 500, Runtime, Integer { min: 50, max: 1_000_000 };
        /// Microseconds after which paused writes go on, and the hand-over is tried again later.
        pause_max_us: u32 = 10_000, Runtime, Integer { min: 500, max: 10_000_000 };
        /// Password that this process gives to other nodes; empty gives none.
        masterauth: Secret = Secret::default(), Runtime, Hidden;
    }
    Types {
        /// Fields up to which a hash is one packed object.
        hash_max_listpack_entries | "hash-max-ziplist-entries": u64 = 512, Runtime, Integer { min: 0, max: i64::MAX };
        /// Longest field or value in a packed hash.
        hash_max_listpack_value | "hash-max-ziplist-value": u64 = 64, Runtime, Bytes { min: 0, max: i64::MAX };
    }
    Observing {
        /// Microseconds from which a command is put into the slow log; 0 logs every command, -1 none.
        slowlog_log_slower_than: i64 = 10_000, Runtime, Integer { min: -1, max: i64::MAX };
        /// Entries that the slow log keeps per core.
        slowlog_max_len: u64 = 128, Runtime, Integer { min: 0, max: 1 << 20 };
        /// Milliseconds from which an event counts for LATENCY; 0 watches none.
        latency_monitor_threshold: u64 = 0, Runtime, Integer { min: 0, max: i64::MAX };
        /// Whether the time of each command is kept for LATENCY HISTOGRAM and INFO latencystats.
        latency_tracking: bool = true, Runtime, YesNo;
        /// Percentiles that INFO latencystats shows.
        latency_tracking_info_percentiles: Vec<f64> = vec![50.0, 99.0, 99.9], Runtime, Percentiles;
        /// From which level on lines are logged: debug, verbose, notice, warning, nothing.
        loglevel: LogLevel = LogLevel::Notice, Runtime, OneOf(LogLevel::NAMES);
        /// File that log lines are appended to; empty logs to stderr.
        logfile: String = String::new(), Start, Text;
    }
    Process {
        /// Directory that relative paths start from.
        dir: String = ".".to_owned(), Start, Text;
    }
}

const NO_PERSISTENCE: &str = "Whimbrel keeps no data on disk yet; set it to this or leave it out";
const ALWAYS_LAZY: &str = "memory is always given back in the background";

/// Parameters of Redis of which Whimbrel does exactly one thing.
static FIXED: &[Parameter] = &[
    only("save", Persistence, "", NO_PERSISTENCE, "When data is saved to disk: never."),
    only("appendonly", Persistence, "no", NO_PERSISTENCE, "Whether writes are logged to disk: they are not."),
    only(
        "databases",
        Clients,
        "1",
        "there is one keyspace, as in every Redis cluster; use key prefixes",
        "Number of databases: there is one, 0.",
    ),
    only(
        "notify-keyspace-events",
        Clients,
        "",
        "there are no keyspace notifications yet",
        "Which keyspace events are published: none.",
    ),
    only(
        "maxmemory-clients",
        Clients,
        "0",
        "clients are bounded one by one, by client-output-buffer-limit and client-query-buffer-limit",
        "Memory of all clients together at which some are closed: not bounded.",
    ),
    only(
        "hz",
        Cores,
        "10",
        "background work runs in every turn of a core's loop; see background-share and background-turn-us",
        "A number that clients of Redis read; nothing in Whimbrel runs by it.",
    ),
    only(
        "daemonize",
        Process,
        "no",
        "start it with systemd or `&`; a daemon that hides from its parent loses its errors",
        "Whether the process leaves its parent: it does not.",
    ),
    only("lazyfree-lazy-eviction", Memory, "yes", ALWAYS_LAZY, "Evicted values are freed in the background."),
    only("lazyfree-lazy-expire", Memory, "yes", ALWAYS_LAZY, "Expired values are freed in the background."),
    only(
        "lazyfree-lazy-server-del",
        Memory,
        "yes",
        ALWAYS_LAZY,
        "Replaced values are freed in the background.",
    ),
    only(
        "lazyfree-lazy-user-del",
        Memory,
        "yes",
        ALWAYS_LAZY,
        "DEL frees in the background, as UNLINK does.",
    ),
    only(
        "lazyfree-lazy-user-flush",
        Memory,
        "yes",
        ALWAYS_LAZY,
        "FLUSHALL and FLUSHDB free in the background.",
    ),
];

const fn only(
    name: &'static str,
    group: Group,
    value: &'static str,
    because: &'static str,
    doc: &'static str,
) -> Parameter {
    Parameter {
        name,
        aliases: &[],
        group,
        when: Runtime,
        kind: Only { value, because },
        doc,
        read: |_| Value::YesNo(false),
        write: |_, _| {},
    }
}

/// Every parameter, first those that can be chosen, then those with one value.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    TABLE.iter().chain(FIXED)
}

/// The parameter of this name or alias, in either case.
pub fn parameter(name: &[u8]) -> Option<&'static Parameter> {
    parameters().find(|parameter| parameter.is_called(name))
}

#[cfg(test)]
mod tests {
    use super::super::kind::Kind;
    use super::super::line::split;
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct_and_lower_case() {
        let mut seen = HashSet::new();
        for name in parameters().flat_map(Parameter::names) {
            assert!(seen.insert(name), "{name} stands in the table twice");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        }
        assert!(
            parameter(b"Hash-Max-ZIPLIST-entries").is_some_and(|row| row.name == "hash-max-listpack-entries")
        );
        assert!(parameter(b"hash_max_listpack_entries").is_none());
    }

    #[test]
    fn every_row_is_documented_in_one_line() {
        for row in parameters() {
            assert!(row.doc.trim().ends_with('.') && row.doc.len() < 130, "{}: {}", row.name, row.doc);
        }
    }

    #[test]
    fn defaults_and_the_ends_of_ranges_read_back() {
        for row in parameters() {
            let mut texts = vec![row.default_text()];
            match row.kind {
                Integer { min, max } | Bytes { min, max } | Percent { min, max } => {
                    texts.extend([min, max].map(|number| number.to_string().into_bytes()));
                }
                Kind::Choice(names) => texts.extend(names.iter().map(|name| name.as_bytes().to_vec())),
                YesNo => texts.extend([b"yes".to_vec(), b"no".to_vec()]),
                _ => {}
            }
            for text in texts {
                let mut config = Config::default();
                let words = if row.kind.is_list() { split(&text).unwrap() } else { vec![text.clone()] };
                assert_eq!(row.assign(&mut config, &words), Ok(()), "{} {words:?}", row.name);
                let shown = row.text(&config);
                assert_eq!(
                    shown.strip_suffix(b"%").unwrap_or(&shown),
                    text.strip_suffix(b"%").unwrap_or(&text)
                );
            }
        }
    }

    #[test]
    fn clients_are_bounded_by_what_the_machine_allows() {
        let mut config = Config { ceilings: Ceilings { clients: 500 }, ..Config::default() };
        let row = parameter(b"maxclients").unwrap();
        assert!(row.assign(&mut config, &[b"501".to_vec()]).is_err());
        assert_eq!(row.assign(&mut config, &[b"500".to_vec()]), Ok(()));
        assert_eq!(config.maxclients, 500);
    }
}
