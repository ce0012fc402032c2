//! Fetching a file that is a classic envelope: the KMS opens its two wrapped values.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_api::file_keys::{UnwrapRequest, UnwrapResponse};
use coffer_client::Envelope;
use coffer_core::{EmailAddress, SecretBytes};
use coffer_crypto::classic::ContentKey;
use zeroize::Zeroizing;

use super::Args;
use crate::app::{App, Session};
use crate::error::CliError;
use crate::progress::Progress;
use crate::target::Target;

/// Fetches the file; says its size.
pub(super) async fn get(
    session: &Session,
    (args, target): (&Args, Target),
    app: &App,
) -> Result<u64, CliError> {
    let plaintext = fetch(session, args, app).await?;
    let size_bytes = plaintext.expose().len();
    write(target, plaintext, args.force).await?;
    Ok(size_bytes as u64)
}

async fn fetch(session: &Session, args: &Args, app: &App) -> Result<SecretBytes, CliError> {
    let of_file = |err| CliError::of_file(&args.name, err);
    let owner = args.owner.as_ref().map(EmailAddress::as_str);
    let progress = Progress::of(app.output, args.name.as_str());
    let envelope = session.data.download(args.name.as_str(), owner, progress.report()).await;
    progress.finish();
    let envelope = envelope.map_err(of_file)?;
    let wrapped = [&envelope.encrypted_key, &envelope.encrypted_iv].map(|bytes| BASE64.encode(bytes));
    let request = UnwrapRequest {
        name: args.name.as_str().into(),
        owner: owner.map(Into::into),
        ciphertexts: wrapped.into(),
    };
    let unwrapped = session.kms.unwrap(&request).await.map_err(of_file)?;
    let name = args.name.clone();
    tokio::task::spawn_blocking(move || open(&unwrapped, &envelope).ok_or(CliError::Damaged { name }))
        .await
        .map_err(CliError::task)?
}

/// The plaintext; `None` if the envelope does not open.
fn open(unwrapped: &UnwrapResponse, envelope: &Envelope) -> Option<SecretBytes> {
    let texts = unwrapped.plaintexts.iter();
    let opened: Vec<Zeroizing<Vec<u8>>> =
        texts.map(|text| BASE64.decode(text.expose()).map(Zeroizing::new).ok()).collect::<Option<_>>()?;
    let [key, iv] = opened.as_slice() else { return None };
    ContentKey::from_bytes(key, iv).ok()?.open(&envelope.encrypted_data).ok()
}

/// Writes the plaintext; Ctrl-C meanwhile takes the unfinished file away.
pub(in crate::commands) async fn write(
    target: Target,
    plaintext: SecretBytes,
    force: bool,
) -> Result<(), CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let mut writing = tokio::task::spawn_blocking(move || target.write(plaintext.expose(), force, seen));
    let written = tokio::select! {
        written = &mut writing => written,
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            writing.await
        }
    };
    Ok(written.map_err(CliError::task)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(data: &[u8]) -> Envelope {
        Envelope { encrypted_data: data.to_vec().into(), encrypted_key: Vec::new(), encrypted_iv: Vec::new() }
    }

    fn unwrapped(values: &[&[u8]]) -> UnwrapResponse {
        UnwrapResponse { plaintexts: values.iter().map(|value| BASE64.encode(value).into()).collect() }
    }

    #[test]
    fn what_the_kms_unwrapped_must_be_one_key_and_one_iv() {
        let data = envelope(&[0; 16]);
        for lengths in [&[][..], &[32], &[31, 16], &[32, 15], &[32, 16, 0]] {
            let values: Vec<Vec<u8>> = lengths.iter().map(|length| vec![0; *length]).collect();
            let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            assert!(open(&unwrapped(&values), &data).is_none(), "{lengths:?}");
        }
        assert!(open(&UnwrapResponse { plaintexts: vec!["?".into(), "?".into()] }, &data).is_none());
    }

    #[test]
    fn damaged_data_does_not_open() {
        let keys = [&[1; 32][..], &[2; 16]];
        for data in [&[][..], &[0; 15], &[0; 16], &[0; 17]] {
            assert!(open(&unwrapped(&keys), &envelope(data)).is_none(), "{} bytes", data.len());
        }
    }
}
