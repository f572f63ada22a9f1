//! How a connection begins: the source says which lane of which batch it is, the target where to go on.

use whimbrel_engine::topology::NodeId;

use super::slot_of;
use super::wire::Fields;
use crate::batch::{BATCH_SLOTS_MAX, Batch, BatchId, Incarnation, MoveId};
use crate::lane::Lane;

/// The source's first frame on a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hello {
    /// The batch, its slots included.
    pub batch: Batch,
    /// Which lane the connection is.
    pub lane: Lane,
    /// How often the batch began, from 1.
    pub life: u32,
    /// Which connection of this life it is, from 1; both lanes count together.
    pub connection: u32,
    /// Whether the target has answered in this life before. If it knows nothing of the batch then, it has lost what it had.
    pub was_welcome: bool,
    /// The source's process.
    pub source_incarnation: Incarnation,
    /// When the batch began on the source's clock: of two batches of one source process the younger one is in force.
    pub began_us: u64,
}

/// The target's answer to a hello.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Welcome {
    /// The target's process.
    pub incarnation: Incarnation,
    /// The number of the frame that comes next.
    pub expected: u64,
    /// Send no more bytes a second than this; 0 sets no limit.
    pub bytes_per_second: u64,
}

impl Hello {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.batch.id.job.0.to_le_bytes());
        out.extend(self.batch.id.number.to_le_bytes());
        out.extend(self.batch.source.as_str().as_bytes());
        out.extend(self.batch.target.as_str().as_bytes());
        out.push(self.lane as u8);
        out.push(u8::from(self.was_welcome));
        out.extend(self.life.to_le_bytes());
        out.extend(self.connection.to_le_bytes());
        out.extend(self.source_incarnation.0.to_le_bytes());
        out.extend(self.began_us.to_le_bytes());
        for slot in &self.batch.slots {
            out.extend((slot.number() as u16).to_le_bytes());
        }
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Option<Hello> {
        let id = BatchId { job: MoveId(fields.u128()?), number: fields.u32()? };
        let source = NodeId::parse(&fields.array::<40>()?)?;
        let target = NodeId::parse(&fields.array::<40>()?)?;
        let lane = *Lane::ALL.get(usize::from(fields.u8()?))?;
        let was_welcome = match fields.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let (life, connection) = (fields.u32()?, fields.u32()?);
        let (source_incarnation, began_us) = (Incarnation(fields.u64()?), fields.u64()?);
        let mut slots = Vec::with_capacity((fields.0.len() / 2).min(BATCH_SLOTS_MAX));
        let mut seen = vec![false; BATCH_SLOTS_MAX];
        while !fields.is_empty() {
            let slot = slot_of(fields.u16()?)?;
            if std::mem::replace(&mut seen[slot.number()], true) {
                return None;
            }
            slots.push(slot);
        }
        if slots.is_empty() || life == 0 || connection == 0 {
            return None;
        }
        let batch = Batch { id, source, target, slots };
        Some(Hello { batch, lane, life, connection, was_welcome, source_incarnation, began_us })
    }
}

impl Welcome {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.incarnation.0.to_le_bytes());
        out.extend(self.expected.to_le_bytes());
        out.extend(self.bytes_per_second.to_le_bytes());
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Welcome> {
        Some(Welcome {
            incarnation: Incarnation(fields.u64()?),
            expected: fields.u64()?,
            bytes_per_second: fields.u64()?,
        })
    }
}
