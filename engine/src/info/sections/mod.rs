//! The sections of INFO: which there are, which were asked for, and their text.

mod clients;
mod cores;
mod cpu;
mod keyspace;
mod memory;
mod migration;
mod persistence;
mod replication;
mod server;
mod stats;
mod tallies;

use super::core_stats::CoreStats;
use super::process::Process;
use crate::config::Config;
use crate::core::{Now, Pause};
use crate::topology::Topology;
use std::fmt::{Display, Write};

/// What INFO is rendered from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The process and the machine.
    pub process: &'a Process,
    /// The settings.
    pub config: &'a Config,
    /// Who owns which slot.
    pub topology: &'a Topology,
    /// What each core says; in cluster mode only the core that was asked.
    pub cores: &'a [CoreStats],
    /// All cores as one.
    pub total: &'a CoreStats,
    /// Whether commands wait.
    pub pause: Pause,
    /// When the process started.
    pub started: Now,
    /// The time.
    pub now: Now,
}

macro_rules! sections {
    ($( $(#[doc = $doc:literal])+ $section:ident $title:literal $default:literal $write:path; )*) => {
        /// A section of INFO.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Section { $( $(#[doc = $doc])+ $section ),* }

        /// Every section in the order of the text: heading, whether INFO without arguments shows it, and its fields.
        const SECTIONS: &[(Section, &str, bool, fn(&View<'_>, &mut Fields))] =
            &[$((Section::$section, $title, $default, $write)),*];
    };
}

sections! {
    /// The process.
    Server "Server" true server::write;
    /// Who is connected.
    Clients "Clients" true clients::write;
    /// What memory is used for.
    Memory "Memory" true memory::write;
    /// What is on disk.
    Persistence "Persistence" true persistence::write;
    /// What happened.
    Stats "Stats" true stats::write;
    /// Primary and replicas.
    Replication "Replication" true replication::write;
    /// CPU time.
    Cpu "CPU" true cpu::write;
    /// What each command did.
    Commandstats "Commandstats" false tallies::commands;
    /// Which errors were answered.
    Errorstats "Errorstats" true tallies::errors;
    /// How long each command took.
    Latencystats "Latencystats" false tallies::latencies;
    /// Whether cores are cluster nodes.
    Cluster "Cluster" true keyspace::cluster;
    /// Slots on their way.
    Migration "Migration" true migration::write;
    /// How many keys there are.
    Keyspace "Keyspace" true keyspace::write;
    /// Each core by itself.
    Cores "Cores" false cores::write;
    /// How much of each limit is used.
    Limits "Limits" false tallies::limits;
}

/// The sections that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection(u32);

impl Selection {
    /// Reads INFO's arguments. Without any it is `default`; names that do not exist choose nothing, as in Redis.
    pub fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let (mut chosen, mut named) = (0, false);
        for word in words {
            named = true;
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            for (section, title, default, _) in SECTIONS {
                if is(title) || is("all") || is("everything") || (is("default") && *default) {
                    chosen |= 1 << *section as u32;
                }
            }
        }
        if named { Self(chosen) } else { Self::parse([&b"default"[..]].into_iter()) }
    }

    /// Whether a section was asked for.
    pub fn has(self, section: Section) -> bool {
        self.0 >> section as u32 & 1 == 1
    }
}

/// The text of the sections that were asked for.
pub fn render(view: &View<'_>, selection: Selection) -> String {
    let mut fields = Fields(String::new());
    for (_, title, _, write) in SECTIONS.iter().filter(|(section, ..)| selection.has(*section)) {
        let separator = if fields.0.is_empty() { "" } else { "\r\n" };
        write!(fields.0, "{separator}# {title}\r\n").expect(TO_STRING);
        write(view, &mut fields);
    }
    fields.0
}

const TO_STRING: &str = "writing to a String cannot fail";

/// The text as it grows.
struct Fields(String);

impl Fields {
    /// Adds a line.
    fn add(&mut self, name: impl Display, value: impl Display) {
        write!(self.0, "{name}:{value}\r\n").expect(TO_STRING);
    }

    /// Adds bytes, and once more for people as Redis prints them.
    fn add_bytes(&mut self, name: &str, bytes: u64) {
        self.add(name, bytes);
        self.add(format_args!("{name}_human"), Human(bytes));
    }
}

/// Bytes as `918.77K`.
struct Human(u64);

impl Display for Human {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [(50, 'P'), (40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')];
        match units.into_iter().find(|(shift, _)| self.0 >> shift > 0) {
            Some((shift, unit)) => write!(f, "{:.2}{unit}", self.0 as f64 / (1_u64 << shift) as f64),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A share of a whole; 0 of nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::super::core_stats::{CommandCount, LimitUse};
    use super::super::counters::Counters;
    use super::*;
    use crate::latency::Histogram;
    use crate::topology::{Node, NodeId, NodeIndex};

    /// INFO of two cores, with `words` as arguments.
    fn info(words: &str) -> String {
        let process = Process {
            pid: 7,
            run_id: "a".repeat(40),
            os: "Linux 6.12 x86_64".to_owned(),
            cpus: vec![0, 4],
            resident_bytes: 4 << 20,
            system_bytes: 8 << 30,
            cpu_system_us: 1_500_000,
            cpu_user_us: 2_000_001,
            ..Process::default()
        };
        let node = |core| Node {
            id: NodeId::derived(1, core),
            shard: NodeId::derived(2, core),
            host: String::new(),
            port: 7000 + core,
            core: Some(core),
            incarnation: 1,
        };
        let topology = Topology::even(vec![node(0), node(1)], NodeIndex::new(0));
        let mut times = Histogram::default();
        times.add(1_000_000);
        let command = CommandCount { calls: 2, nanos: 3_000, times: Some(times), ..CommandCount::default() };
        let core = |core, keys| CoreStats {
            core,
            counters: Counters {
                keys,
                keys_expiring: 1,
                ttl_samples: 2,
                ttl_sampled_ms: 3000,
                used_bytes: 1 << 20,
                connected_clients: 2,
                commands_processed: 10,
                slots: 8192,
                turn_us: 500,
                ..Counters::default()
            },
            commands: [("config|get".to_owned(), command.clone())].into(),
            errors: [("ERR".to_owned(), 3)].into(),
            limits: [("mailbox".to_owned(), LimitUse { now: 1, max: 64, reached: 5 })].into(),
        };
        let cores = [core(0, 5), core(1, 6)];
        let total = CoreStats::total(&cores);
        let config = Config::default();
        let started = Now { unix_ms: 1_000_000, monotonic_us: 0 };
        let now = Now { unix_ms: 91_001_000_000, monotonic_us: 0 };
        let view = View {
            process: &process,
            config: &config,
            topology: &topology,
            cores: &cores,
            total: &total,
            pause: Pause::default(),
            started,
            now,
        };
        render(&view, Selection::parse(words.split(' ').filter(|word| !word.is_empty()).map(str::as_bytes)))
    }

    fn titles(words: &str) -> String {
        let text = info(words);
        text.lines().filter_map(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sections_are_chosen_as_in_redis() {
        let default =
            "Server Clients Memory Persistence Stats Replication CPU Errorstats Cluster Migration Keyspace";
        let all = "Server Clients Memory Persistence Stats Replication CPU Commandstats Errorstats Latencystats \
                   Cluster Migration Keyspace Cores Limits";
        let cases = [
            ("", default),
            ("default", default),
            ("all", all),
            ("EVERYTHING", all),
            ("keyspace", "Keyspace"),
            ("keyspace cpu SERVER", "Server CPU Keyspace"),
            ("commandstats latencystats default", &all[..all.len() - " Cores Limits".len()]),
            ("nosuch", ""),
        ];
        for (words, expected) in cases {
            assert_eq!(titles(words), expected, "{words}");
        }
        assert_eq!(info("nosuch"), "");
    }

    #[test]
    fn fields_are_lines_of_name_and_value() {
        let text = info("all");
        assert!(text.starts_with("# Server\r\nredis_version:"));
        assert!(text.contains("\r\n\r\n# Clients\r\nconnected_clients:4\r\n"));
        let mut seen = std::collections::HashSet::new();
        for line in text.split("\r\n").filter(|line| !line.is_empty() && !line.starts_with("# ")) {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
            assert!(!value.contains('\n') && seen.insert(name.to_owned()), "{name} stands there twice");
        }
    }

    /// What redis_exporter and client libraries read, and what it has to be here.
    #[test]
    fn exporters_find_their_fields() {
        let text = info("all");
        let expected = [
            "redis_mode:standalone",
            "process_id:7",
            "tcp_port:6379",
            "uptime_in_seconds:91000000",
            "uptime_in_days:1053",
            "maxclients:10000",
            "used_memory:2097152",
            "used_memory_human:2.00M",
            "used_memory_rss:4194304",
            "mem_fragmentation_ratio:2.00",
            "maxmemory:0",
            "maxmemory_human:0B",
            "maxmemory_policy:noeviction",
            "total_system_memory_human:8.00G",
            "loading:0",
            "rdb_bgsave_in_progress:0",
            "aof_enabled:0",
            "total_commands_processed:20",
            "total_error_replies:0",
            "role:master",
            "connected_slaves:0",
            "master_repl_offset:0",
            "used_cpu_sys:1.500000",
            "used_cpu_user:2.000001",
            "cmdstat_config|get:calls=4,usec=6,usec_per_call=1.50,rejected_calls=0,failed_calls=0",
            "latency_percentiles_usec_config|get:p50=1023.743,p99=1023.743,p99.9=1023.743",
            "errorstat_ERR:count=6",
            "cluster_enabled:0",
            "db0:keys=11,expires=2,avg_ttl=1500,subexpiry=0",
            "core0:cpu=0,slots=8192,keys=5,clients=2",
            "core1:cpu=4,slots=8192,keys=6,clients=2",
            "limit_mailbox:now=2,max=128,reached=10",
            "limit_maxclients:now=4,max=10000,reached=0",
        ];
        for line in expected {
            assert!(text.contains(&format!("\r\n{line}")), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in
            [(0, "0B"), (1023, "1023B"), (940_824, "918.77K"), (3 << 29, "1.50G"), (1 << 50, "1.00P")]
        {
            assert_eq!(Human(bytes).to_string(), text);
        }
    }
}
