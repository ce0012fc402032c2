//! How a quantity is spread: exact count, sum, least and greatest, and a mergeable histogram for the rest.
//!
//! The histogram is a `DDSketch` (Masson, Rim, Lee, 2019): any percentile is right within 1 %, two histograms
//! merge without loss, and its size does not depend on how much was counted.

use std::fmt;

use serde::{Deserialize, Serialize};
use sketches_ddsketch::{Config, DDSketch};

/// A percentile is within this of the true one, relatively.
const ACCURACY: f64 = 0.01;
/// More bins than any quantity needs that fits 64 bits at this accuracy.
const BINS_MAX: u32 = 2560;

/// Whole numbers of some unit, and how they are spread.
#[derive(Clone, Serialize, Deserialize)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The least; 0 if there is none.
    pub min: u64,
    /// The greatest; 0 if there is none.
    pub max: u64,
    sketch: DDSketch,
}

impl Default for Spread {
    fn default() -> Self {
        let sketch = DDSketch::new(Config::new(ACCURACY, BINS_MAX, 0.5));
        Self { count: 0, sum: 0, min: 0, max: 0, sketch }
    }
}

impl fmt::Debug for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spread")
            .field("count", &self.count)
            .field("sum", &self.sum)
            .field("min", &self.min)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentile is not exact anyway")]
impl Spread {
    /// Counts one.
    pub fn add(&mut self, value: u64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        self.sketch.add(value as f64);
    }

    /// Counts all of `other` too.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        // Every histogram here has the same configuration, which is all that this asks for.
        let _ = self.sketch.merge(&other.sketch);
    }

    /// The mean; 0 if there is none.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// The value that this share (0 to 1) of all do not exceed; 0 if there is none.
    pub fn quantile(&self, share: f64) -> f64 {
        let found = self.sketch.quantile(share.clamp(0.0, 1.0)).ok().flatten().unwrap_or(0.0);
        found.clamp(self.min as f64, self.max as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and not negative")]
    fn to_u64(value: f64) -> u64 {
        value as u64
    }

    #[test]
    fn percentiles_of_merged_halves_are_those_of_the_whole_within_one_percent() {
        let mut halves = [Spread::default(), Spread::default()];
        let mut values: Vec<u64> = (0..10_000_u64).map(|i| i * i % 1_000_003).collect();
        for (i, value) in values.iter().enumerate() {
            halves[i % 2].add(*value);
        }
        let [mut whole, other] = halves;
        whole.merge(&other);
        values.sort_unstable();
        assert_eq!((whole.count, whole.sum), (10_000, values.iter().sum()));
        assert_eq!((whole.min, whole.max), (values[0], values[9_999]));
        for share in [0.5, 0.9, 0.99] {
            let found = whole.quantile(share);
            let below = |value: f64| values.iter().filter(|one| **one <= to_u64(value)).count();
            let (least, most) = (below(found * 0.989), below(found * 1.011));
            let rank = usize::try_from(to_u64(share * 10_000.0)).unwrap();
            assert!(least <= rank + 1 && rank <= most + 1, "{share}: {found} is {least} to {most}");
        }
    }

    #[test]
    fn what_is_empty_changes_nothing_and_has_no_percentiles() {
        let mut spread = Spread::default();
        assert_eq!((spread.quantile(0.5), spread.mean()), (0.0, 0.0));
        spread.add(7);
        spread.merge(&Spread::default());
        assert_eq!((spread.min, spread.max, spread.count), (7, 7, 1));
        let mut other = Spread::default();
        other.merge(&spread);
        assert_eq!(other.min, 7);
    }

    #[test]
    fn its_size_does_not_grow_with_what_was_counted() {
        let size = |rounds: u64| {
            let mut spread = Spread::default();
            for _ in 0..rounds {
                (0..40).for_each(|bit| spread.add(1 << bit));
            }
            rmp_serde::to_vec_named(&spread).unwrap().len()
        };
        // Only the numbers in the bins take more digits.
        assert!(size(5_000) < size(1) + 400, "{} {}", size(5_000), size(1));
        assert!(size(1) < 4096);
    }
}
