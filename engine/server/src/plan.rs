//! What the configuration comes to on this machine: cores on CPUs, and the addresses that they listen on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use whimbrel_engine::config::Config;

/// The most cores of one process.
pub const CORES_MAX: usize = 256;
/// The Unix socket's mode unless `unixsocketperm` says another: its owner alone.
const UNIX_MODE: u32 = 0o700;

/// What the process is going to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The cores; core k is at place k. Never empty.
    pub cores: Vec<CorePlan>,
    /// Where all cores listen together.
    pub shared: Vec<Address>,
    /// The Unix socket, which core 0 listens on.
    pub unix: Option<UnixSocket>,
}

/// One core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorePlan {
    /// The CPU that its thread is pinned to.
    pub cpu: usize,
    /// Its port as a cluster node; `None` outside of cluster mode.
    pub port: Option<u16>,
    /// Where it listens alone.
    pub own: Vec<Address>,
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Address and port.
    pub socket: SocketAddr,
    /// Whether the machine may do without it (`-` before it in `bind`).
    pub optional: bool,
}

/// A Unix socket to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// Its path.
    pub path: PathBuf,
    /// Its mode.
    pub mode: u32,
}

impl Plan {
    /// Makes the plan. `available` are the CPUs that the process may use. The error says what to change.
    pub fn new(config: &Config, available: &[usize]) -> Result<Self, String> {
        let cpus = cpus(config, available)?;
        let hosts = hosts(&config.bind)?;
        let shared = if config.port == 0 { Vec::new() } else { at_port(&hosts, config.port) };
        let mut cores = Vec::with_capacity(cpus.len());
        for (index, cpu) in cpus.into_iter().enumerate() {
            let port = config.cluster_enabled.then(|| core_port(config, index)).transpose()?;
            let own = port.map(|port| at_port(&hosts, port)).unwrap_or_default();
            cores.push(CorePlan { cpu, port, own });
        }
        let unix = (!config.unixsocket.is_empty()).then(|| UnixSocket {
            path: PathBuf::from(&config.unixsocket),
            mode: if config.unixsocketperm == 0 { UNIX_MODE } else { config.unixsocketperm },
        });
        let plan = Self { cores, shared, unix };
        if plan.addresses().next().is_none() && plan.unix.is_none() {
            return Err(
                "there is nothing to listen on: `port` is 0 or `bind` is empty.\n    Give a port and an \
                        address, or a `unixsocket`."
                    .to_owned(),
            );
        }
        Ok(plan)
    }

    /// Every TCP address.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.shared.iter().chain(self.cores.iter().flat_map(|core| &core.own)).copied()
    }
}

fn cpus(config: &Config, available: &[usize]) -> Result<Vec<usize>, String> {
    let wanted: Vec<usize> = config.cores.as_slice().iter().map(|cpu| usize::from(*cpu)).collect();
    if let Some(cpu) = wanted.iter().find(|cpu| !available.contains(cpu)) {
        return Err(format!(
            "`cores` names CPU {cpu}, which this process may not use.\n    It may use: {}.",
            available.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
        ));
    }
    let cpus = if wanted.is_empty() { available.to_vec() } else { wanted };
    if cpus.is_empty() || cpus.len() > CORES_MAX {
        return Err(format!(
            "{} cores cannot be started.\n    Name 1 to {CORES_MAX} CPUs in `cores`.",
            cpus.len()
        ));
    }
    Ok(cpus)
}

fn core_port(config: &Config, index: usize) -> Result<u16, String> {
    let port = u16::try_from(index).ok().and_then(|index| config.core_port_base.checked_add(index));
    let base = config.core_port_base;
    match port {
        Some(port) if port == config.port => Err(format!(
            "core {index} would listen on port {port}, which is the shared `port` too.\n    Set `core-port-base` \
             (now {base}) or `port` to another."
        )),
        Some(port) => Ok(port),
        None => Err(format!("core {index} has no port: `core-port-base` is {base}.\n    Set it lower.")),
    }
}

fn at_port(hosts: &[(IpAddr, bool)], port: u16) -> Vec<Address> {
    hosts.iter().map(|&(host, optional)| Address { socket: SocketAddr::new(host, port), optional }).collect()
}

