//! `whimbrel cluster move`: slots go to a node, and the operator sees how far that is.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::connection::Reply;
use super::progress::{Interrupted, LOOK_EVERY, Watch, Watched};
use super::report::MoveReport;
use super::survey::{self, Access, Node};
use super::{figures, print, slots};

/// How long a move that was begun may take to be listed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be moved.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The slots as the operator wrote them.
    pub slots: &'a str,
    /// Where they go.
    pub to: &'a str,
    /// Whose they are, if that was said.
    pub from: Option<&'a str>,
    /// Whether that is only to be looked at.
    pub is_dry: bool,
    /// Whether to wait until it is done.
    pub waits: bool,
}

/// Moves slots, or goes on watching moves that were begun before.
pub fn run(access: &Access, is_json: bool, order: &Order<'_>) -> Result<(), String> {
    let interrupted = Interrupted::watch()?;
    let wanted = slots::parse(order.slots)?;
    let survey = access.survey()?;
    let nodes = &survey.nodes;
    let target = survey::find(nodes, order.to)?;
    let source = order.from.map(|word| survey::find(nodes, word)).transpose()?;
    let under_way: Vec<MoveReport> = survey
        .moves
        .iter()
        .filter(|report| {
            !report.is_over() && report.slots().iter().any(|slot| wanted.binary_search(slot).is_ok())
        })
        .cloned()
        .collect();
    if let Some(other) = under_way.iter().find(|report| report.target_node != target.id) {
        return Err(format!(
            "slots {} are moving to {} already.\n    Wait for that, or cancel it: whimbrel cluster cancel {}",
            other.slot_ranges,
            survey::name(nodes, &other.target_node),
            other.short_name()
        ));
    }
    let moving: BTreeSet<usize> = under_way.iter().flat_map(MoveReport::slots).collect();
    let groups = groups(nodes, &wanted, target, source, &moving)?;
    if order.is_dry {
        return estimate(access, is_json, target, &groups);
    }
    let mut watch = Watch::new(access, nodes, &interrupted, is_json || !order.waits);
    under_way.into_iter().for_each(|report| watch.add(report));
    for (node, slots) in &groups {
        begin(access, node, target, slots)?.into_iter().for_each(|report| watch.add(report));
    }
    if watch.reports.is_empty() {
        return finish(is_json, &watch, &format!("{} owns these slots already.\n", target.address));
    }
    if !order.waits {
        let names = watch.reports.keys().map(|name| format!("{name}\n")).collect::<String>();
        return finish(is_json, &watch, &names);
    }
    let outcome = watch.until_over()?;
    conclude(is_json, &watch, &outcome)
}

/// What each source has of the wanted slots that are neither at the target nor on their way.
fn groups<'n>(
    nodes: &'n [Node],
    wanted: &[usize],
    target: &Node,
    source: Option<&Node>,
    moving: &BTreeSet<usize>,
) -> Result<Vec<(&'n Node, Vec<usize>)>, String> {
    let mut groups = Vec::new();
    for node in nodes.iter().filter(|node| node.id != target.id) {
        if source.is_some_and(|source| source.id != node.id) {
            continue;
        }
        let chosen =
            node.slots.iter().filter(|slot| wanted.binary_search(slot).is_ok() && !moving.contains(slot));
        let chosen: Vec<usize> = chosen.copied().collect();
        if !chosen.is_empty() && !node.is_live {
            return Err(format!(
                "slots {} belong to {}, which is gone.\n    What was in them is lost; `whimbrel cluster init --lost` gives \
                 them new owners.",
                slots::text(&chosen),
                node.address
            ));
        }
        if !chosen.is_empty() {
            groups.push((node, chosen));
        }
    }
    Ok(groups)
}

fn words(target: &Node, slots: &[usize]) -> Vec<String> {
    let mut words: Vec<String> = ["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE"].map(str::to_owned).into();
    for (first, last) in slots::ranges(slots) {
        words.extend([first.to_string(), last.to_string()]);
    }
    words.extend(["NODE".to_owned(), target.id.clone()]);
    words
}

