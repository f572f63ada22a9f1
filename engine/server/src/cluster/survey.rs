//! What the nodes of a cluster say of themselves, read anew each time.

use whimbrel_engine::key::SLOT_COUNT;

use super::connection::{ClientError, Connection, Reply};
use super::report::MoveReport;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Where it is reached.
    pub address: String,
    /// Whether the others know it to be there.
    pub is_live: bool,
    /// The slots that it owns, in order.
    pub slots: Vec<usize>,
}

/// What is in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotStats {
    /// Keys.
    pub keys: u64,
    /// Memory that they take.
    pub bytes: u64,
    /// Commands, as they came lately.
    pub load: u64,
}

/// How nodes are reached.
#[derive(Clone, Debug)]
pub struct Access {
    /// The node that is asked who there is.
    pub entry: String,
    /// The nodes' password.
    pub password: Option<String>,
}

/// A cluster, or the cores of one process.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The nodes, by address.
    pub nodes: Vec<Node>,
    /// By slot.
    pub stats: Vec<SlotStats>,
    /// Moves, as their sources tell them; the earliest first.
    pub moves: Vec<MoveReport>,
    /// Addresses that did not answer, and why.
    pub silent: Vec<(String, String)>,
}

impl Access {
    /// A connection to an address.
    pub fn open(&self, address: &str) -> Result<Connection, String> {
        Connection::open(address, self.password.as_deref()).map_err(|error| format!("{address}: {error}"))
    }

    /// Sends one command to an address.
    pub fn ask(&self, address: &str, words: &[&str]) -> Result<Reply, String> {
        self.open(address)?.ask(words).map_err(|error| format!("{address}: {error}"))
    }

    /// The nodes, by address.
    pub fn nodes(&self) -> Result<Vec<Node>, String> {
        let reply = self.ask(&self.entry, &["CLUSTER", "SHARDS"])?;
        let nodes: Option<Vec<Node>> = reply.elements().iter().map(node).collect();
        let mut nodes = nodes.ok_or_else(|| format!("{}: {}", self.entry, ClientError::Malformed))?;
        nodes.sort_by(|one, other| (&one.address, &one.slots).cmp(&(&other.address, &other.slots)));
        Ok(nodes)
    }

    /// Everything there is to know. Nodes that do not answer are left out of the sums and named.
    pub fn survey(&self) -> Result<Survey, String> {
        let nodes = self.nodes()?;
        let stats = vec![SlotStats::default(); SLOT_COUNT];
        let mut survey = Survey { nodes, stats, ..Survey::default() };
        for address in survey.addresses() {
            if let Err(reason) = self.ask_all(&address, &mut survey) {
                survey.silent.push((address, reason));
            }
        }
        survey.moves.sort_by(|one, other| (one.created_s, &one.name).cmp(&(other.created_s, &other.name)));
        Ok(survey)
    }

    fn ask_all(&self, address: &str, survey: &mut Survey) -> Result<(), String> {
        let mut connection = self.open(address)?;
        let mut ask = |words: &[&str]| connection.ask(words).map_err(|error| format!("{address}: {error}"));
        let last = (SLOT_COUNT - 1).to_string();
        let stats = ask(&["CLUSTER", "SLOT-STATS", "SLOTSRANGE", "0", &last])?;
        for entry in stats.elements() {
            let (slot, values) = match entry.elements() {
                [slot, values] => (slot.count().unwrap_or(u64::MAX) as usize, values),
                _ => continue,
            };
            if let Some(stats) = survey.stats.get_mut(slot) {
                let value = |name: &str| values.field(name).and_then(Reply::count).unwrap_or(0);
                *stats = SlotStats {
                    keys: value("key-count"),
                    bytes: value("memory-bytes"),
                    load: value("commands-per-second"),
                };
            }
        }
        let moves = ask(&["CLUSTER", "GETSLOTMIGRATIONS"])?;
        survey
            .moves
            .extend(moves.elements().iter().filter_map(MoveReport::read).filter(|report| report.is_export));
        Ok(())
    }

    /// The moves that these addresses are the sources of. Those that do not answer come back with their reasons.
    pub fn moves(&self, addresses: &[String]) -> (Vec<MoveReport>, Vec<String>) {
        let (mut moves, mut silent) = (Vec::new(), Vec::new());
        for address in addresses {
            match self.ask(address, &["CLUSTER", "GETSLOTMIGRATIONS"]) {
                Ok(reply) => moves.extend(reply.elements().iter().filter_map(MoveReport::read)),
                Err(reason) => silent.push(reason),
            }
        }
        moves.retain(|report| report.is_export);
        moves.sort_by(|one, other| (one.created_s, &one.name).cmp(&(other.created_s, &other.name)));
        moves.dedup_by(|one, other| one.name == other.name);
        (moves, silent)
    }
}

