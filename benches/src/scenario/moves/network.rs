//! Two network namespaces with a link that carries what the nodes say to each other and nothing else.
//!
//! Source and target each have an address of their own, a link to the outside, where clients and etcd are, and one to each
//! other. Clients therefore reach both whatever becomes of the link between them. Needs root and `ip`.

use std::fs;
use std::io;
use std::process::Command;

/// Address of the outside.
const OUTSIDE: &str = "10.213.0.1";
/// Addresses of source and target.
const NODES: [&str; 2] = ["10.213.1.1", "10.213.2.1"];

/// What went over a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bytes, with one set of headers for each packet.
    pub bytes: u64,
    /// Packets. The kernel hands this link large ones, which would be cut into segments elsewhere.
    pub packets: u64,
}

impl Sent {
    /// Bytes on a link that carries packets of 1500 bytes. Where packets of this one would be cut is not known: each may leave
    /// a segment that is not full, which makes it this at the most.
    pub fn bytes_in_segments(self) -> u64 {
        let data = self.bytes.saturating_sub(self.packets * HEADER_BYTES);
        self.bytes + data / SEGMENT_BYTES * HEADER_BYTES
    }
}

/// Headers of Ethernet, IPv4, and TCP with timestamps.
const HEADER_BYTES: u64 = 66;
/// What a full segment carries.
const SEGMENT_BYTES: u64 = 1448;

/// Namespaces and links; they are gone when it is dropped.
#[derive(Debug)]
pub struct Network {
    namespaces: [String; 2],
    /// Ends of the link between the nodes.
    ends: [String; 2],
    /// Ends outside of the links to the nodes.
    outer_ends: [String; 2],
}

impl Network {
    /// Builds it. Processes with the same `number` must not overlap in time.
    pub fn build(number: u32) -> io::Result<Self> {
        let name = |role: &str| format!("wb{number}{role}");
        let network = Self {
            namespaces: ["a", "b"].map(name),
            // Names of interfaces have 15 characters at the most.
            ends: ["ab", "ba"].map(name),
            outer_ends: ["ao", "bo"].map(name),
        };
        let [a, b] = &network.namespaces;
        for namespace in [a, b] {
            ip(&["netns", "add", namespace])?;
            ip(&["-n", namespace, "link", "set", "lo", "up"])?;
        }
        let [ab, ba] = &network.ends;
        ip(&["-n", a, "link", "add", ab, "type", "veth", "peer", "name", ba, "netns", b])?;
        for (index, namespace) in network.namespaces.iter().enumerate() {
            let (inner, outer) = (name(["ai", "bi"][index]), &network.outer_ends[index]);
            let (node, other, end) = (NODES[index], NODES[1 - index], &network.ends[index]);
            ip(&["link", "add", outer, "type", "veth", "peer", "name", &inner, "netns", namespace])?;
            ip(&["address", "add", &format!("{OUTSIDE}/32"), "dev", outer])?;
            ip(&["link", "set", outer, "up"])?;
            ip(&["route", "replace", &format!("{node}/32"), "dev", outer, "src", OUTSIDE])?;
            ip(&["-n", namespace, "address", "add", &format!("{node}/32"), "dev", "lo"])?;
            ip(&["-n", namespace, "link", "set", &inner, "up"])?;
            ip(&["-n", namespace, "route", "replace", &format!("{OUTSIDE}/32"), "dev", &inner, "src", node])?;
            ip(&["-n", namespace, "link", "set", end, "up"])?;
            ip(&["-n", namespace, "route", "replace", &format!("{other}/32"), "dev", end, "src", node])?;
        }
        Ok(network)
    }

    /// Where clients and etcd are.
    pub fn outside(&self) -> &'static str {
        OUTSIDE
    }

    /// Address and namespace of the source (0) or the target (1).
    pub fn node(&self, index: usize) -> (&'static str, &str) {
        (NODES[index], &self.namespaces[index])
    }

    /// Ends every connection between the nodes.
    pub fn cut(&self) -> io::Result<()> {
        let words = ["netns", "exec", &self.namespaces[0], "ss", "-K", "-H", "dst", NODES[1]];
        ip(&words)
    }

    /// What has left `source`, a process in the source's namespace, for the target.
    pub fn sent(&self, source: u32) -> io::Result<Sent> {
        let table = fs::read_to_string(format!("/proc/{source}/net/dev"))?;
        sent(&table, &self.ends[0])
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the link is not in /proc/PID/net/dev"))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What was never built cannot be taken down.
        for outer in &self.outer_ends {
            // A namespace that is gone takes its links with it only later.
            let _ = ip(&["link", "del", outer]);
        }
        for namespace in &self.namespaces {
            let _ = ip(&["netns", "del", namespace]);
        }
    }
}

fn ip(words: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(words).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("ip {}: {said}", words.join(" "))))
}

/// The ninth and the tenth number behind an interface's name.
fn sent(table: &str, interface: &str) -> Option<Sent> {
    let numbers =
        table.lines().find_map(|line| line.trim_start().strip_prefix(interface)?.strip_prefix(':'))?;
    let mut numbers = numbers.split_ascii_whitespace().skip(8).map(str::parse);
    Some(Sent { bytes: numbers.next()?.ok()?, packets: numbers.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sent_bytes_are_found_by_the_interface() {
        let table =
            "Inter-| Receive | Transmit\n    lo: 1 2 3 4 5 6 7 8 9 10\n  wb1ab: 11 0 0 0 0 0 0 0 99 3 0\n";
        let found = |bytes, packets| Some(Sent { bytes, packets });
        assert_eq!(
            (sent(table, "lo"), sent(table, "wb1ab"), sent(table, "wb1")),
            (found(9, 10), found(99, 3), None)
        );
    }

    #[test]
    fn large_packets_count_as_their_segments() {
        for (bytes, packets, all) in [(66, 1, 66), (1514, 1, 1580), (66 + 14_480, 1, 66 + 15_140), (0, 0, 0)]
        {
            assert_eq!(Sent { bytes, packets }.bytes_in_segments(), all);
        }
    }
}
