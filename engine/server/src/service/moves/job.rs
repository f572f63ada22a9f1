//! Jobs of this core: what an operator asked for, cut into batches that go one after another.

use whimbrel_engine::core::Now;
use whimbrel_engine::key::SlotId;
use whimbrel_engine::moves::{MoveReport, Operation};
use whimbrel_engine::topology::{NodeId, ranges_of};
use whimbrel_migration::plan::Plan;
use whimbrel_migration::{MoveId, Phase, Progress};

/// What an operator asked of this core.
pub struct Job {
    pub id: MoveId,
    pub target: NodeId,
    /// Slots of batches that have not begun.
    plan: Plan,
    /// The number of the next batch.
    next: u32,
    /// Why the operator ended it, if so: no further batch begins.
    pub cancelled: bool,
    /// Everything that batches which are over have come to.
    report: MoveReport,
}

impl Job {
    /// A job for slots that this core owns, and that hold so many keys and bytes.
    pub fn new(
        id: MoveId,
        [source, target]: [NodeId; 2],
        plan: Plan,
        [keys, bytes]: [u64; 2],
        now: Now,
    ) -> Job {
        let slots: Vec<SlotId> = plan.waiting().collect();
        let mut report =
            MoveReport::new(id.to_string(), Operation::Export, ranges_of(&slots), source, target);
        (report.created_ms, report.updated_s) = (now.unix_ms, now.unix_s());
        report.slots_total = slots.len() as u64;
        (report.keys_total, report.bytes_total) = (keys, bytes);
        Job { id, target, plan, next: 0, cancelled: false, report }
    }

    /// The next batch: its number and its slots. `weigh` says load and bytes of a slot.
    pub fn next_batch(&mut self, weigh: impl Fn(SlotId) -> (u64, u64)) -> Option<(u32, Vec<SlotId>)> {
        let slots = self.plan.next_batch(weigh)?;
        let number = self.next;
        self.next += 1;
        Some((number, slots))
    }

    /// Whether every batch has begun.
    pub fn is_last(&self) -> bool {
        self.plan.is_empty()
    }

    /// Slots that have not begun to move.
    pub fn waiting(&self) -> impl Iterator<Item = SlotId> {
        self.plan.waiting()
    }

    /// Takes in how a batch has ended.
    pub fn note_batch(&mut self, progress: &Progress, slots_handed_over: usize) {
        let mut report = self.report_with(Some(progress));
        report.slots_done += slots_handed_over as u64;
        (report.rate, report.lag_bytes, report.retained_bytes, report.eta_ms) = (0, 0, 0, None);
        self.report = report;
    }

    /// It is over.
    pub fn end(mut self, phase: Phase, reason: String, now_s: u64) -> MoveReport {
        self.report.phase = phase.name().to_owned();
        self.report.reason = reason;
        self.report.updated_s = now_s;
        self.report
    }

    /// Notes when the phase of the running batch changed last.
    pub fn note_phase(&mut self, phase: Phase, now_s: u64) -> bool {
        let changes = self.report.phase != phase.name();
        if changes {
            self.report.phase = phase.name().to_owned();
            self.report.updated_s = now_s;
        }
        changes
    }

    /// Notes that the target was heard of.
    pub fn note_answer(&mut self, now_s: u64) {
        self.report.acknowledged_s = now_s;
    }

    /// How far it has come, with the batch that is under way.
    pub fn report_with(&self, batch: Option<&Progress>) -> MoveReport {
        let mut report = self.report.clone();
        let Some(batch) = batch else { return report };
        report.keys_done += batch.keys_done;
        report.keys_total = report.keys_total.max(report.keys_done);
        report.bytes_done += batch.bytes_done;
        report.bytes_total = report.bytes_total.max(report.bytes_done);
        report.bytes_sent += batch.bytes_sent;
        report.bytes_resent += batch.bytes_sent_again;
        report.pauses += u64::from(batch.pauses_tried);
        report.pause_us_max = report.pause_us_max.max(batch.pauses.longest_us);
        report.reconnects += u64::from(batch.reconnects);
        report.restarts += u64::from(batch.restarts);
        report.retained_bytes = batch.retained_bytes;
        report.retained_bytes_max = report.retained_bytes_max.max(batch.retained_bytes);
        (report.rate, report.lag_bytes) = (batch.rate, batch.lag_bytes);
        let left = report.bytes_total - report.bytes_done;
        report.eta_ms = (batch.rate > 0).then(|| left.saturating_mul(1000) / batch.rate);
        report.reason = batch.reason.clone().unwrap_or_default();
        report
    }
}
