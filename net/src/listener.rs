//! Listening sockets: per-core ports, the port that all cores share, and Unix sockets.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use crate::error::{Endpoint, ListenError};

/// The index that the service gave a listener.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ListenerId(pub u16);

/// How a TCP listener and the connections accepted from it behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpOptions {
    /// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
    pub backlog: u32,
    /// Idle time after which the peer is probed; `None` never probes.
    pub keepalive: Option<Duration>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self { backlog: 511, keepalive: Some(Duration::from_secs(300)) }
    }
}

/// An open listener. Closed on drop, and a Unix socket's file removed.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    local: Endpoint,
    /// The file this listener made, by device and inode: a successor's file at the same path is not ours to remove.
    file: Option<(u64, u64)>,
}

impl Listener {
    /// Where it listens; the port is the real one when 0 was asked for.
    pub fn local_address(&self) -> &Endpoint {
        &self.local
    }

    /// The TCP port; `None` for a Unix socket.
    pub fn port(&self) -> Option<u16> {
        match &self.local {
            Endpoint::Tcp(address) => Some(address.port()),
            Endpoint::Unix(_) => None,
        }
    }

    pub(crate) fn is_tcp(&self) -> bool {
        matches!(self.local, Endpoint::Tcp(_))
    }

    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Changes keep-alive for connections accepted from now on.
    pub(crate) fn set_keepalive(&self, keepalive: Option<Duration>) {
        if self.is_tcp() {
            // Refused only for values the kernel does not take; the old ones stay.
            let _ = apply_keepalive(&SockRef::from(&self.socket), keepalive);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let (Endpoint::Unix(path), Some(made)) = (&self.local, self.file) else { return };
        if identity(path) == Some(made) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Opens a listener that nobody else shares, as for a core's own port.
///
/// # Errors
/// What stands in the way.
pub fn listen_tcp(address: SocketAddr, options: &TcpOptions) -> Result<Listener, ListenError> {
    once_free(|| open_tcp(address, options, None))
        .map_err(|error| ListenError::from_io(Endpoint::Tcp(address), error))
}

/// Tries again for a while when an address is in use: the kernel takes a ring's listeners down a moment *after* its process
/// has ended, and a server that is started again at once would find its predecessor's.
fn once_free<T>(mut open: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    const TRIES: u32 = 40;
    const PAUSE: Duration = Duration::from_millis(50);
    for _ in 1..TRIES {
        match open() {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    open()
}

/// Opens one listener per CPU of `cpus`, all on one address: the kernel hands a connection to the listener of the CPU on
/// whose queue it arrived. Needs no privilege.
///
/// # Errors
/// What stands in the way. An address that another process listens on is found although sharing would allow it.
pub fn listen_shared(
    address: SocketAddr,
    options: &TcpOptions,
    cpus: &[usize],
) -> Result<Vec<Listener>, ListenError> {
    let wrong = |error| ListenError::from_io(Endpoint::Tcp(address), error);
    let mut bound = address;
    if address.port() != 0 {
        // A bind that does not share fails if anybody holds the address, their own sharing listeners included.
        once_free(|| bind_tcp(address, None)).map_err(wrong)?;
    }
    let mut listeners = Vec::with_capacity(cpus.len());
    for cpu in cpus {
        let listener = open_tcp(bound, options, Some(*cpu)).map_err(wrong)?;
        bound.set_port(listener.port().expect("a TCP listener has a port"));
        listeners.push(listener);
    }
    Ok(listeners)
}

/// Opens a Unix socket at `path` with the permission bits `mode`. A file left behind by a dead process is replaced; one
/// that somebody listens on is not.
///
/// # Errors
/// What stands in the way.
pub fn listen_unix(path: &Path, mode: u32, backlog: u32) -> Result<Listener, ListenError> {
    let endpoint = Endpoint::Unix(path.to_path_buf());
    open_unix(path, mode, backlog).map_err(|error| ListenError::from_io(endpoint, error))
}

fn bind_tcp(address: SocketAddr, shared_cpu: Option<usize>) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if let Some(cpu) = shared_cpu {
        socket.set_reuse_port(true)?;
        socket.set_cpu_affinity(cpu)?;
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn open_tcp(
    address: SocketAddr,
    options: &TcpOptions,
    shared_cpu: Option<usize>,
) -> std::io::Result<Listener> {
    let socket = bind_tcp(address, shared_cpu)?;
    // Accepted sockets inherit both, which saves two system calls a connection.
    socket.set_tcp_nodelay(true)?;
    apply_keepalive(&SockRef::from(&socket), options.keepalive)?;
    socket.listen(backlog(options.backlog))?;
    let local = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok(Listener { socket: socket.into(), local: Endpoint::Tcp(local), file: None })
}

/// Probes after `keepalive` of silence, then thrice at a third of it, as Redis does.
fn apply_keepalive(socket: &SockRef<'_>, keepalive: Option<Duration>) -> std::io::Result<()> {
    let Some(idle) = keepalive else { return socket.set_keepalive(false) };
    let idle = idle.max(Duration::from_secs(1));
    let interval = (idle / 3).max(Duration::from_secs(1));
    let keepalive = TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(3);
    socket.set_tcp_keepalive(&keepalive)
}

fn open_unix(path: &Path, mode: u32, queued_max: u32) -> std::io::Result<Listener> {
    let address = SockAddr::unix(path)?;
    remove_if_abandoned(path, &address);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&address)?;
    let listener =
        Listener { socket: socket.into(), local: Endpoint::Unix(PathBuf::from(path)), file: identity(path) };
    // Before `listen`: nobody connects under the wrong permissions.
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    SockRef::from(&listener.socket).listen(backlog(queued_max))?;
    Ok(listener)
}

/// Removes a socket file that refuses connections: its process is dead.
fn remove_if_abandoned(path: &Path, address: &SockAddr) {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if !is_socket {
        return;
    }
    let asked = Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|probe| probe.connect(address));
    if asked.is_err_and(|error| error.raw_os_error() == Some(libc::ECONNREFUSED)) {
        let _ = fs::remove_file(path);
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn backlog(wanted: u32) -> i32 {
    i32::try_from(wanted).unwrap_or(i32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use super::*;

    fn loopback(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn accepted_sockets_inherit_their_options() {
        let options = TcpOptions { backlog: 16, keepalive: Some(Duration::from_secs(60)) };
        let listener = listen_tcp(loopback(0), &options).unwrap();
        let port = listener.port().unwrap();
        let _peer = TcpStream::connect(loopback(port)).unwrap();
        let accepting = TcpListener::from(listener.socket.try_clone().unwrap());
        let (accepted, _) = accepting.accept().unwrap();
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
        listener.set_keepalive(None);
        let _second = TcpStream::connect(loopback(port)).unwrap();
        assert!(!SockRef::from(&accepting.accept().unwrap().0).keepalive().unwrap());
    }

    #[test]
    fn errors_say_what_stands_in_the_way() {
        let first = listen_tcp(loopback(0), &TcpOptions::default()).unwrap();
        let taken = loopback(first.port().unwrap());
        let again = listen_tcp(taken, &TcpOptions::default()).unwrap_err();
        assert!(matches!(again, ListenError::AddressInUse(_)), "{again}");
        let elsewhere = "192.0.2.1:0".parse().unwrap();
        let error = listen_tcp(elsewhere, &TcpOptions::default()).unwrap_err();
        assert!(matches!(error, ListenError::AddressNotAvailable(_)), "{error}");
    }

    #[test]
    fn shared_listeners_share_with_one_another_only() {
        let listeners = listen_shared(loopback(0), &TcpOptions::default(), &[0, 1]).unwrap();
        let port = listeners[0].port().unwrap();
        assert_eq!(listeners[1].port(), Some(port));
        let error = listen_shared(loopback(port), &TcpOptions::default(), &[0]).unwrap_err();
        assert!(matches!(error, ListenError::AddressInUse(_)), "{error}");
        drop(listeners);
        listen_shared(loopback(port), &TcpOptions::default(), &[0]).unwrap();
    }

    #[test]
    fn unix_sockets_have_permissions_and_an_owner() {
        let path = std::env::temp_dir().join(format!("whimbrel-listener-{}.sock", std::process::id()));
        let listener = listen_unix(&path, 0o700, 16).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        UnixStream::connect(&path).unwrap();
        let error = listen_unix(&path, 0o700, 16).unwrap_err();
        assert!(matches!(error, ListenError::AddressInUse(_)), "{error}");
        drop(listener);
        assert!(!path.exists());

        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a process that died leaves its file");
        drop(listen_unix(&path, 0o600, 16).unwrap());
        let missing = std::env::temp_dir().join("no-such-directory/whimbrel.sock");
        assert!(matches!(listen_unix(&missing, 0o600, 16), Err(ListenError::PathUnusable(_))));
        let long = PathBuf::from(format!("/{}", "x".repeat(200)));
        assert!(matches!(listen_unix(&long, 0o600, 16), Err(ListenError::PathUnusable(_))));
    }
}
