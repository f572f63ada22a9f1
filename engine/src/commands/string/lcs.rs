//! LCS: the longest common subsequence of two strings.
//!
//! Time and memory grow with the product of the lengths. The table may take `proto-max-bulk-len` bytes, four for each pair
//! of places, which bounds both.

use super::value::{length_max, text_of};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::number::parse_i64;
use crate::resp::{Arguments, Reply};
use crate::shard::Key;

/// LCS.
pub const SPEC: Spec = Spec {
    name: "lcs",
    arity: -3,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::range(1, 2, 1, Access::READ),
    since: "7.0.0",
    group: Group::String,
    summary: "Answers the longest common subsequence of two strings.",
    complexity: "O(N*M) where N and M are the lengths of the strings.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let keys = [context.key(arguments.at(1))?, context.key(arguments.at(2))?];
    let lengths = [length_of(context, &keys[0])?, length_of(context, &keys[1])?];
    let options = Options::parse(arguments)?;
    let cells = (lengths[0] + 1).saturating_mul(lengths[1] + 1);
    if cells.saturating_mul(size_of::<u32>()) > length_max(context) {
        return Err(CommandError::Static(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    let shard = &context.core.shard;
    let texts = keys.map(|key| shard.peek(&key, context.now.unix_ms).and_then(|entry| entry.text()));
    let [a, b] = texts.map(|text| text.map(|text| text.bytes()).unwrap_or_default());
    let table = Table::build(&a, &b)?;
    match options.wanted {
        Wanted::Text => context.reply.bulk(table.subsequence(&a, &b)),
        Wanted::Length => context.reply.count(table.length()),
        Wanted::Matches => options.answer_matches(context.reply, &table, &a, &b),
    }
    Ok(())
}

fn length_of(context: &mut Context<'_>, key: &Key<'_>) -> Result<usize, CommandError> {
    text_of(context.find(key))
        .map(|text| text.map_or(0, |text| text.len()))
        .map_err(|_| CommandError::Static("ERR The specified keys must contain string values"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Text,
    Length,
    Matches,
}

struct Options {
    wanted: Wanted,
    match_length_min: i64,
    with_match_length: bool,
}

impl Options {
    fn parse(arguments: &Arguments<'_>) -> Result<Options, CommandError> {
        let (mut length, mut matches) = (false, false);
        let mut options = Options { wanted: Wanted::Text, match_length_min: 0, with_match_length: false };
        let mut at = 3;
        while at < arguments.len() {
            if arguments.is(at, "IDX") {
                matches = true;
            } else if arguments.is(at, "LEN") {
                length = true;
            } else if arguments.is(at, "WITHMATCHLEN") {
                options.with_match_length = true;
            } else if arguments.is(at, "MINMATCHLEN") && at + 1 < arguments.len() {
                at += 1;
                options.match_length_min = parse_i64(arguments.at(at)).ok_or(CommandError::NotInteger)?;
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        options.wanted = match (length, matches) {
            (true, true) => {
                return Err(CommandError::Static(
                    "ERR If you want both the length and indexes, please just use IDX.",
                ));
            }
            (true, false) => Wanted::Length,
            (false, true) => Wanted::Matches,
            (false, false) => Wanted::Text,
        };
        Ok(options)
    }

    fn answer_matches(&self, reply: &mut Reply, table: &Table, a: &[u8], b: &[u8]) {
        reply.map(2);
        reply.bulk("matches");
        let list = reply.defer();
        let mut count = 0;
        table.for_each_match(a, b, |found| {
            if (found.length as i64) < self.match_length_min {
                return;
            }
            count += 1;
            reply.array(if self.with_match_length { 3 } else { 2 });
            for start in [found.a, found.b] {
                reply.array(2);
                reply.count(start);
                reply.count(start + found.length - 1);
            }
            if self.with_match_length {
                reply.count(found.length);
            }
        });
        reply.end_array(list, count);
        reply.bulk("len");
        reply.count(table.length());
    }
}

/// Bytes that both strings have in a row, and where.
struct Match {
    a: usize,
    b: usize,
    length: usize,
}

/// For each pair of prefixes the length of their longest common subsequence.
struct Table {
    cells: Vec<u32>,
    width: usize,
}

impl Table {
    fn build(a: &[u8], b: &[u8]) -> Result<Table, CommandError> {
        let width = b.len() + 1;
        let count = width * (a.len() + 1);
        let mut cells = Vec::new();
        cells.try_reserve_exact(count).map_err(|_| {
            CommandError::Static("ERR Insufficient memory, failed allocating transient memory for LCS")
        })?;
        cells.resize(count, 0);
        for (row, byte) in a.iter().enumerate() {
            let (above, own) = cells[row * width..(row + 2) * width].split_at_mut(width);
            let mut left = 0;
            for (column, other) in b.iter().enumerate() {
                left = if byte == other { above[column] + 1 } else { left.max(above[column + 1]) };
                own[column + 1] = left;
            }
        }
        Ok(Table { cells, width })
    }

    fn length(&self) -> usize {
        self.cells.last().map_or(0, |length| *length as usize)
    }

    fn at(&self, row: usize, column: usize) -> u32 {
        self.cells[row * self.width + column]
    }

    fn subsequence(&self, a: &[u8], b: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length());
        self.for_each_match(a, b, |found| bytes.extend(a[found.a..found.a + found.length].iter().rev()));
        bytes.reverse();
        bytes
    }

    /// Shows the matches that the subsequence is made of, the last one first.
    fn for_each_match(&self, a: &[u8], b: &[u8], mut show: impl FnMut(Match)) {
        let (mut row, mut column) = (a.len(), b.len());
        while row > 0 && column > 0 {
            let mut length = 0;
            while row > 0 && column > 0 && a[row - 1] == b[column - 1] {
                (row, column, length) = (row - 1, column - 1, length + 1);
            }
            if length > 0 {
                show(Match { a: row, b: column, length });
            } else if self.at(row - 1, column) > self.at(row, column - 1) {
                row -= 1;
            } else {
                column -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::{Bench, check};

    #[test]
    fn the_subsequence_its_length_and_its_matches() {
        check(
            "
            MSET a ohmytext b mynewtext n 12345 m 1345 -> +OK
            LCS a b -> $6 mytext
            LCS a b LEN -> :6
            LCS a b IDX -> *4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6
            LCS a b idx minmatchlen 4 -> *4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6
            LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN -> *4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6
            LCS a b IDX MINMATCHLEN -5 -> *4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6
            LCS a b MINMATCHLEN 3 WITHMATCHLEN -> $6 mytext
            LCS a missing -> $0
            LCS a missing LEN -> :0
            LCS a missing IDX -> *4 $7 matches *0 $3 len :0
            LCS n m -> $4 1345
            LCS a a -> $8 ohmytext
            ",
        );
    }

    #[test]
    fn matches_are_a_map_in_resp3() {
        let mut bench = Bench::default();
        bench.check(
            "
            HELLO 3 -> ...proto...
            MSET a xay b zaw -> +OK
            LCS a b IDX -> %2 $7 matches *1 *2 *2 :1 :1 *2 :1 :1 $3 len :1
            ",
        );
    }

    #[test]
    fn options_must_fit_together() {
        with_hash("h").check(
            "
            LCS a b LEN IDX -> -ERR If you want both the length and indexes, please just use IDX.
            LCS a b MINMATCHLEN -> -ERR syntax error
            LCS a b MINMATCHLEN abc -> -ERR value is not an integer or out of range
            LCS a b foo -> -ERR syntax error
            LCS a -> -ERR wrong number of arguments for 'lcs' command
            LCS h b foo -> -ERR The specified keys must contain string values
            LCS a h -> -ERR The specified keys must contain string values
            ",
        );
    }

    #[test]
    fn the_table_has_a_limit() {
        let text = "x".repeat(20_000);
        check(&format!(
            "
            MSET a {text} b {text} c xyx -> +OK
            LCS a b LEN -> -ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len
            LCS a c -> $2 xx
            "
        ));
    }

    #[test]
    fn a_subsequence_is_as_long_as_the_table_says() {
        let mut bench = Bench::default();
        let mut seed = 1u32;
        let mut text = |length: usize| -> String {
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b'a' + (seed >> 24) as u8 % 4)
            };
            (0..length).map(|_| next()).collect()
        };
        for length in 1..40 {
            let (a, b) = (text(length), text(40 - length));
            bench.check(&format!("MSET a {a} b {b} -> +OK"));
            let answer = bench.ask(1, "LCS a b");
            let found = answer.split_once(' ').map_or("", |(_, found)| found);
            bench.check(&format!("LCS a b LEN -> :{}", found.len()));
            for whole in [&a, &b] {
                let mut bytes = whole.bytes();
                assert!(
                    found.bytes().all(|byte| bytes.any(|other| other == byte)),
                    "{found} is not in {whole}"
                );
            }
        }
    }
}
