//! All that one core has to say for INFO, and its way to the core that was asked.

use super::codec::{Reader, put_text, put_u64};
use super::counters::Counters;
use crate::latency::Histogram;
use std::collections::BTreeMap;

/// What a command did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandCount {
    /// Times it ran.
    pub calls: u64,
    /// Time it took altogether, in nanoseconds.
    pub nanos: u64,
    /// Times it was refused before it ran.
    pub rejected_calls: u64,
    /// Times it ran and answered an error.
    pub failed_calls: u64,
    /// How long its calls took, with `latency-tracking`.
    pub times: Option<Histogram>,
}

impl CommandCount {
    fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.nanos += other.nanos;
        self.rejected_calls += other.rejected_calls;
        self.failed_calls += other.failed_calls;
        if let Some(times) = &other.times {
            self.times.get_or_insert_default().merge(times);
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.calls, self.nanos, self.rejected_calls, self.failed_calls] {
            put_u64(out, number);
        }
        let steps: Vec<_> = self.times.iter().flat_map(Histogram::steps).collect();
        put_u64(out, steps.len() as u64);
        for (step, calls) in steps {
            put_u64(out, step as u64);
            put_u64(out, calls);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let (calls, nanos) = (reader.u64()?, reader.u64()?);
        let (rejected_calls, failed_calls) = (reader.u64()?, reader.u64()?);
        let mut times = Histogram::default();
        for (step, calls) in reader.list(|reader| Some((reader.u64()?, reader.u64()?)))? {
            times.add_to_step(usize::try_from(step).ok()?, calls).then_some(())?;
        }
        let times = (times.calls() > 0).then_some(times);
        Some(Self { calls, nanos, rejected_calls, failed_calls, times })
    }
}

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitUse {
    /// How much is used now.
    pub now: u64,
    /// The limit; 0 is none.
    pub max: u64,
    /// How often it was reached.
    pub reached: u64,
}

/// All that one core, or several merged, have to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreStats {
    /// Which core of the process it is; of no meaning when several are merged.
    pub core: u16,
    /// The numbers.
    pub counters: Counters,
    /// Commands by their full name (`config|get`).
    pub commands: BTreeMap<String, CommandCount>,
    /// Errors by their code.
    pub errors: BTreeMap<String, u64>,
    /// Limits by their name; those of several cores are added.
    pub limits: BTreeMap<String, LimitUse>,
}

impl CoreStats {
    /// Takes in what another core has to say.
    pub fn merge(&mut self, other: &Self) {
        self.counters.merge(&other.counters);
        for (name, more) in &other.commands {
            self.commands.entry(name.clone()).or_default().merge(more);
        }
        for (code, more) in &other.errors {
            *self.errors.entry(code.clone()).or_default() += more;
        }
        for (name, more) in &other.limits {
            let limit = self.limits.entry(name.clone()).or_default();
            limit.now = limit.now.saturating_add(more.now);
            limit.max = limit.max.saturating_add(more.max);
            limit.reached = limit.reached.saturating_add(more.reached);
        }
    }

    /// All cores as one.
    pub fn total(cores: &[Self]) -> Self {
        let mut total = Self::default();
        cores.iter().for_each(|core| total.merge(core));
        total
    }

    /// Appends everything as bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.core.into());
        self.counters.encode(out);
        put_u64(out, self.commands.len() as u64);
        for (name, count) in &self.commands {
            put_text(out, name);
            count.encode(out);
        }
        put_u64(out, self.errors.len() as u64);
        for (code, count) in &self.errors {
            put_text(out, code);
            put_u64(out, *count);
        }
        put_u64(out, self.limits.len() as u64);
        for (name, limit) in &self.limits {
            put_text(out, name);
            for number in [limit.now, limit.max, limit.reached] {
                put_u64(out, number);
            }
        }
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` for any other bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let core = u16::try_from(reader.u64()?).ok()?;
        let counters = Counters::decode(&mut reader)?;
        let commands =
            reader.list(|reader| Some((reader.text()?.to_owned(), CommandCount::decode(reader)?)))?;
        let errors = reader.list(|reader| Some((reader.text()?.to_owned(), reader.u64()?)))?;
        let limits = reader.list(|reader| {
            let name = reader.text()?.to_owned();
            Some((name, LimitUse { now: reader.u64()?, max: reader.u64()?, reached: reader.u64()? }))
        })?;
        reader.0.is_empty().then(|| Self {
            core,
            counters,
            commands: commands.into_iter().collect(),
            errors: errors.into_iter().collect(),
            limits: limits.into_iter().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_core() -> impl Strategy<Value = CoreStats> {
        let commands = proptest::collection::btree_map("[a-z|]{1,12}", any::<[u32; 4]>(), 0..8);
        let errors = proptest::collection::btree_map("[A-Z]{1,8}", any::<u32>(), 0..8);
        let limits = proptest::collection::btree_map("[a-z-]{1,8}", any::<[u64; 3]>(), 0..8);
        (any::<[u32; 3]>(), commands, errors, limits).prop_map(
            |([keys, hits, longest], commands, errors, limits)| {
                let times = |nanos: u32| {
                    let mut times = Histogram::default();
                    times.add(nanos.into());
                    times
                };
                let command = |[calls, nanos, rejected, failed]: [u32; 4]| CommandCount {
                    calls: calls.into(),
                    nanos: nanos.into(),
                    rejected_calls: rejected.into(),
                    failed_calls: failed.into(),
                    times: (calls % 2 == 0).then(|| times(nanos)),
                };
                CoreStats {
                    core: 0,
                    counters: Counters {
                        keys: keys.into(),
                        hits: hits.into(),
                        turn_us_max: longest.into(),
                        ..Counters::default()
                    },
                    commands: commands.into_iter().map(|(name, four)| (name, command(four))).collect(),
                    errors: errors.into_iter().map(|(code, count)| (code, count.into())).collect(),
                    limits: limits
                        .into_iter()
                        .map(|(name, [now, max, reached])| (name, LimitUse { now, max, reached }))
                        .collect(),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn bytes_read_back(core in a_core()) {
            let mut bytes = Vec::new();
            core.encode(&mut bytes);
            for end in 0..bytes.len() {
                prop_assert_eq!(CoreStats::decode(&bytes[..end]), None);
            }
            prop_assert_eq!(CoreStats::decode(&bytes), Some(core));
        }

        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            let _ = CoreStats::decode(&bytes);
        }

        #[test]
        fn the_order_of_cores_does_not_matter(one in a_core(), two in a_core(), three in a_core()) {
            let forward = CoreStats::total(&[one.clone(), two.clone(), three.clone()]);
            prop_assert_eq!(forward, CoreStats::total(&[three, one, two]));
        }
    }
}
