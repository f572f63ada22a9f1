//! The texts that clients read: CLUSTER NODES, CLUSTER INFO and MOVED.

use super::{NodeIndex, Topology};
use crate::key::{SLOT_COUNT, SlotId};
use std::fmt::Write;

const TO_STRING: &str = "writing to a String cannot fail";

impl Topology {
    /// The address of a node: its own, or `reached`, the one at which the client reached this process.
    pub fn host<'a>(&'a self, node: NodeIndex, reached: &'a str) -> &'a str {
        match self.node(node).host.as_str() {
            "" => reached,
            host => host,
        }
    }

    /// Whether a node is known to be there. A core never doubts itself.
    pub fn is_live(&self, node: NodeIndex) -> bool {
        node == self.myself() || self.node(node).is_live()
    }

    /// CLUSTER NODES. There is no gossip: the bus port is 0, no ping is ever sent, and the link to a node is up as long
    /// as its process is registered.
    pub fn nodes_text(&self, reached: &str) -> String {
        let mut out = String::new();
        for ((index, node), ranges) in self.nodes().zip(self.ranges_by_node()) {
            let (flags, link) = match index {
                index if index == self.myself() => ("myself,master", "connected"),
                index if self.is_live(index) => ("master", "connected"),
                _ => ("master,fail", "disconnected"),
            };
            let host = self.host(index, reached);
            write!(out, "{} {host}:{}@0 {flags} - 0 0 {} {link}", node.id, node.port, self.epoch())
                .expect(TO_STRING);
            ranges.iter().for_each(|range| write!(out, " {range}").expect(TO_STRING));
            out.push('\n');
        }
        out
    }

    /// How many slots belong to nodes that are not known to be there.
    pub fn orphaned(&self) -> usize {
        let lost = |(index, _): &(NodeIndex, _)| !self.is_live(*index);
        self.nodes().filter(lost).map(|(index, _)| self.slots_of(index) as usize).sum()
    }

    /// Whether commands are served: every slot has an owner, or that is not required. An owner that is not there does not
    /// keep the others from serving.
    pub fn serves(&self, require_full_coverage: bool) -> bool {
        !require_full_coverage || self.assigned() == SLOT_COUNT
    }

    /// CLUSTER INFO. `is_serving`: whether this core may serve what it owns.
    pub fn info_text(&self, is_serving: bool, require_full_coverage: bool) -> String {
        let state = if is_serving && self.serves(require_full_coverage) { "ok" } else { "fail" };
        let (assigned, orphaned, epoch) = (self.assigned(), self.orphaned(), self.epoch());
        let size = self.ranges_by_node().iter().filter(|ranges| !ranges.is_empty()).count();
        let fields = [
            ("state", state.to_owned()),
            ("slots_assigned", assigned.to_string()),
            ("slots_ok", (assigned - orphaned).to_string()),
            ("slots_pfail", "0".to_owned()),
            ("slots_fail", orphaned.to_string()),
            ("known_nodes", self.nodes().count().to_string()),
            ("size", size.to_string()),
            ("current_epoch", epoch.to_string()),
            ("my_epoch", epoch.to_string()),
            ("stats_messages_sent", "0".to_owned()),
            ("stats_messages_received", "0".to_owned()),
        ];
        let lines = fields.iter().map(|(name, value)| format!("cluster_{name}:{value}\r\n"));
        lines.collect::<String>() + "total_cluster_links_buffer_limit_exceeded:0\r\n"
    }

    /// The redirection to a slot's owner, without `-`; `None` if nobody owns it.
    pub fn moved(&self, slot: SlotId, reached: &str) -> Option<String> {
        let owner = self.owner(slot)?;
        Some(format!("MOVED {} {}:{}", slot.number(), self.host(owner, reached), self.node(owner).port))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::cores;
    use super::super::{Node, NodeId, SlotRange};
    use super::*;

    #[test]
    fn nodes_are_written_as_redis_writes_them() {
        let mut topology = cores(2, 1);
        topology.add(Node {
            id: NodeId::parse(&[b'a'; 40]).unwrap(),
            shard: NodeId::parse(&[b'b'; 40]).unwrap(),
            host: "10.0.0.9".to_owned(),
            port: 7000,
            core: None,
            incarnation: 0,
        });
        topology.assign(&[SlotRange::new(5, 5).unwrap()], Some(NodeIndex::new(2)), 2);
        let (one, two) = (topology.node(NodeIndex::new(0)).id, topology.node(NodeIndex::new(1)).id);
        assert_eq!(
            topology.nodes_text("127.0.0.1"),
            format!(
                "{one} 127.0.0.1:7000@0 master - 0 0 2 connected 0-4 6-8191\n\
                 {two} 127.0.0.1:7001@0 myself,master - 0 0 2 connected 8192-16383\n\
                 {} 10.0.0.9:7000@0 master,fail - 0 0 2 disconnected 5\n",
                "a".repeat(40)
            )
        );
    }

    #[test]
    fn info_tells_whether_all_slots_are_served() {
        let mut topology = cores(2, 0);
        assert!(topology.info_text(true, true).starts_with(
            "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\ncluster_slots_pfail:0\r\n\
             cluster_slots_fail:0\r\ncluster_known_nodes:2\r\ncluster_size:2\r\ncluster_current_epoch:1\r\n"
        ));
        topology.assign(&[SlotRange::new(0, 0).unwrap()], None, 2);
        assert!(
            topology
                .info_text(true, true)
                .starts_with("cluster_state:fail\r\ncluster_slots_assigned:16383\r\n")
        );
        assert!(topology.info_text(true, false).starts_with("cluster_state:ok\r\n"));
    }

    #[test]
    fn slots_of_nodes_that_are_gone_are_told_and_do_not_stop_the_others() {
        let mut topology = cores(2, 0);
        let gone =
            Node { incarnation: 0, id: NodeId::derived(9, 9), ..topology.node(NodeIndex::new(1)).clone() };
        topology.add(gone);
        topology.assign(&[SlotRange::new(0, 9).unwrap()], Some(NodeIndex::new(2)), 2);
        let text = topology.info_text(true, true);
        assert!(text.starts_with("cluster_state:ok\r\n"), "{text}");
        assert!(text.contains("slots_ok:16374\r\n") && text.contains("slots_fail:10\r\n"), "{text}");
        assert!(topology.info_text(false, true).starts_with("cluster_state:fail\r\n"));
    }

    #[test]
    fn redirections_name_slot_and_owner() {
        let mut topology = cores(2, 0);
        let slot = SlotId::of(b"foo");
        assert_eq!(topology.moved(slot, "::1").as_deref(), Some("MOVED 12182 ::1:7001"));
        topology.assign(&[SlotRange::new(0, SLOT_COUNT - 1).unwrap()], None, 2);
        assert_eq!(topology.moved(slot, "::1"), None);
    }
}