/// Has a node move slots; the move as it is listed then.
pub fn begin(
    access: &Access,
    node: &Node,
    target: &Node,
    slots: &[usize],
) -> Result<Vec<MoveReport>, String> {
    let address = std::slice::from_ref(&node.address);
    let before: BTreeSet<String> = access.moves(address).0.into_iter().map(|report| report.name).collect();
    let words = words(target, slots);
    access.ask(&node.address, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
    let begun = Instant::now();
    loop {
        let (moves, _) = access.moves(address);
        let is_ours = |report: &MoveReport| {
            !before.contains(&report.name)
                && report.target_node == target.id
                && report.slots().iter().any(|slot| slots.binary_search(slot).is_ok())
        };
        let ours: Vec<MoveReport> = moves.into_iter().filter(is_ours).collect();
        if !ours.is_empty() {
            return Ok(ours);
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!(
                "{} has taken the move and does not list it.\n    `whimbrel cluster status` shows whether it goes on.",
                node.address
            ));
        }
        std::thread::sleep(LOOK_EVERY / 4);
    }
}

/// What a move would take, as its sources estimate it.
fn estimate(
    access: &Access,
    is_json: bool,
    target: &Node,
    groups: &[(&Node, Vec<usize>)],
) -> Result<(), String> {
    let (mut text, mut all) = (String::new(), Vec::new());
    for (node, slots) in groups {
        let mut words = words(target, slots);
        words.push("DRYRUN".to_owned());
        let reply = access.ask(&node.address, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
        let Some(estimate) = reply.elements().first() else { continue };
        let count = |name: &str| estimate.field(name).and_then(Reply::count).unwrap_or(0);
        text.push_str(&format!(
            "{} → {}: {} slots, {} keys, {}{}\n",
            node.address,
            target.address,
            slots.len(),
            figures::count(count("keys")),
            figures::bytes(count("bytes")),
            match count("seconds") {
                0 => String::new(),
                seconds => format!(", {} at the cap", figures::wait(seconds * 1000)),
            }
        ));
        all.push(json!({
            "source_node": node.id,
            "target_node": target.id,
            "slots": slots::ranges(slots),
            "slot_count": slots.len(),
            "keys": count("keys"),
            "bytes": count("bytes"),
            "seconds": count("seconds"),
        }));
    }
    if is_json {
        return print(&format!("{}\n", json!({ "plan": all })));
    }
    print(if text.is_empty() { "There is nothing to move.\n" } else { &text })
}

/// Says how a watch has ended.
pub fn conclude(is_json: bool, watch: &Watch<'_>, outcome: &Watched) -> Result<(), String> {
    if let Watched::Interrupted = outcome {
        return finish(
            is_json,
            watch,
            "\nThe moves go on. To see how far they are: whimbrel cluster status --watch, or the same command again.\n\
             To end them: whimbrel cluster cancel NAME\n",
        );
    }
    finish(is_json, watch, "")?;
    match watch.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} moves did not succeed", watch.reports.len())),
    }
}

fn finish(is_json: bool, watch: &Watch<'_>, text: &str) -> Result<(), String> {
    if is_json {
        let moves: Vec<&MoveReport> = watch.reports.values().collect();
        return print(&format!("{}\n", json!({ "moves": moves })));
    }
    print(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, is_live: bool, slots: std::ops::Range<usize>) -> Node {
        Node { id: id.to_owned(), address: id.to_owned(), is_live, slots: slots.collect() }
    }

    #[test]
    fn each_source_moves_what_it_has() {
        let nodes = [node("a", true, 0..10), node("b", true, 10..20), node("c", true, 20..30)];
        let wanted: Vec<usize> = (5..25).collect();
        let moving = BTreeSet::from([5, 6]);
        let text = |source: Option<&Node>| {
            let groups = groups(&nodes, &wanted, &nodes[2], source, &moving).unwrap();
            let texts = groups.iter().map(|(node, slots)| format!("{}:{}", node.id, slots::text(slots)));
            texts.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(None), "a:7-9 b:10-19");
        assert_eq!(text(Some(&nodes[1])), "b:10-19");
        assert_eq!(
            words(&nodes[2], &[7, 8, 11]).join(" "),
            "CLUSTER MIGRATESLOTS SLOTSRANGE 7 8 11 11 NODE c"
        );
    }

    #[test]
    fn nothing_moves_from_a_node_that_is_gone() {
        let nodes = [node("a", false, 0..10), node("b", true, 10..20)];
        let error = groups(&nodes, &[1, 2], &nodes[1], None, &BTreeSet::new()).unwrap_err();
        assert!(error.contains("which is gone"), "{error}");
        assert!(groups(&nodes, &[11], &nodes[1], None, &BTreeSet::new()).unwrap().is_empty());
    }
}
