//! Who owns what: the housekeeping thread's part. It hears what cores ask, has the map's keeper decide, and tells every
//! core the newest map.
//!
//! What is told of heirs comes before the map that was newest then. Nothing here is on the path of a command, nor within a
//! pause: a hand-over is decided by its source's word, and the keeper hears of it afterwards.

pub mod change;
pub mod codec;
pub mod etcd;
pub mod joining;
pub mod lease;
mod local;
mod post;
mod store;

use std::collections::HashMap;
use std::sync::Arc;

use whimbrel_engine::config::Config;
use whimbrel_engine::topology::{MapNode, NodeId, SlotMap};
use whimbrel_net::{Mailboxes, Waker};

use crate::plan::Plan;
use crate::service::message::{Message, pack_reply};
use etcd::{Etcd, Membership};
use lease::Lease;
use local::Local;
use post::Post;
use store::{Event, Request, Store};

/// Why a map of one process' cores can always be made.
const DISTINCT: &str = "the cores of one process have distinct ids";

/// The nodes of this process, and whether they may serve.
pub(crate) struct Members {
    /// By core.
    ids: Vec<NodeId>,
    cores: HashMap<NodeId, u16>,
    /// Until when the cores may serve.
    pub lease: Arc<Lease>,
}

impl Members {
    /// The nodes of a process with this seed and so many cores.
    pub fn new(seed: u64, count: usize, lease: Lease) -> Members {
        let ids: Vec<NodeId> = (0..count).map(|core| NodeId::derived(seed, core as u16)).collect();
        let cores = ids.iter().enumerate().map(|(core, id)| (*id, core as u16)).collect();
        Members { ids, cores, lease: Arc::new(lease) }
    }

    /// The id of a core.
    pub fn id(&self, core: usize) -> NodeId {
        self.ids[core]
    }

    /// The core with this id, if it is one of this process.
    pub fn core(&self, id: &NodeId) -> Option<u16> {
        self.cores.get(id).copied()
    }
}

/// The nodes of this process as a map names them.
pub(crate) fn own_nodes(
    plan: &Plan,
    config: &Config,
    seed: u64,
    host: &str,
    incarnation: u64,
) -> Vec<MapNode> {
    let node = |(core, port): (usize, Option<u16>)| MapNode {
        id: NodeId::derived(seed, core as u16),
        process: NodeId::of_process(seed),
        host: host.to_owned(),
        port: port.unwrap_or(config.port),
        incarnation,
    };
    plan.cores.iter().map(|core| core.port).enumerate().map(node).collect()
}

/// The control plane of the process.
pub(crate) struct Control {
    store: Store,
    map: Arc<SlotMap>,
    /// By core.
    posts: Vec<Post>,
}

impl Control {
    /// For a process by itself: its cores own all slots.
    pub fn local(nodes: Vec<MapNode>, process: NodeId) -> Control {
        let map = SlotMap::even(1, 0, nodes).expect(DISTINCT);
        let map = Arc::new(map);
        Control::new(Store::Local(Local::new(Arc::clone(&map), process)), map)
    }

    /// For a process of a cluster: its cores own what the store says, and nothing before they have heard of it.
    pub fn cluster(membership: Membership, lease: &Arc<Lease>, waker: Waker) -> std::io::Result<Control> {
        let map = SlotMap::new(1, 0, membership.own.clone()).expect(DISTINCT);
        let etcd = Etcd::start(membership, Arc::clone(lease), waker)?;
        Ok(Control::new(Store::Etcd(Box::new(etcd)), Arc::new(map)))
    }

    fn new(store: Store, map: Arc<SlotMap>) -> Control {
        let posts = map.nodes().iter().map(|_| Post::default()).collect();
        Control { store, map, posts }
    }

    /// Leaves the cluster. For a process that serves nothing any more.
    pub fn close(mut self) {
        self.store.close();
    }

    /// The newest map.
    pub fn map(&self) -> &Arc<SlotMap> {
        &self.map
    }

    /// Takes what a core asks for; gives back what is none of its business.
    pub fn take(&mut self, core: usize, message: Message) -> Option<Message> {
        let request = match message {
            Message::Appoint(heir) => Request::Appoint { core, heir: *heir },
            Message::Conclude(heir, conclusion) => Request::Conclude(heir, conclusion),
            Message::ReadMap => Request::Read { core },
            Message::Assign { to, change } => Request::Assign { core, to, change },
            message => return Some(message),
        };
        let events = self.store.ask(request);
        self.note(events);
        None
    }

    /// Sends the cores what there is for them; whether all of it found room in their mailboxes.
    pub fn tell(&mut self, mailboxes: &mut Mailboxes<Message>) -> bool {
        let events = self.store.events();
        self.note(events);
        let mut all = true;
        for (core, post) in self.posts.iter_mut().enumerate() {
            all &= post.send(mailboxes, core, &self.map);
        }
        mailboxes.ring_doorbells();
        all
    }

