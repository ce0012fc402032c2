use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn of(text: &str) -> PlainValue {
    PlainValue::json(RawValue::from_string(text.to_owned()).unwrap())
}

/// What differs, each as an operation, a path and values.
fn edits(from: &str, to: &str) -> Vec<String> {
    let Difference::Json { edits, is_cut: false } = differences(&of(from), &of(to)) else {
        panic!("cut or bytes")
    };
    let told = |edit: &Edit| match edit {
        Edit::Added { path, value } => format!("+ {path} {value}"),
        Edit::Removed { path, value } => format!("- {path} {value}"),
        Edit::Replaced { path, from, to } => format!("~ {path} {from} {to}"),
    };
    edits.iter().map(told).collect()
}

#[test]
fn each_difference_is_told_at_its_place() {
    let from = json!({"same": [1, {"a": 1}], "gone": null, "n": {"x/y~z": 1}, "list": [1, 2, 3]});
    let to = json!({"same": [1, {"a": 1}], "new": {}, "n": {"x/y~z": "1"}, "list": [1, 5]});
    assert_eq!(
        edits(&from.to_string(), &to.to_string()),
        ["- /gone null", "~ /list/1 2 5", "- /list/2 3", "~ /n/x~1y~0z 1 \"1\"", "+ /new {}"]
    );
    assert!(edits(&from.to_string(), &from.to_string()).is_empty());
    assert_eq!(edits("1", "[1]").len(), 1);
}

#[test]
fn numbers_that_are_not_written_the_same_are_told_whatever_their_size() {
    for (from, to) in [
        ("9007199254740993", "9007199254740992.0"),
        ("12345678901234567890123", "12345678901234567890124"),
        ("1e400", "1e401"),
        ("0.1000000000000000055511151231257827", "0.1"),
        ("-0", "0"),
    ] {
        assert_eq!(edits(&format!("[{from}]"), &format!("[{to}]")), [format!("~ /0 {from} {to}")]);
    }
}

#[test]
fn a_field_that_stands_twice_is_never_passed_over() {
    for (from, to) in [
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":3,"a":2}"#),
        (r#"{"a":1,"\u0061":2}"#, r#"{"a":2}"#),
    ] {
        assert_eq!(edits(from, to), [format!("~  {from} {to}")]);
        assert_eq!(
            edits(&format!("{{\"b\":{to}}}"), &format!("{{\"b\":{from}}}")),
            [format!("~ /b {to} {from}")]
        );
    }
    assert!(edits(r#"{"a":1,"a":2}"#, r#"{ "a": 1, "a": 2 }"#).is_empty());
}

#[test]
fn what_means_nothing_in_any_json_is_no_difference() {
    let from = r#"{"a": [1, {"x": "\u0041\u00e9"}], "b": {}}"#;
    let to = "{ \"b\":{ },\n\"\\u0061\":[ 1,{\"x\":\"Aé\"} ] }";
    assert!(edits(from, to).is_empty());
    // No Unicode, and not the same.
    assert_eq!(edits(r#"["\ud800"]"#, r#"["\ud801"]"#).len(), 1);
}

#[test]
fn what_is_nested_too_deeply_is_compared_as_a_whole() {
    let nested = |value: u8| format!("{}{value}{}", "[".repeat(1000), "]".repeat(1000));
    let found = edits(&nested(1), &nested(2));
    assert!(found.len() == 1 && found[0].starts_with(&format!("~ {}", "/0".repeat(128))), "{found:?}");
    assert!(edits(&nested(1), &nested(1).replace('1', " 1 ")).is_empty());
}

#[test]
fn bytes_and_what_is_large_are_told_by_length_and_hash_and_much_is_cut() {
    let bytes = PlainValue::bytes("text/plain".to_owned(), Bytes::from_static(b"abc"));
    let Difference::Bytes { from, to } = differences(&of("1"), &bytes) else { panic!("no bytes") };
    assert_eq!((from.content_type, from.bytes, to.bytes), (None, 1, 3));
    assert_eq!(to.sha256, sha256(b"abc"));
    let large = format!("\"{}\"", "x".repeat(COMPARED_BYTES_MAX));
    assert!(matches!(differences(&of(&large), &of("1")), Difference::Bytes { .. }));
    let many = json!(vec![1; DIFFERENCES_MAX + 1]).to_string();
    let Difference::Json { edits, is_cut } = differences(&of("[]"), &of(&many)) else { panic!("bytes") };
    assert!(edits.len() == DIFFERENCES_MAX && is_cut);
}

/// Any value with a number in some places, `#`; and with fields that stand twice.
fn template() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        2 => Just("#".to_owned()),
        1 => prop::sample::select(vec!["1", "null", "\"\"", "\"\\u0041\""]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let field = (prop::sample::select(vec!["a", "b", "\\u0061", "c"]), inner.clone())
            .prop_map(|(name, value)| format!("\"{name}\": {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(field, 0..4).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn another_number_anywhere_is_a_difference_and_nothing_else_is(
        template in template(),
        one in prop::sample::select(NUMBERS.to_vec()),
        other in prop::sample::select(NUMBERS.to_vec()),
    ) {
        let (from, to) = (template.replace('#', one), template.replace('#', other).replace(' ', "\n"));
        let Difference::Json { edits, .. } = differences(&of(&from), &of(&to)) else { panic!("bytes") };
        prop_assert_eq!(edits.is_empty(), one == other || !template.contains('#'), "{} and {}", from, to);
    }
}

/// Not two of these are the same; to a reader of 64-bit numbers some are.
const NUMBERS: [&str; 6] =
    ["1", "1.0", "10e-1", "9007199254740993", "9007199254740992.0", "9007199254740992"];
