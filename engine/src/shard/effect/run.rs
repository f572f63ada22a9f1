//! Runs: effects of one slot one after another, each behind its length.

use super::{Effect, varint};
use crate::shard::ApplyError;

/// Reads a run, effect by effect. After an error it ends.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    rest: &'a [u8],
}

impl<'a> Run<'a> {
    /// The run that these bytes are, or what is left of one.
    pub fn new(bytes: &'a [u8]) -> Run<'a> {
        Run { rest: bytes }
    }

    /// What has not been read: a run as well.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Run<'a> {
    type Item = Result<Effect<'a>, ApplyError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let effect = varint::take_part(&mut self.rest).and_then(Effect::decode);
        if effect.is_none() {
            self.rest = b"";
        }
        Some(effect.ok_or(ApplyError::Malformed))
    }
}

impl Effect<'_> {
    /// Appends the effect to a run.
    pub fn push_onto(&self, run: &mut Vec<u8>) {
        push(run, self.bytes_max(), |run| self.encode_into(run));
    }
}

/// How many bytes the first effect of a run takes, its length included; nothing if there is none.
pub fn first_bytes(run: &[u8]) -> Option<usize> {
    let mut rest = run;
    let part = varint::take_part(&mut rest)?;
    debug_assert!(!part.is_empty(), "an effect has a code");
    Some(run.len() - rest.len())
}

/// The effects of a run, each still behind its length.
pub fn runs_of_one(mut run: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (first, rest) = run.split_at(first_bytes(run)?);
        run = rest;
        Some(first)
    })
}

/// Appends to a run what `encode` appends, which is no more than `bytes_max`, behind its length.
pub fn push(run: &mut Vec<u8>, bytes_max: usize, encode: impl FnOnce(&mut Vec<u8>)) {
    let (at, width) = (run.len(), varint::width(bytes_max));
    run.resize(at + width, 0);
    encode(run);
    let length = run.len() - at - width;
    varint::put_padded(&mut run[at..at + width], length as u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_as_it_was_written_and_refused_when_cut() {
        let (key, value) = (&b"key"[..], [b'v'; 5000]);
        let effects = [
            Effect::Set { key, value: b"value", expires_at_ms: Some(9), access: None },
            Effect::Delete { key },
            Effect::Set { key, value: &value, expires_at_ms: None, access: None },
            Effect::Flush,
        ];
        let (mut run, mut ends) = (Vec::new(), vec![0]);
        for effect in &effects {
            effect.push_onto(&mut run);
            ends.push(run.len());
        }
        let read: Result<Vec<_>, _> = Run::new(&run).collect();
        assert_eq!(read.as_deref(), Ok(&effects[..]));
        for length in 0..run.len() {
            let whole = Run::new(&run[..length]).all(|effect| effect.is_ok());
            assert_eq!(whole, ends.contains(&length), "{length} bytes of {}", run.len());
        }
        let mut reader = Run::new(&run);
        reader.next();
        assert_eq!(reader.rest(), &run[ends[1]..]);
    }
}
