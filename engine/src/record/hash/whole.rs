//! A hash whose bytes are all there, checked from end to end before its first field is used.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use super::super::reader::Reader;
use super::super::{Form, Limits, RecordError};
use super::field::Field;
use super::packed::PackedFields;
use super::parts::HashParts;

/// A hash in a record. All its fields are sound and no name comes twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash<'a> {
    layout: Layout<'a>,
    limits: Limits,
    count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Layout<'a> {
    Parts { first: HashParts, bytes: &'a [u8] },
    Packed { form: Form, bytes: Cow<'a, [u8]> },
}

impl<'a> Hash<'a> {
    /// Reads a hash of this form, all of it.
    pub(in super::super) fn read(
        form: Form,
        reader: &mut Reader<'a>,
        limits: &Limits,
    ) -> Result<Self, RecordError> {
        let layout = match form {
            Form::String => return Err(RecordError::Malformed),
            Form::Hash | Form::HashExpiringValkey | Form::HashExpiringEarly | Form::HashExpiringRedis => {
                let mut bytes = reader.rest();
                let first = HashParts::read(form, &mut bytes, limits)?;
                Layout::Parts { first, bytes }
            }
            Form::HashZipmap | Form::HashZiplist | Form::HashListpack | Form::HashListpackExpiringEarly => {
                Layout::Packed { form, bytes: reader.string(limits)? }
            }
            Form::HashListpackExpiring => {
                // The earliest time, which the listpack tells as well.
                reader.array::<8>()?;
                Layout::Packed { form, bytes: reader.string(limits)? }
            }
        };
        let mut hash = Self { layout, limits: *limits, count: 0 };
        let unread = hash.check()?;
        if let Layout::Parts { .. } = hash.layout {
            reader.take((reader.rest().len() - unread) as u64)?;
        }
        Ok(hash)
    }

    /// Fields in the hash. At least 1.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The fields in the order of the record.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        let walk = self.walk().expect("the layout was read when the hash was checked");
        Fields { walk, limits: &self.limits, left: self.count }
    }

    fn walk(&self) -> Result<Walk<'_>, RecordError> {
        Ok(match &self.layout {
            Layout::Parts { first, bytes } => Walk::Parts { parts: first.clone(), bytes },
            Layout::Packed { form, bytes } => Walk::Packed(PackedFields::new(*form, bytes)?),
        })
    }

    /// Reads every field and counts them. Returns how many bytes of parts lie behind the last one.
    fn check(&mut self) -> Result<usize, RecordError> {
        let mut walk = self.walk()?;
        let mut names = Vec::new();
        let mut bytes = 0;
        while let Some(field) = walk.next(&self.limits)? {
            bytes += (field.name.len() + field.value.len()) as u64;
            self.limits.check_value(bytes)?;
            names.push(xxh3_64(&field.name));
            self.limits.check_members(names.len() as u64)?;
        }
        if names.is_empty() {
            return Err(RecordError::Empty);
        }
        let unread = if let Walk::Parts { bytes, .. } = walk { bytes.len() } else { 0 };
        self.count = names.len() as u64;
        self.check_names(names)?;
        Ok(unread)
    }

    /// Refuses a name that comes twice. Eight bytes a field and a sort are all it takes, whatever names were chosen to
    /// collide; names are compared only where their hashes are the same.
    fn check_names(&self, mut names: Vec<u64>) -> Result<(), RecordError> {
        names.sort_unstable();
        let mut repeated: Vec<u64> =
            names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        if repeated.is_empty() {
            return Ok(());
        }
        repeated.dedup();
        let mut suspects = Vec::new();
        let mut walk = self.walk()?;
        while let Some(field) = walk.next(&self.limits)? {
            if repeated.binary_search(&xxh3_64(&field.name)).is_ok() {
                suspects.push(field.name);
            }
        }
        suspects.sort_unstable();
        let twice = suspects.windows(2).any(|pair| pair[0] == pair[1]);
        if twice { Err(RecordError::FieldDuplicated) } else { Ok(()) }
    }
}

/// A place in a hash.
#[derive(Clone, Debug)]
enum Walk<'a> {
    Parts { parts: HashParts, bytes: &'a [u8] },
    Packed(PackedFields<'a>),
}

impl<'a> Walk<'a> {
    fn next(&mut self, limits: &Limits) -> Result<Option<Field<'a>>, RecordError> {
        match self {
            Self::Parts { parts, bytes } => parts.next(bytes, limits),
            Self::Packed(fields) => fields.next(limits),
        }
    }
}

