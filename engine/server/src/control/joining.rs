//! How the configuration says that a process takes part in a cluster.

use std::net::IpAddr;
use std::time::Duration;

use whimbrel_engine::config::Config;
use whimbrel_engine::topology::NodeId;

use super::etcd::Membership;
use super::etcd::gateway::check_endpoint;
use super::etcd::keys::check_name;
use super::own_nodes;
use crate::plan::Plan;

/// Whether the process takes part in a cluster; then every core is a node of it. Endpoints are separated afterwards. The
/// error says what to change.
pub fn complete(config: &mut Config) -> Result<bool, String> {
    let words = config.etcd.iter().flat_map(|word| word.split(',')).filter(|word| !word.is_empty());
    config.etcd = words.map(check_endpoint).collect::<Result<_, _>>()?;
    match (config.cluster_name.is_empty(), config.etcd.is_empty()) {
        (true, true) => Ok(false),
        (true, false) => Err("`etcd` is set, and `cluster-name` is not.\n    Name the cluster.".to_owned()),
        (false, true) => Err(
            "`cluster-name` is set, and `etcd` is not.\n    Give the endpoints of the etcd that keeps the \
                              cluster's slot map, or leave `cluster-name` out."
                .to_owned(),
        ),
        (false, false) => {
            check_name(&config.cluster_name)?;
            config.cluster_enabled = true;
            Ok(true)
        }
    }
}

/// The address at which the other processes and their clients reach this one.
pub fn host(config: &Config, plan: &Plan) -> Result<String, String> {
    if !config.cluster_announce_ip.is_empty() {
        return Ok(config.cluster_announce_ip.clone());
    }
    let mut addresses = plan.cores.iter().flat_map(|core| &core.own).map(|address| address.socket.ip());
    let plain = addresses.find(|address| !address.is_unspecified());
    plain.as_ref().map(IpAddr::to_string).ok_or_else(|| {
        "the processes of a cluster cannot be told an address: `bind` names none.\n    Set `cluster-announce-ip` to the \
         address at which they reach this one."
            .to_owned()
    })
}

/// How the process takes part in its cluster.
pub fn membership(config: &Config, plan: &Plan, seed: u64) -> Result<Membership, String> {
    let host = host(config, plan)?;
    Ok(Membership {
        cluster: config.cluster_name.clone(),
        endpoints: config.etcd.clone(),
        lease: Duration::from_secs(config.cluster_lease_seconds.into()),
        process: NodeId::of_process(seed),
        own: own_nodes(plan, config, seed, &host, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &str) -> Result<Config, String> {
        let mut config = Config::default();
        whimbrel_engine::config::load(&mut config, "test", settings.as_bytes(), &mut |_| Ok(Vec::new()))
            .map_err(|errors| errors[0].to_string())?;
        complete(&mut config).map(|_| config)
    }

    #[test]
    fn a_cluster_has_a_name_and_a_store() {
        assert!(!config("").unwrap().cluster_enabled);
        let joined = config("cluster-name blue\netcd http://a:1,http://b:2/ http://c:3").unwrap();
        assert!(joined.cluster_enabled);
        assert_eq!(joined.etcd, ["http://a:1", "http://b:2", "http://c:3"]);
        for (settings, expected) in [
            ("cluster-name blue", "`etcd` is not"),
            ("etcd http://a:1", "`cluster-name` is not"),
            ("cluster-name a/b\netcd http://a:1", "Give 1 to 64"),
            ("cluster-name blue\netcd https://a:1", "no TLS"),
            ("cluster-name blue\netcd a:1", "http://127.0.0.1:2379"),
        ] {
            let error = config(settings).unwrap_err();
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }

    #[test]
    fn others_are_told_an_address() {
        for (settings, expected) in [
            ("", Some("127.0.0.1")),
            ("bind * 10.0.0.7", Some("10.0.0.7")),
            ("bind *\ncluster-announce-ip cache-1", Some("cache-1")),
            ("bind *", None),
        ] {
            let config = config(&format!("cluster-name b\netcd http://a:1\n{settings}")).unwrap();
            let plan = Plan::new(&config, &[0]).unwrap();
            assert_eq!(host(&config, &plan).ok().as_deref(), expected, "{settings}");
        }
    }
}
