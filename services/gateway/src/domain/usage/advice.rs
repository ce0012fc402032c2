//! What the figures suggest.

use std::collections::HashMap;

use super::report::Report;

/// Compressed keys, of all: below this, compression is advised.
const COMPRESSED_SHARE_MIN: f64 = 0.8;
/// Keys stored with `encrypt`, of all: below this, encryption is advised.
const ENCRYPTED_SHARE_MIN: f64 = 0.9;
/// The mean answer, in microseconds, above which it is said to be slow.
const MEAN_US_MAX: f64 = 100_000.0;
/// Reads for each write above which a cache is advised.
const READS_PER_WRITE_MAX: u64 = 3;
/// Stored bytes above which a clean-up is advised: 100 MiB.
const STORED_BYTES_MAX: i64 = 100 * 1024 * 1024;
/// Keys among the most used that are looked at for a common beginning.
const TOP_KEYS: usize = 10;
/// What separates the first part of a key's name from the rest.
const SEPARATORS: [char; 5] = [':', '/', '_', '.', '-'];

/// Every suggestion that these figures give.
pub fn advice(report: &Report) -> Vec<String> {
    let (sizes, summary) = (report.sizes(), report.summary());
    let mut advice = Vec::new();
    if sizes.keys > 0 && report.compressed_share() < COMPRESSED_SHARE_MIN {
        advice.push("Less than 80 % of the keys are compressed: compress values that shrink".to_owned());
    }
    if sizes.keys > 0 && report.encrypted_share() < ENCRYPTED_SHARE_MIN {
        advice.push("Less than 90 % of the keys are stored with encrypt: ask for it for all".to_owned());
    }
    if summary.durations_us.mean() > MEAN_US_MAX {
        advice.push(
            "The average response takes over 100 ms: look at value sizes and at the storage".to_owned(),
        );
    }
    if summary.counts.reads > READS_PER_WRITE_MAX.saturating_mul(summary.counts.writes) {
        advice.push("Reads outnumber writes by more than three to one: cache what is read often".to_owned());
    }
    let names = summary.top.keys().iter().take(TOP_KEYS).map(|one| one.key.as_str());
    if let Some(prefix) = shared_prefix(names) {
        advice.push(format!(
            "Many of the most used keys begin with '{prefix}': list and share them by that prefix"
        ));
    }
    if sizes.stored_bytes > STORED_BYTES_MAX {
        advice.push("The keys take over 100 MiB: delete what is no longer read, or let it expire".to_owned());
    }
    advice
}

/// The first part, with its separator, that at least two and at least half of these names begin with.
fn shared_prefix<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (mut counts, mut all) = (HashMap::<&str, usize>::new(), 0);
    for name in names {
        all += 1;
        if let Some((at, separator)) = name.char_indices().find(|(_, one)| SEPARATORS.contains(one))
            && at > 0
        {
            *counts.entry(&name[..at + separator.len_utf8()]).or_default() += 1;
        }
    }
    let (prefix, count) = counts.into_iter().max_by_key(|(prefix, count)| (*count, *prefix))?;
    (count >= 2 && count * 2 >= all).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coffer_core::Timestamp;

    use super::super::calendar::Calendar;
    use super::super::operation::{Kind, Operation};
    use super::super::pending::Pending;
    use super::super::summary::Summary;
    use super::super::totals::Sizes;
    use super::*;

    const FINE: Sizes = Sizes { keys: 10, plain_bytes: 100, stored_bytes: 50, encrypted: 9, compressed: 8 };

    fn report(sizes: Sizes, operations: &[(Kind, u64)], names: &[&str]) -> Report {
        let (mut pending, mut summary) = (Pending::default(), Summary::default());
        let at = Timestamp::from_ms(0);
        for (kind, ms) in operations {
            let duration = Duration::from_millis(*ms);
            pending.add(&Operation { kind: *kind, key: "k", at, duration, data_bytes: 1 }, true);
        }
        summary.add(&pending.aggregates, None, &Calendar::of("UTC").unwrap());
        for name in names {
            summary.top.offer(None, name, (1, at));
        }
        Report::of(summary, sizes)
    }

    fn fires(report: &Report, word: &str) -> bool {
        let advice = advice(report);
        assert!(advice.len() <= 1, "{advice:?}");
        advice.iter().any(|one| one.contains(word))
    }

    #[test]
    fn nothing_is_advised_while_every_figure_is_on_its_limit() {
        use Kind::{Read, Write};
        let operations = [(Read, 100), (Read, 100), (Read, 100), (Write, 100)];
        let sizes = Sizes { stored_bytes: STORED_BYTES_MAX, ..FINE };
        assert_eq!(advice(&report(sizes, &operations, &["a:1", "b:1", "c"])), [""; 0]);
        assert_eq!(advice(&report(Sizes::default(), &[], &[])), [""; 0]);
    }

    #[test]
    fn each_figure_beyond_its_limit_gives_its_own_advice() {
        assert!(fires(&report(Sizes { compressed: 7, ..FINE }, &[], &[]), "compressed"));
        assert!(fires(&report(Sizes { encrypted: 8, ..FINE }, &[], &[]), "encrypt"));
        assert!(fires(&report(Sizes { stored_bytes: STORED_BYTES_MAX + 1, ..FINE }, &[], &[]), "100 MiB"));
        assert!(fires(&report(FINE, &[(Kind::Write, 101)], &[]), "100 ms"));
        let reads = [(Kind::Read, 1); 4];
        assert!(fires(&report(FINE, &[&reads[..], &[(Kind::Write, 1)]].concat(), &[]), "cache"));
        assert!(fires(&report(FINE, &[], &["user:1", "user:2", "a", "b"]), "'user:'"));
    }

    #[test]
    fn a_prefix_of_fewer_than_half_of_the_keys_is_none() {
        assert!(!fires(&report(FINE, &[], &["user:1", "user:2", "a", "b", "c"]), "user"));
        assert!(!fires(&report(FINE, &[], &["user:1", "order:1"]), "prefix"));
        assert!(!fires(&report(FINE, &[], &["_a", "_b"]), "prefix"));
    }
}
