//! Size classes: the sizes that arena memory is cut into, at most 12.5 % apart.
//!
//! Up to 128 bytes the classes are 8 bytes apart; above, every doubling is cut into eight equal steps. A size therefore
//! never wastes more than 7 bytes (up to 128) or one eighth of itself.

/// Memory is measured in units of this many bytes; every allocation begins at a unit.
pub const UNIT_BYTES: usize = 8;

/// The largest size that the classes serve; larger values live outside the pages (`LargeString`).
pub const CLASS_BYTES_MAX: usize = 8 * 1024;

/// Sizes up to this many units have a class of their own.
const LINEAR_UNITS: usize = 16;

/// Steps a doubling is cut into.
const STEPS: usize = 8;

/// How many classes there are: 16 linear ones, then eight for each of the six doublings up to 8 KiB.
pub const CLASS_COUNT: usize = LINEAR_UNITS + 6 * STEPS;

/// The index of a size class. `0 <= class < CLASS_COUNT`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SizeClass(u8);

impl SizeClass {
    /// The smallest class that holds `bytes`. `1 <= bytes <= CLASS_BYTES_MAX`.
    pub fn holding(bytes: usize) -> SizeClass {
        debug_assert!((1..=CLASS_BYTES_MAX).contains(&bytes), "size {bytes} has no class");
        let units = bytes.div_ceil(UNIT_BYTES);
        if units <= LINEAR_UNITS {
            return SizeClass((units - 1) as u8);
        }
        // 2^doubling < units <= 2^(doubling + 1), with doubling >= 4.
        let doubling = (usize::BITS - 1 - (units - 1).leading_zeros()) as usize;
        let step_units = 1 << (doubling - 3);
        let step = (units - (1 << doubling)).div_ceil(step_units);
        SizeClass((LINEAR_UNITS + (doubling - 4) * STEPS + step - 1) as u8)
    }

    /// The class with this index.
    pub fn at(index: usize) -> SizeClass {
        assert!(index < CLASS_COUNT, "class index {index} out of range");
        SizeClass(index as u8)
    }

    /// The index of the class, for tables by class.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Units in one allocation of the class.
    pub const fn units(self) -> usize {
        let index = self.0 as usize;
        if index < LINEAR_UNITS {
            return index + 1;
        }
        let doubling = 4 + (index - LINEAR_UNITS) / STEPS;
        let step = (index - LINEAR_UNITS) % STEPS + 1;
        (1 << doubling) + step * (1 << (doubling - 3))
    }

    /// Bytes in one allocation of the class.
    pub const fn bytes(self) -> usize {
        self.units() * UNIT_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_its_class_and_no_smaller_one() {
        for bytes in 1..=CLASS_BYTES_MAX {
            let class = SizeClass::holding(bytes);
            assert!(class.bytes() >= bytes, "{bytes} does not fit {}", class.bytes());
            if class.index() > 0 {
                assert!(SizeClass::at(class.index() - 1).bytes() < bytes, "{bytes} fits a smaller class");
            }
        }
        assert_eq!(SizeClass::holding(CLASS_BYTES_MAX).index(), CLASS_COUNT - 1);
    }

    #[test]
    fn waste_is_at_most_an_eighth() {
        for bytes in 1..=CLASS_BYTES_MAX {
            let waste = SizeClass::holding(bytes).bytes() - bytes;
            assert!(waste < UNIT_BYTES || waste * 8 <= bytes, "{bytes} wastes {waste}");
        }
    }

    #[test]
    fn multiples_of_a_cache_line_stay_multiples() {
        for lines in 1..=64 {
            let class = SizeClass::holding(lines * 64);
            assert_eq!(class.bytes() % 64, 0, "{lines} lines");
        }
    }
}
