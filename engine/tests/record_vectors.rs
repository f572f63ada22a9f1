//! What other servers gave for DUMP is read, byte for byte as they gave it.

use whimbrel_engine::record::{Decoded, Limits, RecordError, decode};

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits");
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn string(hex: &str) -> Vec<u8> {
    match decode(&bytes(hex), &Limits::default()) {
        Ok(Decoded::String(text)) => text.into_owned(),
        other => panic!("{hex}: {other:?}"),
    }
}

/// `name=value` or `name=value@time`, one after the other.
fn hash(hex: &str) -> String {
    let payload = bytes(hex);
    let Ok(Decoded::Hash(hash)) = decode(&payload, &Limits::default()) else { panic!("{hex}: no hash") };
    let fields = hash.fields().map(|field| {
        let text = [&field.name[..], b"=", &field.value[..]].concat();
        let time = field.expires_at_ms.map(|ms| format!("@{ms}")).unwrap_or_default();
        String::from_utf8(text).expect("the vectors are text") + &time
    });
    fields.collect::<Vec<_>>().join(" ")
}

#[test]
fn strings_of_redis_7_0() {
    let cases: [(&str, &[u8]); 10] = [
        ("00000a005d9b5c400f7fa2da", b""),
        ("0001780a002280865fbde848d0", b"x"),
        ("00c0000a009840a778f8500308", b"0"),
        ("00c0800a009966326d2f0c5bd9", b"-128"),
        ("00c100800a00b540064753bb1ace", b"-32768"),
        ("00c2ffffff7f0a002c74e59ee02eada1", b"2147483647"),
        ("000a323134373438333634380a00e7b129a34c1d76ee", b"2147483648"),
        ("00022d300a00d5411fd9d6d050cc", b"-0"),
        (
            "00c3133f0a3031323334353637383930e02809026162630a0080d9a396f41ec015",
            b"012345678901234567890123456789012345678901234567890123456789abc",
        ),
        ("00c311410e097768696d6272656c2077e0f908016c200a00440faa3c764dae08", &b"whimbrel ".repeat(30)),
    ];
    for (hex, expected) in cases {
        assert_eq!(string(hex), expected, "{hex}");
    }
}

#[test]
fn zeros_compressed_by_redis_7_0() {
    let parts = ["00c340ea8000004e20010000", &"e0ff00".repeat(75), "e0bb000100000a0029091455d23c22cb"];
    assert_eq!(string(&parts.concat()), vec![0; 20_000]);
}

#[test]
fn hashes_of_redis_7_0() {
    let listpack = "10c3406840a31fa30000001200846e616d6505866375726c65770785636f756e74060c01836e650b6704d0600283\
                    62696704f4ff8000077f098369323404f2200906048369333204f320421b80058369313604f100800385656d70747906\
                    8001847465787405bf78e035000140ff0a008919e6e96957e407";
    let expected = "name=curlew count=12 neg=-4000 big=9223372036854775807 i24=8388607 i32=-2147483648 \
                    i16=-32768 empty= text=";
    assert_eq!(hash(listpack), format!("{expected}{}", "x".repeat(63)));
    let by_field = "0404046c6f6e67c30a405002616261e0420101616205636f756e74c00c046e616d65066375726c6577036e6567c160f0\
                    0a002750ea68ac5ab7a1";
    assert_eq!(hash(by_field), format!("long={} count=12 name=curlew neg=-4000", "ab".repeat(40)));
}

#[test]
fn expiring_fields_of_redis_7_4() {
    let listpack = "1900409452a3030000c33f40641a640000000900846e616d6505866375726c657707f400409452a30320180b85636f756e\
                    74060c01f4f441a01208846c6f6e6705a86162e01d0103290001ff0c0099aa5a36017c679a";
    let long = "ab".repeat(20);
    let expected = format!("name=curlew@4000000000000 count=12@4000000000500 long={long}");
    assert_eq!(hash(listpack), expected);
    let by_field = "1800409452a30300000341f505636f756e74c00c01046e616d65066375726c657700046c6f6e67c30a2802616261e01a01\
                    0161620c007cf360d6a1b2d1b2";
    let expected = format!("count=12@4000000000500 name=curlew@4000000000000 long={long}");
    assert_eq!(hash(by_field), expected);
}

#[test]
fn other_types_are_told_apart() {
    let cases = [
        (18, "1201020d0d0000000200816102816202ff0a0068eb0a891341bbb1"),
        (11, "0b0c0200000002000000010002000a006f7938b134eb202e"),
        (17, "110c0c00000002008161020101ff0a00a805ceb8d7a93302"),
        (
            19,
            "130110000000000000000100000000000000011d1d0000000a0001010001010181610200010201000100018162020401ff01\
             01010101000001000a006f4334ecd7fa5aec",
        ),
    ];
    for (kind, hex) in cases {
        let payload = bytes(hex);
        assert_eq!(decode(&payload, &Limits::default()), Err(RecordError::TypeUnsupported(kind)));
    }
}
