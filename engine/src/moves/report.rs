//! How far a move has come, as operators read it: Valkey's fields first, ours behind them.

use crate::info::codec::{Reader, put_text, put_u64};
use crate::resp::Reply;
use crate::topology::{NodeId, SlotRange};

/// Which part a core has in a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Its slots go.
    Export,
    /// Slots come to it.
    Import,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Export => "EXPORT",
            Self::Import => "IMPORT",
        }
    }
}

macro_rules! report {
    ($( $(#[doc = $doc:literal])+ $name:ident, )*) => {
        /// How far a move has come, as one of the two cores knows it.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct MoveReport {
            /// The move's name, 40 hexadecimal digits.
            pub name: String,
            /// Which part this core has.
            pub operation: Operation,
            /// The slots.
            pub ranges: Vec<SlotRange>,
            /// Where they go.
            pub target: NodeId,
            /// Where they were.
            pub source: NodeId,
            /// Where it stands: `planned`, `connecting`, `snapshot`, `streaming`, `pausing`, `handing-over`, `done`,
            /// `failed`, `cancelled`.
            pub phase: String,
            /// Why it failed, was cancelled, or last began again; empty if there is nothing to say.
            pub reason: String,
            /// Milliseconds to the end; nothing if that cannot be told.
            pub eta_ms: Option<u64>,
            $( $(#[doc = $doc])+ pub $name: u64, )*
        }

        impl MoveReport {
            /// A report of nothing done yet.
            pub fn new(name: String, operation: Operation, ranges: Vec<SlotRange>, source: NodeId, target: NodeId) -> Self {
                Self { name, operation, ranges, target, source, phase: "planned".to_owned(),
                    reason: String::new(), eta_ms: None, $( $name: 0, )* }
            }

            fn numbers(&self) -> impl Iterator<Item = u64> {
                [$( self.$name, )*].into_iter()
            }

            fn read_numbers(&mut self, reader: &mut Reader<'_>) -> Option<()> {
                $( self.$name = reader.u64()?; )*
                Some(())
            }
        }
    };
}

report! {
    /// When it was asked for, in Unix milliseconds.
    created_ms,
    /// When its phase changed last, in Unix seconds.
    updated_s,
    /// When the other side was heard of last, in Unix seconds.
    acknowledged_s,
    /// The most that forks retained for it.
    retained_bytes_max,
    /// Slots handed over.
    slots_done,
    /// Slots in all.
    slots_total,
    /// Keys copied.
    keys_done,
    /// Keys in all, as far as is known.
    keys_total,
    /// Bytes copied.
    bytes_done,
    /// Bytes in all, as far as is known.
    bytes_total,
    /// Bytes sent for it, all lanes and repetitions included.
    bytes_sent,
    /// Bytes among them that were sent again.
    bytes_resent,
    /// Bytes a second, lately.
    rate,
    /// Bytes of changes that the target has not applied.
    lag_bytes,
    /// Pauses begun.
    pauses,
    /// The longest pause, in microseconds.
    pause_us_max,
    /// Times a link was opened anew.
    reconnects,
    /// Times a slot, or a batch of slots, began anew.
    restarts,
    /// Bytes that forks retain now.
    retained_bytes,
}

impl MoveReport {
    /// Whether nothing will change any more.
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "done" | "failed" | "cancelled")
    }

    /// The state as Valkey says it.
    fn state(&self) -> &str {
        if self.phase == "done" { "success" } else { &self.phase }
    }

    /// The slots as text: `0-10 20-20`.
    pub fn ranges_text(&self) -> String {
        let range = |range: &SlotRange| format!("{}-{}", range.first().number(), range.last().number());
        self.ranges.iter().map(range).collect::<Vec<_>>().join(" ")
    }

    /// Appends it as an element of the reply to CLUSTER GETSLOTMIGRATIONS.
    pub fn reply(&self, reply: &mut Reply) {
        let texts = |names: &[(&'static str, &str)], reply: &mut Reply| {
            for (name, text) in names {
                reply.bulk(name);
                reply.bulk(text);
            }
        };
        let numbers = |names: &[(&'static str, u64)], reply: &mut Reply| {
            for (name, number) in names {
                reply.bulk(name);
                reply.integer(number.cast_signed());
            }
        };
        reply.map(30);
        texts(
            &[
                ("name", &self.name),
                ("operation", self.operation.name()),
                ("slot_ranges", &self.ranges_text()),
                ("target_node", self.target.as_str()),
                ("source_node", self.source.as_str()),
            ],
            reply,
        );
        numbers(
            &[
                ("create_time", self.created_ms / 1000),
                ("last_update_time", self.updated_s),
                ("last_ack_time", self.acknowledged_s),
            ],
            reply,
        );
        texts(&[("state", self.state()), ("message", &self.reason)], reply);
        numbers(&[("cow_size", self.retained_bytes_max), ("remaining_repl_size", self.lag_bytes)], reply);
        texts(&[("phase", &self.phase)], reply);
        numbers(
            &[
                ("slots_done", self.slots_done),
                ("slots_total", self.slots_total),
                ("keys_done", self.keys_done),
                ("keys_total", self.keys_total),
                ("bytes_done", self.bytes_done),
                ("bytes_total", self.bytes_total),
                ("bytes_sent", self.bytes_sent),
                ("bytes_resent", self.bytes_resent),
                ("rate", self.rate),
                ("eta_ms", self.eta_ms.unwrap_or(u64::MAX)),
                ("lag_bytes", self.lag_bytes),
                ("pauses", self.pauses),
                ("pause_max_us", self.pause_us_max),
                ("retained_bytes", self.retained_bytes),
                ("reconnects", self.reconnects),
                ("restarts", self.restarts),
            ],
            reply,
        );
        texts(&[("error", if self.phase == "done" { "" } else { &self.reason })], reply);
    }

    /// Appends it as bytes, for another core.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_text(out, &self.name);
        put_u64(out, u64::from(self.operation == Operation::Import));
        put_u64(out, self.ranges.len() as u64);
        for range in &self.ranges {
            put_u64(out, range.first().number() as u64);
            put_u64(out, range.last().number() as u64);
        }
        for text in [self.target.as_str(), self.source.as_str(), &self.phase, &self.reason] {
            put_text(out, text);
        }
        put_u64(out, self.eta_ms.map_or(0, |eta| eta.saturating_add(1)));
        self.numbers().for_each(|number| put_u64(out, number));
    }

    /// Reads one report.
    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let name = reader.text()?.to_owned();
        let operation = if reader.u64()? == 0 { Operation::Export } else { Operation::Import };
        let ranges = reader.list(|reader| {
            let (first, last) = (usize::try_from(reader.u64()?).ok()?, usize::try_from(reader.u64()?).ok()?);
            SlotRange::new(first, last)
        })?;
        let (target, source) =
            (NodeId::parse(reader.text()?.as_bytes())?, NodeId::parse(reader.text()?.as_bytes())?);
        let mut report = Self::new(name, operation, ranges, source, target);
        (report.phase, report.reason) = (reader.text()?.to_owned(), reader.text()?.to_owned());
        report.eta_ms = reader.u64()?.checked_sub(1);
        report.read_numbers(reader)?;
        Some(report)
    }

    /// Reads reports that were written one after the other.
    pub fn decode_all(bytes: &[u8]) -> Option<Vec<Self>> {
        let mut reader = Reader(bytes);
        let mut reports = Vec::new();
        while !reader.0.is_empty() {
            reports.push(Self::decode(&mut reader)?);
        }
        Some(reports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Protocol;

    fn report() -> MoveReport {
        let range = |first, last| SlotRange::new(first, last).unwrap();
        let ranges = vec![range(0, 10), range(20, 20)];
        let mut report = MoveReport::new(
            "7".repeat(40),
            Operation::Import,
            ranges,
            NodeId::derived(1, 0),
            NodeId::derived(1, 1),
        );
        (report.phase, report.reason) = ("failed".to_owned(), "why".to_owned());
        (report.created_ms, report.retained_bytes, report.eta_ms) = (5, 9, Some(0));
        report
    }

    #[test]
    fn reports_read_back() {
        let (one, mut two) = (report(), report());
        (two.operation, two.eta_ms) = (Operation::Export, None);
        let mut bytes = Vec::new();
        one.encode(&mut bytes);
        let length = bytes.len();
        two.encode(&mut bytes);
        assert_eq!(MoveReport::decode_all(&bytes), Some(vec![one, two]));
        assert!((1..length).all(|end| MoveReport::decode_all(&bytes[..end]).is_none()));
    }

    #[test]
    fn replies_hold_as_many_fields_as_they_say() {
        let mut reply = Reply::new(Protocol::Resp3);
        report().reply(&mut reply);
        let text = String::from_utf8(reply.into_bytes()).unwrap();
        assert!(text.starts_with("%30\r\n$4\r\nname\r\n"), "{text}");
        assert!(text.contains("slot_ranges\r\n$10\r\n0-10 20-20\r\n"), "{text}");
        let values = text.lines().filter(|line| line.starts_with(['$', ':'])).count();
        assert_eq!(values, 60, "{text}");
    }
}
