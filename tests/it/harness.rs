//! The servers that the other tests stand on do what they are for.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_tests::{Curl, Message, RedisServer, SmtpServer, SmtpTls, python, run, until_some};

#[tokio::test]
async fn a_killed_redis_has_what_it_acknowledged() {
    let redis = RedisServer::start().await;
    assert_eq!(redis.command("SET kept yes").as_deref(), Some("+OK\r\n"));
    redis.kill();
    redis.restart().await;
    assert_eq!(redis.command("GET kept").as_deref(), Some("$3\r\nyes\r\n"));
}

#[tokio::test]
async fn the_smtp_server_accepts_mail_only_by_tls_and_password() {
    for tls in [SmtpTls::Starttls, SmtpTls::Implicit] {
        let server = SmtpServer::start(tls).await;
        let send = |secure: &'static str, password: &'static str| {
            std::process::Command::new(python())
                .args(["-c", SEND, &server.port.to_string(), secure, SmtpServer::USER, password])
                .arg(server.authority())
                .output()
                .expect("Python runs")
        };
        assert!(!send("none", SmtpServer::PASSWORD).status.success());
        assert!(!send(tls.setting(), "wrong").status.success());
        assert!(server.messages().is_empty());
        let accepted = send(tls.setting(), SmtpServer::PASSWORD);
        assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
        let arrived = until_some("the message", Duration::from_secs(5), || async { server.messages().pop() });
        let expected = Message {
            to: "b@x.org".into(),
            subject: "Grüße".into(),
            text: "Your verification code is: 123456\n".into(),
        };
        assert_eq!(arrived.await, expected);
        assert_eq!(expected.code().as_deref(), Some("123456"));
    }
}

const SEND: &str = r#"
import smtplib, ssl, sys, email.message
port, secure, user, password, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
client = smtplib.SMTP_SSL("localhost", port, context=context) if secure == "tls" else smtplib.SMTP("localhost", port, timeout=2)
if secure == "starttls":
    client.starttls(context=context)
client.login(user, password)
message = email.message.EmailMessage()
message["Subject"] = "Grüße"
message["From"] = "a@x.org"
message["To"] = "b@x.org"
message.set_content("Your verification code is: 123456\n")
client.send_message(message)
"#;

#[tokio::test]
async fn an_envelope_made_in_the_shell_opens_in_the_shell() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let curl = Curl::new(directory.path());
    let private = run("openssl", &["genrsa", "-traditional", "2048"]).await;
    let path = directory.path().join("private.pem").display().to_string();
    std::fs::write(&path, &private).expect("the directory can be written");
    let public = run("openssl", &["rsa", "-in", &path, "-pubout"]).await;
    for content in [&b""[..], b"content", &[7; 10_000]] {
        let envelope = curl.seal("a", &BASE64.encode(&public), content).await;
        assert_eq!(curl.open(&BASE64.encode(&private), &envelope).await, content);
    }
}
