//! What a worker does with replies: counts and times them, and follows redirections.

use crate::cluster::redirect::Redirect;
use crate::load::in_flight::{Command, Sent};
use crate::load::plan::LoadError;
use crate::load::worker::Worker;
use crate::wire::replies::Tally;
use crate::wire::socket::Address;

const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

impl Worker<'_> {
    /// Matches replies with the commands that they answer.
    pub(super) fn settle(&mut self, index: usize, tally: &Tally, now_ns: u64) -> Result<(), LoadError> {
        self.recorder.nulls += tally.nulls;
        let mut settled = 0;
        for error in &tally.errors {
            let is_reply = error.ordinal >= settled && error.ordinal < tally.replies;
            if !is_reply {
                // An error inside an aggregate: the aggregate is the reply.
                self.recorder.error(&error.text);
                continue;
            }
            self.answer(index, error.ordinal - settled, now_ns);
            settled = error.ordinal + 1;
            self.refuse(index, &error.text, now_ns)?;
        }
        self.answer(index, tally.replies - settled, now_ns);
        self.flush_dirty()
    }

    /// Takes over a slot map that has arrived, and opens connections to nodes that it has made known.
    pub(super) fn take_new_map(&mut self, now_ns: u64) -> Result<(), LoadError> {
        let Some(refresher) = &self.refresher else { return Ok(()) };
        if let Some(map) = refresher.arrived() {
            self.router.apply(map);
        }
        self.grow(now_ns)
    }

    #[inline]
    fn answer(&mut self, index: usize, mut count: u64, now_ns: u64) {
        while count > 0 {
            // A server that answers what was never asked is caught by the counts of the report.
            let Some(sent) = self.connections[index].in_flight.take(count) else {
                self.recorder.error("a reply came without a command");
                return;
            };
            count -= u64::from(sent.count);
            self.outstanding -= u64::from(sent.count);
            if sent.command != Command::Asking {
                self.recorder.answer(sent.due_ns, now_ns, u64::from(sent.count));
            }
        }
    }

    /// An error is the reply: a redirection is followed, anything else is counted and ends the command.
    #[cold]
    fn refuse(&mut self, index: usize, text: &str, now_ns: u64) -> Result<(), LoadError> {
        let redirect = if self.router.by_slot() { self.redirect(index, text) } else { None };
        let Some(redirect) = redirect else {
            self.recorder.error(text);
            self.answer(index, 1, now_ns);
            return Ok(());
        };
        let Some(sent) = self.connections[index].in_flight.take(1) else { return Ok(()) };
        self.outstanding -= 1;
        self.recorder.redirects += 1;
        match redirect {
            Redirect::TryAgain => self.retry(sent, now_ns),
            Redirect::Ask(address) => self.follow(&address, sent, true)?,
            Redirect::Moved(slot, address) => {
                let node = self.router.node_at(&address);
                self.router.moved(slot, node);
                if let Some(refresher) = &self.refresher {
                    refresher.request(&address);
                }
                self.follow(&address, sent, false)?;
            }
        }
        Ok(())
    }

    fn redirect(&self, index: usize, text: &str) -> Option<Redirect> {
        let node = self.connections[index].node;
        match &self.router.nodes()[node].address {
            Address::Tcp(host, _) => Redirect::parse(text, host),
            Address::Unix(_) => None,
        }
    }

    fn follow(&mut self, address: &Address, sent: Sent, asking: bool) -> Result<(), LoadError> {
        let Command::Known { template, key } = sent.command else { return Ok(()) };
        let node = self.router.node_at(address);
        let index = self.connection_of(node)?;
        if asking {
            let connection = &mut self.connections[index];
            connection.queue().extend_from_slice(ASKING);
            connection.in_flight.push(Sent { command: Command::Asking, ..sent });
            self.outstanding += 1;
        }
        self.queue(index, sent.due_ns, (template, key));
        Ok(())
    }
}
