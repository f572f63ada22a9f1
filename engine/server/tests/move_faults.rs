//! Slots move between two processes while clients write, and something breaks: no acknowledged write is lost, no key is
//! missing or double, no slot is served by two owners.
//!
//! With root and `ip` each node has a network namespace; otherwise they meet on the loopback interface, and tests that cut the
//! link between them say that they are skipped. `WHIMBREL_MOVE_FAULTS=full` moves what operators move.

mod served;
mod two_nodes;

use std::thread;
use std::time::{Duration, Instant};

use served::{Value, eventually, ok};
use two_nodes::{
    Cluster, Data, Link, MOVING, Network, Outcome, Owners, STAYING, Sizes, Writers, Written, key_in,
};

/// For how long a link is cut: longer than a retransmission, shorter than any patience of the nodes.
const CUT: Duration = Duration::from_millis(1500);
/// Seconds of the leases in tests that wait for one to run out.
const LEASE_SECONDS: &str = "3";

/// How long clients write before the move is asked for: a copy may be met in its first milliseconds.
const WARM_UP: Duration = Duration::from_secs(1);

/// The slots of a batch are copied.
const COPYING: &[&str] = &["snapshot"];
/// They are copied, and soon change hands: phases of a few milliseconds each.
const ENDING: &[&str] = &["streaming", "pausing", "handing-over"];
/// etcd is asked: to name the heir, without which no pause begins, or to commit what was given away.
const ASKING: &[&str] = &["streaming", "handing-over"];

/// How long etcd is stopped at a time until a batch waits for it. With `ANSWERED` it is less than what any lease still has:
/// renewed four times in its length, it lets a process serve for half of it at least.
const STOPPED_MAX: Duration = Duration::from_secs(1);
/// How long it goes on in between, so that leases are renewed.
const BETWEEN_STOPS: Duration = Duration::from_millis(250);
/// After this time what etcd answered before it was stopped has come to its end.
const ANSWERED: Duration = Duration::from_millis(100);

/// Moves that are begun until one is met in a phase that is short.
const ATTEMPTS_MAX: usize = 20;

/// A cluster with data, and clients that write. Clients end before what they use.
struct Stage {
    writers: Writers,
    owners: Owners,
    cluster: Cluster,
    data: Data,
}

impl Stage {
    /// Sets everything up, lets clients write and asks for the move, which takes its time.
    fn set(options: &[&str]) -> Option<Stage> {
        let sizes = Sizes::chosen();
        let rate = sizes.link_rate_max.to_string();
        let cluster = Cluster::start(&[&["--link-rate-max", &rate], options].concat())?;
        let data = Data::fill(&cluster, &sizes);
        let (writers, owners) = (Writers::start(&cluster, &sizes), Owners::watch(&cluster));
        thread::sleep(WARM_UP);
        cluster.begin_move();
        Some(Stage { writers, owners, cluster, data })
    }

    /// As `set`, with a move that was in one of these phases just now.
    fn set_at(phases: &[&str]) -> Option<Stage> {
        for _ in 0..ATTEMPTS_MAX {
            let stage = Stage::set(&[])?;
            if stage.cluster.wait_for_phase(phases) {
                stage.tell_rate();
                return Some(stage);
            }
        }
        panic!("{ATTEMPTS_MAX} moves were never seen in {phases:?}");
    }

    /// As `set_at`, if the link between the nodes can be cut.
    fn set_with_link_at(phases: &[&str]) -> Option<Stage> {
        let stage = Stage::set_at(phases)?;
        if stage.cluster.network.is_none() {
            eprintln!("skipped: the link between the nodes cannot be cut without network namespaces");
            return None;
        }
        Some(stage)
    }

