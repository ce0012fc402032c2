//! Says what is wrong with a contract request, as the source systems' framework says it.
//!
//! Runs only for requests that are refused. It echoes what was sent, as the original does, but never a
//! secret, never a field it does not know (a misspelt `pasword` is still one), and never much.

use coffer_api::contract::validation::{Field, Kind, Location, ValidationError, Violation};
use serde_json::{Map, Value, json};

use super::{is_json_but_for_texts, shallow};

/// Longest text that is echoed, in characters.
const ECHO_CHARS_MAX: usize = 256;

fn error(kind: &str, loc: &[Location], msg: &str, input: Value) -> ValidationError {
    ValidationError { kind: kind.to_owned(), loc: loc.to_vec(), msg: msg.to_owned(), input, ctx: None }
}

/// A request whose fields are all well and which is refused all the same.
pub(super) fn unexplained(part: &str) -> ValidationError {
    error("value_error", &[part.into()], "Value error, the request is not of the expected form", Value::Null)
}

/// A part of the request, or a field of it, that is no Unicode.
pub(super) fn not_unicode(part: &str, field: Option<&str>) -> ValidationError {
    let loc: Vec<Location> = [Some(part), field].into_iter().flatten().map(Location::from).collect();
    let msg = "Input should be a valid string, unable to parse raw data as a unicode string";
    error("string_unicode", &loc, msg, Value::Null)
}

/// A parameter of which it cannot be said which value is meant.
fn given_twice(part: &str, field: &str) -> ValidationError {
    error(
        "value_error",
        &[part.into(), field.into()],
        "Value error, the parameter is given twice",
        Value::Null,
    )
}

/// The byte offset of a line and column (from 1), which is how the parser names a place.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        bytes.split_inclusive(|b| *b == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + column.saturating_sub(1)).min(bytes.len())
}

fn parse(bytes: &[u8], fields: &[Field]) -> Result<Value, Box<ValidationError>> {
    if bytes.trim_ascii().is_empty() {
        return Err(Box::new(error("missing", &["body".into()], "Field required", Value::Null)));
    }
    let invalid = |at: usize, reason: &str| {
        let loc = ["body".into(), Location::Index(at)];
        let plain = error("json_invalid", &loc, "JSON decode error", json!({}));
        Box::new(ValidationError { ctx: Some(json!({ "error": reason })), ..plain })
    };
    shallow::parse(bytes, fields).map_err(|refused| match refused.field {
        Some(field) if is_json_but_for_texts(bytes) => Box::new(not_unicode("body", Some(field))),
        _ => invalid(offset(bytes, refused.error.line(), refused.error.column()), "Invalid JSON"),
    })
}

/// The body, if nothing is wrong with it.
pub(super) fn body(bytes: &[u8], fields: &[Field]) -> Result<Value, Vec<ValidationError>> {
    let value = parse(bytes, fields).map_err(|e| vec![*e])?;
    let Value::Object(object) = value else {
        let msg = "Input should be a valid dictionary or object to extract fields from";
        return Err(vec![error("model_attributes_type", &["body".into()], msg, Value::Null)]);
    };
    let errors = check(&object, fields, "body");
    if errors.is_empty() { Ok(Value::Object(object)) } else { Err(errors) }
}

/// Nothing, if nothing is wrong with the query.
pub(super) fn query(query: &str, fields: &[Field]) -> Result<(), Vec<ValidationError>> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let pairs: Vec<_> = pairs.into_owned().collect();
    let doubled = |field: &&Field| pairs.iter().filter(|(name, _)| name == field.name).count() > 1;
    let object = pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let mut errors = check(&object, fields, "query");
    errors.extend(fields.iter().filter(doubled).map(|field| given_twice("query", field.name)));
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn check(object: &Map<String, Value>, fields: &[Field], part: &str) -> Vec<ValidationError> {
    let wrong = fields.iter().filter_map(|field| {
        let loc = [Location::from(part), Location::from(field.name)];
        let Some(value) = object.get(field.name) else {
            let input = || if part == "body" { echo_object(object, fields) } else { Value::Null };
            return field.required.then(|| error("missing", &loc, "Field required", input()));
        };
        if value.is_null() && !field.required {
            return None;
        }
        let violation = violation(field, value, part)?;
        let input = if field.secret { Value::Null } else { echo(value) };
        Some(ValidationError { ctx: violation.ctx, ..error(violation.kind, &loc, &violation.msg, input) })
    });
    wrong.collect()
}

