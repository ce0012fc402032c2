//! People at work, who write down what they are promised and shrug when there is no answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_tests::{Answer, Http, Stack, Surface};
use tokio::time::{sleep, timeout};

use super::record::{FRIEND, PASSWORD, Promises, Record, content};

/// Registers people and lets each store, share and log out, until told to stop.
pub(super) async fn work(stack: &Stack, worker: usize, record: &Record, stop: &AtomicBool) {
    let surface = Surface { http: Http::tolerant(), ..stack.surface() };
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut promises =
            Promises { email: format!("w{worker}n{number}@example.com"), ..Promises::default() };
        // Stops at the first call that is not acknowledged.
        let _ = person(stack, &surface, &mut promises, number).await;
        record.keep(promises);
        sleep(Duration::from_millis(5)).await;
    }
}

fn acknowledged(answer: Answer) -> Option<Answer> {
    (answer.status == 200 && answer.code() == Some(200)).then_some(answer)
}

async fn code(stack: &Stack, email: &str, seen: usize) -> Option<String> {
    timeout(Duration::from_secs(3), stack.mailbox.code_after(email, seen)).await.ok()
}

async fn person(stack: &Stack, surface: &Surface, promises: &mut Promises, number: usize) -> Option<()> {
    let email = promises.email.clone();
    acknowledged(surface.register(&email, PASSWORD).await)?;
    promises.pending = true;
    let otp = code(stack, &email, 0).await?;
    acknowledged(surface.verify_register(&email, &otp).await)?;
    promises.registered = true;
    let seen = stack.mailbox.messages(&email).await.len();
    acknowledged(surface.login(&email, PASSWORD).await)?;
    let otp = code(stack, &email, seen).await?;
    let answer = acknowledged(surface.verify_login(&email, &otp).await)?;
    let sid = answer.json()["sid"].as_str()?.to_owned();
    promises.sid = Some(sid.clone());
    for file in 0..3 {
        let name = format!("{email}/{file}");
        promises.named.push(name.clone());
        acknowledged(surface.public_key(&sid, &name).await)?;
        acknowledged(surface.upload(&sid, &name, &content(&name)).await)?;
        promises.stored.push(name.clone());
        acknowledged(surface.grant(&sid, &name, FRIEND).await)?;
        if file != 2 {
            promises.shared.push(name);
        } else if (200..300).contains(&surface.revoke(&sid, &name, FRIEND).await.status) {
            promises.revoked.push(name);
        }
    }
    if number % 2 == 1 && (200..300).contains(&surface.log_out(&sid).await.status) {
        promises.ended = true;
    }
    Some(())
}
