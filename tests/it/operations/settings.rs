//! A mistake in the settings is explained before anything starts.

use std::fs;

use coffer_tests::binary;
use tokio::process::Command;

struct Outcome {
    code: i32,
    said: String,
}

async fn coffer(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let output = Command::new(binary(program))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(std::time::Duration::from_secs(20), output).await;
    let output = output.expect("it ends by itself").expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    Outcome { code: output.status.code().unwrap_or(-1), said: String::from_utf8_lossy(&said).into_owned() }
}

const SECRET: &str = "an-internal-secret-of-more-than-32-bytes";
const ROOT_KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

#[tokio::test]
async fn a_kms_without_a_root_key_says_how_to_make_one() {
    for arguments in [&["check-config"][..], &[]] {
        let outcome = coffer("coffer-kms", arguments, &[("COFFER_KMS__STORAGE__RECORDS", "memory:")]).await;
        assert!(outcome.code > 0, "{}", outcome.said);
        assert!(outcome.said.contains("root key") && outcome.said.contains("base64"), "{}", outcome.said);
        assert!(!outcome.said.contains("panicked"), "{}", outcome.said);
    }
}

#[tokio::test]
async fn a_data_service_without_a_secret_says_how_to_make_one() {
    for arguments in [&["check-config"][..], &[]] {
        let environment = [
            ("COFFER_DATA__STORAGE__RECORDS", "memory:"),
            ("COFFER_DATA__INTERNAL__KMS_URL", "http://127.0.0.1:1"),
        ];
        let outcome = coffer("coffer-data", arguments, &environment).await;
        assert!(outcome.code > 0, "{}", outcome.said);
        assert!(
            outcome.said.contains("internal.secret") && outcome.said.contains("openssl rand"),
            "{}",
            outcome.said
        );
    }
}

#[tokio::test]
async fn an_unknown_setting_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("coffer.toml");
    fs::write(&file, "[smtp]\nprot = 25\n").expect("it can be written");
    let path = file.display().to_string();
    let outcome = coffer("coffer-kms", &["--config", &path, "check-config"], &[]).await;
    assert!(outcome.code > 0 && outcome.said.contains("smtp.prot"), "{}", outcome.said);
    for (variable, program, word) in [
        ("COFFER_KMS__SMTP__PROT", "coffer-kms", "smtp.prot"),
        ("COFFER_KMS__SMPT__PORT", "coffer-kms", "smpt"),
        ("COFFER_KMS_SMTP__PORT", "coffer-kms", "COFFER_KMS__SMTP__PORT"),
        ("COFFER_DATA__HTTP__BINDD", "coffer-data", "http.bindd"),
    ] {
        let outcome = coffer(program, &["check-config"], &[(variable, "planted-value")]).await;
        assert!(outcome.code > 0 && outcome.said.contains(word), "{variable}: {}", outcome.said);
        assert!(!outcome.said.contains("planted-value"), "values may be secrets: {}", outcome.said);
    }
}

#[tokio::test]
async fn good_settings_pass_the_check_without_starting_anything() {
    let kms = [
        ("COFFER_KMS__STORAGE__RECORDS", "memory:"),
        ("COFFER_KMS__KEYRING__ROOT_KEY", ROOT_KEY),
        ("COFFER_KMS__INTERNAL__SERVICES__DATA__SECRET", SECRET),
        ("COFFER_KMS__INTERNAL__DATA_URL", "http://127.0.0.1:4001"),
        ("COFFER_KMS__SMTP__HOST", "localhost"),
    ];
    let outcome = coffer("coffer-kms", &["check-config"], &kms).await;
    assert_eq!(outcome.code, 0, "{}", outcome.said);
    let data = [
        ("COFFER_DATA__STORAGE__RECORDS", "memory:"),
        ("COFFER_DATA__STORAGE__BLOBS", "file:///tmp/coffer-is-not-started"),
        ("COFFER_DATA__INTERNAL__SECRET", SECRET),
        ("COFFER_DATA__INTERNAL__KMS_URL", "http://127.0.0.1:3001"),
    ];
    let outcome = coffer("coffer-data", &["check-config"], &data).await;
    assert_eq!(outcome.code, 0, "{}", outcome.said);
    assert!(!outcome.said.contains(SECRET));
}

#[tokio::test]
async fn a_wrong_root_key_is_refused_before_anything_is_touched() {
    let stack = coffer_tests::Stack::separate().start().await;
    stack.user("ann").await;
    let redis = stack.redis().url(0);
    let environment = [
        ("COFFER_KMS__STORAGE__RECORDS", redis.as_str()),
        ("COFFER_KMS__KEYRING__ROOT_KEY", ROOT_KEY),
        ("COFFER_KMS__INTERNAL__SERVICES__DATA__SECRET", SECRET),
        ("COFFER_KMS__INTERNAL__DATA_URL", "http://127.0.0.1:1"),
        ("COFFER_KMS__SMTP__HOST", "localhost"),
        ("COFFER_KMS__HTTP__BIND", "127.0.0.1:0"),
        ("COFFER_KMS__HTTP__INTERNAL_BIND", "127.0.0.1:0"),
    ];
    let outcome = coffer("coffer-kms", &[], &environment).await;
    assert!(outcome.code > 0 && outcome.said.to_lowercase().contains("root key"), "{}", outcome.said);
    stack.user("ben").await;
}
