//! The name of one connection on one core, never given to another while the process remembers it.

/// Bits of a generation that fit into a completion's user data beside the index and the operation.
const GENERATION_BITS: u32 = 28;

/// A connection of one reactor: its place in the table, and which of the connections that stood there it is.
///
/// An id outlives its connection harmlessly: every call with a stale one does nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConnectionId {
    pub(crate) index: u32,
    /// 1 ≤ generation < 2^28; wraps after 268 million connections in the same place.
    pub(crate) generation: u32,
}

impl ConnectionId {
    /// The id as one number, unique within its reactor.
    pub fn as_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The place of the connection, `0 ≤ index < connections_max`: for a service's own dense tables.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

/// The generation that follows `generation`; never 0, which names no connection.
pub(crate) fn next_generation(generation: u32) -> u32 {
    let next = (generation + 1) & ((1 << GENERATION_BITS) - 1);
    next.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_wrap_past_zero() {
        assert_eq!(next_generation(0), 1);
        assert_eq!(next_generation(41), 42);
        assert_eq!(next_generation((1 << GENERATION_BITS) - 1), 1);
    }
}
