//! Extractors of the native surface.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use coffer_api::ErrorCode;
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Ready, ready};
use serde::de::DeserializeOwned;

use super::strict::{self, Strict};
use super::{check_utf8, is_json_but_for_texts};
use crate::body;
use crate::failure::{Failure, HttpError};
use crate::scaffold::Scaffold;
use crate::surface::Native;

macro_rules! wrapper {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<T>(pub T);

        impl<T> $name<T> {
            /// The value itself.
            pub fn into_inner(self) -> T {
                self.0
            }
        }

        impl<T> Deref for $name<T> {
            type Target = T;
            fn deref(&self) -> &T {
                &self.0
            }
        }
    )+};
}

wrapper! {
    /// A JSON body. 400 where it is no JSON, 415 where it says it is none, 422 naming the field otherwise.
    ValidJson;
    /// A query string. 422 naming the parameter.
    ValidQuery;
    /// The parameters of the path. 422 where they are not of their type.
    ValidPath;
}

fn check_content_type(request: &HttpRequest) -> Result<(), Failure> {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.as_bytes().split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        return Ok(());
    }
    Err(Failure::of(ErrorCode::UnsupportedMediaType))
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let error = match strict::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if bytes.trim_ascii().is_empty() {
        return Err(Failure::of(ErrorCode::BadRequest).with_detail("the request has no body"));
    }
    if !error.is_data() && !is_json_but_for_texts(bytes) {
        let place = format!("the body is not valid JSON at line {}, column {}", error.line(), error.column());
        return Err(Failure::of(ErrorCode::BadRequest).with_detail(place));
    }
    // Parsed once more, slowly, to learn which field it was.
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(Strict(&mut deserializer)) {
        Ok(_) => Err(Failure::of(ErrorCode::InvalidInput)),
        Err(error) if !error.inner().is_data() => {
            let field = field_at(&error.path().to_string(), "body");
            Err(Failure::field(field, "is not valid Unicode"))
        }
        Err(error) => Err(wrong_field(&error.path().to_string(), &error.inner().to_string(), "body")),
    }
}

/// The field at a path; `whole` if it leads nowhere.
fn field_at(path: &str, whole: &str) -> String {
    if path == "." { whole.to_owned() } else { path.to_owned() }
}

/// The quoted name at the start of a message such as "missing field `x`".
fn quoted<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message.strip_prefix(prefix)?.split('`').nth(1)
}

fn join(path: &str, name: &str) -> String {
    if path == "." { name.to_owned() } else { format!("{path}.{name}") }
}

/// Turns serde's words into ours. Serde repeats the value that it could not use, and that may be a
/// secret; only what it expected is kept.
fn wrong_field(path: &str, message: &str, whole: &'static str) -> Failure {
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    if let Some(name) = quoted(message, "missing field ") {
        return Failure::field(join(path, name), "is required");
    }
    if let Some(name) = quoted(message, "unknown field ") {
        let field = if path.ends_with(name) { path.to_owned() } else { join(path, name) };
        return Failure::field(field, "is not known here");
    }
    if let Some(name) = quoted(message, "duplicate field ") {
        return Failure::field(join(path, name), "is given twice");
    }
    let field = field_at(path, whole);
    let echoes = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    if echoes.iter().any(|prefix| message.starts_with(prefix)) {
        let expected = message.rfind(", expected ").map_or("another value", |at| &message[at + 11..]);
        let expected = if expected.starts_with("struct ") { "an object" } else { expected };
        return Failure::field(field, format!("expected {expected}"));
    }
    Failure::field(field, message.to_owned())
}

impl<T: DeserializeOwned + 'static> FromRequest for ValidJson<T> {
    type Error = HttpError<Native>;
    type Future = LocalBoxFuture<'static, Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move {
            check_content_type(&request)?;
            let scaffold = Scaffold::of(&request)?;
            let (bytes, _) =
                body::read(&request, &mut payload, &scaffold.body, &scaffold.bytes_in_flight).await?;
            Ok(Self(parse_json(&bytes)?))
        }
        .boxed_local()
    }
}

fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Failure> {
    check_utf8(query).map_err(|error| {
        Failure::field(error.parameter.unwrap_or_else(|| "query".to_owned()), "is not valid UTF-8")
    })?;
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
        .map_err(|error| wrong_field(&error.path().to_string(), &error.inner().to_string(), "query"))
}

