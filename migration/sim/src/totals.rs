//! What happened in runs, added up.

use std::fmt;
use std::ops::AddAssign;

macro_rules! sums {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Default, Debug)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl AddAssign<&$name> for $name {
            fn add_assign(&mut self, other: &$name) {
                $(self.$field += &other.$field;)*
            }
        }
    };
}

sums! {
    /// What went wrong, by kind.
    Faults {
        /// Connections cut behind some byte.
        cuts: u64,
        /// Connections with a flipped bit.
        spoilt_bits: u64,
        /// Connections that could not be made.
        refused_connections: u64,
        /// Partitions between two processes.
        partitions: u64,
        /// Processes that crashed.
        crashes: u64,
        /// Processes that stood still for a while.
        freezes: u64,
        /// Requests that never arrived at the store.
        lost_requests: u64,
        /// Requests that were executed late.
        late_requests: u64,
        /// Answers of the store that never arrived.
        lost_answers: u64,
        /// Changes of the store that were not heard of.
        lost_news: u64,
        /// Times at which nobody could reach the store.
        store_outages: u64,
        /// Leases that ran out.
        leases_expired: u64,
        /// Answers to clients that were lost.
        lost_replies: u64,
    }
}

sums! {
    /// What happened.
    Totals {
        /// Seeds.
        seeds: u64,
        /// Jobs that a source began.
        jobs: u64,
        /// Moves (batches) that began.
        moves: u64,
        /// Moves that were handed over.
        handed_over: u64,
        /// Moves that failed.
        failed: u64,
        /// Moves that were cancelled by an operator.
        cancelled: u64,
        /// Moves that ended with the process of their source.
        crashed: u64,
        /// Changes of the map whose outcome was unknown at first.
        unknown: u64,
        /// Pauses that were given up and tried again.
        pauses_again: u64,
        /// Connections of moves made anew.
        reconnects: u64,
        /// Slots or batches that began anew.
        restarts: u64,
        /// Words that their target had dropped the slots before.
        words_refused: u64,
        /// Slots given to another core because their owner was gone.
        taken_over: u64,
        /// Commands that were served, each checked.
        commands: u64,
        /// Commands that were held and then served.
        held: u64,
        /// Redirections of clients.
        moved: u64,
        /// Commands whose outcome their client never learnt.
        unanswered: u64,
        /// Slots whose content was compared in full.
        slots_compared: u64,
        /// Bytes of moves that were sent.
        link_bytes: u64,
        /// Bytes of moves that were sent again.
        link_bytes_again: u64,
        /// Events.
        events: u64,
        /// Virtual time.
        virtual_us: u64,
        /// What went wrong.
        faults: Faults,
    }
}

impl Faults {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.named().iter().map(|(_, count)| count).sum()
    }

    fn named(&self) -> [(&'static str, u64); 13] {
        [
            ("connections cut", self.cuts),
            ("bits flipped", self.spoilt_bits),
            ("connections refused", self.refused_connections),
            ("partitions", self.partitions),
            ("crashes", self.crashes),
            ("freezes", self.freezes),
            ("store requests lost", self.lost_requests),
            ("store requests late", self.late_requests),
            ("store answers lost", self.lost_answers),
            ("store news lost", self.lost_news),
            ("store outages", self.store_outages),
            ("leases expired", self.leases_expired),
            ("client replies lost", self.lost_replies),
        ]
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seeds           {}", self.seeds)?;
        writeln!(f, "virtual time    {} s in {} events", self.virtual_us / 1_000_000, self.events)?;
        writeln!(
            f,
            "moves           {} in {} jobs: {} handed over, {} failed, {} cancelled, {} ended with their source",
            self.moves, self.jobs, self.handed_over, self.failed, self.cancelled, self.crashed
        )?;
        writeln!(
            f,
            "on the way      {} outcomes unknown, {} pauses tried again, {} reconnects, {} restarts, {} words refused, {} slots taken over",
            self.unknown,
            self.pauses_again,
            self.reconnects,
            self.restarts,
            self.words_refused,
            self.taken_over
        )?;
        writeln!(f, "on the links    {} bytes, {} of them again", self.link_bytes, self.link_bytes_again)?;
        writeln!(
            f,
            "commands        {} served and checked, {} of them held, {} redirected, {} never answered",
            self.commands, self.held, self.moved, self.unanswered
        )?;
        writeln!(f, "slots compared  {}", self.slots_compared)?;
        write!(f, "faults          {}:", self.faults.all())?;
        for (index, (name, count)) in self.faults.named().iter().enumerate() {
            write!(f, "{} {count} {name}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
