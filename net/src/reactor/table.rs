//! All connections of a reactor, by place and generation.

use std::os::fd::OwnedFd;

use super::connection::{Connection, Phase};
use crate::connection_id::{ConnectionId, next_generation};

/// Places for connections. Room for all is reserved at once, so that no connection pays for moving the others; places
/// that were never used are never touched.
pub(super) struct Table {
    places: Vec<Connection>,
    free: Vec<u32>,
    used: usize,
}

impl Table {
    pub fn new(connections_max: u32) -> Self {
        Self { places: Vec::with_capacity(connections_max as usize), free: Vec::new(), used: 0 }
    }

    /// Places in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Puts a connection into a free place; gives the socket back when there is none.
    pub fn insert(&mut self, socket: OwnedFd) -> Result<ConnectionId, OwnedFd> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.places.len() < self.places.capacity() => {
                self.places.push(Connection::free(0));
                (self.places.len() - 1) as u32
            }
            None => return Err(socket),
        };
        let place = &mut self.places[index as usize];
        *place = Connection::free(next_generation(place.generation));
        place.phase = Phase::Open;
        place.socket = Some(socket);
        self.used += 1;
        Ok(ConnectionId { index, generation: place.generation })
    }

    /// Frees the place, which closes the socket.
    pub fn remove(&mut self, id: ConnectionId) {
        let place = &mut self.places[id.index as usize];
        assert!(place.generation == id.generation && place.phase != Phase::Free, "removed once");
        assert!(place.is_quiet(), "the kernel still works on the connection");
        *place = Connection::free(id.generation);
        self.free.push(id.index);
        self.used -= 1;
    }

    /// The connection, unless the id is stale.
    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.places
            .get_mut(id.index as usize)
            .filter(|place| place.generation == id.generation && place.phase != Phase::Free)
    }

    /// The connection, unless the id is stale.
    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.places
            .get(id.index as usize)
            .filter(|place| place.generation == id.generation && place.phase != Phase::Free)
    }

    /// The ids in use.
    pub fn ids(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        let used = self.places.iter().enumerate().filter(|(_, place)| place.phase != Phase::Free);
        used.map(|(index, place)| ConnectionId { index: index as u32, generation: place.generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> OwnedFd {
        std::fs::File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn stale_ids_find_nothing() {
        let mut table = Table::new(2);
        let first = table.insert(socket()).unwrap();
        let second = table.insert(socket()).unwrap();
        assert!(table.insert(socket()).is_err(), "the table is full");
        table.remove(first);
        assert!(table.get(first).is_none());
        let third = table.insert(socket()).unwrap();
        assert_eq!(third.index, first.index);
        assert!(table.get(first).is_none() && table.get_mut(first).is_none());
        assert!(table.get(third).is_some() && table.get(second).is_some());
        assert_eq!(table.used(), 2);
        assert_eq!(table.ids().count(), 2);
    }
}