impl Survey {
    /// The addresses of nodes that are there, each once: several cores may share one.
    pub fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> =
            self.nodes.iter().filter(|node| node.is_live).map(|node| node.address.clone()).collect();
        addresses.dedup();
        addresses
    }

    /// What a node has.
    pub fn sum(&self, node: &Node) -> SlotStats {
        node.slots.iter().map(|slot| self.stats[*slot]).fold(SlotStats::default(), |sum, stats| SlotStats {
            keys: sum.keys + stats.keys,
            bytes: sum.bytes + stats.bytes,
            load: sum.load + stats.load,
        })
    }
}

/// The node that an operator means: by id, the beginning of one, or address.
pub fn find<'n>(nodes: &'n [Node], word: &str) -> Result<&'n Node, String> {
    let found: Vec<&Node> = nodes
        .iter()
        .filter(|node| node.address == word || (!word.is_empty() && node.id.starts_with(word)))
        .collect();
    match found[..] {
        [node] => Ok(node),
        [] => Err(format!("there is no node `{word}`.\n    `whimbrel cluster status` shows them.")),
        _ => Err(format!("`{word}` is {} nodes.\n    Give more of the id of one of them.", found.len())),
    }
}

/// The address of a node, or its id if it is not known.
pub fn name<'n>(nodes: &'n [Node], id: &'n str) -> &'n str {
    let shares = |node: &Node| nodes.iter().filter(|other| other.address == node.address).count() > 1;
    match nodes.iter().find(|node| node.id == id) {
        Some(node) if !shares(node) => &node.address,
        _ => &id[..id.len().min(8)],
    }
}

fn node(shard: &Reply) -> Option<Node> {
    let node = shard.field("nodes")?.elements().first()?;
    let text = |name: &str| node.field(name).map(|value| value.text().to_owned());
    let host = text("endpoint")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let numbers: Option<Vec<u64>> = shard.field("slots")?.elements().iter().map(Reply::count).collect();
    let slots = numbers?.chunks_exact(2).flat_map(|pair| pair[0] as usize..=pair[1] as usize).collect();
    Some(Node {
        id: text("id")?,
        address: format!("{host}:{}", node.field("port")?.count()?),
        is_live: text("health")? == "online",
        slots,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Text(text.to_owned())
    }

    fn shard(id: &str, host: &str, ranges: &[i64], health: &str) -> Reply {
        let fields = [
            ("id", text(id)),
            ("endpoint", text(host)),
            ("health", text(health)),
            ("port", Reply::Integer(7000)),
        ];
        let node = fields.into_iter().flat_map(|(name, value)| [text(name), value]).collect();
        let slots = ranges.iter().map(|number| Reply::Integer(*number)).collect();
        Reply::Array(vec![
            text("slots"),
            Reply::Array(slots),
            text("nodes"),
            Reply::Array(vec![Reply::Array(node)]),
        ])
    }

    #[test]
    fn nodes_are_read_from_shards() {
        let read = node(&shard("abc", "::1", &[0, 2, 9, 9], "online")).unwrap();
        let expected = Node {
            id: "abc".to_owned(),
            address: "[::1]:7000".to_owned(),
            is_live: true,
            slots: vec![0, 1, 2, 9],
        };
        assert_eq!(read, expected);
        assert!(!node(&shard("abc", "h", &[], "fail")).unwrap().is_live);
        assert!(node(&Reply::Null).is_none());
    }

    #[test]
    fn nodes_are_found_by_what_operators_write() {
        let nodes: Vec<Node> = [("abc", "h"), ("abd", "i")]
            .iter()
            .filter_map(|(id, host)| node(&shard(id, host, &[], "online")))
            .collect();
        assert_eq!(find(&nodes, "abd").unwrap().address, "i:7000");
        assert_eq!(find(&nodes, "h:7000").unwrap().id, "abc");
        assert!(find(&nodes, "ab").unwrap_err().contains("2 nodes"));
        assert!(find(&nodes, "x").unwrap_err().contains("no node"));
        assert_eq!((name(&nodes, "abc"), name(&nodes, "0123456789")), ("h:7000", "01234567"));
    }
}
