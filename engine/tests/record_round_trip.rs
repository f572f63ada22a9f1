//! What was encoded decodes to the same, whatever it is and in every form that is written.

use proptest::prelude::*;
use whimbrel_engine::record::{
    Access, Decoded, Encoder, EncoderOptions, Field, FieldExpiryForm, Head, Limits, RecordError, decode,
    decode_entry,
};

type Owned = (Vec<u8>, Vec<u8>, Option<u64>);

fn encoder(compression: bool, redis: bool) -> Encoder {
    let field_expiry = if redis { FieldExpiryForm::Redis } else { FieldExpiryForm::Valkey };
    Encoder::new(EncoderOptions { compression, field_expiry })
}

fn borrowed(fields: &[Owned]) -> impl ExactSizeIterator<Item = (&[u8], &[u8], Option<u64>)> {
    fields.iter().map(|(name, value, expires)| (&name[..], &value[..], *expires))
}

fn owned(field: Field<'_>) -> Owned {
    (field.name.into_owned(), field.value.into_owned(), field.expires_at_ms)
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..100),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        any::<i16>().prop_map(|number| number.to_string().into_bytes()),
        ("[ab]{1,4}", 1_usize..300).prop_map(|(word, count)| word.repeat(count).into_bytes()),
    ]
}

fn hash() -> impl Strategy<Value = Vec<Owned>> {
    let time = prop_oneof![3 => Just(None), 1 => (1..=i64::MAX as u64).prop_map(Some)];
    let fields = prop::collection::btree_map(text(), (text(), time), 1..30);
    fields.prop_map(|map| map.into_iter().map(|(name, (value, time))| (name, value, time)).collect())
}

fn earliest(fields: &[Owned]) -> Option<u64> {
    fields.iter().filter_map(|field| field.2).min()
}

proptest! {
    #[test]
    fn strings(value in text(), compression in any::<bool>()) {
        let mut payload = b"before".to_vec();
        encoder(compression, false).string_payload(&mut payload, &value);
        let decoded = decode(&payload[6..], &Limits::default());
        prop_assert_eq!(decoded, Ok(Decoded::String(value.into())));
    }

    #[test]
    fn hashes(fields in hash(), compression in any::<bool>(), redis in any::<bool>()) {
        let mut payload = b"before".to_vec();
        encoder(compression, redis).hash_payload(&mut payload, borrowed(&fields), earliest(&fields));
        let Ok(Decoded::Hash(hash)) = decode(&payload[6..], &Limits::default()) else {
            panic!("a hash decodes to a hash")
        };
        prop_assert_eq!(hash.count(), fields.len() as u64);
        prop_assert_eq!(hash.fields().len(), fields.len());
        prop_assert_eq!(hash.fields().map(owned).collect::<Vec<_>>(), fields);
    }

    #[test]
    fn entries_one_behind_the_other(
        entries in prop::collection::vec((text(), prop::option::of(0..=i64::MAX as u64), hash()), 1..5)
    ) {
        let mut encoder = encoder(true, false);
        let mut out = Vec::new();
        for (key, expires_at_ms, fields) in &entries {
            let access = Some(Access::Frequency(fields.len() as u8));
            let head = Head { key: key.into(), expires_at_ms: *expires_at_ms, access };
            encoder.string(&mut out, Some(&head), key);
            let mut parts = encoder.hash(&mut out, Some(&head), fields.len() as u64, earliest(fields));
            for (name, value, expires) in fields {
                parts.append(&mut encoder, &mut out, name, value, *expires);
            }
        }
        let mut bytes = &out[..];
        for (key, expires_at_ms, fields) in entries {
            let (head, value) = decode_entry(&mut bytes, 80, &Limits::default()).unwrap();
            prop_assert_eq!(&head.key[..], &key[..]);
            prop_assert_eq!(head.expires_at_ms, expires_at_ms);
            prop_assert_eq!(head.access, Some(Access::Frequency(fields.len() as u8)));
            prop_assert_eq!(value, Decoded::String(key.into()));
            let (_, value) = decode_entry(&mut bytes, 80, &Limits::default()).unwrap();
            let Decoded::Hash(hash) = value else { panic!("a hash decodes to a hash") };
            prop_assert_eq!(hash.fields().map(owned).collect::<Vec<_>>(), fields);
        }
        prop_assert!(bytes.is_empty());
    }
}

#[test]
fn an_unknown_earliest_time_is_right_too() {
    let fields = vec![(b"a".to_vec(), b"1".to_vec(), Some(5)), (b"b".to_vec(), b"2".to_vec(), None)];
    for redis in [false, true] {
        let mut payload = Vec::new();
        encoder(true, redis).hash_payload(&mut payload, borrowed(&fields), Some(0));
        let Ok(Decoded::Hash(hash)) = decode(&payload, &Limits::default()) else { panic!("a hash") };
        assert_eq!(hash.fields().map(owned).collect::<Vec<_>>(), fields);
    }
}

#[test]
fn limits_hold() {
    let fields: Vec<Owned> = (0..10).map(|i| (vec![b'f', i], vec![b'v'; 1000], None)).collect();
    let mut payload = Vec::new();
    encoder(true, false).hash_payload(&mut payload, borrowed(&fields), None);
    let exact = Limits { string_bytes_max: 1000, members_max: 10, value_bytes_max: 10_020 };
    assert!(decode(&payload, &exact).is_ok());
    for limits in [
        Limits { string_bytes_max: 999, ..exact },
        Limits { members_max: 9, ..exact },
        Limits { value_bytes_max: 10_019, ..exact },
    ] {
        assert_eq!(decode(&payload, &limits), Err(RecordError::LimitExceeded));
    }
}
