//! Damaged records are refused or read as something else; none of them panics, hangs or asks for much memory.
//!
//! The damage is the same in every run: a failure names the seed and the round that repeat it.

use whimbrel_engine::record::{
    Decoded, Encoder, EncoderOptions, FieldExpiryForm, Head, Limits, decode, decode_entry, payload,
};

const SEED: u64 = 0x5eed;
const ROUNDS: u64 = 300_000;

/// A linear congruential generator with an output hash: enough to damage things evenly.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 29)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// One record of every form that can be read, without a trailer, each with a version that has its form.
fn seeds() -> Vec<(u16, Vec<u8>)> {
    let fields = || {
        let fields: [(&[u8], &[u8], Option<u64>); 4] = [
            (b"name", b"numenius phaeopus numenius phaeopus", None),
            (b"wings", b"2", Some(1_900_000_000_000)),
            (b"", b"", Some(1_800_000_000_000)),
            (b"17", b"-70000", None),
        ];
        fields.into_iter()
    };
    let mut payloads = Vec::new();
    for field_expiry in [FieldExpiryForm::Valkey, FieldExpiryForm::Redis] {
        for compression in [false, true] {
            let mut encoder = Encoder::new(EncoderOptions { compression, field_expiry });
            let mut out = Vec::new();
            encoder.hash_payload(&mut out, fields(), Some(1_800_000_000_000));
            payloads.push(out);
            let mut out = Vec::new();
            encoder.hash_payload(&mut out, fields().map(|(name, value, _)| (name, value, None)), None);
            payloads.push(out);
            let mut out = Vec::new();
            encoder.string_payload(&mut out, &b"a value that compresses ".repeat(40));
            payloads.push(out);
        }
    }
    let mut seeds: Vec<(u16, Vec<u8>)> = payloads
        .iter()
        .map(|payload| payload::open(payload).expect("sealed above"))
        .map(|(version, record)| (version, record.to_vec()))
        .collect();
    let listpack: &[u8] = b"\x13\0\0\0\x04\0\x81a\x02\x01\x01\x81b\x02\xf1\xff\xff\x03\xff";
    let expiring: &[u8] = b"\x17\0\0\0\x06\0\x81a\x02\x01\x01\x64\x01\x81b\x02\x82xy\x03\0\x01\xff";
    let ziplist: &[u8] = b"\x17\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf2\x02\x01b\x03\x02xy\xff";
    let zipmap: &[u8] = b"\x02\x01a\x01\0b\x02bc\x02\x01xy_\xff";
    let times = [0x64, 0, 0, 0, 0, 0, 0, 0];
    let packed = |kind: u8, before: &[u8], blob: &[u8]| [&[kind], before, &[blob.len() as u8], blob].concat();
    seeds.push((12, packed(16, &[], listpack)));
    seeds.push((12, packed(23, &[], expiring)));
    seeds.push((12, packed(25, &times, expiring)));
    seeds.push((12, packed(13, &[], ziplist)));
    seeds.push((12, packed(9, &[], zipmap)));
    seeds.push((12, b"\x16\x02\x40\x64\x01a\x011\0\x01b\x02xy".to_vec()));
    seeds
}

fn damage(chance: &mut Chance, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = chance.below(bytes.len());
    match chance.below(8) {
        0 => bytes[at] ^= 1 << chance.below(8),
        1 => bytes[at] = chance.next() as u8,
        2 => bytes[at] = [0, 0x3f, 0x7f, 0x80, 0x81, 0xc3, 0xfe, 0xff][chance.below(8)],
        3 => bytes.truncate(at.max(1)),
        4 => bytes.insert(at, chance.next() as u8),
        5 => {
            bytes.remove(at);
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        6 => {
            let end = at + chance.below(bytes.len() - at + 1);
            bytes.extend_from_within(at..end);
        }
        _ => {
            let from = chance.below(other.len());
            bytes.truncate(at + 1);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}

/// Appends the trailer of the version that the record is to be read as, so that the damage gets past the checksum.
fn sealed(version: u16, record: &[u8]) -> Vec<u8> {
    let mut payload = [record, &version.to_le_bytes()].concat();
    let checksum = whimbrel_engine::record::crc64::crc64(0, &payload);
    payload.extend(checksum.to_le_bytes());
    payload
}

fn walk(value: &Decoded<'_>, limits: &Limits) {
    let Decoded::Hash(hash) = value else { return };
    let mut count = 0;
    for field in hash.fields() {
        assert!(field.name.len() as u64 <= limits.string_bytes_max);
        assert!(field.expires_at_ms.is_none_or(|ms| i64::try_from(ms).is_ok()));
        count += 1;
    }
    assert_eq!(count, hash.count());
}

#[test]
fn damaged_records_never_panic() {
    let limits = Limits { string_bytes_max: 1 << 20, members_max: 1 << 16, value_bytes_max: 1 << 22 };
    let seeds = seeds();
    for (version, record) in &seeds {
        assert!(decode(&sealed(*version, record), &limits).is_ok(), "{version} {record:?}");
    }
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let mut chance = Chance(SEED ^ (round << 32));
        let (version, record) = &seeds[chance.below(seeds.len())];
        let (_, other) = &seeds[chance.below(seeds.len())];
        let mut record = record.clone();
        for _ in 0..=chance.below(4) {
            damage(&mut chance, &mut record, other);
        }
        let payload = sealed(*version, &record);
        let outcome = std::panic::catch_unwind(|| {
            let decoded = decode(&payload, &limits);
            if let Ok(value) = &decoded {
                walk(value, &limits);
            }
            // The same bytes as a record with its key: a head that may run on into them.
            if let Ok((_, value)) = decode_entry(&mut &payload[..], *version, &limits) {
                walk(&value, &limits);
            }
            decoded.is_ok()
        });
        match outcome {
            Ok(ok) => accepted += u64::from(ok),
            Err(_) => panic!("seed {SEED:#x}, round {round}: {payload:?}"),
        }
    }
    // If nearly nothing or nearly everything passed, the damage would test little.
    assert!((ROUNDS / 20..ROUNDS * 19 / 20).contains(&accepted), "{accepted} accepted");
}

#[test]
fn every_cut_of_an_entry_is_an_error() {
    let mut encoder = Encoder::new(EncoderOptions::default());
    let head = Head { key: b"key".into(), expires_at_ms: Some(1), access: None };
    let mut out = Vec::new();
    encoder.string(&mut out, Some(&head), &b"value ".repeat(20));
    let string_size = out.len();
    let mut parts = encoder.hash(&mut out, Some(&head), 2, Some(0));
    parts.append(&mut encoder, &mut out, b"a", b"1", Some(5));
    parts.append(&mut encoder, &mut out, b"b", b"2", None);
    for record in [&out[..string_size], &out[string_size..]] {
        for end in 0..record.len() {
            let mut bytes = &record[..end];
            assert!(decode_entry(&mut bytes, 80, &Limits::default()).is_err());
            assert_eq!(bytes.len(), end);
        }
        let mut bytes = record;
        assert!(decode_entry(&mut bytes, 80, &Limits::default()).is_ok());
        assert!(bytes.is_empty());
    }
}
