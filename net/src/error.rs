//! Errors of this crate, one variant per thing the caller does differently; each says what can be done.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A listener could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListenError {
    /// Somebody listens there already. Choose another port or stop the other process.
    AddressInUse(Endpoint),
    /// The port or path needs privileges that the process does not have.
    PermissionDenied(Endpoint),
    /// No interface of this machine has that address.
    AddressNotAvailable(Endpoint),
    /// The path of a Unix socket is longer than the kernel takes, or its directory is missing.
    PathUnusable(Endpoint),
    /// Anything else the kernel said.
    Other(Endpoint, io::Error),
}

/// Where a listener was to be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// IPv4 or IPv6.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(formatter, "{address}"),
            Self::Unix(path) => write!(formatter, "{}", path.display()),
        }
    }
}

impl ListenError {
    pub(crate) fn from_io(endpoint: Endpoint, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::EADDRINUSE) => Self::AddressInUse(endpoint),
            Some(libc::EACCES | libc::EPERM | libc::EROFS) => Self::PermissionDenied(endpoint),
            Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => Self::AddressNotAvailable(endpoint),
            Some(libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG) => Self::PathUnusable(endpoint),
            _ if error.kind() == io::ErrorKind::InvalidInput && matches!(endpoint, Endpoint::Unix(_)) => {
                Self::PathUnusable(endpoint)
            }
            _ => Self::Other(endpoint, error),
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressInUse(at) => {
                write!(
                    formatter,
                    "{at} is in use: choose another port, or stop the process that listens there"
                )
            }
            Self::PermissionDenied(at) => {
                write!(
                    formatter,
                    "no permission to listen on {at}: choose a port above 1023, or a directory you may write"
                )
            }
            Self::AddressNotAvailable(at) => {
                write!(formatter, "{at} is no address of this machine: see `ip addr` for those it has")
            }
            Self::PathUnusable(at) => {
                write!(
                    formatter,
                    "{at} cannot name a Unix socket: its directory must exist and the path have under 108 bytes"
                )
            }
            Self::Other(at, error) => write!(formatter, "cannot listen on {at}: {error}"),
        }
    }
}

impl std::error::Error for ListenError {}

/// The kernel does not give this process the ring it needs.
#[derive(Debug)]
#[non_exhaustive]
pub enum RingError {
    /// The kernel is older than the features Whimbrel needs.
    KernelTooOld {
        /// The release that runs, as `uname -r` says it.
        release: String,
        /// What it lacks.
        missing: &'static str,
    },
    /// io_uring is switched off for this process.
    Disabled {
        /// The value of `kernel.io_uring_disabled`, when it can be read; otherwise a sandbox refuses the call.
        sysctl: Option<u8>,
    },
    /// The limit on locked memory is too low for the ring.
    MemlockTooLow {
        /// The limit in bytes, as it stands.
        limit_bytes: u64,
    },
    /// No descriptors are left for the ring.
    NofileTooLow,
    /// Anything else the kernel said.
    Other(io::Error),
}

impl fmt::Display for RingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KernelTooOld { release, missing } => {
                write!(formatter, "Linux {release} lacks {missing}: Whimbrel needs Linux 6.1 or newer")
            }
            Self::Disabled { sysctl: Some(value) } => write!(
                formatter,
                "io_uring is switched off (kernel.io_uring_disabled = {value}): `sysctl kernel.io_uring_disabled=0`"
            ),
            Self::Disabled { sysctl: None } => formatter.write_str(
                "the kernel refuses io_uring here: allow io_uring_setup, io_uring_enter and io_uring_register in the \
                 container's seccomp profile",
            ),
            Self::MemlockTooLow { limit_bytes } => write!(
                formatter,
                "the limit on locked memory ({limit_bytes} bytes) is too low for the ring: `ulimit -l unlimited`, or \
                 LimitMEMLOCK=infinity in the unit"
            ),
            Self::NofileTooLow => formatter
                .write_str("no file descriptors are left: `ulimit -n 65536`, or LimitNOFILE=65536 in the unit"),
            Self::Other(error) => write!(formatter, "io_uring failed: {error}"),
        }
    }
}

impl std::error::Error for RingError {}

/// The thread could not be pinned.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinError {
    /// The process may not run on that CPU: it does not exist, or a cpuset excludes it.
    CpuNotAvailable(usize),
}

impl fmt::Display for PinError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CpuNotAvailable(cpu) => {
                write!(
                    formatter,
                    "CPU {cpu} is not available to this process: see `taskset -p $$` for those that are"
                )
            }
        }
    }
}

impl std::error::Error for PinError {}