    fn note(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Map(map) => self.note_map(map),
                Event::Appointed { core, heir, outcome } => {
                    self.posts[core].push(Message::Appointed { heir, outcome });
                }
                Event::Read { core } => {
                    self.posts[core].map_is_due();
                    self.posts[core].push_behind_map(Message::MapRead);
                }
                Event::Assigned { core, to, outcome } => {
                    let reply = match outcome {
                        Ok(()) => "+OK\r\n".to_owned(),
                        Err(error) => format!("-{error}\r\n"),
                    };
                    let mut packed = Vec::new();
                    pack_reply(&mut packed, to, reply.as_bytes());
                    // Behind the map that the reply speaks of.
                    self.posts[core].push_behind_map(Message::Replies(packed));
                }
            }
        }
    }

    fn note_map(&mut self, map: Arc<SlotMap>) {
        if map.is_newer_than(self.map.epoch(), self.map.revision()) {
            self.map = map;
            self.posts.iter_mut().for_each(Post::map_is_due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use change::Conclusion;
    use whimbrel_engine::key::SlotId;
    use whimbrel_engine::topology::{Heir, HeirId};
    use whimbrel_net::mailbox_mesh;

    fn control() -> Control {
        let node = |core: u16| MapNode {
            id: NodeId::derived(1, core),
            process: NodeId::of_process(1),
            host: String::new(),
            port: 7000 + core,
            incarnation: 5,
        };
        Control::local(vec![node(0), node(1)], NodeId::of_process(1))
    }

    fn heir(number: u32, target_incarnation: u64) -> Box<Heir> {
        Box::new(Heir {
            id: HeirId { job: 1, number, life: 1 },
            source: NodeId::derived(1, 0),
            source_incarnation: 5,
            target: NodeId::derived(1, 1),
            target_incarnation,
            slots: vec![SlotId::new(number as usize).unwrap()],
        })
    }

    fn told(mailboxes: &mut Mailboxes<Message>) -> Vec<String> {
        let mut told = Vec::new();
        while let Some((_, message)) = mailboxes.receive() {
            told.push(match message {
                Message::Map(map) => format!("map {}", map.epoch()),
                Message::Appointed { outcome: Ok(map), .. } => {
                    format!("named {}", codec::decode(&map).unwrap().epoch())
                }
                Message::Appointed { outcome: Err(reason), .. } => reason,
                Message::Replies(_) => "reply".to_owned(),
                Message::MapRead => "read".to_owned(),
                _ => "?".to_owned(),
            });
        }
        told
    }

    #[test]
    fn heirs_are_told_before_maps_and_have_their_slots_when_they_say_so() {
        let mut control = control();
        let mut mesh = mailbox_mesh::<Message>(3, 64).unwrap();
        let mut housekeeping = mesh.pop().unwrap();
        assert!(control.take(0, Message::Appoint(heir(0, 5))).is_none());
        assert!(control.take(0, Message::Appoint(heir(1, 5))).is_none());
        assert!(control.take(0, Message::Appoint(heir(2, 4))).is_none());
        assert!(control.tell(&mut housekeeping));
        let refused = "the target is not registered any more as it was";
        assert_eq!(told(&mut mesh[0]), ["named 2", "named 3", refused, "map 3"]);
        assert_eq!(told(&mut mesh[1]), ["map 3"]);
        let owner =
            |control: &Control, slot: usize| control.map().owner(SlotId::new(slot).unwrap()).unwrap().id;
        // Each side says so; the second time there is nothing to do any more.
        for _ in 0..2 {
            assert!(control.take(1, Message::Conclude(heir(0, 5).id, Conclusion::Commit)).is_none());
        }
        assert!(control.take(0, Message::Conclude(heir(1, 5).id, Conclusion::Withdraw)).is_none());
        assert!(control.tell(&mut housekeeping));
        assert_eq!(told(&mut mesh[0]), ["map 5"]);
        assert_eq!((owner(&control, 0), owner(&control, 1)), (NodeId::derived(1, 1), NodeId::derived(1, 0)));
    }

    #[test]
    fn an_heir_waits_for_the_one_before_it() {
        let mut control = control();
        let mut mesh = mailbox_mesh::<Message>(3, 64).unwrap();
        let mut housekeeping = mesh.pop().unwrap();
        let mut again = heir(0, 5);
        again.id.life = 2;
        assert!(control.take(0, Message::Appoint(heir(0, 5))).is_none());
        assert!(control.take(0, Message::Appoint(again)).is_none());
        assert!(control.tell(&mut housekeeping));
        assert_eq!(told(&mut mesh[0]), ["named 2", "map 2"]);
        assert!(control.take(0, Message::Conclude(heir(0, 5).id, Conclusion::Withdraw)).is_none());
        assert!(control.tell(&mut housekeeping));
        assert_eq!(told(&mut mesh[0]), ["named 4", "map 4"]);
    }

    #[test]
    fn operators_are_answered_behind_the_map() {
        let mut control = control();
        let mut mesh = mailbox_mesh::<Message>(3, 64).unwrap();
        let mut housekeeping = mesh.pop().unwrap();
        let to = crate::service::message::ReturnAddress { connection: 1, ticket: 1 };
        let slots = vec![SlotId::new(0).unwrap()];
        let change = change::Assignment::Take(slots);
        assert!(control.take(1, Message::Assign { to, change }).is_none());
        assert!(control.take(0, Message::ReadMap).is_none());
        assert!(control.tell(&mut housekeeping));
        assert_eq!(told(&mut mesh[0]), ["map 2", "read"]);
        assert_eq!(told(&mut mesh[1]), ["map 2", "reply"]);
    }

    #[test]
    fn what_finds_no_room_is_sent_later() {
        let mut control = control();
        let mut mesh = mailbox_mesh::<Message>(3, 2).unwrap();
        let mut housekeeping = mesh.pop().unwrap();
        (0..3).for_each(|number| assert!(control.take(0, Message::Appoint(heir(number, 5))).is_none()));
        assert!(!control.tell(&mut housekeeping));
        assert_eq!(told(&mut mesh[0]), ["named 2", "named 3"]);
        assert!(control.tell(&mut housekeeping));
        assert_eq!(told(&mut mesh[0]), ["named 4", "map 4"]);
    }

    #[test]
    fn what_is_not_about_the_map_is_given_back() {
        assert!(matches!(control().take(0, Message::Stop), Some(Message::Stop)));
    }
}
