//! Where a cluster's keys stand in etcd: `/whimbrel/NAME/map` and `/whimbrel/NAME/nodes/PROCESS`.

use whimbrel_engine::topology::NodeId;

/// The longest name of a cluster.
const NAME_BYTES_MAX: usize = 64;

/// Where a cluster's keys stand.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Before all keys of the cluster.
    pub prefix: String,
    /// The key of the map.
    pub map: String,
    /// Before the keys of registrations.
    nodes: String,
}

impl Keys {
    /// The keys of a cluster of this name, which `check_name` has passed.
    pub fn new(name: &str) -> Keys {
        let prefix = format!("/whimbrel/{name}/");
        Keys { map: format!("{prefix}map"), nodes: format!("{prefix}nodes/"), prefix }
    }

    /// The key under which a process registers.
    pub fn registration(&self, process: &NodeId) -> String {
        format!("{}{process}", self.nodes)
    }

    /// The process whose registration this key is.
    pub fn process(&self, key: &str) -> Option<NodeId> {
        NodeId::parse(key.strip_prefix(&self.nodes)?.as_bytes())
    }
}

/// Checks a cluster's name. The error says what it may be.
pub fn check_name(name: &str) -> Result<(), String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(good) {
        return Ok(());
    }
    Err(format!(
        "`cluster-name` is {name:?}.\n    Give 1 to {NAME_BYTES_MAX} letters, digits, dots, hyphens or underscores; it is the \
         same in all processes of a cluster."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_cluster() {
        let (keys, process) = (Keys::new("blue"), NodeId::of_process(1));
        assert_eq!((keys.prefix.as_str(), keys.map.as_str()), ("/whimbrel/blue/", "/whimbrel/blue/map"));
        assert_eq!(keys.process(&keys.registration(&process)), Some(process));
        assert_eq!(keys.process(&keys.map), None);
        assert_eq!(keys.process("/whimbrel/blue/nodes/x"), None);
    }

    #[test]
    fn names() {
        for (name, good) in [("blue-1.a_b", true), ("", false), ("a/b", false), ("a b", false), ("é", false)]
        {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
        assert!(check_name(&"a".repeat(65)).is_err());
    }
}
