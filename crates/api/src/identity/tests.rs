use super::*;

#[test]
fn debug_shows_nothing_of_a_password_or_a_code() {
    let log_in: LogIn =
        serde_json::from_str(r#"{"email":"ann@example.com","password":"correct horse"}"#).unwrap();
    let verify: VerifyLogIn = serde_json::from_str(r#"{"email":"ann@example.com","code":"123456"}"#).unwrap();
    assert!(!format!("{log_in:?} {verify:?}").contains("horse"));
    assert!(!format!("{log_in:?} {verify:?}").contains("123456"));
}

#[test]
fn a_log_in_answer_names_its_status() {
    let answer = LogInAnswer::OtpRequired { code_expires_at: coffer_core::Timestamp::from_ms(0) };
    assert!(serde_json::to_string(&answer).unwrap().contains(r#""status":"otp_required""#));
}

#[test]
fn an_unknown_field_is_refused() {
    assert!(serde_json::from_str::<UserChange>(r#"{"actve":false}"#).is_err());
}

#[test]
fn a_role_survives_its_text_and_json_form() {
    for role in Role::ALL {
        assert_eq!(role.as_str().parse::<Role>(), Ok(role));
        assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
    }
}