/// The addresses of `bind`, each once, and whether the machine may do without.
fn hosts(bind: &[String]) -> Result<Vec<(IpAddr, bool)>, String> {
    let mut hosts: Vec<(IpAddr, bool)> = Vec::new();
    for word in bind {
        let optional = word.starts_with('-');
        let name = word.strip_prefix('-').unwrap_or(word);
        for host in resolve(name)? {
            if !hosts.iter().any(|(known, _)| *known == host) {
                hosts.push((host, optional));
            }
        }
    }
    Ok(hosts)
}

fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    match name {
        "*" => return Ok(vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)]),
        "::*" => return Ok(vec![IpAddr::V6(Ipv6Addr::UNSPECIFIED)]),
        _ => {}
    }
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let wrong =
        || format!("`bind` names `{name}`, which is no address.\n    Give addresses such as 127.0.0.1 ::1.");
    let found = (name, 0).to_socket_addrs().map_err(|_| wrong())?;
    Ok(found.map(|address| address.ip()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(settings: &str) -> Result<Plan, String> {
        let mut config = Config::default();
        whimbrel_engine::config::load(&mut config, "test", settings.as_bytes(), &mut |_| Ok(Vec::new()))
            .map_err(|errors| errors[0].to_string())?;
        Plan::new(&config, &[0, 1, 4])
    }

    /// `cpu:port`s of the cores, then all addresses.
    fn outline(settings: &str) -> String {
        match plan(settings) {
            Err(error) => format!("! {error}"),
            Ok(plan) => {
                let core = |core: &CorePlan| match core.port {
                    Some(port) => format!("{}:{port}", core.cpu),
                    None => core.cpu.to_string(),
                };
                let address = |address: Address| {
                    format!("{}{}", if address.optional { "-" } else { "" }, address.socket)
                };
                let words: Vec<_> =
                    plan.cores.iter().map(core).chain(plan.addresses().map(address)).collect();
                words.join(" ")
            }
        }
    }

    #[test]
    fn plans() {
        let cases = [
            ("", "0 1 4 127.0.0.1:6379"),
            ("cores 4,0", "4 0 127.0.0.1:6379"),
            ("bind * -::* \nport 1\ncores 0", "0 0.0.0.0:1 -[::]:1"),
            ("bind 127.0.0.1 127.0.0.1 ::1\ncores 0", "0 127.0.0.1:6379 [::1]:6379"),
            ("port 0\nunixsocket /tmp/x\ncores 0", "0"),
            ("cluster-enabled yes\ncores 0,4", "0:7000 4:7001 127.0.0.1:6379 127.0.0.1:7000 127.0.0.1:7001"),
            ("cluster-enabled yes\nport 0\ncores 1", "1:7000 127.0.0.1:7000"),
            ("cores 2", "! `cores` names CPU 2, which this process may not use.\n    It may use: 0,1,4."),
            (
                "bind \"\"",
                "! there is nothing to listen on: `port` is 0 or `bind` is empty.\n    Give a port and an address, \
                 or a `unixsocket`.",
            ),
            (
                "cluster-enabled yes\nport 7001",
                "! core 1 would listen on port 7001, which is the shared `port` too.\n    Set `core-port-base` (now \
                 7000) or `port` to another.",
            ),
            (
                "cluster-enabled yes\ncore-port-base 65535",
                "! core 1 has no port: `core-port-base` is 65535.\n    Set it lower.",
            ),
            (
                "bind 1.2.3.4.5",
                "! `bind` names `1.2.3.4.5`, which is no address.\n    Give addresses such as 127.0.0.1 ::1.",
            ),
        ];
        for (settings, expected) in cases {
            assert_eq!(outline(settings), expected, "{settings}");
        }
        for (settings, mode) in
            [("unixsocket /tmp/x\nunixsocketperm 770", 0o770), ("unixsocket /tmp/x", 0o700)]
        {
            let unix = plan(settings).unwrap().unix.unwrap();
            assert_eq!((unix.path, unix.mode), (PathBuf::from("/tmp/x"), mode));
        }
    }
}
