//! Runs, one after another, each from its seed.

use crate::checks::Violation;
use crate::mutation::Mutation;
use crate::totals::Totals;
use crate::world::World;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Two runs with one digest are most likely the same.
    pub digest: u64,
    /// What happened.
    pub totals: Totals,
    /// What did not hold first, if anything.
    pub violation: Option<Violation>,
    /// The story, if it was asked for: of what did not hold, or else of everything.
    pub story: Option<String>,
}

/// Makes runs.
#[derive(Default, Debug)]
pub struct Runner {
    /// Jobs that the operator asks for in a run.
    pub moves: u64,
    /// Whether every run has much data, as one in ten has anyway: what caps, windows and marks are for.
    pub heavy: bool,
    /// A deliberate fault.
    pub mutation: Option<Mutation>,
    /// Whether stories are told.
    pub is_told: bool,
}

impl Runner {
    /// A runner of runs with so many jobs.
    pub fn new(moves: u64) -> Runner {
        Runner { moves, ..Runner::default() }
    }

    /// The run of a seed.
    pub fn run(&self, seed: u64) -> Outcome {
        let mut world = World::new(seed, self.moves, self.heavy, self.mutation, self.is_told);
        world.run();
        let violation = world.env.violation.take();
        let story = self.is_told.then(|| match &violation {
            Some(violation) => world.env.story.of(violation).to_string(),
            None => world.env.story.whole().to_string(),
        });
        let (totals, digest) = (world.env.totals.clone(), world.digest);
        Outcome { seed, digest, totals, violation, story }
    }
}