fn violation(field: &Field, value: &Value, part: &str) -> Option<Violation> {
    let of_type = |kind, name: &str| {
        Some(Violation { kind, msg: format!("Input should be a valid {name}"), ctx: None })
    };
    // In a query everything is text, so a number there is a text that reads as one.
    let text = value.as_str().filter(|_| part == "query");
    match field.kind {
        Kind::Text(check) => match value.as_str() {
            Some(text) => check(text).err(),
            None => of_type("string_type", "string"),
        },
        Kind::Integer if value.is_i64() || value.is_u64() => None,
        Kind::Integer if text.is_some_and(|text| text.parse::<i64>().is_ok()) => None,
        Kind::Integer => of_type("int_type", "integer"),
        Kind::Boolean if value.is_boolean() || matches!(text, Some("true" | "false")) => None,
        Kind::Boolean => of_type("bool_type", "boolean"),
        Kind::Any => None,
    }
}

fn echo(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().nth(ECHO_CHARS_MAX).is_some() => {
            Value::String(text.chars().take(ECHO_CHARS_MAX).chain(['…']).collect())
        }
        // What lies deeper could be anything.
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
        other => other.clone(),
    }
}

fn echo_object(object: &Map<String, Value>, fields: &[Field]) -> Value {
    let known = fields.iter().filter(|field| !field.secret);
    let echoed = known.filter_map(|field| Some((field.name.to_owned(), echo(object.get(field.name)?))));
    Value::Object(echoed.collect())
}

#[cfg(test)]
mod tests {
    use coffer_api::contract::data::{DownloadQuery, Upload};
    use coffer_api::contract::kms::Credentials;
    use coffer_api::contract::validation::Request as _;

    use super::*;

    fn wrong(bytes: &[u8]) -> Vec<Value> {
        let errors = body(bytes, Credentials::FIELDS).unwrap_err();
        errors.into_iter().map(|error| serde_json::to_value(error).unwrap()).collect()
    }

    #[test]
    fn a_missing_field_is_reported_with_what_else_was_sent_but_no_secret() {
        let errors = wrong(br#"{"password":"planted","pasword":"planted"}"#);
        assert_eq!(
            errors,
            [json!({ "type": "missing", "loc": ["body", "email"], "msg": "Field required", "input": {} })]
        );
        let errors = wrong(br#"{"email":"a@example.com"}"#);
        assert_eq!(errors[0]["loc"], json!(["body", "password"]));
        assert_eq!(errors[0]["input"], json!({ "email": "a@example.com" }));
    }

    #[test]
    fn a_secret_of_the_wrong_type_or_length_is_not_echoed() {
        let long = format!(r#"{{"email":"a@example.com","password":"{}"}}"#, "planted".repeat(20));
        for body in [r#"{"email":"a@example.com","password":{"planted":"planted"}}"#, &long] {
            let errors = wrong(body.as_bytes());
            assert!(!serde_json::to_string(&errors).unwrap().contains("planted"), "{errors:?}");
        }
        assert_eq!(wrong(long.as_bytes())[0]["type"], "string_too_long");
        assert_eq!(wrong(long.as_bytes())[0]["ctx"], json!({ "max_length": 72 }));
    }

    #[test]
    fn what_is_no_json_says_where() {
        assert_eq!(wrong(b"{\"email\":\n x}")[0]["type"], "json_invalid");
        assert_eq!(wrong(b"{\"email\":\n x}")[0]["loc"], json!(["body", 11]));
        assert_eq!(wrong(b"{\"email\":\"\xff\"")[0]["type"], "json_invalid");
        assert_eq!(
            wrong(b" ")[0],
            json!({ "type": "missing", "loc": ["body"], "msg": "Field required", "input": null })
        );
        assert_eq!(wrong(b"[]")[0]["type"], "model_attributes_type");
    }

    #[test]
    fn a_text_that_is_no_unicode_is_named_by_its_field() {
        for text in [&b"\xff"[..], b"\\ud800", b"\\ud800\\u0041", b"\\udc00"] {
            let body = [br#"{"x":["\ud800"],"email":"a","password":"#, &b"\""[..], text, b"\"}"].concat();
            let errors = wrong(&body);
            assert_eq!(errors[0]["loc"], json!(["body", "password"]), "{errors:?}");
            assert_eq!(errors[0]["type"], "string_unicode");
        }
        assert_eq!(wrong(b"{\"\xff\":1}")[0]["type"], "json_invalid", "a name that is none names nothing");
    }

    #[test]
    fn a_doubled_parameter_is_named() {
        let errors = query("file_name=a&file_name=b", DownloadQuery::FIELDS).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(serde_json::to_value(&errors[0]).unwrap()["loc"], json!(["query", "file_name"]));
    }

    #[test]
    fn every_wrong_field_is_reported_and_little_is_echoed() {
        let big = "?".repeat(5000);
        let sent = json!({ "file_name": 7, "encrypted_data": big, "encrypted_aes_key": null });
        let errors = body(sent.to_string().as_bytes(), Upload::FIELDS).unwrap_err();
        let kinds: Vec<_> = errors.iter().map(|error| error.kind.as_str()).collect();
        assert_eq!(kinds, ["string_type", "value_error", "string_type", "missing"]);
        assert!(serde_json::to_string(&errors).unwrap().len() < 2000);
    }
}