    /// With a move that is about to hand slots over, or has, and cannot come to its end, because etcd does not answer. Slots of an
    /// earlier batch have changed hands before, so that there is something to read back whoever is killed.
    ///
    /// etcd is stopped for short times until a batch asks it in one of them: leases run out while it is stopped, copying takes
    /// as long as it takes, and the phases behind it are over before a busy machine lets a test act on them.
    fn set_at_the_hand_over(options: &[&str]) -> Option<Stage> {
        for _ in 0..ATTEMPTS_MAX {
            let stage = Stage::set(options)?;
            let mut goes_on = stage.cluster.wait_until(|stand| stand.slots_done > 0).is_some();
            while goes_on {
                stage.cluster.etcd.stop();
                if stage.waits_for_etcd() {
                    stage.tell_rate();
                    return Some(stage);
                }
                stage.cluster.etcd.go_on();
                thread::sleep(BETWEEN_STOPS);
                goes_on = stage.cluster.wait_until(|_| true).is_some();
            }
        }
        panic!("{ATTEMPTS_MAX} moves were never seen to wait for etcd");
    }

    /// Whether a batch comes to ask etcd, which is stopped, and gets no answer.
    fn waits_for_etcd(&self) -> bool {
        let deadline = Instant::now() + STOPPED_MAX;
        self.cluster.wait_until(|stand| ASKING.contains(&stand.phase.as_str()) || Instant::now() > deadline);
        thread::sleep(ANSWERED);
        ASKING.contains(&self.cluster.phase().as_str())
    }

