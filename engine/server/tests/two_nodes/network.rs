//! Two network namespaces with a link that carries what the nodes say to each other and nothing else.
//!
//! Each node has an address of its own, a link to the outside, where clients and etcd are, and one to the other node. So
//! clients and etcd reach both whatever becomes of the link between them. Needs root and `ip`.

use std::process::Command;

/// Networks that may exist at the same time on a machine.
const NETWORKS_MAX: u8 = 250;

/// Namespaces and links; they are gone when it is dropped.
pub struct Network {
    number: u8,
}

impl Network {
    /// Builds one beside those that other tests use; none where the system does not allow it.
    pub fn build() -> Option<Network> {
        // The name of the first namespace reserves the number.
        let number = (1..=NETWORKS_MAX).find(|number| ip(&["netns", "add", &name(*number, "a")]))?;
        let network = Network { number };
        network.connect().then_some(network)
    }

    /// Address of the outside.
    pub fn outside(&self) -> String {
        address(self.number, 1)
    }

    /// Address of a node.
    pub fn address(&self, node: usize) -> String {
        address(self.number, 2 + node as u8)
    }

    /// Namespace of a node.
    pub fn namespace(&self, node: usize) -> String {
        name(self.number, ["a", "b"][node])
    }

    /// Nothing passes between the nodes from here on; connections do not notice.
    pub fn take_link_down(&self) {
        assert!(self.in_node(0, &["link", "set", &self.end(0), "down"]), "the link is there");
    }

    /// It passes again.
    pub fn bring_link_up(&self) {
        assert!(self.in_node(0, &["link", "set", &self.end(0), "up"]), "the link is there");
        assert!(self.route(0) & self.route(1), "routes lead over the link");
    }

    /// Ends every connection between the nodes.
    pub fn reset_connections(&self) {
        let (namespace, other) = (self.namespace(0), self.address(1));
        assert!(ip(&["netns", "exec", &namespace, "ss", "-K", "-H", "dst", &other]), "`ss -K` works");
    }

    fn connect(&self) -> bool {
        let (a, b) = (self.namespace(0), self.namespace(1));
        let mut ok = ip(&["netns", "add", &b]);
        ok &= ip(&[
            "-n",
            &a,
            "link",
            "add",
            &self.end(0),
            "type",
            "veth",
            "peer",
            "name",
            &self.end(1),
            "netns",
            &b,
        ]);
        let outside = format!("{}/32", self.outside());
        for node in 0..2 {
            let own = format!("{}/32", self.address(node));
            let (inner, outer) = (name(self.number, ["ai", "bi"][node]), self.outer(node));
            let namespace = self.namespace(node);
            ok &= self.in_node(node, &["link", "set", "lo", "up"])
                && self.in_node(node, &["address", "add", &own, "dev", "lo"])
                && ip(&["link", "add", &outer, "type", "veth", "peer", "name", &inner, "netns", &namespace])
                && ip(&["address", "add", &outside, "dev", &outer])
                && ip(&["link", "set", &outer, "up"])
                && ip(&["route", "replace", &own, "dev", &outer, "src", &self.outside()])
                && self.in_node(node, &["link", "set", &inner, "up"])
                && self.in_node(
                    node,
                    &["route", "replace", &outside, "dev", &inner, "src", &self.address(node)],
                )
                && self.in_node(node, &["link", "set", &self.end(node), "up"]);
        }
        ok && self.route(0) && self.route(1)
    }

    fn route(&self, node: usize) -> bool {
        let other = format!("{}/32", self.address(1 - node));
        self.in_node(node, &["route", "replace", &other, "dev", &self.end(node), "src", &self.address(node)])
    }

    fn in_node(&self, node: usize, words: &[&str]) -> bool {
        ip(&[&["-n", &self.namespace(node)], words].concat())
    }

    fn end(&self, node: usize) -> String {
        name(self.number, ["ab", "ba"][node])
    }

    fn outer(&self, node: usize) -> String {
        name(self.number, ["ao", "bo"][node])
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for node in 0..2 {
            // What was never built cannot be taken down.
            ip(&["link", "del", &self.outer(node)]);
        }
        // The namespace that reserves the number goes last.
        for node in [1, 0] {
            ip(&["netns", "del", &self.namespace(node)]);
        }
    }
}

fn name(number: u8, role: &str) -> String {
    format!("wt{number}{role}")
}

fn address(number: u8, host: u8) -> String {
    format!("10.214.{number}.{host}")
}

/// Whether `ip` did it.
fn ip(words: &[&str]) -> bool {
    Command::new("ip").args(words).output().is_ok_and(|output| output.status.success())
}
