//! The rules that keep the tree in order, as a test: which crate may use which, where `unsafe` may stand, what files are
//! called and how they begin.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, tests not counted, beyond which it needs a reason here.
const LINES_MAX: usize = 600;

/// Longer files, and why one idea needs them. None so far.
const LONG_FILES: &[(&str, &str)] = &[];

/// Folders and files whose names say nothing.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager"];

/// Where `unsafe` may stand.
const UNSAFE_FOLDERS: &[&str] = &["engine/src/arena/", "net/src/ring/", "net/src/buffers/"];

/// Our crates, by the path of their manifest, and which of ours each may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("net", &[]),
    ("migration", &["whimbrel-engine"]),
    ("migration/sim", &["whimbrel-engine", "whimbrel-migration"]),
    ("engine/server", &["whimbrel-engine", "whimbrel-net", "whimbrel-migration"]),
    ("benches", &["whimbrel-engine", "whimbrel-net", "whimbrel-migration"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is above this crate")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files, as paths from the root, with their texts.
fn sources() -> Vec<(String, String)> {
    fn visit(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    visit(&path, root, found);
                }
            } else if name.ends_with(".rs") {
                let relative =
                    path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                found.push((relative, read(&path)));
            }
        }
    }
    let root = root();
    let mut found = Vec::new();
    visit(&root, &root, &mut found);
    found.sort();
    assert!(found.len() > 100, "the tree was found");
    found
}

fn report(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn crates_depend_only_where_the_design_has_an_arrow() {
    let mut complaints = Vec::new();
    for (folder, allowed) in ARROWS {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        let used = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let used = used.split("\n[").next().unwrap_or_default();
        for line in used.lines().filter(|line| line.starts_with("whimbrel")) {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !allowed.contains(&name) {
                complaints.push(format!("{folder} depends on {name}: a new arrow is a design change"));
            }
        }
    }
    report(complaints);
}

#[test]
fn unsafe_stands_only_where_it_may() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if UNSAFE_FOLDERS.iter().any(|folder| path.starts_with(folder)) || path.ends_with("tests/tidy.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe") {
                complaints.push(format!("{path}:{}: unsafe belongs into {UNSAFE_FOLDERS:?}", number + 1));
            }
        }
    }
    report(complaints);
}

#[test]
fn files_begin_with_their_idea_and_stay_short() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//! ") && !text.starts_with("#![no_main]\n//! ") {
            complaints.push(format!("{path}: the first line says what the file is for (`//! …`)"));
        }
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
        let is_test = path.contains("/tests/") || path.ends_with("tests.rs");
        if lines > LINES_MAX && !is_test && !LONG_FILES.iter().any(|(long, _)| *long == path) {
            complaints.push(format!("{path}: {lines} lines; split it by idea"));
        }
        for name in EMPTY_NAMES {
            if path.split(['/', '.', '_']).any(|part| part == *name) {
                complaints.push(format!("{path}: `{name}` says nothing"));
            }
        }
    }
    report(complaints);
}

#[test]
fn one_command_is_one_file() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        let Some(below) = path.strip_prefix("engine/src/commands/") else { continue };
        let specs = text.matches("pub const SPEC: Spec").count();
        let in_group = below.contains('/');
        if specs > 1 || (specs == 1 && !in_group) {
            complaints.push(format!("{path}: holds {specs} commands"));
        }
    }
    report(complaints);
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX", "#[ignore]"];
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if path.ends_with("tests/tidy.rs") {
            continue;
        }
        for mark in marks {
            if text.contains(mark) {
                complaints.push(format!("{path}: {mark}"));
            }
        }
    }
    report(complaints);
}

#[test]
fn the_top_level_holds_what_the_design_says() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "benches",
        "bpf",
        "engine",
        "migration",
        "net",
        "target",
    ];
    let extra: Vec<String> = fs::read_dir(root())
        .expect("a readable root")
        .map(|entry| entry.expect("a readable entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !allowed.contains(&name.as_str()))
        .collect();
    report(extra);
}
