//! P6: Whimbrel on two cores, by cluster clients and on the shared port, against Whimbrel on one.

use crate::scenario::cell::Reference;
use crate::scenario::measuring::{Bench, ScenarioError, measure_row};
use crate::scenario::peer::{Kind, Peer};
use crate::scenario::results::Verdict;
use crate::scenario::rows::two_cores;

const ONE_CORE: &str = "one core";
const CLUSTER: &str = "two cores, cluster";
const SHARED_PORT: &str = "two cores, shared port";

/// Measures the three and compares CPU time per operation.
pub fn measure_two_cores(bench: &mut Bench<'_>, peers: &[Peer]) -> Result<(), ScenarioError> {
    let whimbrel = peers.iter().find(|p| p.kind == Kind::Whimbrel).ok_or(ScenarioError::Nothing)?;
    let row = two_cores();
    measure_row(bench, &row, &variants(whimbrel, &bench.options.server_cpus.0, &bench.client_cpus))?;
    bench.note(
        "the load shares a CPU with the second core: CPU time per operation counts here, not throughput"
            .into(),
    );
    for cell in &row.cells {
        let bounds = cell.targets.iter().filter(|t| t.against == Reference::First).map(|t| t.ratio_max);
        for (variant, value_max) in [CLUSTER, SHARED_PORT].into_iter().zip(bounds) {
            let cpu = |name: &str| bench.results.median(&cell.name, name).map(|s| s.cpu_ns_per_operation);
            if let (Some(one), Some(two)) = (cpu(ONE_CORE), cpu(variant)) {
                bench.results.verdicts.push(Verdict {
                    subject: format!("{}, {variant}", cell.name),
                    against: "CPU of one core".into(),
                    value: two / one,
                    value_max,
                });
            }
        }
    }
    Ok(())
}

fn variants(whimbrel: &Peer, server_cpus: &[usize], client_cpus: &[usize]) -> Vec<Peer> {
    let one: Vec<usize> = server_cpus.iter().copied().take(1).collect();
    let mut two = server_cpus.to_vec();
    two.extend(client_cpus.iter().copied().filter(|cpu| !server_cpus.contains(cpu)));
    two.truncate(2);
    let variant = |name: &str, cpus: &[usize], cluster: bool| {
        let mut peer = Peer { name: name.to_owned(), cpus: Some(cpus.to_vec()), cluster, ..whimbrel.clone() };
        if cluster {
            peer.command
                .extend(["--cluster-enabled", "yes", "--core-port-base", "{core_port}"].map(str::to_owned));
        }
        peer
    };
    vec![variant(ONE_CORE, &one, false), variant(CLUSTER, &two, true), variant(SHARED_PORT, &two, false)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_second_core_is_the_clients() {
        let peers = variants(&Peer::whimbrel(Path::new("whimbrel")), &[0], &[1]);
        assert_eq!(peers[0].cpus, Some(vec![0]));
        assert_eq!(peers[1].cpus, Some(vec![0, 1]));
        assert!(peers[1].cluster && peers[1].command.contains(&"--core-port-base".to_owned()));
        assert!(!peers[2].cluster && !peers[2].command.contains(&"--core-port-base".to_owned()));
    }
}
