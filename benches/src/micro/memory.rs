//! The arena: allocating and freeing.

use whimbrel_engine::arena::{Arena, ArenaError, Purpose, Ref};

use super::timing::{Figure, scatter, time};

/// Allocations of the size of a common object, freed in another order than they were made.
pub fn figures() -> Result<Vec<Figure>, ArenaError> {
    const HELD: usize = 100_000;
    const BYTES: usize = 88;
    let mut arena = Arena::new()?;
    let mut held: Vec<Ref> =
        (0..HELD).map(|_| arena.allocate(Purpose::Object, BYTES)).collect::<Result<_, _>>()?;
    let figure = time("arena: free one of 100,000 objects and allocate another", 100_000, |number| {
        let place = scatter(number) as usize % HELD;
        arena.free(held[place]);
        if let Ok(object) = arena.allocate(Purpose::Object, BYTES) {
            held[place] = object;
        }
    });
    Ok(vec![figure])
}
