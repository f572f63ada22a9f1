//! System calls that the standard library lacks, each behind one safe function.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// A new event counter, not blocking, closed on exec.
pub(crate) fn event_counter() -> io::Result<OwnedFd> {
    // SAFETY: the call takes no memory of ours.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave us this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Waits until `descriptor` can be read or the time is up. A signal ends the wait early.
pub(crate) fn wait_readable(descriptor: BorrowedFd<'_>, timeout: Option<Duration>) {
    let mut entry = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let milliseconds =
        timeout.map_or(-1, |wait| i32::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX));
    // SAFETY: `entry` is one valid entry and outlives the call.
    unsafe { libc::poll(&raw mut entry, 1, milliseconds) };
}

/// Bytes sent on `socket` that the peer has not acknowledged (TCP) or read (Unix).
pub(crate) fn unacknowledged_bytes(socket: BorrowedFd<'_>) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (which TIOCOUTQ aliases) writes one int into `bytes`, which outlives the call.
    let outcome = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if outcome < 0 { 0 } else { usize::try_from(bytes).unwrap_or(0) }
}

/// Has the kernel send no more than so many bytes a second on `socket`; `u64::MAX` sets no limit. Without effect where
/// the kernel cannot.
pub(crate) fn set_pacing_rate(socket: BorrowedFd<'_>, bytes_per_second: u64) {
    set_option(socket, libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE, bytes_per_second);
}

/// Has the kernel keep no more than so many bytes of `socket` that it has not sent.
pub(crate) fn set_unsent_bytes_max(socket: BorrowedFd<'_>, bytes: u32) {
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, bytes);
}

fn set_option<T: Copy>(socket: BorrowedFd<'_>, level: libc::c_int, option: libc::c_int, value: T) {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `value`, which outlives the call.
    unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), length) };
}

/// The soft and the hard limit on open descriptors.
pub(crate) fn nofile_limits() -> (u64, u64) {
    limits(libc::RLIMIT_NOFILE)
}

/// The soft limit on locked memory in bytes.
pub(crate) fn memlock_limit() -> u64 {
    limits(libc::RLIMIT_MEMLOCK).0
}

fn limits(resource: libc::__rlimit_resource_t) -> (u64, u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` outlives the call, which fills it.
    unsafe { libc::getrlimit(resource, &raw mut limit) };
    (limit.rlim_cur, limit.rlim_max)
}

/// Sets the limits on open descriptors; without effect when the process may not.
pub(crate) fn set_nofile_soft(soft: u64, hard: u64) {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: `limit` outlives the call, which reads it.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
}

/// Asks the kernel's scheduler for short turns of the calling thread, which begin the sooner for it when it wakes; `false`
/// when the kernel will not.
pub(crate) fn set_slice(slice: Duration) -> bool {
    /// What `sched_setattr` takes, in its first version.
    #[repr(C)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime_ns: u64,
        deadline_ns: u64,
        period_ns: u64,
    }
    const { assert!(size_of::<Attributes>() == 48) };
    // SAFETY: the call takes no memory of ours. It does not fail for the calling thread.
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    let attributes = Attributes {
        size: size_of::<Attributes>() as u32,
        policy: libc::SCHED_OTHER as u32,
        flags: 0,
        nice,
        priority: 0,
        runtime_ns: u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX),
        deadline_ns: 0,
        period_ns: 0,
    };
    // SAFETY: the kernel reads `size` bytes of `attributes`, which outlives the call.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) == 0 }
}

/// The kernel's release, as `uname -r` prints it.
pub(crate) fn kernel_release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| "of unknown release".to_owned(), |release| release.trim().to_owned())
}

/// The value of `kernel.io_uring_disabled` when it forbids something.
pub(crate) fn uring_disabled() -> Option<u8> {
    let text = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok()?;
    text.trim().parse().ok().filter(|value| *value != 0)
}