    /// Whether a node serves a slot that does not move. The loop in which its lease runs out answers nobody and ends the
    /// connection.
    fn serves(&self, node: usize) -> bool {
        match self.cluster.nodes[node].try_ask(&["GET", &key_in("whoever owns this", STAYING)]) {
            Some(Value::Error(text)) => {
                assert!(text.starts_with("CLUSTERDOWN") || text.starts_with("MOVED"), "{text}");
                false
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Says how much was written before anything broke.
    fn tell_rate(&self) {
        eprint!("{} before the fault; ", self.writers.rate_words());
    }

    fn network(&self) -> &Network {
        self.cluster.network.as_ref().expect("there is a link")
    }

    /// From here on nothing caps the link, so that the move ends soon.
    fn hurry(&self) {
        for node in &self.cluster.nodes {
            // A node that was killed has no cap.
            let _ = node.try_ask(&["CONFIG", "SET", "link-rate-max", "0"]);
        }
    }

    /// The move must be done: reads everything back at the target.
    fn expect_done(self) -> Written {
        self.hurry();
        let outcome = self.cluster.wait_for_outcome();
        assert_eq!(outcome, Outcome::Done);
        let (cluster, written, served) = self.end(0);
        assert_eq!(served, 32, "the target serves every slot that was watched");
        let moving = u64::from(MOVING.1 - MOVING.0 + 1);
        assert_eq!(slots_with_keys(&cluster, 0, moving), 0, "the source keeps nothing of what has moved");
        written
    }

    /// The move must have ended without a hand-over of what was left: the source serves that as if nothing had been.
    fn expect_undone(self) -> (Written, String) {
        self.hurry();
        let outcome = self.cluster.wait_for_outcome();
        let Outcome::Failed(reason) = outcome else { panic!("the move was done") };
        let (_, written, _) = self.end(0);
        (written, reason)
    }

    /// Ends the clients and reads everything back from the owners that live; so many do not.
    fn end(self, dead: usize) -> (Cluster, Written, u64) {
        let Stage { writers, owners, cluster, data } = self;
        // Clients go on for a while with whoever owns what now.
        thread::sleep(Duration::from_millis(300));
        let written = writers.stop();
        let served = owners.stop();
        let mut link = Link::new(&cluster);
        let (read_data, unread_data) = data.check(&mut link);
        let (written_keys, unread_writes) = written.check(&mut link);
        let read_writes = written.places() - unread_writes;
        eprintln!(
            "{}; read back {read_data} + {read_writes}, unread {unread_data} + {unread_writes}",
            written.words()
        );
        if dead == 0 {
            assert_eq!((unread_data, unread_writes), (0, 0), "everything has an owner that lives");
            let expected = data.keys() + written_keys;
            // What expired or was dropped may still be on its way out.
            eventually("every key is on one node", || keys(&cluster) == expected);
            assert_eq!(double_slots(&cluster), Vec::<u16>::new(), "slots with keys on both nodes");
        }
        (cluster, written, served)
    }
}

fn keys(cluster: &Cluster) -> u64 {
    cluster.nodes.iter().map(|node| node.ask(&["DBSIZE"]).integer() as u64).sum()
}

/// How many keys each of the moving slots has on a node.
fn counts(cluster: &Cluster, node: usize) -> Vec<i64> {
    let mut client = cluster.nodes[node].try_client().expect("the node lives");
    let slots: Vec<String> = (MOVING.0..=MOVING.1).map(|slot| slot.to_string()).collect();
    slots.iter().for_each(|slot| client.send(&["CLUSTER", "COUNTKEYSINSLOT", slot]));
    slots.iter().map(|_| client.read().integer()).collect()
}

fn slots_with_keys(cluster: &Cluster, node: usize, slots: u64) -> usize {
    counts(cluster, node).into_iter().take(slots as usize).filter(|count| *count > 0).count()
}

/// Slots that have keys on the target, which does not own them.
fn strange_slots(cluster: &Cluster) -> usize {
    let owned = cluster.owned_by_target();
    counts(cluster, 1).into_iter().zip(owned).filter(|(count, is_owned)| *count > 0 && !is_owned).count()
}

fn double_slots(cluster: &Cluster) -> Vec<u16> {
    let [source, target] = [counts(cluster, 0), counts(cluster, 1)];
    let both = (MOVING.0..=MOVING.1).zip(source.into_iter().zip(target));
    both.filter(|(_, (source, target))| *source > 0 && *target > 0).map(|(slot, _)| slot).collect()
}

#[test]
fn nothing_breaks() {
    let Some(stage) = Stage::set(&[]) else { return };
    let written = stage.expect_done();
    assert!(written.errors.is_empty(), "clients were shown {:?}", written.errors);
}

#[test]
fn the_link_is_silent_for_a_while() {
    for phases in [COPYING, ENDING] {
        let Some(stage) = Stage::set_with_link_at(phases) else { return };
        stage.network().take_link_down();
        thread::sleep(CUT);
        stage.network().bring_link_up();
        let written = stage.expect_done();
        assert!(written.errors.is_empty(), "clients were shown {:?}", written.errors);
    }
}

#[test]
fn the_link_is_cut_and_the_move_goes_on_where_it_was() {
    let Some(stage) = Stage::set_with_link_at(COPYING) else { return };
    for _ in 0..3 {
        let keys_done = || stage.cluster.move_fields()["keys_done"].clone().integer();
        let before = keys_done();
        stage.network().reset_connections();
        eventually("the copy goes on", || keys_done() > before || stage.cluster.phase() == "done");
        assert!(keys_done() >= before, "what was copied is not copied again");
    }
    let written = stage.expect_done();
    assert!(written.errors.is_empty(), "clients were shown {:?}", written.errors);
}

#[test]
fn the_link_is_cut_while_the_slots_change_hands() {
    let Some(stage) = Stage::set_at_the_hand_over(&[]) else { return };
    if stage.cluster.network.is_none() {
        eprintln!("skipped: the link between the nodes cannot be cut without network namespaces");
        return stage.cluster.etcd.go_on();
    }
    stage.network().take_link_down();
    stage.network().reset_connections();
    stage.cluster.etcd.go_on();
    thread::sleep(CUT);
    stage.network().bring_link_up();
    stage.expect_done();
}

#[test]
fn the_source_is_killed_while_it_copies() {
    let Some(mut stage) = Stage::set_at(COPYING) else { return };
    stage.cluster.nodes[0].kill();
    let (cluster, ..) = stage.end(1);
    assert_eq!(strange_slots(&cluster), 0, "the target shows nothing that was not handed over");
}

#[test]
fn the_source_is_killed_while_the_slots_change_hands() {
    let Some(mut stage) = Stage::set_at_the_hand_over(&[]) else { return };
    stage.cluster.nodes[0].kill();
    stage.cluster.etcd.go_on();
    // Whether the word was given or not: the target serves what the map gives it, with every acknowledged write.
    let (cluster, ..) = stage.end(1);
    let slots = cluster.owned_by_target().into_iter().filter(|is_owned| *is_owned).count();
    eprintln!("the target owns {slots} slots");
    assert!(slots > 0, "an earlier batch had changed hands");
    assert_eq!(strange_slots(&cluster), 0, "the target shows nothing that was not handed over");
}

#[test]
fn the_target_is_killed_while_it_is_copied_to() {
    let Some(mut stage) = Stage::set_at(COPYING) else { return };
    stage.cluster.nodes[1].kill();
    eventually("the source gives up", || stage.cluster.wait_for_outcome() != Outcome::Done);
    stage.end(1);
}

#[test]
fn the_target_is_killed_while_the_slots_change_hands() {
    let Some(mut stage) = Stage::set_at_the_hand_over(&[]) else { return };
    stage.cluster.nodes[1].kill();
    stage.cluster.etcd.go_on();
    stage.cluster.wait_for_outcome();
    stage.end(1);
}

#[test]
fn etcd_is_killed_and_comes_back() {
    for phases in [COPYING, ENDING] {
        let Some(mut stage) = Stage::set_at(phases) else { return };
        stage.cluster.etcd.kill();
        thread::sleep(CUT);
        stage.cluster.etcd.restart();
        // Should the move not outlive it, an operator asks for it again.
        if stage.cluster.wait_for_outcome() != Outcome::Done {
            eventually("the move is taken", || stage.cluster.try_to_move() == ok());
        }
        let written = stage.expect_done();
        assert!(written.errors.is_empty(), "clients were shown {:?}", written.errors);
    }
}

#[test]
fn etcd_does_not_answer_while_the_slots_change_hands() {
    let Some(stage) = Stage::set_at_the_hand_over(&[]) else { return };
    thread::sleep(CUT);
    stage.cluster.etcd.go_on();
    stage.expect_done();
}

#[test]
fn etcd_is_away_for_longer_than_the_leases() {
    let Some(mut stage) = Stage::set(&["--cluster-lease-seconds", LEASE_SECONDS]) else { return };
    assert!(stage.cluster.wait_for_phase(COPYING), "the move takes its time");
    stage.tell_rate();
    stage.cluster.etcd.kill();
    eventually("nobody serves without a lease", || !stage.serves(0) && !stage.serves(1));
    stage.cluster.etcd.restart();
    eventually("one of them serves again", || stage.serves(0) || stage.serves(1));
    stage.hurry();
    // Whether the move outlives its registrations is its own business; what was acknowledged is not.
    stage.cluster.wait_for_outcome();
    stage.end(0);
}

#[test]
fn etcd_does_not_answer_for_longer_than_the_leases_while_the_slots_change_hands() {
    let Some(stage) = Stage::set_at_the_hand_over(&["--cluster-lease-seconds", LEASE_SECONDS]) else {
        return;
    };
    eventually("nobody serves without a lease", || !stage.serves(0) && !stage.serves(1));
    stage.cluster.etcd.go_on();
    eventually("one of them serves again", || stage.serves(0) || stage.serves(1));
    stage.hurry();
    // etcd may name the heir before it forgets who was registered, or refuse it.
    stage.cluster.wait_for_outcome();
    stage.end(0);
}

#[test]
fn the_operator_cancels() {
    for phases in [COPYING, ENDING] {
        let Some(stage) = Stage::set_at(phases) else { return };
        assert_eq!(stage.cluster.source().ask(&["CLUSTER", "CANCELSLOTMIGRATIONS"]), ok());
        let (written, reason) = stage.expect_undone();
        assert!(written.errors.is_empty(), "clients were shown {:?}; {reason}", written.errors);
    }
}
