//! CLUSTER: nodes and slots. Every core is a node; it answers for its own slots.

mod addslots;
mod addslotsrange;
mod assigning;
mod cancelslotmigrations;
mod countkeysinslot;
mod delslots;
mod delslotsrange;
mod getkeysinslot;
mod getslotmigrations;
mod help;
mod info;
mod keyslot;
mod link;
mod links;
mod migrateslots;
mod myid;
mod myshardid;
mod nodes;
mod reached;
mod shards;
mod slot_stats;
mod slots;

use super::spec::Spec;
use crate::commands::{CommandError, Context, Group};
use crate::key::SlotId;
use crate::number::parse_i64;

pub use link::LINK_VERSION;
pub use reached::reached;

/// The group's commands.
pub const SPECS: &[&Spec] = &[&SPEC];

/// CLUSTER.
pub const SPEC: Spec = Spec {
    name: "cluster",
    syntax: "<subcommand> [<arg> ...]",
    arity: -2,
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Commands about nodes and slots.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &cancelslotmigrations::SPEC,
        &addslots::SPEC,
        &addslotsrange::SPEC,
        &countkeysinslot::SPEC,
        &delslots::SPEC,
        &delslotsrange::SPEC,
        &getkeysinslot::SPEC,
        &getslotmigrations::SPEC,
        &help::SPEC,
        &info::SPEC,
        &keyslot::SPEC,
        &link::SPEC,
        &links::SPEC,
        &migrateslots::SPEC,
        &myid::SPEC,
        &myshardid::SPEC,
        &nodes::SPEC,
        &shards::SPEC,
        &slot_stats::SPEC,
        &slots::SPEC,
    ],
    ..Spec::BASE
};

/// The error of every subcommand while `cluster-enabled` is `no`.
fn check_enabled(context: &Context<'_>) -> Result<(), CommandError> {
    if context.core.config.cluster_enabled {
        return Ok(());
    }
    Err(CommandError::Static("ERR This instance has cluster support disabled"))
}

/// A slot's number as an argument; `invalid` is the error for a number beyond the slots.
fn slot(word: &[u8], invalid: &'static str) -> Result<SlotId, CommandError> {
    let number = parse_i64(word).ok_or(CommandError::NotInteger)?;
    usize::try_from(number).ok().and_then(SlotId::new).ok_or(CommandError::Static(invalid))
}

#[cfg(test)]
mod tests {
    use super::SPEC;
    use crate::commands::testing::Bench;

    #[test]
    fn without_cluster_mode_there_is_no_cluster() {
        let mut bench = Bench::default();
        let without = [
            "help",
            "shards",
            "slot-stats",
            "myid",
            "migrateslots",
            "getslotmigrations",
            "cancelslotmigrations",
        ];
        for spec in SPEC.subcommands.iter().filter(|spec| !without.contains(&spec.short_name())) {
            let arguments = " 0".repeat(spec.arity.unsigned_abs() as usize - 2);
            let request = format!("CLUSTER {}{arguments}", spec.short_name());
            bench.check(&format!("{request} -> -ERR This instance has cluster support disabled"));
        }
    }
}
