//! Clients that asked for it are told that slots move, in the push messages that redis-py and go-redis understand.

use std::cell::LazyCell;

use whimbrel_engine::commands::cluster::reached;
use whimbrel_engine::key::SlotId;
use whimbrel_engine::resp::{Protocol, Reply};
use whimbrel_engine::topology::{NodeId, ranges_of};
use whimbrel_net::Io;

use super::super::CoreService;
use super::super::message::Message;

impl CoreService {
    /// `SMIGRATING number slots`: these slots of this node have begun to move.
    pub(super) fn tell_migrating(&mut self, io: &mut Io<Message>, number: u64, slots: &[SlotId]) {
        let ranges = LazyCell::new(|| ranges_text(slots));
        self.tell_clients(io, |_, _, push| {
            push.push(3);
            push.bulk("SMIGRATING");
            push.integer(number.cast_signed());
            push.bulk(ranges.as_str());
        });
    }

    /// `SMIGRATED number [[source, target, slots]]`: these slots are another node's from the map of this epoch on.
    pub(super) fn tell_migrated(
        &mut self,
        io: &mut Io<Message>,
        epoch: u64,
        slots: &[SlotId],
        target: &NodeId,
    ) {
        let ranges = LazyCell::new(|| ranges_text(slots));
        self.tell_clients(io, |service, session, push| {
            let topology = &service.core.topology;
            let reached =
                service.core.sessions.at(session).map_or("", |session| reached(&service.core, session));
            let address = |node| format!("{}:{}", topology.host(node, reached), topology.node(node).port);
            let Some(target) = topology.find(target) else { return };
            push.push(3);
            push.bulk("SMIGRATED");
            push.integer(epoch.cast_signed());
            push.array(1);
            push.array(3);
            push.bulk(address(topology.myself()));
            push.bulk(address(target));
            push.bulk(ranges.as_str());
        });
    }

    /// Sends a message to those who asked for such. Without cluster mode nothing changes for any client.
    fn tell_clients(
        &mut self,
        io: &mut Io<Message>,
        write: impl Fn(&CoreService, whimbrel_engine::session::SessionIndex, &mut Reply),
    ) {
        if !self.core.config.cluster_enabled {
            return;
        }
        let mut push = Reply::new(Protocol::Resp3);
        for connection in self.connections.iter().flatten() {
            let session = self.core.sessions.at(connection.session);
            let hears =
                session.is_some_and(|session| session.hears_of_moves && session.protocol == Protocol::Resp3);
            if hears && !connection.closing {
                write(self, connection.session, &mut push);
                io.output(connection.id).extend_from_slice(push.bytes());
                push.truncate(0);
            }
        }
    }
}

fn ranges_text(slots: &[SlotId]) -> String {
    ranges_of(slots).iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
