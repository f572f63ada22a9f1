//! ACL categories: groups of commands that an administrator allows or forbids together.

use super::flags::{Flag, Flags};

macro_rules! categories {
    ($($name:ident = $bit:literal, $text:literal;)*) => {
        /// One ACL category, named as in Redis.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names are Redis' own and say it all")]
        pub enum Category {
            $($name = 1 << $bit,)*
        }

        const NAMES: &[(Category, &str)] = &[$((Category::$name, $text),)*];
    };
}

categories! {
    Keyspace = 0, "keyspace";
    Read = 1, "read";
    Write = 2, "write";
    Set = 3, "set";
    SortedSet = 4, "sortedset";
    List = 5, "list";
    Hash = 6, "hash";
    String = 7, "string";
    Bitmap = 8, "bitmap";
    HyperLogLog = 9, "hyperloglog";
    Geo = 10, "geo";
    Stream = 11, "stream";
    PubSub = 12, "pubsub";
    Admin = 13, "admin";
    Fast = 14, "fast";
    Slow = 15, "slow";
    Blocking = 16, "blocking";
    Dangerous = 17, "dangerous";
    Connection = 18, "connection";
    Transaction = 19, "transaction";
    Scripting = 20, "scripting";
}

/// A set of `Category`s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Categories(u32);

impl Categories {
    /// No categories.
    pub const NONE: Self = Self(0);

    /// The categories of `list`.
    pub const fn of(list: &[Category]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < list.len() {
            bits |= list[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// These categories and those that follow from a command's flags.
    pub const fn with_implied(self, flags: Flags) -> Self {
        let mut bits = self.0;
        if flags.has(Flag::Write) {
            bits |= Category::Write as u32;
        }
        if flags.has(Flag::Readonly) && bits & Category::Scripting as u32 == 0 {
            bits |= Category::Read as u32;
        }
        if flags.has(Flag::Admin) {
            bits |= Category::Admin as u32 | Category::Dangerous as u32;
        }
        if flags.has(Flag::PubSub) {
            bits |= Category::PubSub as u32;
        }
        if flags.has(Flag::Blocking) {
            bits |= Category::Blocking as u32;
        }
        bits |= if flags.has(Flag::Fast) { Category::Fast as u32 } else { Category::Slow as u32 };
        Self(bits)
    }

    /// Whether `category` is among them.
    pub const fn has(self, category: Category) -> bool {
        self.0 & category as u32 != 0
    }

    /// The names, without the `@`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(category, _)| self.has(*category)).map(|(_, name)| *name)
    }
}

impl Category {
    /// The category called `name` (without the `@`, in any case).
    pub fn named(name: &[u8]) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, text)| name.eq_ignore_ascii_case(text.as_bytes()))
            .map(|(category, _)| *category)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_imply_categories() {
        let names = |acl: &[Category], flags: &[Flag]| {
            Categories::of(acl).with_implied(Flags::of(flags)).names().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&[Category::String], &[Flag::Write, Flag::DenyOom]), "write string slow");
        assert_eq!(names(&[Category::String], &[Flag::Readonly, Flag::Fast]), "read string fast");
        assert_eq!(names(&[], &[Flag::Admin, Flag::Blocking]), "admin slow blocking dangerous");
        assert_eq!(names(&[Category::Scripting], &[Flag::Readonly]), "slow scripting");
        assert_eq!(Category::named(b"SortedSet"), Some(Category::SortedSet));
    }
}