/// The fields of a checked hash.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    walk: Walk<'a>,
    limits: &'a Limits,
    left: u64,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let field = self.walk.next(self.limits).expect("every field was read when the hash was checked")?;
        self.left -= 1;
        Some(field)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).expect("each field takes a byte of memory or more");
        (left, Some(left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

#[cfg(test)]
mod tests {
    use super::super::super::listpack::tests::listpack;
    use super::super::super::ziplist::tests::ziplist;
    use super::*;

    fn read(form: Form, value: &[u8]) -> Result<Hash<'_>, RecordError> {
        Hash::read(form, &mut Reader::new(value), &Limits::default())
    }

    /// `name=value` or `name=value@time`, one after the other.
    fn shown(form: Form, value: &[u8]) -> Result<String, RecordError> {
        let hash = read(form, value)?;
        assert_eq!(hash.count(), hash.fields().len() as u64);
        let fields = hash.fields().map(|field| {
            let text = [&field.name[..], b"=", &field.value[..]].concat();
            let time = field.expires_at_ms.map(|ms| format!("@{ms}")).unwrap_or_default();
            String::from_utf8(text).unwrap() + &time
        });
        Ok(fields.collect::<Vec<_>>().join(" "))
    }

    fn packed(blob: &[u8]) -> Vec<u8> {
        [&[blob.len() as u8], blob].concat()
    }

    #[test]
    fn every_form() {
        let pairs: [&[u8]; 4] = [b"\x81a", b"\x01", b"\x81b", b"\x82xy"];
        let triples: [&[u8]; 6] = [b"\x81a", b"\x01", b"\x64", b"\x81b", b"\x82xy", b"\x00"];
        let base = b"\x64\0\0\0\0\0\0\0";
        let cases = [
            (Form::Hash, b"\x02\x01a\xc0\x01\x01b\x02xy".to_vec(), "a=1 b=xy"),
            (Form::HashZipmap, packed(b"\x02\x01a\x01\x001\x01b\x02\0xy\xff"), "a=1 b=xy"),
            (Form::HashZiplist, packed(&ziplist(&[b"\x01a", b"\xf2", b"\x01b", b"\x02xy"])), "a=1 b=xy"),
            (Form::HashListpack, packed(&listpack(&pairs)), "a=1 b=xy"),
            (Form::HashListpackExpiringEarly, packed(&listpack(&triples)), "a=1@100 b=xy"),
            (Form::HashListpackExpiring, [&base[..], &packed(&listpack(&triples))].concat(), "a=1@100 b=xy"),
            (
                Form::HashExpiringValkey,
                [b"\x02\x01a\x011", &base[..], b"\x01b\x02xy", &[0xff; 8]].concat(),
                "a=1@100 b=xy",
            ),
            (Form::HashExpiringEarly, b"\x02\x40\x64\x01a\x011\0\x01b\x02xy".to_vec(), "a=1@100 b=xy"),
            (
                Form::HashExpiringRedis,
                [&base[..], b"\x03\x01\x01a\x011\0\x01b\x02xy\x0b\x01c\x01z"].concat(),
                "a=1@100 b=xy c=z@110",
            ),
        ];
        for (form, bytes, expected) in &cases {
            assert_eq!(shown(*form, bytes).as_deref(), Ok(*expected), "{form:?}");
            for end in 0..bytes.len() {
                assert!(read(*form, &bytes[..end]).is_err(), "{form:?} cut at {end}");
            }
        }
    }

    #[test]
    fn what_follows_stays() {
        let mut reader = Reader::new(b"\x01\x01a\x01brest");
        let hash = Hash::read(Form::Hash, &mut reader, &Limits::default()).unwrap();
        assert_eq!((hash.count(), reader.rest()), (1, &b"rest"[..]));
    }

    #[test]
    fn hashes_that_cannot_be() {
        let odd = packed(&listpack(&[b"\x01", b"\x02", b"\x03"]));
        let twice = packed(&listpack(&[b"\x01", b"\x02", b"\x811", b"\x03"]));
        let time_as_text = packed(&listpack(&[b"\x01", b"\x02", b"\x811"]));
        let time_below_zero = packed(&listpack(&[b"\x01", b"\x02", b"\xdf\xff"]));
        let minus_two = [b"\x01\x01a\x01b\xfe", &[0xff; 7][..]].concat();
        let base_below_zero = [&[0xff; 8][..], b"\x01\0\x01a\x01b"].concat();
        let cases = [
            (Form::Hash, b"\0".to_vec(), RecordError::Empty),
            (Form::Hash, b"\x02\x01a\x01b\x01a\x01c".to_vec(), RecordError::FieldDuplicated),
            (Form::Hash, b"\x02\xc0\x01\x01b\x011\x01c".to_vec(), RecordError::FieldDuplicated),
            (Form::Hash, b"\x81\0\0\x01\0\0\0\0\0".to_vec(), RecordError::LimitExceeded),
            (Form::Hash, b"\x80\xff\xff\xff\xff\x01a\x01b".to_vec(), RecordError::Truncated),
            (Form::Hash, b"\xc0\x01".to_vec(), RecordError::Malformed),
            (Form::HashListpack, packed(&listpack(&[])), RecordError::Empty),
            (Form::HashListpack, odd, RecordError::Malformed),
            (Form::HashListpack, twice, RecordError::FieldDuplicated),
            (Form::HashListpackExpiringEarly, time_as_text, RecordError::Malformed),
            (Form::HashListpackExpiringEarly, time_below_zero, RecordError::Malformed),
            (Form::HashZiplist, packed(&ziplist(&[b"\xf2"])), RecordError::Malformed),
            (Form::HashZipmap, packed(b"\0\xff"), RecordError::Empty),
            (Form::HashExpiringValkey, minus_two, RecordError::Malformed),
            (Form::HashExpiringRedis, base_below_zero, RecordError::Malformed),
            (
                Form::HashExpiringEarly,
                [b"\x01\x81", &[0xff; 8][..], b"\x01a\x01b"].concat(),
                RecordError::Malformed,
            ),
        ];
        for (form, bytes, error) in cases {
            assert_eq!(read(form, &bytes), Err(error), "{form:?} {bytes:?}");
        }
    }

    #[test]
    fn equal_hashes_are_no_equal_names() {
        let hash = read(Form::Hash, b"\x02\x01a\x01b\x01c\x01d").unwrap();
        let collision = xxh3_64(b"a");
        assert_eq!(hash.check_names(vec![collision, collision]), Ok(()));
    }
}
