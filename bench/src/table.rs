//! The table that a bench prints.

/// One figure beside its limit.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// The figure, in `unit`.
    pub(crate) figure: f64,
    /// What the same work costs without Coffer, and what that was.
    pub(crate) limit: Option<(f64, &'static str)>,
    /// `1/s`, `ms`, …
    pub(crate) unit: &'static str,
    /// The aim, in words.
    pub(crate) aim: &'static str,
}

/// Rows as they are measured; printed as they come, so that a long run shows its progress.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: usize,
}

impl Table {
    /// Prints a heading over the rows that follow.
    pub(crate) fn section(&mut self, title: &str) {
        println!("\n{title}");
        println!(
            "{:<46} {:>13} {:>13} {:>6}  {:<34} aim",
            "figure", "coffer", "limit", "ratio", "the limit is"
        );
        self.rows = 0;
    }

    /// Prints a row.
    pub(crate) fn row(&mut self, row: &Row) {
        let figure = format!("{} {}", short(row.figure), row.unit);
        let (limit, ratio, what) = row.limit.map_or_else(Default::default, |(limit, what)| {
            (format!("{} {}", short(limit), row.unit), format!("{:.2}", row.figure / limit), what)
        });
        println!("{:<46} {figure:>13} {limit:>13} {ratio:>6}  {what:<34} {}", row.what, row.aim);
        self.rows += 1;
    }
}

fn short(value: f64) -> String {
    match value {
        v if v >= 1000.0 => grouped(&format!("{v:.0}")),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// The same digits with a comma before every three.
fn grouped(digits: &str) -> String {
    match digits.len() {
        ..=3 => digits.to_owned(),
        length => {
            let (head, tail) = digits.split_at(length - 3);
            format!("{},{tail}", grouped(head))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_grouped_by_three_digits() {
        let figures = [0.123, 12.34, 999.4, 999.6, 1_000.0, 62_539.0, 1_429_786.2].map(short);
        assert_eq!(figures, ["0.12", "12.3", "999", "1000", "1,000", "62,539", "1,429,786"]);
    }
}