impl<T: DeserializeOwned> FromRequest for ValidQuery<T> {
    type Error = HttpError<Native>;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_query(request.query_string()).map(Self).map_err(HttpError::from))
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for ValidPath<T> {
    type Error = HttpError<Native>;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = web::Path::<T>::from_request(request, payload).into_inner();
        let refused = |_| HttpError::from(Failure::field("path", "a part of the path is not of its type"));
        ready(path.map(|path| Self(path.into_inner())).map_err(refused))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its parsing is looked at")]
    struct Sample {
        name: String,
        count: Option<u8>,
        #[serde(default)]
        inner: Vec<Inner>,
        manner: Option<Manner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Manner {
        Kind,
        Firm,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its parsing is looked at")]
    struct Inner {
        flag: bool,
    }

    fn json(text: &str) -> (String, String) {
        let failure = parse_json::<Sample>(text.as_bytes()).unwrap_err();
        assert_eq!(failure.code, ErrorCode::InvalidInput, "{text}");
        let field = &failure.fields[0];
        (field.field.clone().into_owned(), field.message.clone().into_owned())
    }

    fn pair(field: &str, message: &str) -> (String, String) {
        (field.to_owned(), message.to_owned())
    }

    #[test]
    fn a_wrong_field_is_named_and_its_value_is_not_repeated() {
        assert_eq!(json("{}"), pair("name", "is required"));
        assert_eq!(json(r#"{"name":1}"#), pair("name", "expected a string"));
        assert_eq!(json(r#"{"name":"a","count":"planted"}"#), pair("count", "expected u8"));
        assert_eq!(json(r#"{"name":"a","nmae":1}"#), pair("nmae", "is not known here"));
        assert_eq!(json(r#"{"name":"a","name":"b"}"#).1, "is given twice");
        let nested = json(r#"{"name":"a","inner":[{"flag":true},{"flag":"x, expected planted"}]}"#);
        assert_eq!(nested, pair("inner[1].flag", "expected a boolean"));
        assert_eq!(json("[]"), pair("body", "expected an object"));
        assert_eq!(json(r#"["a"]"#), pair("body", "expected an object"));
        assert_eq!(json(r#"{"name":"a","inner":[[true]]}"#), pair("inner[0]", "expected an object"));
        assert_eq!(json("3"), pair("body", "expected an object"));
    }

    #[test]
    fn what_is_no_name_of_a_variant_names_the_field() {
        for value in ["1", "true", r#"["kind"]"#] {
            let text = format!(r#"{{"name":"a","manner":{value}}}"#);
            assert_eq!(json(&text), pair("manner", "expected one of `kind`, `firm`"), "{text}");
        }
        assert_eq!(json(r#"{"name":"a","manner":"planted"}"#), pair("manner", "expected `kind` or `firm`"));
    }

    #[test]
    fn a_text_that_is_no_unicode_is_named_by_its_field() {
        for text in [&b"\xff"[..], b"\\ud800", b"\\udc00"] {
            let body = [&b"{\"name\":\""[..], text, b"\"}"].concat();
            let failure = parse_json::<Sample>(&body).unwrap_err();
            assert_eq!((failure.code, &*failure.fields[0].field), (ErrorCode::InvalidInput, "name"));
        }
    }

    #[test]
    fn what_is_no_json_is_a_bad_request() {
        for text in [&b""[..], b"  ", b"{", b"{\"name\":\"\xff\"", b"nonsense", b"{\"name\":1e999}"] {
            assert_eq!(parse_json::<Sample>(text).unwrap_err().code, ErrorCode::BadRequest, "{text:?}");
        }
    }

    #[test]
    fn a_wrong_query_parameter_is_named() {
        let failure = |query| parse_query::<Sample>(query).unwrap_err().fields.remove(0);
        assert_eq!(failure("count=1").field, "name");
        assert_eq!(failure("name=a&count=many").field, "count");
        assert_eq!(failure("name=%ff").field, "name");
        assert_eq!(failure("name=a&%ff=b").field, "query");
        assert_eq!(failure("name=a&name=b").field, "name");
        assert_eq!(parse_query::<Sample>("name=a%20b&count=7").unwrap().name, "a b");
    }
}
