//! What INFO says of the process and the machine, read from /proc.

use crate::checks::total_bytes;
use std::fs::read_to_string;
use std::path::Path;
use whimbrel_engine::info::Process;
use whimbrel_engine::topology::NodeId;

/// Clock ticks a second in /proc; fixed in the kernel's interface to programs.
const TICKS_PER_SECOND: u64 = 100;

/// What stays as it is while the process runs, and `refresh`ed once. `seed` is random, another for each start.
pub fn process(config_file: Option<&Path>, cpus: Vec<u16>, seed: u64) -> Process {
    let line = |path: &str| read_to_string(path).unwrap_or_default().trim().to_owned();
    let executable = std::env::current_exe().unwrap_or_default();
    let mut process = Process {
        pid: std::process::id(),
        run_id: NodeId::of_process(seed).as_str().to_owned(),
        os: format!("Linux {} {}", line("/proc/sys/kernel/osrelease"), std::env::consts::ARCH),
        executable: executable.display().to_string(),
        config_file: config_file.map(|path| path.display().to_string()).unwrap_or_default(),
        cpus,
        system_bytes: total_bytes(&line("/proc/meminfo")).unwrap_or_default(),
        ..Process::default()
    };
    refresh(&mut process);
    process
}

/// Reads anew what changes, from two files that the kernel makes up. What cannot be read stays as it was.
pub fn refresh(process: &mut Process) {
    if let Some(bytes) = read_to_string("/proc/self/status").ok().and_then(|text| resident_bytes(&text)) {
        process.resident_bytes = bytes;
    }
    if let Some((user, system)) = read_to_string("/proc/self/stat").ok().and_then(|text| cpu_us(&text)) {
        (process.cpu_user_us, process.cpu_system_us) = (user, system);
    }
}

/// `VmRSS` of /proc/self/status.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// CPU time outside of the kernel and in it, of /proc/self/stat: fields 14 and 15. The name in field 2 may hold blanks
/// and parentheses.
fn cpu_us(stat: &str) -> Option<(u64, u64)> {
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut fields = behind_name.split(' ').skip(11);
    let mut us = || fields.next()?.parse::<u64>().ok()?.checked_mul(1_000_000 / TICKS_PER_SECOND);
    Some((us()?, us()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_proc() {
        assert_eq!(resident_bytes("VmHWM:\t  9 kB\nVmRSS:\t    1564 kB\n"), Some(1564 << 10));
        assert_eq!(resident_bytes("VmRSS: many"), None);
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 250 30 0 0 20 0 1 0";
        assert_eq!(cpu_us(stat), Some((2_500_000, 300_000)));
        assert_eq!(cpu_us("7 (a) S 1"), None);
    }

    #[test]
    fn this_process() {
        let process = process(Some(Path::new("/etc/w.conf")), vec![0], 5);
        assert_eq!((process.pid, process.run_id.len()), (std::process::id(), 40));
        assert!(process.os.starts_with("Linux ") && process.config_file == "/etc/w.conf");
        assert!(process.resident_bytes > 1 << 20 && process.system_bytes > process.resident_bytes);
    }
}
