//! What the machine must give before anything listens, and what an operator should know if it gives less.

use whimbrel_engine::config::{Ceilings, Config};
use whimbrel_net::{NofileReport, check_kernel, raise_nofile};

/// Descriptors of the process itself: standard streams, log, configuration, the directory listing of an include.
const DESCRIPTORS_PROCESS: u64 = 32;
/// Descriptors of one core besides its clients and listeners: ring, doorbell, and what opens for a moment.
const DESCRIPTORS_CORE: u64 = 8;
/// Fewer clients than this are not worth starting for.
const CLIENTS_MIN: u64 = 16;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Findings {
    /// The kernel's release.
    pub kernel: String,
    /// What an operator should know.
    pub warnings: Vec<String>,
}

/// Checks kernel, descriptors and memory, and keeps `config` within them. `listeners` counts all cores' listeners.
pub fn check(config: &mut Config, cores: usize, listeners: usize) -> Result<Findings, String> {
    let kernel = check_kernel().map_err(|error| error.to_string())?;
    let reserved = DESCRIPTORS_PROCESS + DESCRIPTORS_CORE * cores as u64 + listeners as u64;
    let mut warnings = Vec::new();
    warnings.extend(descriptors(config, raise_nofile(), reserved)?);
    let memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_bytes(&text));
    warnings.extend(memory.and_then(|total| memory_warning(config.maxmemory, total)));
    Ok(Findings { kernel: kernel.release, warnings })
}

/// Lowers `maxclients` to what there are descriptors for, as Redis does.
fn descriptors(config: &mut Config, limits: NofileReport, reserved: u64) -> Result<Option<String>, String> {
    let clients = limits.now.saturating_sub(reserved);
    let wanted = config.maxclients;
    let needed = u64::from(wanted) + reserved;
    let remedy = format!("`ulimit -n {needed}`, or LimitNOFILE={needed} in the unit");
    if clients < CLIENTS_MIN {
        let now = limits.now;
        return Err(format!(
            "{now} open files are too few for {reserved} of our own and any clients.\n    {remedy}."
        ));
    }
    let clients = u32::try_from(clients).unwrap_or(u32::MAX);
    config.ceilings = Ceilings { clients };
    if wanted <= clients {
        return Ok(None);
    }
    config.maxclients = clients;
    let now = limits.now;
    Ok(Some(format!(
        "maxclients is {clients} instead of {wanted}: there are {now} open files at most. For more: {remedy}"
    )))
}

fn memory_warning(maxmemory: u64, total: u64) -> Option<String> {
    (maxmemory > total).then(|| {
        format!("maxmemory ({maxmemory} bytes) is more than this machine has ({total} bytes): it may be killed before")
    })
}

/// `MemTotal` of /proc/meminfo.
pub fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_bounded_by_descriptors() {
        let limits = |now| NofileReport { before: now, now, hard: now };
        let cases = [(20_000, Some((10_000, 19_900, false))), (1_024, Some((924, 924, true))), (110, None)];
        for (now, expected) in cases {
            let mut config = Config::default();
            let result = descriptors(&mut config, limits(now), 100);
            let found =
                result.ok().map(|warning| (config.maxclients, config.ceilings.clients, warning.is_some()));
            assert_eq!(found, expected, "{now}");
        }
        let error = descriptors(&mut Config::default(), limits(110), 100).unwrap_err();
        assert!(error.contains("LimitNOFILE=10100"), "{error}");
    }

    #[test]
    fn memory() {
        assert_eq!(total_bytes("MemFree: 1 kB\nMemTotal:       24684092 kB\n"), Some(24_684_092 << 10));
        assert_eq!(total_bytes("MemTotal: x kB"), None);
        assert!(memory_warning(2, 1).is_some() && memory_warning(1, 1).is_none());
    }

    #[test]
    fn this_machine_will_do() {
        let mut config = Config::default();
        let findings = check(&mut config, 2, 4).unwrap();
        assert!(!findings.kernel.is_empty() && config.ceilings.clients >= config.maxclients);
    }
}
