//! `whimbrel cluster init`: slots that nobody owns go to all nodes, evenly.

use std::time::{Duration, Instant};

use serde_json::json;
use whimbrel_engine::key::SLOT_COUNT;

use super::survey::{Access, Node};
use super::{print, slots};

/// Ranges in one command.
const RANGES_MAX: usize = 256;
/// How long the nodes have to hear of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives slots out, or says what would be given.
pub fn run(access: &Access, is_json: bool, lost: bool, is_dry: bool) -> Result<(), String> {
    let nodes = access.nodes()?;
    let live: Vec<&Node> = nodes.iter().filter(|node| node.is_live).collect();
    let gifts = shares(&live, &free(&nodes, lost));
    if gifts.iter().all(|(_, slots)| slots.is_empty()) {
        let owned = nodes.iter().map(|node| node.slots.len()).sum::<usize>();
        let hint = if lost { "" } else { "; `--lost` gives out those of nodes that are gone too" };
        return say(is_json, &[], &format!("Every slot has an owner ({owned} of {SLOT_COUNT}){hint}.\n"));
    }
    for (node, given) in gifts.iter().filter(|(_, given)| !given.is_empty() && !is_dry) {
        give(access, node, given)?;
    }
    if !is_dry {
        await_all(access)?;
    }
    let verb = if is_dry { "would get" } else { "got" };
    let line = |(node, given): &(&Node, Vec<usize>)| {
        format!("{} {verb} {} slots: {}\n", node.address, given.len(), slots::text(given))
    };
    say(is_json, &gifts, &gifts.iter().filter(|(_, given)| !given.is_empty()).map(line).collect::<String>())
}

/// The slots that are to be given out.
fn free(nodes: &[Node], lost: bool) -> Vec<usize> {
    let mut owned = vec![false; SLOT_COUNT];
    let owners = nodes.iter().filter(|node| node.is_live || !lost);
    owners.flat_map(|node| &node.slots).for_each(|slot| owned[*slot] = true);
    (0..SLOT_COUNT).filter(|slot| !owned[*slot]).collect()
}

/// Fills the nodes up to the same number of slots, in runs as long as can be.
fn shares<'n>(live: &[&'n Node], free: &[usize]) -> Vec<(&'n Node, Vec<usize>)> {
    let mut wanted: Vec<usize> = vec![0; live.len()];
    for _ in free {
        // The first of those that have least, so that the first nodes have the one slot more.
        let fewest = (0..live.len()).min_by_key(|place| live[*place].slots.len() + wanted[*place]);
        if let Some(place) = fewest {
            wanted[place] += 1;
        }
    }
    let mut rest = free;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at(count);
        rest = left;
        taken.to_vec()
    };
    live.iter().zip(&wanted).map(|(node, count)| (*node, take(*count))).collect()
}

fn give(access: &Access, node: &Node, given: &[usize]) -> Result<(), String> {
    let mut connection = access.open(&node.address)?;
    for ranges in slots::ranges(given).chunks(RANGES_MAX) {
        let numbers: Vec<String> =
            ranges.iter().flat_map(|(first, last)| [first.to_string(), last.to_string()]).collect();
        let mut words = vec!["CLUSTER", "ADDSLOTSRANGE"];
        words.extend(numbers.iter().map(String::as_str));
        connection.ask(&words).map_err(|error| format!("{}: {error}", node.address))?;
    }
    Ok(())
}

/// Waits until every node knows an owner of every slot.
fn await_all(access: &Access) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let mut behind = None;
        for node in access.nodes()?.iter().filter(|node| node.is_live) {
            let there = Access { entry: node.address.clone(), ..access.clone() };
            let owned: usize = there.nodes()?.iter().map(|node| node.slots.len()).sum();
            if owned < SLOT_COUNT {
                behind = Some(format!("{} knows the owners of {owned} slots only", node.address));
            }
        }
        match behind {
            None => return Ok(()),
            Some(reason) if begun.elapsed() > PATIENCE => return Err(reason),
            Some(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn say(is_json: bool, gifts: &[(&Node, Vec<usize>)], text: &str) -> Result<(), String> {
    if !is_json {
        return print(text);
    }
    let gift = |(node, given): &(&Node, Vec<usize>)| json!({"id": node.id, "address": node.address, "slots": slots::ranges(given)});
    print(&format!("{}\n", json!({"given": gifts.iter().map(gift).collect::<Vec<_>>()})))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, is_live: bool, slots: std::ops::Range<usize>) -> Node {
        Node { id: id.to_owned(), address: id.to_owned(), is_live, slots: slots.collect() }
    }

    fn given(nodes: &[Node], lost: bool) -> Vec<String> {
        let live: Vec<&Node> = nodes.iter().filter(|node| node.is_live).collect();
        shares(&live, &free(nodes, lost)).iter().map(|(_, slots)| slots::text(slots)).collect()
    }

    #[test]
    fn a_fresh_cluster_is_cut_into_runs() {
        let nodes = ["a", "b", "c"].map(|id| node(id, true, 0..0));
        assert_eq!(given(&nodes, false), ["0-5461", "5462-10922", "10923-16383"]);
    }

    #[test]
    fn whoever_has_least_gets_most() {
        let nodes = [node("a", true, 0..8192), node("b", false, 8192..16_000), node("c", true, 0..0)];
        assert_eq!(given(&nodes, false), ["", "16000-16383"]);
        assert_eq!(given(&nodes, true), ["", "8192-16383"]);
        assert_eq!(given(&[node("a", false, 0..0)], true), Vec::<String>::new());
    }
}
