//! How much unsent reply a client may leave behind, per class of clients (`client-output-buffer-limit`).

use super::kind::{Rejection, bytes};
use crate::number::parse_i64;

/// What kind of client a limit is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientClass {
    /// Clients that send commands and read replies.
    #[default]
    Normal = 0,
    /// Replicas.
    Replica = 1,
    /// Clients with at least one subscription.
    Pubsub = 2,
}

impl ClientClass {
    /// Every class, in the order in which Redis prints them.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Replica, Self::Pubsub];

    /// The name that Redis prints: replicas are still called `slave` there.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Replica => "slave",
            Self::Pubsub => "pubsub",
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let replica = text.eq_ignore_ascii_case(b"replica").then_some(Self::Replica);
        let named = Self::ALL.into_iter().find(|class| text.eq_ignore_ascii_case(class.name().as_bytes()));
        replica.or(named)
    }
}

/// The limits of one class. 0 means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Unsent bytes at which the client is closed at once.
    pub hard_bytes: u64,
    /// Unsent bytes above which the client is closed after `soft_seconds` without falling below.
    pub soft_bytes: u64,
    /// How long the soft limit may be exceeded.
    pub soft_seconds: u64,
}

/// The limits of all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits([OutputLimit; 3]);

impl Default for OutputLimits {
    fn default() -> Self {
        let limit =
            |hard_bytes, soft_bytes, soft_seconds| OutputLimit { hard_bytes, soft_bytes, soft_seconds };
        Self([limit(0, 0, 0), limit(256 << 20, 64 << 20, 60), limit(32 << 20, 8 << 20, 60)])
    }
}

impl OutputLimits {
    /// The limits of one class.
    pub fn of(&self, class: ClientClass) -> OutputLimit {
        self.0[class as usize]
    }

    /// These limits with the classes changed that `words` name: `<class> <hard> <soft> <seconds>` repeated.
    pub fn with(&self, words: &[Vec<u8>]) -> Result<Self, Rejection> {
        if !words.len().is_multiple_of(4) || words.is_empty() {
            return Err(Rejection::OutputLimitWords);
        }
        let mut limits = *self;
        for four in words.chunks_exact(4) {
            let class = ClientClass::parse(&four[0]).ok_or(Rejection::OutputLimitClass)?;
            let size = |word: &[u8]| bytes(word).ok_or(Rejection::OutputLimitNumber);
            let seconds = parse_i64(&four[3]).and_then(|seconds| u64::try_from(seconds).ok());
            limits.0[class as usize] = OutputLimit {
                hard_bytes: size(&four[1])?,
                soft_bytes: size(&four[2])?,
                soft_seconds: seconds.ok_or(Rejection::OutputLimitNumber)?,
            };
        }
        Ok(limits)
    }

    /// One class as the words that [`with`](Self::with) reads.
    pub fn class_text(&self, class: ClientClass) -> String {
        let limit = self.of(class);
        format!("{} {} {} {}", class.name(), limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
    }

    /// All classes, as `CONFIG GET` prints them.
    pub fn text(&self) -> String {
        ClientClass::ALL.map(|class| self.class_text(class)).join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::split;
    use super::*;

    #[test]
    fn classes_change_one_by_one() {
        let limits = OutputLimits::default();
        assert_eq!(limits.text(), "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
        let changed = limits.with(&split(b"normal 1mb 2kb 5 REPLICA 1 2 3").unwrap()).unwrap();
        assert_eq!(changed.text(), "normal 1048576 2048 5 slave 1 2 3 pubsub 33554432 8388608 60");
        assert_eq!(limits.with(&split(changed.text().as_bytes()).unwrap()), Ok(changed));
    }

    #[test]
    fn refused() {
        let cases = [
            ("", Rejection::OutputLimitWords),
            ("normal", Rejection::OutputLimitWords),
            ("normal 0 0 0 pubsub", Rejection::OutputLimitWords),
            ("master 0 0 0", Rejection::OutputLimitClass),
            ("normal x 0 0", Rejection::OutputLimitNumber),
            ("normal 0 -1 0", Rejection::OutputLimitNumber),
            ("normal 0 0 1s", Rejection::OutputLimitNumber),
            ("normal 0 0 -1", Rejection::OutputLimitNumber),
        ];
        for (text, rejection) in cases {
            let words = split(text.as_bytes()).unwrap();
            assert_eq!(OutputLimits::default().with(&words), Err(rejection), "{text}");
        }
    }
}
