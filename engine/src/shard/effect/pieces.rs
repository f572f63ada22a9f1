//! Long values in pieces, so that no effect takes long to write, to carry or to apply.

use super::{CarriedField, Effect, Fields};

/// The longest piece of a value that one effect carries.
pub const PIECE_BYTES: usize = 16 * 1024;

/// The pieces of a value behind its first `start` bytes, each with its offset in the value.
fn pieces(value: &[u8], start: usize) -> impl Iterator<Item = (u64, &[u8])> {
    let offset = move |number: usize| (start + number * PIECE_BYTES) as u64;
    value[start..].chunks(PIECE_BYTES).enumerate().map(move |(number, piece)| (offset(number), piece))
}

impl<'a> Effect<'a> {
    /// Shows effects that together do the same, none of which carries more than a piece. Fields that are encoded already
    /// stay as they are.
    #[inline]
    pub fn for_each_piece(&self, mut show: impl FnMut(&Effect<'a>)) {
        match *self {
            Effect::Set { key, value, expires_at_ms, access } if value.len() > PIECE_BYTES => {
                let total = value.len() as u64;
                show(&Effect::Set { key, value: &value[..PIECE_BYTES], expires_at_ms, access });
                for (offset, bytes) in pieces(value, PIECE_BYTES) {
                    show(&Effect::Write { key, offset, bytes, total });
                }
            }
            Effect::Write { key, offset, bytes, total } if bytes.len() > PIECE_BYTES => {
                for (further, bytes) in pieces(bytes, 0) {
                    show(&Effect::Write { key, offset: offset + further, bytes, total });
                }
            }
            Effect::HashSet { key, fields: Fields::One(field) } if field.value.len() > PIECE_BYTES => {
                let total = field.value.len() as u64;
                let first = CarriedField { value: &field.value[..PIECE_BYTES], ..field };
                show(&Effect::HashSet { key, fields: Fields::One(first) });
                for (offset, bytes) in pieces(field.value, PIECE_BYTES) {
                    show(&Effect::HashWrite { key, name: field.name, offset, bytes, total });
                }
            }
            Effect::HashWrite { key, name, offset, bytes, total } if bytes.len() > PIECE_BYTES => {
                for (further, bytes) in pieces(bytes, 0) {
                    show(&Effect::HashWrite { key, name, offset: offset + further, bytes, total });
                }
            }
            effect => show(&effect),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_value() {
        let value: Vec<u8> = (0..PIECE_BYTES * 2 + 100).map(|at| (at / 100) as u8).collect();
        let (key, name, total) = (&b"key"[..], &b"name"[..], value.len() as u64);
        let one = CarriedField { name, value: &value, expires_at_ms: Some(3) };
        for effect in [
            Effect::Set { key, value: &value, expires_at_ms: Some(1), access: None },
            Effect::Write { key, offset: 0, bytes: &value, total },
            Effect::HashSet { key, fields: Fields::One(one) },
            Effect::HashWrite { key, name, offset: 0, bytes: &value, total },
        ] {
            let (mut carried, mut count) = (Vec::<u8>::new(), 0);
            effect.for_each_piece(|piece| {
                let (at, bytes, length) = match *piece {
                    Effect::Set { value, .. } => (0, value, total),
                    Effect::HashSet { fields: Fields::One(field), .. } => (0, field.value, total),
                    Effect::Write { offset, bytes, total, .. }
                    | Effect::HashWrite { offset, bytes, total, .. } => (offset, bytes, total),
                    _ => panic!("{piece:?}"),
                };
                assert_eq!((at as usize, length), (carried.len(), total));
                assert!(bytes.len() <= PIECE_BYTES);
                carried.extend(bytes);
                count += 1;
            });
            assert_eq!((carried == value, count), (true, 3));
        }
    }
}
