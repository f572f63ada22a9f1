//! Who is at the other end of a connection.

use std::fmt;
use std::net::SocketAddr;

/// The peer's address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerAddress {
    /// IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A Unix socket; peers have no name there.
    Unix,
}

impl PeerAddress {
    /// Whether the peer is on this machine, as protected mode asks.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix => true,
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix => formatter.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_local_peers() {
        for (address, local) in
            [("127.0.0.1:1", true), ("[::1]:1", true), ("[::ffff:127.0.0.1]:1", true), ("10.0.0.1:1", false)]
        {
            let peer = PeerAddress::Tcp(address.parse().unwrap());
            assert_eq!(peer.is_local(), local, "{address}");
            assert_eq!(peer.to_string(), address);
        }
        assert!(PeerAddress::Unix.is_local());
    }
}
