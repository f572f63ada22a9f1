//! Sets of slots as operators write and read them: `0-99,200`.

use whimbrel_engine::key::SLOT_COUNT;

/// The slots that a text names: numbers and ranges separated by commas or blanks, or `all`. In order, none twice.
pub fn parse(text: &str) -> Result<Vec<usize>, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok((0..SLOT_COUNT).collect());
    }
    let wrong = |word: &str| format!("`{word}` names no slots.\n    Give slots such as 0-99,200, or `all`.");
    let mut chosen = vec![false; SLOT_COUNT];
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let range = first.parse::<usize>().ok().zip(last.parse::<usize>().ok());
        match range {
            Some((first, last)) if first <= last && last < SLOT_COUNT => chosen[first..=last].fill(true),
            _ => return Err(wrong(word)),
        }
    }
    let slots: Vec<usize> = (0..SLOT_COUNT).filter(|slot| chosen[*slot]).collect();
    if slots.is_empty() { Err(wrong(text)) } else { Ok(slots) }
}

/// The longest runs of slots that are in order.
pub fn ranges(slots: &[usize]) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for slot in slots {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *slot => *last = *slot,
            _ => ranges.push((*slot, *slot)),
        }
    }
    ranges
}

/// Slots as text; of many runs only the first few.
pub fn text(slots: &[usize]) -> String {
    const RUNS_MAX: usize = 6;
    let ranges = ranges(slots);
    let shown = ranges.iter().take(RUNS_MAX);
    let shown =
        shown.map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    let mut text = shown.collect::<Vec<_>>().join(",");
    if ranges.len() > RUNS_MAX {
        text.push_str(&format!(",… ({} runs)", ranges.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_slots() {
        for (written, expected) in [("5", "5"), ("9,0-3 4", "0-4,9"), ("0-5,3-8", "0-8"), ("ALL", "0-16383")]
        {
            assert_eq!(text(&parse(written).unwrap()), expected);
        }
        for wrong in ["", ",", "x", "5-4", "16384", "-1", "1-", "1-2-3"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let many: Vec<usize> = (0..20).map(|slot| slot * 2).collect();
        assert_eq!(text(&many), "0,2,4,6,8,10,… (20 runs)");
    }
}
