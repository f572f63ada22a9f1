//! The table of parameters as text for people.

use super::kind::Kind;
use super::parameter::{Parameter, When};
use super::table::{Config, parameters};
use super::value::Value;
use std::fmt::Write;

/// What a parameter takes, in a few words.
pub fn takes(kind: &Kind) -> String {
    let up_to = |max: i64| if max == i64::MAX { "any".to_owned() } else { size(max) };
    match kind {
        Kind::YesNo => "yes or no".to_owned(),
        Kind::Integer { min, max } if *max == i64::MAX => format!("number from {min}"),
        Kind::Integer { min, max } => format!("number, {min} to {max}"),
        Kind::Mode { max } => format!("octal mode, 0 to {max:o}"),
        Kind::Bytes { min, max } if *max == i64::MAX => format!("bytes from {}, such as 64mb", size(*min)),
        Kind::Bytes { min, max } => format!("bytes, {} to {}, such as 64mb", size(*min), up_to(*max)),
        Kind::Percent { min, max } => format!("percent, {min} to {max}"),
        Kind::Choice(names) => names.join(", "),
        Kind::Text => "text".to_owned(),
        Kind::Secret => "password".to_owned(),
        Kind::Words { max } => format!("up to {max} words"),
        Kind::Cpus => "CPU list such as 0,2,4-7".to_owned(),
        Kind::OutputLimits => "normal, replica or pubsub; bytes; bytes; seconds".to_owned(),
        Kind::Percentiles => "percentiles".to_owned(),
        Kind::Only { value: "", .. } => "only \"\"".to_owned(),
        Kind::Only { value, .. } => format!("only {value}"),
    }
}

/// A parameter's value at the start, as people write it: `1gb`, and `""` for nothing.
pub fn default_of(row: &Parameter) -> String {
    let config = Config::default();
    match (row.kind, (row.read)(&config)) {
        (Kind::Bytes { .. }, Value::Integer(bytes)) => size(bytes),
        _ => match String::from_utf8_lossy(&row.text(&config)).into_owned() {
            empty if empty.is_empty() => "\"\"".to_owned(),
            text => text,
        },
    }
}

/// The whole table in Markdown.
pub fn markdown() -> String {
    let mut out = String::from("| parameter | takes | default | at run time | |\n|---|---|---|---|---|\n");
    for row in parameters() {
        let default = default_of(row);
        let changes = row.when == When::Runtime && !matches!(row.kind, Kind::Only { .. });
        let runtime = if changes { "yes" } else { "" };
        let doc = row.doc.trim();
        writeln!(out, "| `{}` | {} | `{default}` | {runtime} | {doc} |", row.name, takes(&row.kind))
            .expect("writing to a String cannot fail");
    }
    out
}

/// Bytes in the largest unit that divides them, as the configuration reads them.
pub(super) fn size(bytes: i64) -> String {
    let units = [(30, "gb"), (20, "mb"), (10, "kb")];
    match units.into_iter().find(|(shift, _)| bytes != 0 && bytes % (1 << shift) == 0) {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_a_row() {
        let text = markdown();
        assert_eq!(text.lines().count(), parameters().count() + 2);
        assert!(
            text.contains("| `maxmemory` | bytes from 0, such as 64mb | `0` | yes | Memory for data"),
            "{text}"
        );
        assert!(text.contains("| `save` | only \"\" | `\"\"` |  |"), "{text}");
    }

    #[test]
    fn sizes_take_the_largest_unit() {
        for (bytes, text) in [(0, "0"), (1000, "1000"), (1024, "1kb"), (3 << 29, "1536mb"), (2 << 30, "2gb")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
