use coffer_core::{ManualClock, SeededRandom};

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
const PATH: (ServiceName, ServiceName) = (ServiceName::Data, ServiceName::Kms);

fn secret(fill: &str) -> ServiceSecret {
    ServiceSecret::new(SecretString::from(fill.repeat(32))).unwrap()
}

fn token(of: &ServiceSecret) -> String {
    let (clock, random) = (ManualClock::at(NOW), SeededRandom::new(1));
    let token = of.make_token(PATH.0, PATH.1, (&clock, &random)).unwrap();
    assert_eq!(token.renew_at, NOW.plus(Duration::from_secs(30)));
    token.token.expose_secret().to_owned()
}

fn signed(claims: &serde_json::Value, algorithm: Algorithm) -> String {
    let key = EncodingKey::from_secret("s".repeat(32).as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
}

#[test]
fn a_token_is_accepted_where_it_was_meant_for_and_nowhere_else() {
    let of = secret("s");
    let token = token(&of);
    assert_eq!(of.verify(&token, PATH, NOW).unwrap().service, ServiceName::Data);
    assert!(of.verify(&token, (ServiceName::Gateway, ServiceName::Kms), NOW).is_err());
    assert!(of.verify(&token, (ServiceName::Data, ServiceName::Gateway), NOW).is_err());
    assert!(secret("t").verify(&token, PATH, NOW).is_err());
}

#[test]
fn a_token_ends_after_a_minute_and_does_not_start_early() {
    let of = secret("s");
    let token = token(&of);
    let later = |s| NOW.plus(Duration::from_secs(s));
    assert!(of.verify(&token, PATH, later(TOKEN_TTL_S)).is_ok());
    assert!(of.verify(&token, PATH, later(TOKEN_TTL_S + CLOCK_SKEW_S)).is_err());
    assert!(of.verify(&token, PATH, NOW.minus(Duration::from_secs(CLOCK_SKEW_S + 1))).is_err());
}

#[test]
fn a_token_made_to_live_longer_is_refused() {
    let now = seconds(NOW);
    let claims = serde_json::json!({
        "iss": "data", "aud": "kms", "iat": now, "exp": now + TOKEN_TTL_S + 1, "jti": "x"
    });
    let result = secret("s").verify(&signed(&claims, Algorithm::HS256), PATH, NOW);
    assert!(matches!(result, Err(ServiceTokenError::Time)));
}

#[test]
fn another_algorithm_or_none_is_refused() {
    let now = seconds(NOW);
    let claims = serde_json::json!({
        "iss": "data", "aud": "kms", "iat": now, "exp": now + 60, "jti": "x"
    });
    let of = secret("s");
    assert!(of.verify(&signed(&claims, Algorithm::HS256), PATH, NOW).is_ok());
    assert!(of.verify(&signed(&claims, Algorithm::HS512), PATH, NOW).is_err());
    let good = signed(&claims, Algorithm::HS256);
    let body = good.split('.').nth(1).unwrap();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{body}.");
    assert!(of.verify(&unsigned, PATH, NOW).is_err());
}

#[test]
fn a_short_secret_is_refused_and_no_secret_is_printed() {
    assert!(ServiceSecret::new(SecretString::from("s".repeat(31))).is_err());
    assert_eq!(format!("{:?}", secret("s")), "ServiceSecret(redacted)");
}

#[test]
fn a_token_is_kept_for_half_of_its_life() {
    let clock = Arc::new(ManualClock::at(NOW));
    let random = Arc::new(SeededRandom::new(1));
    let tokens = ServiceTokens::new(Arc::new(secret("s")), PATH, clock.clone(), random);
    let first = tokens.current().unwrap();
    clock.advance(Duration::from_secs(29));
    assert!(Arc::ptr_eq(&first, &tokens.current().unwrap()));
    clock.advance(Duration::from_secs(1));
    assert!(!Arc::ptr_eq(&first, &tokens.current().unwrap()));
}

#[test]
fn the_claimed_issuer_is_read_before_the_secret_is_known() {
    assert_eq!(claimed_issuer(&token(&secret("s"))), Some(ServiceName::Data));
    assert_eq!(claimed_issuer("x.y.z"), None);
}
