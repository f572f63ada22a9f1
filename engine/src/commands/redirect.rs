//! Cluster mode: a command runs on the core that owns its keys' slot, and clients are told where that is.

use super::cluster::reached;
use super::error::CommandError;
use super::keys::for_each_key;
use super::spec::Spec;
use crate::core::Core;
use crate::key::SlotId;
use crate::resp::Arguments;
use crate::session::Session;

/// The error that sends the client elsewhere, if this core does not own the command's keys.
pub fn redirect(
    core: &Core,
    session: &Session,
    spec: &Spec,
    arguments: &Arguments<'_>,
) -> Result<(), CommandError> {
    let Some(slot) = common_slot(core, spec, arguments)? else { return Ok(()) };
    let covered = core.topology.serves(core.config.cluster_require_full_coverage);
    if core.is_serving && covered && core.topology.owns(slot) {
        return Ok(());
    }
    match core.topology.moved(slot, reached(core, session)) {
        _ if !core.is_serving => Err(CommandError::Static("CLUSTERDOWN The cluster is down")),
        None => Err(CommandError::Static("CLUSTERDOWN Hash slot not served")),
        Some(_) if !covered => Err(CommandError::Static("CLUSTERDOWN The cluster is down")),
        Some(text) => Err(CommandError::Text(text)),
    }
}

/// The slot that all keys lie in; none without keys. Arguments that name no keys are left to the command's own errors.
#[inline]
fn common_slot(core: &Core, spec: &Spec, arguments: &Arguments<'_>) -> Result<Option<SlotId>, CommandError> {
    let (mut first, mut crosses) = (None, false);
    let found = for_each_key(spec, arguments, |position, _| {
        let slot = core.foreknown.slot(arguments.at(position));
        crosses |= *first.get_or_insert(slot) != slot;
    });
    match found {
        Ok(()) if crosses => {
            Err(CommandError::Static("CROSSSLOT Keys in request don't hash to the same slot"))
        }
        Ok(()) => Ok(first),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Bench;
    use crate::commands::{Access, Keys};
    use crate::resp::OwnedArguments;
    use crate::topology::SlotRange;

    #[test]
    fn keys_decide_where_a_command_runs() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        let spec = Spec { keys: Keys::range(1, -1, 1, Access::READ), ..Spec::BASE };
        let session = Session { local: "10.0.0.1:7000".to_owned(), ..Session::default() };
        let ask = |line: &str| {
            let words: OwnedArguments = line.split(' ').collect();
            redirect(&bench.core, &session, &spec, &words.view()).map_err(|error| error.to_string())
        };
        // bar lies in slot 5061, foo in slot 12182.
        assert_eq!(ask("mget bar {bar}2"), Ok(()));
        assert_eq!(ask("mget foo"), Err("MOVED 12182 10.0.0.1:7001".to_owned()));
        assert_eq!(
            ask("mget foo bar"),
            Err("CROSSSLOT Keys in request don't hash to the same slot".to_owned())
        );
        assert_eq!(ask("mget"), Ok(()));
    }

    #[test]
    fn slots_without_an_owner_stop_the_others_if_all_are_required() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        bench.core.topology.assign(&[SlotRange::new(12182, 12182).unwrap()], None, 2);
        bench.check(
            "
            GET foo -> -CLUSTERDOWN Hash slot not served
            GET bar -> -CLUSTERDOWN The cluster is down
            CLUSTER INFO -> $...cluster_state:fail ...
            @config cluster-require-full-coverage no
            GET foo -> -CLUSTERDOWN Hash slot not served
            GET bar -> $-1
            ",
        );
    }

    #[test]
    fn a_core_whose_lease_may_have_run_out_serves_no_key() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        bench.core.is_serving = false;
        bench.check(
            "
            GET foo -> -CLUSTERDOWN The cluster is down
            GET bar -> -CLUSTERDOWN The cluster is down
            PING -> +PONG
            CLUSTER INFO -> $...cluster_state:fail ...
            ",
        );
    }
}
