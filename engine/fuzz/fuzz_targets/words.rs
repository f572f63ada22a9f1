//! Words, patterns and numbers: no bytes make them panic or take long.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whimbrel_engine::glob::{Case, matches};
use whimbrel_engine::number::{Decimal, parse_f64, parse_i64};
use whimbrel_engine::resp::split_inline;

fuzz_target!(|input: &[u8]| {
    let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
    if split_inline(input, 0, &mut bytes, &mut ranges).is_ok() {
        assert!(bytes.len() <= input.len());
        assert!(ranges.iter().all(|range| range.range().end <= bytes.len()));
    }
    if let Some(value) = parse_i64(input) {
        assert_eq!(value.to_string().as_bytes(), input);
    }
    let _ = parse_f64(input);
    if let Some(decimal) = Decimal::parse(input) {
        let text = decimal.to_text();
        let again = Decimal::parse(text.as_bytes());
        assert!(again.is_some() || text.contains("inf"), "{text} reads back");
    }
    let middle = input.len() / 2;
    matches(&input[..middle], &input[middle..], Case::Insensitive);
});
