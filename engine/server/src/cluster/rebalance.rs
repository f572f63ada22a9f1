//! `whimbrel cluster rebalance`: slots go from nodes that have more than their share to nodes that have less.

use std::collections::{BTreeSet, VecDeque};

use serde_json::json;

use super::options::By;
use super::planner::{Load, Transfer, plan};
use super::progress::{Interrupted, LOOK_EVERY, Watch, Watched};
use super::report::MoveReport;
use super::survey::{self, Access, Node, SlotStats, Survey};
use super::transfer::{begin, conclude};
use super::{figures, print, slots};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// What the nodes are to have alike.
    pub by: By,
    /// Within how many percent of the average a node is left alone.
    pub threshold: u32,
    /// Only these nodes, if there are any.
    pub nodes: &'a [String],
    /// How many moves go on at once.
    pub at_once: usize,
    /// Whether that is only to be looked at.
    pub is_dry: bool,
}

/// Moves what a plan says, a few moves at a time. Moves that go on already are waited for first: run again after an
/// interrupt, it goes on from what there is.
pub fn run(access: &Access, is_json: bool, order: &Order<'_>) -> Result<(), String> {
    let interrupted = Interrupted::watch()?;
    let mut survey = access.survey()?;
    let known = survey.nodes.clone();
    let mut watch = Watch::new(access, &known, &interrupted, is_json);
    let going: Vec<MoveReport> = survey.moves.iter().filter(|report| !report.is_over()).cloned().collect();
    if !going.is_empty() && !order.is_dry {
        going.into_iter().for_each(|report| watch.add(report));
        if let outcome @ Watched::Interrupted = watch.until_over()? {
            return conclude(is_json, &watch, &outcome);
        }
        survey = access.survey()?;
    }
    let nodes = chosen(&survey, order.nodes)?;
    let transfers = plan(&loads(&survey, &nodes, order.by), order.threshold);
    if order.is_dry || transfers.is_empty() {
        return describe(is_json, &survey, &nodes, order, &transfers);
    }
    let mut waiting: VecDeque<&Transfer> = transfers.iter().collect();
    loop {
        while watch.active() < order.at_once {
            let Some(transfer) = waiting.pop_front() else { break };
            let (from, to) = (nodes[transfer.from], nodes[transfer.to]);
            begin(access, from, to, &transfer.slots)?.into_iter().for_each(|report| watch.add(report));
        }
        watch.look()?;
        if interrupted.is_set() {
            return conclude(is_json, &watch, &Watched::Interrupted);
        }
        if watch.active() == 0 && waiting.is_empty() {
            return conclude(is_json, &watch, &Watched::Over);
        }
        if watch.failed() > 0 && watch.active() == 0 {
            // What failed once would be planned around by nobody: the operator looks at it first.
            return conclude(is_json, &watch, &Watched::Over);
        }
        if watch.failed() > 0 {
            waiting.clear();
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The nodes that take part: those that were named, or all that are there.
fn chosen<'s>(survey: &'s Survey, words: &[String]) -> Result<Vec<&'s Node>, String> {
    let named: Vec<&Node> =
        words.iter().map(|word| survey::find(&survey.nodes, word)).collect::<Result<_, _>>()?;
    let is_silent = |node: &Node| survey.silent.iter().any(|(address, _)| *address == node.address);
    if let Some(node) = named.iter().find(|node| !node.is_live || is_silent(node)) {
        return Err(format!("{} does not answer, so nothing can be planned for it.", node.address));
    }
    let mut seen = BTreeSet::new();
    let all = survey.nodes.iter().filter(|node| node.is_live && !is_silent(node));
    let nodes: Vec<&Node> = if words.is_empty() { all.collect() } else { named };
    Ok(nodes.into_iter().filter(|node| seen.insert(&node.id)).collect())
}

fn loads(survey: &Survey, nodes: &[&Node], by: By) -> Vec<Load> {
    let weight = |stats: SlotStats| match by {
        By::Keys => stats.keys,
        By::Bytes => stats.bytes,
        By::Load => stats.load,
        By::Slots => 1,
    };
    let load = |node: &&Node| Load {
        slots: node.slots.iter().map(|slot| (*slot, weight(survey.stats[*slot]))).collect(),
    };
    nodes.iter().map(load).collect()
}

/// Says what a plan would move.
fn describe(
    is_json: bool,
    survey: &Survey,
    nodes: &[&Node],
    order: &Order<'_>,
    transfers: &[Transfer],
) -> Result<(), String> {
    let (mut text, mut all) = (String::new(), Vec::new());
    for transfer in transfers {
        let (from, to) = (nodes[transfer.from], nodes[transfer.to]);
        let sum = survey.sum(&Node { slots: transfer.slots.clone(), ..from.clone() });
        text.push_str(&format!(
            "{} → {}: {} slots ({}), {} keys, {}\n",
            survey::name(&survey.nodes, &from.id),
            survey::name(&survey.nodes, &to.id),
            transfer.slots.len(),
            slots::text(&transfer.slots),
            figures::count(sum.keys),
            figures::bytes(sum.bytes),
        ));
        all.push(json!({
            "source_node": from.id,
            "target_node": to.id,
            "slots": slots::ranges(&transfer.slots),
            "slot_count": transfer.slots.len(),
            "keys": sum.keys,
            "bytes": sum.bytes,
            "load": sum.load,
            "weight": transfer.weight,
        }));
    }
    if is_json {
        return print(&format!("{}\n", json!({"plan": all, "moves": []})));
    }
    if text.is_empty() {
        text = format!(
            "Nothing is to be moved: no node can be brought nearer to within {} % of the average.\n",
            order.threshold
        );
    }
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey() -> Survey {
        let node =
            |id: &str, is_live, slots| Node { id: id.to_owned(), address: id.to_owned(), is_live, slots };
        let mut stats = vec![SlotStats::default(); 4];
        stats[1] = SlotStats { keys: 1, bytes: 20, load: 300 };
        Survey {
            nodes: vec![node("a", true, vec![0, 1]), node("b", false, vec![2]), node("c", true, vec![3])],
            stats,
            silent: vec![("c".to_owned(), "why".to_owned())],
            ..Survey::default()
        }
    }

    #[test]
    fn only_nodes_that_answer_take_part() {
        let survey = survey();
        let ids = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            chosen(&survey, &words).map(|nodes| nodes.iter().map(|node| node.id.clone()).collect::<Vec<_>>())
        };
        assert_eq!(ids(&[]).unwrap(), ["a"]);
        assert_eq!(ids(&["a", "a"]).unwrap(), ["a"]);
        assert!(
            ids(&["b"]).unwrap_err().contains("does not answer")
                && ids(&["c"]).is_err()
                && ids(&["x"]).is_err()
        );
    }

    #[test]
    fn slots_weigh_what_was_asked_for() {
        let survey = survey();
        for (by, expected) in [(By::Keys, 1), (By::Bytes, 20), (By::Load, 300), (By::Slots, 1)] {
            let loads = loads(&survey, &[&survey.nodes[0]], by);
            assert_eq!(loads[0].slots[1], (1, expected), "{by:?}");
        }
    }
}
