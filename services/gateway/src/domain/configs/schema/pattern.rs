//! What a regular expression costs to match, for each byte that it looks at.
//!
//! Matching takes a time that is linear in the text, times the states of the expression; a few characters, such as
//! `[ab]{900}`, can stand for many of them. So what counts is the expression after unfolding, not its length.

use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind};

/// How many states an expression unfolds to, about. One that cannot be read costs nothing: no schema with it is taken.
pub(super) fn cost(pattern: &str) -> usize {
    let translated = jsonschema_regex::to_rust_regex(pattern);
    let parsed = translated.ok().and_then(|pattern| Parser::new().parse(&pattern).ok());
    parsed.map_or(0, |parsed| states(&parsed))
}

/// As deep as the parser lets expressions be nested, which is bounded.
fn states(part: &Hir) -> usize {
    let sum = |parts: &[Hir]| parts.iter().map(states).fold(1, usize::saturating_add);
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Literal(text) => text.0.len(),
        // Characters of several bytes are a tree of ranges.
        HirKind::Class(Class::Unicode(class)) => 1 + class.ranges().len() / 2,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or_else(|| repetition.min.saturating_add(1)).max(1);
            states(&repetition.sub).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => states(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_counts_as_often_as_it_may_stand_there() {
        assert!(cost("^[a-z0-9-]{1,63}$") < 150);
        let uuid = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
        assert!((32..100).contains(&cost(uuid)), "{}", cost(uuid));
        assert!(cost("a[ab]{900}c") > 900);
        assert!(cost("((a{30}){30}){30}") >= 27_000);
        assert!(cost("(a{1000}){1000}") >= 1_000_000);
        assert!(cost(r"\p{L}{5}") > 1000);
        assert_eq!(cost("("), 0);
    }
}
