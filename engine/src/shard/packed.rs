//! Packed hashes: fields and values one after another in a single object.
//!
//! ```text
//! field = | name_length u8 | value_length u7, expiring u1 | [expires_at_ms u64] | name | value |
//! ```

use super::hash::Field;

/// The longest name that a packed field may have.
pub const NAME_BYTES_MAX: usize = u8::MAX as usize;

/// The longest value that a packed field may have.
pub const VALUE_BYTES_MAX: usize = 0x7f;

const EXPIRING: u8 = 0x80;

/// The fields of a packed hash, in order, expired ones included.
pub fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || {
        let (field, rest) = split_first(bytes)?;
        bytes = rest;
        Some(field)
    })
}

fn split_first(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (&[name_length, value_code], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut expires_at_ms = None;
    if value_code & EXPIRING != 0 {
        let (expiry, behind) = rest.split_first_chunk::<8>()?;
        expires_at_ms = Some(u64::from_ne_bytes(*expiry));
        rest = behind;
    }
    let (name, rest) = rest.split_at_checked(usize::from(name_length))?;
    let (value, rest) = rest.split_at_checked(usize::from(value_code & !EXPIRING))?;
    Some((Field { name, value: super::text::Text::Bytes(value), expires_at_ms }, rest))
}

/// Whether a field fits into a packed hash at all.
pub fn fits(name: &[u8], value: &[u8]) -> bool {
    name.len() <= NAME_BYTES_MAX && value.len() <= VALUE_BYTES_MAX
}

/// Appends a field.
pub fn push(into: &mut Vec<u8>, name: &[u8], value: &[u8], expires_at_ms: Option<u64>) {
    debug_assert!(fits(name, value), "the caller has asked `fits`");
    let expiring = if expires_at_ms.is_some() { EXPIRING } else { 0 };
    into.extend([name.len() as u8, value.len() as u8 | expiring]);
    if let Some(expires_at_ms) = expires_at_ms {
        into.extend(expires_at_ms.to_ne_bytes());
    }
    into.extend_from_slice(name);
    into.extend_from_slice(value);
}

/// Where a field stands among the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its first byte.
    pub start: usize,
    /// The first byte of its value.
    pub value: usize,
    /// The first byte behind it.
    pub end: usize,
    /// When it expires.
    pub expires_at_ms: Option<u64>,
}

/// Where the field with this name stands; if it is not there, how many others are.
pub fn place(bytes: &[u8], name: &[u8]) -> Result<Place, usize> {
    let (mut rest, mut count) = (bytes, 0);
    while let Some((field, behind)) = split_first(rest) {
        if field.name == name {
            let (start, end) = (bytes.len() - rest.len(), bytes.len() - behind.len());
            let value = end - field.value.len();
            return Ok(Place { start, value, end, expires_at_ms: field.expires_at_ms });
        }
        rest = behind;
        count += 1;
    }
    Err(count)
}

/// Takes a field away.
pub fn remove(bytes: &mut Vec<u8>, place: &Place) {
    bytes.drain(place.start..place.end);
}

/// Puts a field where another of the same name stood.
pub fn replace(bytes: &mut Vec<u8>, old: &Place, name: &[u8], value: &[u8], expires_at_ms: Option<u64>) {
    if value.len() == old.end - old.value && expires_at_ms == old.expires_at_ms {
        bytes[old.value..old.end].copy_from_slice(value);
        return;
    }
    // The new field is written behind the others and turned into the place of the old one.
    let behind = bytes.len();
    push(bytes, name, value, expires_at_ms);
    let length = bytes.len() - behind;
    bytes[old.start..].rotate_right(length);
    bytes.drain(old.start + length..old.end + length);
}

/// Changes when a field expires.
pub fn set_expiry(bytes: &mut Vec<u8>, place: &Place, expires_at_ms: Option<u64>) {
    const AT: usize = 2;
    let old = place.start + AT..place.start + AT + if place.expires_at_ms.is_some() { 8 } else { 0 };
    match expires_at_ms {
        Some(at) => {
            bytes[place.start + 1] |= EXPIRING;
            bytes.splice(old, at.to_ne_bytes());
        }
        None => {
            bytes[place.start + 1] &= !EXPIRING;
            bytes.drain(old);
        }
    }
}

/// The field with this name.
pub fn find<'a>(bytes: &'a [u8], name: &[u8]) -> Option<Field<'a>> {
    fields(bytes).find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_they_were_pushed() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"name", b"value", None);
        push(&mut bytes, b"", b"", Some(77));
        push(&mut bytes, &[b'n'; NAME_BYTES_MAX], &[b'v'; VALUE_BYTES_MAX], None);
        let back: Vec<_> =
            fields(&bytes).map(|f| (f.name.to_vec(), f.value.bytes().to_vec(), f.expires_at_ms)).collect();
        assert_eq!(back[0], (b"name".to_vec(), b"value".to_vec(), None));
        assert_eq!(back[1], (vec![], vec![], Some(77)));
        assert_eq!(back[2].0.len() + back[2].1.len(), NAME_BYTES_MAX + VALUE_BYTES_MAX);
        let place_of = |name: &[u8]| place(&bytes, name).map(|at| (at.start, at.value, at.end));
        assert_eq!(place_of(b"name"), Ok((0, 6, 11)));
        assert_eq!(place_of(b""), Ok((11, 21, 21)));
        assert_eq!(place_of(b"nam"), Err(3));
        assert!(!fits(&[0; 256], b"") && !fits(b"", &[0; 128]));
    }

    #[test]
    fn a_field_keeps_its_place_when_it_is_replaced() {
        for (value, expires_at_ms) in
            [(&b"22"[..], None), (b"33", Some(9)), (b"", None), (b"longer", Some(1))]
        {
            for name in [&b"a"[..], b"b", b"c"] {
                let mut bytes = Vec::new();
                for other in [&b"a"[..], b"b", b"c"] {
                    push(&mut bytes, other, b"11", None);
                }
                let old = place(&bytes, name).unwrap();
                replace(&mut bytes, &old, name, value, expires_at_ms);
                let mut expected = Vec::new();
                for other in [&b"a"[..], b"b", b"c"] {
                    match other == name {
                        true => push(&mut expected, name, value, expires_at_ms),
                        false => push(&mut expected, other, b"11", None),
                    }
                }
                assert_eq!(bytes, expected);
                for expires_at_ms in [None, Some(5), Some(6), None, None, Some(7)] {
                    let old = place(&bytes, name).unwrap();
                    set_expiry(&mut bytes, &old, expires_at_ms);
                    let field = find(&bytes, name).unwrap();
                    assert_eq!((&*field.value.bytes(), field.expires_at_ms), (value, expires_at_ms));
                }
                let new = place(&bytes, name).unwrap();
                remove(&mut bytes, &new);
                assert_eq!(place(&bytes, name), Err(2));
            }
        }
    }
}
