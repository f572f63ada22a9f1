//! All fields of a hash in one answer: HGETALL, HKEYS and HVALS.

use super::hash_of;
use crate::commands::{CommandError, Context};
use crate::resp::{Arguments, Reply};

/// What of each field is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The names, as an array.
    Names,
    /// The values, as an array.
    Values,
    /// Both, as a map.
    Both,
}

/// Shows all fields of the hash that the first argument names.
pub fn list(context: &mut Context<'_>, arguments: &Arguments<'_>, what: What) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let hash = hash_of(context.core.shard.find(&key, context.now.unix_ms))?;
    let reply = &mut *context.reply;
    // To move the answer once is cheaper than to look at every field twice.
    let known = hash.map_or(Some(0), |hash| hash.live_len());
    let place = match known {
        Some(count) => {
            header(reply, what, count);
            None
        }
        None => Some(reply.defer()),
    };
    let mut count = 0;
    if let Some(hash) = hash {
        hash.for_each(|field| {
            count += 1;
            if what != What::Values {
                reply.bulk(field.name);
            }
            if what != What::Names {
                reply.bulk_text(field.value);
            }
        });
    }
    debug_assert!(known.is_none_or(|known| known == count), "the header says how many follow");
    match (place, what) {
        (None, _) => {}
        (Some(place), What::Both) => reply.end_map(place, count),
        (Some(place), _) => reply.end_array(place, count),
    }
    Ok(())
}

fn header(reply: &mut Reply, what: What, count: usize) {
    match what {
        What::Both => reply.map(count),
        What::Names | What::Values => reply.array(count),
    }
}
