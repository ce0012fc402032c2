use super::*;

fn said(schema: &str, value: &str) -> Result<(), String> {
    let schema = Schema::of(schema).map_err(|error| error.to_string())?;
    schema.check(&serde_json::from_str(value).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn a_value_that_does_not_match_is_refused_by_its_place_and_without_what_it_is() {
    let schema = r##"{"type": "object", "required": ["port"], "properties": {
        "port": {"$ref": "#/$defs/port"}, "name": {"pattern": "^[a-z]+$"}},
        "$defs": {"port": {"type": "integer", "maximum": 65535}}}"##;
    assert_eq!(said(schema, r#"{"port": 8080, "name": "x"}"#), Ok(()));
    for (value, place) in [
        (r#"{"port": 123456}"#, "at /port"),
        (r#"{"port": 1, "name": "PLANTED"}"#, "at /name"),
        ("{}", "schema: see /required"),
        ("\"PLANTED\"", "/type"),
    ] {
        let error = said(schema, value).unwrap_err();
        assert!(error.contains(place) && !error.contains("PLANTED") && !error.contains("123456"), "{error}");
    }
    assert_eq!(said("true", "1"), Ok(()));
    assert!(said("false", "1").is_err());
}

#[test]
fn what_is_no_schema_is_refused() {
    for (schema, said_of_it) in [
        ("{", "a schema is JSON"),
        (r#"{"type": 7}"#, "no JSON Schema at /type"),
        (r#"{"$ref": "https://example.com/schema"}"#, "its own parts only"),
        (r#"{"$ref": "file:///etc/passwd"}"#, "its own parts only"),
        (r##"{"$ref": "#/$defs/none"}"##, "its own parts only"),
        (r#"{"$id": "https://example.com/"}"#, "not supported"),
        (r##"{"$dynamicRef": "#a"}"##, "not supported"),
        (r#"{"$schema": "https://example.com/own"}"#, "draft 2020-12"),
        (r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, "draft 2020-12"),
        (r#"{"pattern": "("}"#, "JSON Schema"),
    ] {
        let error = said(schema, "1").expect_err(schema);
        assert!(error.contains(said_of_it), "{schema}: {error}");
    }
    let large = format!("{{\"title\": \"{}\"}}", "x".repeat(SCHEMA_BYTES_MAX));
    assert!(said(&large, "1").unwrap_err().contains("64 KiB"));
}

#[test]
fn schemas_that_go_round_or_multiply_are_refused_and_deep_ones() {
    let circle = r##"{"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}}"##;
    for schema in [circle, r##"{"items": {"$ref": "#"}}"##] {
        assert!(said(schema, "[]").unwrap_err().contains("circle"));
    }
    let doubling: Vec<_> = (0..40)
        .map(|n| {
            format!(
                r##""d{n}": {{"allOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}}"##,
                n + 1
            )
        })
        .collect();
    let doubling = format!("{{\"$defs\": {{{}, \"d40\": true}}}}", doubling.join(","));
    assert!(said(&doubling, "1").unwrap_err().contains("10,000 rules"));
    // Under a name that is no word of schemas just the same.
    let hidden = doubling.replace("$defs", "properties");
    assert!(said(&hidden, "1").unwrap_err().contains("10,000 rules"));
    let chain: Vec<_> = (0..1500).map(|n| format!(r##""d{n}": {{"$ref": "#/$defs/d{}"}}"##, n + 1)).collect();
    let chain = format!("{{\"$defs\": {{{}, \"d1500\": true}}}}", chain.join(","));
    assert!(said(&chain, "1").unwrap_err().contains("64 levels"));
    let again = format!("{}true{}", "{\"unevaluatedProperties\":".repeat(20), "}".repeat(20));
    assert!(said(&again, "1").unwrap_err().contains("10,000 rules"));
}

#[tokio::test]
async fn patterns_that_take_others_for_ever_and_large_values_answer_soon() {
    let (started, checks) = (tokio::time::Instant::now(), Checks::start().unwrap());
    let value = serde_json::to_string(&format!("{}!", "a".repeat(200_000))).unwrap();
    let refused = check(&checks, r#"{"pattern": "^(a+)+$"}"#.to_owned(), &value).await.unwrap_err();
    assert!(refused.to_string().contains("does not match"), "{refused}");
    assert!(
        Schema::of(r#"{"pattern": "(?:a{200}){200}"}"#).is_err(),
        "a pattern has its limit when it is compiled"
    );
    let rules: Vec<_> = (0..2000).map(|n| format!("{{\"maximum\": {n}}}")).collect();
    let many = format!("{{\"items\": {{\"allOf\": [{}]}}}}", rules.join(","));
    let value = format!("[{}0]", "0,".repeat(100_000));
    let refused = check(&checks, many, &value).await.unwrap_err();
    assert!(refused.to_string().contains("too large for a schema"), "{refused}");
    // A few characters that stand for hundreds of states, each of which every byte may be in.
    let repeated: Vec<_> = (900..904).map(|n| format!("{{\"pattern\": \"a[ab]{{{n}}}c\"}}")).collect();
    let repeated = format!("{{\"not\": {{\"anyOf\": [{}]}}}}", repeated.join(","));
    let value = serde_json::to_string(&"ab".repeat(130_000)).unwrap();
    let refused = check(&checks, repeated, &value).await.unwrap_err();
    assert!(refused.to_string().contains("too large for a schema"), "{refused}");
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_value_that_no_schema_can_be_applied_to_is_told_why() {
    let checks = Checks::start().unwrap();
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    check(&checks, "true".to_owned(), &nested(127)).await.unwrap();
    for (value, said) in [
        (nested(128), "nested more than 127 levels deep"),
        ("[\"\\ud800\"]".to_owned(), "half of a character"),
        ("{\"a\": 1e999}".to_owned(), "a number in the value is too large"),
    ] {
        serde_json::from_str::<&serde_json::value::RawValue>(&value)
            .expect("it is JSON, and so it is stored");
        let refused = check(&checks, "true".to_owned(), &value).await.unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}
