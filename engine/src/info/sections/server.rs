//! INFO server: the process.

use super::{Fields, View};
use crate::version::{REDIS_VERSION, WHIMBREL_VERSION};

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    let View { process, config, started, now, .. } = view;
    let uptime_s = now.unix_ms.saturating_sub(started.unix_ms) / 1000;
    let mode = if config.cluster_enabled { "cluster" } else { "standalone" };
    out.add("redis_version", REDIS_VERSION);
    out.add("server_name", "whimbrel");
    out.add("whimbrel_version", WHIMBREL_VERSION);
    out.add("redis_git_sha1", "00000000");
    out.add("redis_git_dirty", 0);
    out.add("redis_mode", mode);
    out.add("os", &process.os);
    out.add("arch_bits", usize::BITS);
    out.add("multiplexing_api", "io_uring");
    out.add("process_id", process.pid);
    out.add("process_supervised", "no");
    out.add("run_id", &process.run_id);
    out.add("tcp_port", config.port);
    out.add("server_time_usec", now.unix_ms * 1000);
    out.add("uptime_in_seconds", uptime_s);
    out.add("uptime_in_days", uptime_s / 86_400);
    out.add("hz", 10);
    out.add("configured_hz", 10);
    out.add("executable", &process.executable);
    out.add("config_file", &process.config_file);
    out.add("cores", process.cpus.len());
    let addresses = config.bind.iter().filter(|_| config.port > 0).map(|bind| bind.trim_start_matches('-'));
    let tcp = addresses.map(|bind| format!("name=tcp,bind={bind},port={}", config.port));
    let unix = (!config.unixsocket.is_empty()).then(|| format!("name=unix,bind={}", config.unixsocket));
    for (index, listener) in tcp.chain(unix).enumerate() {
        out.add(format_args!("listener{index}"), listener);
    }
}
