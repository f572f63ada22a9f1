//! Which node owns which slot, as CLUSTER SLOTS tells it.

use std::io;

use crate::cluster::slot::SLOTS;
use crate::wire::control::Control;
use crate::wire::socket::Address;
use crate::wire::value::Value;

/// Nodes with their ranges of slots (first and last).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotMap {
    /// The owners' addresses, without duplicates.
    pub nodes: Vec<Address>,
    /// The owner of every slot, as an index into `nodes`; none where nobody owns it.
    pub owners: Vec<Option<usize>>,
}

impl SlotMap {
    /// Asks a node. `asked_host` stands in for a host that the node leaves empty.
    pub fn ask(control: &mut Control, asked_host: &str) -> io::Result<Self> {
        let reply = control.ask_well(&["CLUSTER", "SLOTS"])?;
        Self::parse(&reply, asked_host)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "CLUSTER SLOTS is not understood"))
    }

    /// Reads a CLUSTER SLOTS reply.
    pub fn parse(reply: &Value, asked_host: &str) -> Option<Self> {
        let mut map = Self { nodes: Vec::new(), owners: vec![None; SLOTS] };
        for range in reply.list()? {
            let [first, last, primary, ..] = range.list()? else { return None };
            let [host, port, ..] = primary.list()? else { return None };
            let host = host.text().filter(|h| !h.is_empty() && *h != "?").unwrap_or(asked_host);
            let address = Address::Tcp(host.to_owned(), u16::try_from(port.int()?).ok()?);
            let node = map.node(address);
            let first = usize::try_from(first.int()?).ok()?;
            let last = usize::try_from(last.int()?).ok()?;
            map.owners.get_mut(first..=last)?.fill(Some(node));
        }
        Some(map)
    }

    /// The index of a node, which is added when it is new.
    pub fn node(&mut self, address: Address) -> usize {
        self.nodes.iter().position(|n| *n == address).unwrap_or_else(|| {
            self.nodes.push(address);
            self.nodes.len() - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(reply: &str) -> Option<SlotMap> {
        let value = Value::read(&mut reply.replace('|', "\r\n").as_bytes()).unwrap();
        SlotMap::parse(&value, "asked")
    }

    #[test]
    fn reads_ranges_and_nodes() {
        let reply = "*3|*3|:0|:8191|*3|$9|127.0.0.1|:7000|$1|a|*4|:8192|:16382|*3|$-1|:7001|$1|b|*3|$1|h|:1|$1|r|\
                     *3|:16383|:16383|*2|$9|127.0.0.1|:7000|";
        let map = parsed(reply).unwrap();
        assert_eq!(map.nodes, [Address::Tcp("127.0.0.1".into(), 7000), Address::Tcp("asked".into(), 7001)]);
        let at = |slot: usize| map.owners[slot];
        assert_eq!((at(0), at(8191), at(8192), at(16_383)), (Some(0), Some(0), Some(1), Some(0)));
    }

    #[test]
    fn gaps_have_no_owner_and_nonsense_no_map() {
        assert_eq!(parsed("*0|").unwrap().owners, vec![None; SLOTS]);
        for reply in ["+OK|", "*1|:1|", "*1|*3|:0|:99999|*2|$1|h|:1|", "*1|*3|:5|:2|*2|$1|h|:1|"] {
            assert!(parsed(reply).is_none(), "{reply}");
        }
    }
}
