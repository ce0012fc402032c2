//! Fetching a file that is an envelope of version 1, of any length.
//!
//! The KMS opens the content key only of what was registered as that version, and for the present content only if no
//! later version was published: so what the data service hands out is what was stored, or nothing is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_api::file_versions::{OpenVersions, PublishVersions, SealedVersion, UploadedVersion};
use coffer_api::{ErrorCode, PrefixHash};
use coffer_client::{ClientError, FileAt};
use coffer_core::EmailAddress;
use coffer_crypto::envelope::{ContentKey, Head, Refusal};
use zeroize::Zeroizing;

use super::Args;
use crate::app::{App, Session};
use crate::error::CliError;
use crate::progress::Progress;
use crate::target::Target;
use crate::transfer::{Arriving, OpenError, Opening};

/// How often a file is fetched that is replaced, or whose key is rotated, just then.
const TRIES_MAX: u32 = 4;

/// Fetches the file; says its size. What was replaced between its bytes and its key is fetched anew: a data service that
/// hands out what has been replaced does so every time.
pub(super) async fn get(
    session: &Session,
    (args, target): (&Args, Target),
    app: &App,
) -> Result<u64, CliError> {
    for _ in 1..TRIES_MAX {
        match try_get(session, (args, target.clone()), app).await {
            Err(err)
                if matches!(
                    err.code(),
                    Some(ErrorCode::VersionOutdated | ErrorCode::KeyVersionDestroyed)
                ) => {}
            outcome => return outcome,
        }
    }
    try_get(session, (args, target), app).await
}

async fn try_get(session: &Session, (args, target): (&Args, Target), app: &App) -> Result<u64, CliError> {
    let of_file = |err| CliError::of_file(&args.name, err);
    let of_envelope = |err| match err {
        OpenError::Client(err) => of_file(err),
        OpenError::Refused(refusal) => CliError::Envelope { name: args.name.clone(), refusal },
        OpenError::Target(err) => err.into(),
        OpenError::Task(err) => CliError::task(err),
    };
    let owner = args.owner.as_ref().map(EmailAddress::as_str);
    let file = FileAt { owner, ..FileAt::own(args.name.as_str()) };
    let download = session.data.get_file(file, args.version, None).await.map_err(of_file)?;
    let (version, length) = (download.head.version, download.length);
    let arriving = Arriving::new(length, download.into_stream()).await.map_err(of_envelope)?;
    let asked = Asked { session, args, version };
    let content = asked.content_key(&arriving.head).await?;

    let progress = Progress::of(app.output, args.name.as_str());
    let opening = Opening { content, target, force: args.force, report: progress.report() };
    let opened = arriving.write(opening).await;
    progress.finish();
    Ok(opened.map_err(of_envelope)?.plaintext_bytes)
}

/// A version that the data service handed out.
struct Asked<'a> {
    session: &'a Session,
    args: &'a Args,
    version: u64,
}

impl Asked<'_> {
    /// The content key, if the KMS knows this content as this version.
    async fn content_key(&self, head: &Head) -> Result<ContentKey, CliError> {
        let Args { name, owner, version: wanted, .. } = self.args;
        let owner = owner.as_ref().map(|owner| owner.as_str().to_owned());
        let refused = |refusal| CliError::Envelope { name: name.clone(), refusal };
        // Stanzas for older versions of the key stay until they are replaced.
        let stanza = head.stanzas.stanzas().iter().max_by_key(|stanza| stanza.version);
        let stanza = stanza.ok_or_else(|| refused(Refusal::StanzaCount(0)))?;
        if wanted.is_some_and(|wanted| wanted != self.version) {
            return Err(CliError::Damaged { name: name.clone() });
        }
        let item = SealedVersion {
            name: name.as_str().into(),
            version: self.version,
            present: wanted.is_none(),
            prefix_hash: PrefixHash::from_bytes(head.prefix.hash()),
            key_version: stanza.version,
            wrapped: BASE64.encode(&stanza.wrapped),
        };
        let body = OpenVersions { owner: owner.clone(), items: vec![item] };
        let opened = self.session.kms.open_versions(&body).await;
        let opened = opened.map_err(|err| CliError::of_file(name, err))?;
        let damaged = || CliError::Damaged { name: name.clone() };
        let opened = opened.items.first().ok_or_else(damaged)?;
        if wanted.is_none() && opened.published.is_none_or(|published| published < self.version) {
            self.publish(owner).await;
        }
        let key = BASE64.decode(opened.content_key.expose()).map(Zeroizing::new).map_err(|_| damaged())?;
        ContentKey::from_bytes(&key).map_err(refused)
    }

    /// Says for a writer who could not any more that this version was uploaded. Who may not write is refused, which
    /// changes nothing.
    async fn publish(&self, owner: Option<String>) {
        let items = vec![UploadedVersion { name: self.args.name.as_str().into(), version: self.version }];
        let _: Result<_, ClientError> =
            self.session.kms.publish_versions(&PublishVersions { owner, items }).await;
    }
}
