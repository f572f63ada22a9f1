//! What the process says of itself once it is ready.

use crate::plan::Plan;
use std::fmt::Write;
use whimbrel_engine::config::{Choice, Config};

/// The banner: version, addresses, cores, memory.
pub fn banner(config: &Config, plan: &Plan, kernel: &str) -> String {
    let mut out =
        format!("Whimbrel {}, pid {}, Linux {kernel}", env!("CARGO_PKG_VERSION"), std::process::id());
    let cpus: Vec<_> = plan.cores.iter().map(|core| core.cpu.to_string()).collect();
    let plural = if cpus.len() == 1 { "" } else { "s" };
    let lines = [
        ("listens", listens(plan)),
        ("cores", format!("{} on CPU{plural} {}", cpus.len(), cpus.join(","))),
        ("mode", mode(plan)),
        ("memory", memory(config)),
    ];
    for (name, text) in lines {
        write!(out, "\n{name:>9}  {text}").expect("writing to a String cannot fail");
    }
    out
}

fn listens(plan: &Plan) -> String {
    let mut places: Vec<String> = plan.shared.iter().map(|address| address.socket.to_string()).collect();
    places.extend(plan.unix.as_ref().map(|unix| unix.path.display().to_string()));
    if places.is_empty() { "on the cores' own ports only".to_owned() } else { places.join(" ") }
}

fn mode(plan: &Plan) -> String {
    let ports: Vec<u16> = plan.cores.iter().filter_map(|core| core.port).collect();
    match ports[..] {
        [] => "one keyspace over all cores".to_owned(),
        [port] => format!("cluster: a node on port {port}"),
        [first, .., last] => format!("cluster: a node per core, on ports {first} to {last}"),
    }
}

fn memory(config: &Config) -> String {
    match config.maxmemory {
        0 => "no limit (maxmemory 0)".to_owned(),
        bytes => format!("{}, then {}", human(bytes), config.maxmemory_policy.name()),
    }
}

/// Bytes to two places, in the unit that keeps them short.
fn human(bytes: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.2} {unit}", bytes as f64 / size as f64),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(config: &Config) -> Vec<String> {
        let plan = Plan::new(config, &[0, 1]).unwrap();
        banner(config, &plan, "6.12").lines().skip(1).map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn it_says_where_and_on_what() {
        assert_eq!(
            lines(&Config::default()),
            [
                "listens  127.0.0.1:6379",
                "cores  2 on CPUs 0,1",
                "mode  one keyspace over all cores",
                "memory  no limit (maxmemory 0)"
            ]
        );
        let config = Config {
            cluster_enabled: true,
            port: 0,
            maxmemory: 3 << 29,
            unixsocket: "/run/w.sock".to_owned(),
            ..Config::default()
        };
        assert_eq!(
            lines(&config),
            [
                "listens  /run/w.sock",
                "cores  2 on CPUs 0,1",
                "mode  cluster: a node per core, on ports 7000 to 7001",
                "memory  1.50 GiB, then noeviction"
            ]
        );
    }
}
