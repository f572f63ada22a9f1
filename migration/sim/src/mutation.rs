//! Deliberate faults in what surrounds the machines, each of which a check must notice.
//!
//! They stand in the simulator's glue alone: the machines and the engine have no such switch.

use crate::checks::Invariant;

macro_rules! mutations {
    ($($(#[doc = $doc:literal])+ $name:ident => [$($invariant:ident),+],)*) => {
        /// A deliberate fault.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Mutation { $($(#[doc = $doc])+ $name,)* }

        impl Mutation {
            /// All of them.
            pub const ALL: &[Mutation] = &[$(Mutation::$name,)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Mutation::$name => stringify!($name),)* }
            }

            /// What it does, in words.
            pub fn what(self) -> &'static str {
                match self { $(Mutation::$name => concat!($($doc,)+).trim_ascii(),)* }
            }

            /// The checks that may be the first to notice it.
            pub fn caught_by(self) -> &'static [Invariant] {
                match self { $(Mutation::$name => &[$(Invariant::$invariant,)+],)* }
            }
        }
    };
}

mutations! {
    /// The source serves writes although they are to wait.
    ServesHeldWrites => [NothingLost, OneOwner, OnePlace],
    /// The source goes on serving reads behind its word, until the map says that the slots are not its own.
    ServesReadsBehindWord => [OneOwner, NothingLost],
    /// The source says `held` before the other cores of its process have said so.
    HeldTooEarly => [NothingLost, OnePlace],
    /// The target serves the slots as soon as it is prepared.
    ServesWhenPrepared => [NothingLost, OneOwner],
    /// A process serves on after its lease.
    ServesAfterLease => [OneOwner],
    /// A process that has registered anew serves before its cores have heard what they still own.
    ServesBeforeMap => [NothingLost, OneOwner],
    /// The source gives its word before it is known that the map names the heir.
    GivesBeforeAppointed => [NothingLost, OneOwner, OnePlace],
    /// The target says that it is no heir any more, and obeys a word that comes later.
    ObeysWithdrawnWord => [NothingLost, OneOwner, OnePlace],
    /// The source takes its word back when the store does not say in time what became of it.
    TakesWordBack => [NothingLost, OneOwner, NoTrace],
    /// The operator gives slots of a dead owner away although their heir is there.
    TakesFromHeirs => [NothingLost, OneOwner, OnePlace],
    /// The target drops what it holds, prepared or not, as soon as a link is cut.
    DropsPreparedOnCut => [NothingLost, OnePlace, Resumes, Settles],
    /// The source flushes the slots with its word, not when the map has heard of it.
    FlushesAtWord => [NothingLost, OnePlace, NoTrace],
    /// The source does not flush the slots that it has lost.
    KeepsWhatItGave => [OnePlace, NothingLost],
    /// The source keeps commands waiting after a move that failed.
    KeepsHoldAfterFailure => [NoTrace],
    /// The source leaves a fork open when a move ends.
    LeavesFork => [NoTrace],
    /// The target forgets a batch without emptying its slots.
    LeavesStaging => [NoTrace, Settles],
    /// The target takes every new connection for the beginning of the batch.
    ForgetsProgressOnReconnect => [Resumes],
    /// The target reads on however much waits to be applied.
    ReadsWithoutMark => [Ceilings],
    /// The source ignores its caps.
    IgnoresPacer => [Caps],
    /// The source ignores what the target allows.
    IgnoresTargetRate => [Caps],
}
