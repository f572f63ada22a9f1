//! Parameters whose value is one of a few words.

/// A type whose values have names in the configuration.
pub trait Choice: Sized + Copy + 'static {
    /// Every value, in the order of `NAMES`.
    const ALL: &'static [Self];
    /// The names as `CONFIG GET` prints them.
    const NAMES: &'static [&'static str];

    /// The name of this value.
    fn name(self) -> &'static str;
}

macro_rules! choice {
    ($(#[doc = $doc:literal])* $type:ident { $($(#[doc = $line:literal])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[doc = $line])* $variant),+ }

        impl Choice for $type {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const NAMES: &'static [&'static str] = &[$($name),+];

            fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

choice! {
    /// What is evicted when `maxmemory` is reached.
    MaxmemoryPolicy {
        /// The least recently used of the keys that expire.
        VolatileLru = "volatile-lru",
        /// The least frequently used of the keys that expire.
        VolatileLfu = "volatile-lfu",
        /// Any of the keys that expire.
        VolatileRandom = "volatile-random",
        /// The one of the keys that expire whose time is nearest.
        VolatileTtl = "volatile-ttl",
        /// The least recently used key.
        AllkeysLru = "allkeys-lru",
        /// The least frequently used key.
        AllkeysLfu = "allkeys-lfu",
        /// Any key.
        AllkeysRandom = "allkeys-random",
        /// S3-FIFO over all keys: one-hit wonders leave early, what is read again stays.
        AllkeysS3fifo = "allkeys-s3fifo",
        /// Nothing; writes that need memory get an error.
        Noeviction = "noeviction",
    }
}

impl MaxmemoryPolicy {
    /// Whether only keys with an expiry may be evicted.
    pub fn volatile_only(self) -> bool {
        matches!(self, Self::VolatileLru | Self::VolatileLfu | Self::VolatileRandom | Self::VolatileTtl)
    }

    /// Whether the access field of a key counts frequency (and `OBJECT FREQ` works, `OBJECT IDLETIME` does not).
    pub fn counts_frequency(self) -> bool {
        matches!(self, Self::VolatileLfu | Self::AllkeysLfu)
    }
}

choice! {
    /// From which level on lines are logged.
    LogLevel {
        /// Everything, for work on Whimbrel itself.
        Debug = "debug",
        /// Connections and other frequent events.
        Verbose = "verbose",
        /// What an operator wants to know.
        Notice = "notice",
        /// What an operator has to know.
        Warning = "warning",
        /// No line at all.
        Nothing = "nothing",
    }
}

choice! {
    /// Who may use the DEBUG command.
    DebugCommand {
        /// Nobody.
        No = "no",
        /// Every client.
        Yes = "yes",
        /// Clients of this machine.
        Local = "local",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_values() {
        for (policy, name) in MaxmemoryPolicy::ALL.iter().zip(MaxmemoryPolicy::NAMES) {
            assert_eq!(policy.name(), *name);
            assert_eq!(policy.volatile_only(), name.starts_with("volatile-"));
            assert_eq!(policy.counts_frequency(), name.ends_with("-lfu"));
        }
    }
}
