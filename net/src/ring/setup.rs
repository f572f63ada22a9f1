//! Opening a ring with the flags the measurements chose, and turning refusals into errors with a remedy.

use std::io;

use io_uring::{IoUring, Probe, opcode};

use super::system;
use crate::error::RingError;

/// Opens a ring: single issuer, deferred task work with its flag, no index array, no batch that stops early.
///
/// Without these flags a request and its reply cost half as much again. Kernels before 6.6 lack only the missing
/// index array and go without.
pub(crate) fn open(submissions: u32, completions: u32) -> Result<IoUring, RingError> {
    let build = |no_index_array: bool| {
        let mut builder = IoUring::builder();
        builder
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_cqsize(completions)
            .dontfork();
        if no_index_array {
            builder.setup_no_sqarray();
        }
        builder.build(submissions)
    };
    let invalid = |error: &io::Error| error.raw_os_error() == Some(libc::EINVAL);
    let ring = match build(true) {
        Err(error) if invalid(&error) => build(false),
        other => other,
    };
    let ring = ring.map_err(|error| {
        if invalid(&error) { too_old("io_uring with deferred task work") } else { explain(error) }
    })?;
    demand(&ring)?;
    Ok(ring)
}

/// Checks what the reactor uses beyond the set-up flags.
fn demand(ring: &IoUring) -> Result<(), RingError> {
    let parameters = ring.params();
    let features = [
        (parameters.is_feature_ext_arg(), "waiting with a timeout in io_uring"),
        (parameters.is_feature_nodrop(), "completion queues that drop nothing"),
        (parameters.is_feature_submit_stable(), "requests that are stable once submitted"),
        (parameters.is_feature_skip_cqe_on_success(), "completions on failure only"),
    ];
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe).map_err(explain)?;
    let operations = [
        (probe.is_supported(opcode::AcceptMulti::CODE), "accept in io_uring"),
        (probe.is_supported(opcode::RecvMulti::CODE), "receive in io_uring"),
        (probe.is_supported(opcode::Send::CODE), "send in io_uring"),
        (probe.is_supported(opcode::SendMsg::CODE), "gathering sends in io_uring"),
        (probe.is_supported(opcode::PollAdd::CODE), "poll in io_uring"),
        // Multishot receive has no flag of its own; zero-copy send came with it in 6.0.
        (probe.is_supported(opcode::SendZc::CODE), "multishot receive in io_uring"),
    ];
    match features.into_iter().chain(operations).find(|(present, _)| !present) {
        Some((_, missing)) => Err(too_old(missing)),
        None => Ok(()),
    }
}

fn too_old(missing: &'static str) -> RingError {
    RingError::KernelTooOld { release: system::kernel_release(), missing }
}

/// The meaning of an error from a ring's system calls.
pub(crate) fn explain(error: io::Error) -> RingError {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => too_old("io_uring"),
        Some(libc::EPERM | libc::EACCES) => RingError::Disabled { sysctl: system::uring_disabled() },
        Some(libc::ENOMEM) => RingError::MemlockTooLow { limit_bytes: system::memlock_limit() },
        Some(libc::EMFILE | libc::ENFILE) => RingError::NofileTooLow,
        _ => RingError::Other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_their_remedy() {
        let said = |number| explain(io::Error::from_raw_os_error(number)).to_string();
        assert!(said(libc::ENOSYS).contains("Linux 6.1"));
        assert!(said(libc::EPERM).contains("io_uring"));
        assert!(said(libc::ENOMEM).contains("ulimit -l"));
        assert!(said(libc::EMFILE).contains("ulimit -n"));
        assert!(matches!(explain(io::Error::from_raw_os_error(libc::EIO)), RingError::Other(_)));
    }

    #[test]
    fn opens_here() {
        let ring = open(8, 16).unwrap();
        assert!(ring.params().is_setup_single_issuer());
    }
}
