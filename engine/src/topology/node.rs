//! A node as clients know it: an id, an address, and a core behind it.

use std::fmt;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// 40 hexadecimal digits, as in Redis.
///
/// The process derives its cores' ids from one seed. Nothing keeps the seed over a restart: a process that starts
/// again holds none of its data, so it is a set of new nodes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId([u8; 40]);

impl NodeId {
    /// The id of a core, from a seed that belongs to its process alone.
    pub fn derived(seed: u64, core: u16) -> Self {
        let mut text = format!("{:032x}", xxh3_128_with_seed(&core.to_le_bytes(), seed));
        text.push_str(&format!("{:032x}", xxh3_128_with_seed(text.as_bytes(), seed)));
        let mut digits = [0; 40];
        digits.copy_from_slice(&text.as_bytes()[..40]);
        Self(digits)
    }

    /// The id of the process itself, from the same seed.
    pub fn of_process(seed: u64) -> Self {
        // No core has this number.
        Self::derived(seed, u16::MAX)
    }

    /// The id of the group of this node and its replicas, the same wherever it is asked for.
    pub fn shard(&self) -> Self {
        Self::derived(xxh3_128_with_seed(&self.0, 0) as u64, 0)
    }

    /// Reads 40 hexadecimal digits; upper case becomes lower case.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits: [u8; 40] = text.try_into().ok()?;
        digits.iter().all(u8::is_ascii_hexdigit).then(|| Self(digits.map(|digit| digit.to_ascii_lowercase())))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("the digits are ASCII")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The place of a node in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u16);

impl NodeIndex {
    /// The node at this place.
    pub fn new(index: usize) -> Self {
        Self(u16::try_from(index).expect("NODES_MAX bounds the places"))
    }

    /// The place.
    #[inline]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A node as clients know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The id of the group of a primary and its replicas; every node is a primary so far.
    pub shard: NodeId,
    /// The address that clients reach it at; empty for the cores of this process, which clients reach at the
    /// address that they connected to.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The core behind it, if it is one of this process.
    pub core: Option<u16>,
    /// The number of its process' registration; 0 if it is not registered.
    pub incarnation: u64,
}

impl Node {
    /// Whether it is known to be there.
    pub fn is_live(&self) -> bool {
        self.incarnation != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_and_stable() {
        let ids: std::collections::HashSet<_> =
            (0..10_u64).flat_map(|seed| (0..50).map(move |core| NodeId::derived(seed, core))).collect();
        assert_eq!(ids.len(), 500);
        assert_eq!(NodeId::derived(1, 2), NodeId::derived(1, 2));
    }

    #[test]
    fn ids_are_forty_digits() {
        let id = NodeId::derived(1, 2);
        assert_eq!(NodeId::parse(id.as_str().to_uppercase().as_bytes()), Some(id));
        for wrong in [&b""[..], &[b'a'; 39], &[b'a'; 41], &[b'g'; 40]] {
            assert_eq!(NodeId::parse(wrong), None);
        }
    }
}
