//! `CONFIGURATION.md` is the table of parameters, and nothing else.

use whimbrel_engine::config::markdown;

#[test]
fn the_page_is_made_from_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/CONFIGURATION.md");
    let expected = format!("{INTRODUCTION}\n{}", markdown());
    if std::env::var_os("WHIMBREL_WRITE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap();
    assert!(
        page == expected,
        "write it anew: WHIMBREL_WRITE_DOCS=1 cargo test -p whimbrel --test configuration"
    );
}

const INTRODUCTION: &str = "\
# Configuration

Every parameter is an option on the command line (`--maxmemory 1gb`), a line in the file that `--config FILE` names
(`maxmemory 1gb`), and a parameter of `CONFIG GET` and, where the table says so, `CONFIG SET`. The command line goes
before the file, the file before the defaults. `CONFIG REWRITE` writes what changed back into the file and leaves the
rest of it as it is.

The file has the format of redis.conf: a name and its values on a line, `#` comments, double quotes, and `include` with a
path or a pattern. Sizes take `k`, `m`, `g` (thousands) and `kb`, `mb`, `gb` (1024s). A parameter of Redis that Whimbrel
does not have is an error that says what to do instead; one that is `only` one value says what Whimbrel does.

Without a password Whimbrel listens on loopback addresses only, unless `protected-mode` is plainly `no`: it does not start
otherwise. If a password is taken away while it runs, clients from other machines are refused with `-DENIED`, as in Redis.
";
