//! A core's thread stays on its CPU.

use crate::error::PinError;

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
