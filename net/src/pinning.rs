//! Where threads run: a core's thread stays on its CPU, and those that it waits for come first there for a moment.

use std::time::Duration;

use crate::error::PinError;
use crate::ring::system::set_slice;

/// Pins the calling thread to `cpu`.
///
/// # Errors
/// [`PinError::CpuNotAvailable`] when the process may not run there.
pub fn pin_to_cpu(cpu: usize) -> Result<(), PinError> {
    let available = core_affinity::get_core_ids().unwrap_or_default();
    let wanted = available.into_iter().find(|core| core.id == cpu);
    match wanted {
        Some(core) if core_affinity::set_for_current(core) => Ok(()),
        _ => Err(PinError::CpuNotAvailable(cpu)),
    }
}

/// The shortest turn that the kernel gives.
const SHORT_SLICE: Duration = Duration::from_micros(100);

/// Has the calling thread run soon after it wakes, in short turns: for threads that do little, and that cores wait for.
/// Where all CPUs are taken by cores, it would otherwise wait for the end of a core's turn, which is milliseconds.
///
/// Needs no privilege, and Linux 6.12; before that it changes nothing.
pub fn run_promptly() -> bool {
    set_slice(SHORT_SLICE)
}

/// The CPUs this thread may run on, ascending. Ask before pinning: a pinned thread sees only its own.
pub fn cpus_available() -> Vec<usize> {
    let mut cpus: Vec<usize> =
        core_affinity::get_core_ids().unwrap_or_default().into_iter().map(|core| core.id).collect();
    cpus.sort_unstable();
    cpus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_ask_to_run_promptly() {
        std::thread::spawn(|| assert!(run_promptly())).join().unwrap();
    }

    #[test]
    fn pins_to_what_is_there_only() {
        std::thread::spawn(|| {
            let first = cpus_available()[0];
            assert_eq!(pin_to_cpu(first), Ok(()));
            assert_eq!(cpus_available(), [first]);
            assert_eq!(pin_to_cpu(4095), Err(PinError::CpuNotAvailable(4095)));
        })
        .join()
        .unwrap();
    }
}
