//! Does this kernel give the process what a core needs? Asked once at start, before anything listens.

use crate::error::RingError;
use crate::ring::{Ring, system};

/// What the kernel offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KernelReport {
    /// The release, as `uname -r` prints it.
    pub release: String,
    /// Whether waits can collect completions first (`min_wait`, Linux 6.12).
    pub min_wait: bool,
}

/// Opens a small ring as a core would and drops it again.
///
/// # Errors
/// Why a core cannot run here, with the remedy in its text.
pub fn check_kernel() -> Result<KernelReport, RingError> {
    let ring = Ring::new(8, 16)?;
    Ok(KernelReport { release: system::kernel_release(), min_wait: ring.has_min_wait() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_that_runs_the_tests_is_enough() {
        let report = check_kernel().unwrap();
        assert!(!report.release.is_empty());
    }
}
