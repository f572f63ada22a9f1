//! Figures as people read them.

/// Bytes in the unit that fits: `512 B`, `1.5 MB`.
pub fn bytes(bytes: u64) -> String {
    scaled(bytes, &["B", "kB", "MB", "GB", "TB"])
}

/// A count in the unit that fits: `950`, `1.2 M`.
pub fn count(count: u64) -> String {
    scaled(count, &["", "k", "M", "G", "T"]).trim_end().to_owned()
}

fn scaled(number: u64, units: &[&str]) -> String {
    let mut scaled = number as f64;
    for (place, unit) in units.iter().enumerate() {
        if scaled < 999.5 || place + 1 == units.len() {
            let digits = if place == 0 || scaled >= 99.95 { 0 } else { 1 };
            return format!("{scaled:.digits$} {unit}");
        }
        scaled /= 1000.0;
    }
    unreachable!("the last unit takes whatever is left")
}

/// A time to wait: `3 s`, `2 min`.
pub fn wait(milliseconds: u64) -> String {
    match milliseconds.div_ceil(1000) {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// A pause: `–` if there was none, else `0.31 ms`.
pub fn pause(microseconds: u64) -> String {
    if microseconds == 0 { "–".to_owned() } else { format!("{:.2} ms", microseconds as f64 / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        for (number, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (99_940, "99.9 kB"),
            (123_456, "123 kB"),
            (999_999, "1.0 MB"),
            (5_250_000_000, "5.2 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(bytes(number), expected);
        }
        assert_eq!((count(950).as_str(), count(1_200_000).as_str()), ("950", "1.2 M"));
        assert_eq!(
            (wait(0), wait(1), wait(150_000), wait(8_000_000)),
            ("0 s".into(), "1 s".into(), "2 min".into(), "2 h".into())
        );
        assert_eq!((pause(0), pause(312)), ("–".into(), "0.31 ms".into()));
    }
}
