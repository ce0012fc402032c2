//! Figures as people read them: what is one figure first, then a table for each list.

use coffer_api::usage::{Distribution, OperationCounts, UsedKey};

use super::{Figures, Unread};
use crate::output::{self, printable};

/// All figures, with so many rows in each table.
pub(super) fn text(figures: &Figures, rows: usize) -> String {
    let mut sections = vec![totals(figures)];
    let days = last(&figures.days, rows).iter().map(|day| counts(day.date.clone(), day.operations));
    sections.extend(section("By day", &["DAY", "READS", "WRITES", "DELETES"], &days.collect::<Vec<_>>()));
    let hours =
        last(&figures.hours, rows).iter().map(|hour| counts(output::when(hour.hour), hour.operations));
    sections.extend(section("By hour", &["HOUR", "READS", "WRITES", "DELETES"], &hours.collect::<Vec<_>>()));
    let top: Vec<_> = figures.top.iter().take(rows).map(used).collect();
    sections.extend(section("Used most", &["COUNT", "LAST USED", "KEY"], &top));
    sections.extend(figures.unread.as_ref().and_then(|unread| not_read(unread, rows)));
    if !figures.overview.recommendations.is_empty() {
        let lines = figures.overview.recommendations.iter().map(|line| format!("- {}\n", printable(line)));
        sections.push(format!("Suggestions\n{}", lines.collect::<String>()));
    }
    sections.join("\n")
}

fn totals(figures: &Figures) -> String {
    let (overview, totals) = (&figures.overview, &figures.overview.totals);
    let (plain, stored) = (output::size(totals.plain_bytes), output::size(totals.stored_bytes));
    let OperationCounts { reads, writes, deletes } = overview.operations;
    let (compressed, encrypted) = (totals.compressed_keys, totals.encrypted_keys);
    output::fields(&[
        ("Keys", format!("{}, {} of them used", totals.keys, overview.used_keys)),
        ("Size", format!("{plain}, stored as {stored} ({:.0} %)", totals.stored_per_plain * 100.0)),
        ("Compressed", format!("{compressed} ({:.0} %)", totals.compressed_share * 100.0)),
        ("Encryption", format!("asked for {encrypted} ({:.0} %)", totals.encrypted_share * 100.0)),
        ("Operations", format!("{reads} reads, {writes} writes, {deletes} deletes")),
        ("Answers", spread(&overview.response_ms, |ms| format!("{ms:.2} ms"))),
        ("Values", spread(&overview.value_bytes, |bytes| format!("{bytes:.0} B"))),
    ])
}

fn spread(of: &Distribution, unit: impl Fn(f64) -> String) -> String {
    if of.count == 0 {
        return "-".into();
    }
    let [p50, p90, p95, p99, max] = [of.p50, of.p90, of.p95, of.p99, of.max].map(unit);
    format!("p50 {p50}, p90 {p90}, p95 {p95}, p99 {p99}, at most {max}")
}

fn counts(when: String, of: OperationCounts) -> Vec<String> {
    vec![when, of.reads.to_string(), of.writes.to_string(), of.deletes.to_string()]
}

fn used(one: &UsedKey) -> Vec<String> {
    vec![one.count.to_string(), output::when(one.last_at), one.key.clone()]
}

fn not_read(unread: &Unread, rows: usize) -> Option<String> {
    let (known, more) = (unread.keys.len(), if unread.truncated { " or more" } else { "" });
    let title = format!("Not read for {} days: {known}{more}", unread.days);
    let row = |one: &coffer_api::usage::UnreadKey| {
        vec![one.reads.to_string(), one.writes.to_string(), output::until(one.last_read_at), one.key.clone()]
    };
    let rows: Vec<_> = unread.keys.iter().take(rows).map(row).collect();
    section(&title, &["READS", "WRITES", "LAST READ", "KEY"], &rows)
}

/// A table under its title, if it has rows.
fn section(title: &str, headings: &[&str], rows: &[Vec<String>]) -> Option<String> {
    (!rows.is_empty()).then(|| format!("{title}\n{}", output::table(headings, rows)))
}

fn last<T>(items: &[T], count: usize) -> &[T] {
    &items[items.len().saturating_sub(count)..]
}

#[cfg(test)]
mod tests {
    use coffer_api::usage::{KeyTotals, UsageDay, UsageOverview};
    use coffer_core::Timestamp;

    use super::*;

    fn figures(days: u8) -> Figures {
        let operations = OperationCounts { reads: 3, writes: 2, deletes: 1 };
        let spread = Distribution { count: 2, p50: 0.5, p99: 12.0, max: 12.0, ..Distribution::default() };
        let overview = UsageOverview {
            operations,
            used_keys: 1,
            operations_without_key: 0,
            totals: KeyTotals {
                keys: 2,
                plain_bytes: 2048,
                stored_bytes: 512,
                stored_per_plain: 0.25,
                ..KeyTotals::default()
            },
            response_ms: spread,
            value_bytes: Distribution::default(),
            recommendations: vec!["Read\u{1b} less".into()],
        };
        let day = |day| UsageDay { date: format!("2026-01-{day:02}"), operations };
        let top = UsedKey { owner: None, key: "a\u{1b}".into(), count: 5, last_at: Timestamp::from_ms(0) };
        let days = (1..=days).map(day).collect();
        Figures { overview, days, hours: Vec::new(), top: vec![top], unread: None }
    }

    #[test]
    fn every_figure_has_its_place_and_names_cannot_command_the_terminal() {
        let text = text(&figures(1), 10);
        for line in [
            "Keys        2, 1 of them used\n",
            "Size        2.00 KiB, stored as 512 B (25 %)\n",
            "Operations  3 reads, 2 writes, 1 deletes\n",
            "Answers     p50 0.50 ms, p90 0.00 ms, p95 0.00 ms, p99 12.00 ms, at most 12.00 ms\n",
            "Values      -\n",
            "By day\nDAY         READS  WRITES  DELETES\n2026-01-01  3      2       1\n",
            "Used most\nCOUNT  LAST USED             KEY\n5      1970-01-01 00:00 UTC  a\\u{1b}\n",
            "Suggestions\n- Read\\u{1b} less\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("By hour"), "a table without rows is left out");
    }

    #[test]
    fn the_latest_days_are_shown() {
        let text = text(&figures(9), 2);
        assert!(text.contains("2026-01-08") && text.contains("2026-01-09") && !text.contains("2026-01-07"));
    }

    #[test]
    fn unread_keys_are_counted_and_some_of_them_shown() {
        let key = |key: &str| coffer_api::usage::UnreadKey {
            key: key.into(),
            reads: 0,
            writes: 1,
            last_read_at: None,
            last_at: Timestamp::from_ms(0),
        };
        let unread = Unread { days: 7, keys: vec![key("a"), key("b")], truncated: true };
        let text = not_read(&unread, 1).unwrap();
        assert_eq!(
            text,
            "Not read for 7 days: 2 or more\nREADS  WRITES  LAST READ  KEY\n0      1       -          a\n"
        );
    }
}
