//! How far a move has come, as its source tells it.

use serde::Serialize;

use super::connection::Reply;

/// How far a move has come. Fields that a node does not tell are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MoveReport {
    /// Its name.
    pub name: String,
    /// The slots, as runs.
    pub slot_ranges: String,
    /// The id of the node that they leave.
    pub source_node: String,
    /// The id of the node that they go to.
    pub target_node: String,
    /// When it was asked for, in Unix seconds.
    #[serde(rename = "create_time")]
    pub created_s: u64,
    /// `success`, `failed`, `cancelled`, or anything else while it goes on.
    pub state: String,
    /// Where it stands.
    pub phase: String,
    /// Why it is where it is.
    pub message: String,
    /// Slots handed over, and in all.
    pub slots_done: u64,
    /// Slots in all.
    pub slots_total: u64,
    /// Keys copied.
    pub keys_done: u64,
    /// Keys in all.
    pub keys_total: u64,
    /// Bytes copied.
    pub bytes_done: u64,
    /// Bytes in all, as far as is known.
    pub bytes_total: u64,
    /// Bytes that were sent again.
    pub bytes_resent: u64,
    /// Bytes a second, lately.
    pub rate: u64,
    /// Milliseconds to the end, if that can be told.
    pub eta_ms: Option<u64>,
    /// Bytes of changes that the target has not applied yet.
    pub lag_bytes: u64,
    /// Pauses begun.
    pub pauses: u64,
    /// The longest of them, in microseconds.
    pub pause_max_us: u64,
    /// Bytes that are kept for it.
    pub retained_bytes: u64,
    /// Why it failed.
    pub error: String,
    /// Whether the node that tells is the source.
    #[serde(skip)]
    pub is_export: bool,
}

impl MoveReport {
    /// Reads an element of the reply to CLUSTER GETSLOTMIGRATIONS.
    pub fn read(reply: &Reply) -> Option<MoveReport> {
        let text = |name: &str| reply.field(name).map(|value| value.text().to_owned()).unwrap_or_default();
        let count = |name: &str| reply.field(name).and_then(Reply::count).unwrap_or(0);
        reply.field("name")?;
        Some(MoveReport {
            name: text("name"),
            slot_ranges: text("slot_ranges"),
            source_node: text("source_node"),
            target_node: text("target_node"),
            created_s: count("create_time"),
            state: text("state"),
            phase: text("phase"),
            message: text("message"),
            slots_done: count("slots_done"),
            slots_total: count("slots_total"),
            keys_done: count("keys_done"),
            keys_total: count("keys_total"),
            bytes_done: count("bytes_done"),
            bytes_total: count("bytes_total"),
            bytes_resent: count("bytes_resent"),
            rate: count("rate"),
            eta_ms: reply.field("eta_ms").and_then(Reply::count),
            lag_bytes: count("lag_bytes"),
            pauses: count("pauses"),
            pause_max_us: count("pause_max_us"),
            retained_bytes: count("retained_bytes"),
            error: text("error"),
            is_export: text("operation") == "EXPORT",
        })
    }

    /// The name in short: its zeros at the front tell nothing.
    pub fn short_name(&self) -> &str {
        let name = self.name.trim_start_matches('0');
        name.get(..8).unwrap_or(name)
    }

    /// Whether an operator means this move by a beginning of its name, in full or in short.
    pub fn is_called(&self, beginning: &str) -> bool {
        let zeros = self.name.len() - self.name.trim_start_matches('0').len();
        self.name.starts_with(beginning) || self.name[zeros..].starts_with(beginning)
    }

    /// Whether nothing will change any more.
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "success" | "failed" | "cancelled")
    }

    /// Whether everything has arrived.
    pub fn has_succeeded(&self) -> bool {
        self.state == "success"
    }

    /// The slots.
    pub fn slots(&self) -> Vec<usize> {
        super::slots::parse(&self.slot_ranges).unwrap_or_default()
    }

    /// Where it stands, in a word.
    pub fn stage(&self) -> &str {
        if self.phase.is_empty() { &self.state } else { &self.phase }
    }

    /// Why it has ended as it has.
    pub fn reason(&self) -> &str {
        if self.error.is_empty() { &self.message } else { &self.error }
    }

    /// How far it is, in thousandths.
    pub fn permille(&self) -> u64 {
        if self.has_succeeded() {
            return 1000;
        }
        let (done, total) = match (self.bytes_total, self.slots_total) {
            (0, 0) => return 0,
            (0, total) => (self.slots_done, total),
            (total, _) => (self.bytes_done, total),
        };
        // What came meanwhile may have made it more than was known at first; the end is told by the state alone.
        (u128::from(done) * 1000 / u128::from(total)).min(999) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_by_name() {
        let text = |text: &str| Reply::Text(text.to_owned());
        let fields = [
            ("name", text("n")),
            ("operation", text("EXPORT")),
            ("slot_ranges", text("0-3 9-9")),
            ("state", text("snapshot")),
            ("later", text("x")),
            ("bytes_done", Reply::Integer(50)),
            ("bytes_total", Reply::Integer(200)),
            ("eta_ms", Reply::Integer(-1)),
        ];
        let reply = Reply::Array(fields.into_iter().flat_map(|(name, value)| [text(name), value]).collect());
        let report = MoveReport::read(&reply).unwrap();
        assert_eq!((report.permille(), report.slots(), report.eta_ms), (250, vec![0, 1, 2, 3, 9], None));
        assert!(report.is_export && !report.is_over() && report.stage() == "snapshot");
        assert!(MoveReport::read(&Reply::Array(Vec::new())).is_none());
    }

    #[test]
    fn names_are_short() {
        let report = MoveReport { name: "0000cb7729b9821fe2".to_owned(), ..MoveReport::default() };
        assert_eq!(report.short_name(), "cb7729b9");
        assert!(report.is_called("0000cb") && report.is_called("cb77") && !report.is_called("b7"));
        assert_eq!(MoveReport { name: "00ab".to_owned(), ..MoveReport::default() }.short_name(), "ab");
    }

    #[test]
    fn progress_ends_with_the_state() {
        let report = |state: &str, done, total| MoveReport {
            state: state.to_owned(),
            bytes_done: done,
            bytes_total: total,
            ..MoveReport::default()
        };
        assert_eq!(report("streaming", 9, 3).permille(), 999);
        assert_eq!(report("success", 0, 0).permille(), 1000);
        assert_eq!(report("planned", 0, 0).permille(), 0);
        let by_slots = MoveReport { slots_done: 1, slots_total: 4, ..report("snapshot", 0, 0) };
        assert_eq!(by_slots.permille(), 250);
    }
}
