//! The configuration file on disk: reading it with what it includes, and replacing it as a whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use whimbrel_engine::config::{self, Config, Included};
use whimbrel_engine::glob::{self, Case};

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads a file into `config`. The error is ready to be shown: every faulty line with its remedy.
pub fn load(config: &mut Config, path: &Path) -> Result<(), String> {
    let text = read(path).map_err(|error| {
        format!("cannot read {}: {error}\n    Give --config a file that this user can read.", path.display())
    })?;
    let result = config::load(config, &path.display().to_string(), &text, &mut include);
    result.map_err(|errors| {
        let mut texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        if errors.len() >= config::FAULTS_MAX {
            texts.push(format!("These are the first {} faults; there may be more.", config::FAULTS_MAX));
        }
        texts.join("\n")
    })
}

/// Writes the values of `current` into the file, and leaves the rest of it as it is (CONFIG REWRITE).
///
/// The new text is written beside the file, reaches the disk, and takes the file's place at one instant.
pub fn rewrite(path: &Path, current: &Config) -> io::Result<()> {
    let old = match read(path) {
        Ok(text) => String::from_utf8(text).map_err(|_| invalid("the file is not UTF-8".to_owned()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut loaded = Config::default();
    let name = path.display().to_string();
    config::load(&mut loaded, &name, old.as_bytes(), &mut include)
        .map_err(|errors| invalid(errors.first().map_or(String::new(), ToString::to_string)))?;
    let new = config::rewrite(&old, &loaded, current);
    if new != old { replace(path, new.as_bytes()) } else { Ok(()) }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(invalid(format!("the file is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    // The file may hold a password: a new one is for its owner alone, an old one keeps its mode.
    let mode = fs::metadata(&path).map_or(0o600, |metadata| metadata.permissions().mode());
    let written = (|| {
        let mut file = File::create(&beside)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        // The first error is the one that tells; what is left beside the file does no harm.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// The files of an `include`: a path, or a directory with a pattern as the last part (`conf.d/*.conf`, by name).
fn include(path: &str) -> Result<Vec<Included>, String> {
    let pattern = Path::new(path);
    let last = pattern.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if glob::literal(last.as_bytes()).is_some() {
        let text = read(pattern).map_err(|error| format!("{path}: {error}"))?;
        return Ok(vec![Included { name: path.to_owned(), text }]);
    }
    let directory =
        pattern.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| matches(&last, name)) && path.is_file())
        .collect();
    paths.sort();
    let one = |path: &PathBuf| {
        let name = path.display().to_string();
        read(path)
            .map(|text| Included { name: name.clone(), text })
            .map_err(|error| format!("{name}: {error}"))
    };
    paths.iter().map(one).collect()
}

fn matches(pattern: &str, name: &std::ffi::OsStr) -> bool {
    glob::matches(pattern.as_bytes(), name.as_encoded_bytes(), Case::Sensitive)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own, removed at the end.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("whimbrel-file-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn put(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn included_files_are_read_by_name() {
        let directory = Directory::new("include");
        directory.put("20.conf", "timeout 2");
        directory.put("10.conf", "timeout 1\nport 9");
        directory.put("30.text", "timeout 3");
        let main = directory.put("main", &format!("include {}/*.conf\n", directory.0.display()));
        let mut config = Config::default();
        load(&mut config, &main).unwrap();
        assert_eq!((config.timeout, config.port), (2, 9));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let directory = Directory::new("missing");
        let error = load(&mut Config::default(), &directory.0.join("nothing")).unwrap_err();
        assert!(error.contains("nothing: No such file"), "{error}");
        let long = directory.put("long", &"#".repeat(FILE_BYTES_MAX as usize + 1));
        assert!(load(&mut Config::default(), &long).unwrap_err().contains("larger than"));
        let main = directory.put("main", "\ninclude /nonexistent/x\nport x");
        let error = load(&mut Config::default(), &main).unwrap_err();
        assert!(error.contains("main:2: cannot include") && error.contains("main:3: `port`"), "{error}");
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let directory = Directory::new("rewrite");
        let path = directory.put("whimbrel.conf", "# mine\nport 1\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = directory.0.join("link.conf");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let config = Config { port: 1, timeout: 7, ..Config::default() };
        rewrite(&link, &config).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "# mine\nport 1\n# Generated by CONFIG REWRITE\ntimeout 7\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 2, "nothing is left beside the file");

        fs::write(&path, "nonsense 1\n").unwrap();
        assert!(rewrite(&path, &config).unwrap_err().to_string().contains("no parameter `nonsense`"));
        let fresh = directory.0.join("fresh.conf");
        rewrite(&fresh, &config).unwrap();
        assert_eq!(fs::metadata(&fresh).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
