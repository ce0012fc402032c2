//! Random operations, against a plain model of the store.

mod batch;
mod listing;
mod plain;
mod steps;

use coffer_api::grants::Permission;
use coffer_core::Clock as _;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use self::plain::{Model, Outcome};
use self::steps::{Step, name, steps, value};
use super::super::{Condition, GrantOrder, Grantee, Kv, KvError, KvSettings, PutRequest, Route, Scope};
use super::bed::{Bed, ann, anns, blob, bob, key, request};
use super::changing::all_after;

/// How often a failure is tried to be made shorter.
const SHRINKS_MAX: u32 = 500;

/// Few versions and days, so that everything comes to its end within a test.
pub(crate) const SETTINGS: KvSettings = KvSettings {
    versions_per_key_max: 3,
    history_days: 1,
    trash_days: 2,
    watch_retention_s: 400 * 24 * 60 * 60,
    value_bytes_max: 1024 * 1024,
    keys_per_owner_max: 1_000_000,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory_random_operations_do_what_the_model_does() {
    run_all(300, async || Bed::memory_with(SETTINGS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_random_operations_do_what_the_model_does() {
    run_all(25, async || Bed::sqlite_with(SETTINGS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis_random_operations_do_what_the_model_does() {
    run_all(60, async || Bed::redis_with(SETTINGS).await);
}

/// What fails is made as short as it still fails.
fn run_all(cases: u32, open: impl AsyncFn() -> Bed) {
    let settings = ProptestConfig {
        cases,
        max_shrink_iters: SHRINKS_MAX,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let outcome = TestRunner::new(settings).run(&steps(), |steps| {
        block_in_place(|| Handle::current().block_on(async { run(&open().await, &steps).await }));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn run(bed: &Bed, steps: &[Step]) {
    let other = bed.another();
    let start = bed.kv.position(&ann(), anns(), "").await.unwrap();
    let mut model = Model::new(bed.clock.now());
    for (number, step) in steps.iter().enumerate() {
        // Two processes take turns.
        let kv = if number % 2 == 0 { &bed.kv } else { &other };
        take(bed, kv, (&mut model, step)).await;
        model.pass(bed.clock.now());
        listing::compare(kv, &model, number).await;
        compare(bed, kv, &model).await.unwrap_or_else(|what| panic!("{what}, after {step:?} of {steps:?}"));
    }
    other.collect().await.unwrap();
    model.collect();
    let told =
        all_after(&other, "", start).await.into_iter().map(|event| (event.key, event.op, event.version));
    assert_eq!(told.collect::<Vec<_>>(), model.told, "of {steps:?}");
    let totals = bed.totals().await;
    let keys = model.keys.len();
    assert_eq!((usize::try_from(totals.keys).unwrap(), totals.plain_bytes), (keys, model.plain_bytes()));
    bed.assert_nothing_is_left_when_all_is_over(&other).await;
}

async fn take(bed: &Bed, kv: &Kv, (model, step): (&mut Model, &Step)) {
    let now = bed.clock.now();
    let of = |expected: Outcome, answer: Result<u64, KvError>| match (expected, answer) {
        (Outcome::Done(life), Ok(revision)) => Some((life, revision)),
        (Outcome::NotFound, Err(KvError::NotFound | KvError::VersionNotFound | KvError::NotInTrash))
        | (Outcome::Conflict, Err(KvError::Conflict { .. }))
        | (Outcome::Denied, Err(KvError::Denied | KvError::ReadOnly)) => None,
        (expected, answer) => panic!("{step:?}: {answer:?}, but the model says {expected:?}"),
    };
    match step {
        Step::Wait(time) => bed.clock.advance(*time),
        Step::Collect => {
            kv.collect().await.unwrap();
            model.collect();
        }
        Step::Put { by_bob, key: at, value: number, ttl, condition } => {
            let caller = if *by_bob { bob() } else { ann() };
            let condition = model.condition(*at, *condition);
            let expires_at = ttl.map(|ttl| now.plus(ttl));
            let put =
                PutRequest { value: blob(value(*number)), expires_at, condition, ..request(&name(*at), "0") };
            // Grants are believed for a moment, so the process that changes them is the one that is asked.
            let kv = if *by_bob { &bed.kv } else { kv };
            let answer = kv.put(&caller, anns(), &put).await.map(|meta| meta.revision);
            let expected = model.put(*at, (*number, expires_at), (*by_bob, condition));
            if let Some((at, revision)) = of(expected, answer) {
                model.set_revision(at, revision);
            }
        }
        Step::Delete(at, condition) => {
            let condition = model.condition(*at, *condition);
            let answer = kv.delete(&ann(), anns(), &key(&name(*at)), condition).await;
            of(model.delete(*at, condition), answer.map(|deleted| deleted.revision));
        }
        Step::Restore(at, version) => {
            let route = (*version, Condition::None);
            let answer = kv.restore(&ann(), anns(), &key(&name(*at)), route).await;
            if let Some((at, revision)) = of(model.restore(*at, *version), answer.map(|meta| meta.revision)) {
                model.set_revision(at, revision);
            }
        }
        Step::Untrash(at) => {
            let answer = kv.restore_from_trash(&ann(), &key(&name(*at))).await;
            if let Some((at, revision)) = of(model.untrash(*at), answer.map(|meta| meta.revision)) {
                model.set_revision(at, revision);
            }
        }
        Step::Purge(at) => {
            let answer = kv.purge(&ann(), &key(&name(*at))).await;
            of(model.purge(*at), answer.map(|purged| purged.revision));
        }
        Step::Rename(from, to, wanted) | Step::Copy(from, to, wanted) => {
            let (source, target) = (key(&name(*from)), key(&name(*to)));
            let condition = model.condition(*to, *wanted);
            let route = Route { from: &source, to: &target, condition };
            let (answer, expected) = if matches!(step, Step::Copy(..)) {
                (kv.copy(&ann(), (anns(), anns()), route).await, model.copy(*from, *to, condition))
            } else {
                (kv.rename(&ann(), anns(), route).await, model.rename(*from, *to, condition))
            };
            if let Some((at, revision)) = of(expected, answer.map(|meta| meta.revision)) {
                model.set_revision(at, revision);
            }
        }
        Step::Batch { at_once: false, ops } => batch::each(kv, model, ops).await,
        Step::Batch { at_once: true, ops } => batch::at_once(kv, model, ops).await,
        Step::Grant(at, writes, ttl) => {
            let permission = if *writes { Permission::Write } else { Permission::Read };
            let expires_at = ttl.map(|ttl| now.plus(ttl));
            let order = GrantOrder { grantee: to_bob(), scope: scope(*at), permission, expires_at };
            bed.kv.grant(&ann(), &order).await.unwrap();
            model.grants.insert(*at, (permission, expires_at));
        }
        Step::Revoke(at) => {
            let answer = bed.kv.revoke(&ann(), &to_bob(), &scope(*at)).await;
            assert_eq!(answer.is_ok(), model.grants.remove(at).is_some(), "{answer:?}");
        }
    }
}

fn to_bob() -> Grantee {
    Grantee::User { email: "bob@example.com".to_owned(), address: bob().principal.address_hash }
}

/// The scope of grant 0 is everything, that of any other one key.
fn scope(number: u8) -> Scope {
    if number == 0 { Scope::Prefix(String::new()) } else { Scope::Key(name(number)) }
}

/// Everything that can be seen, on both sides.
async fn compare(bed: &Bed, kv: &Kv, model: &Model) -> Result<(), String> {
    let names = kv.names(&ann()).await.unwrap();
    let expected: Vec<_> = model.keys.keys().map(|at| name(*at)).collect();
    if names != expected {
        return Err(format!("keys {names:?} instead of {expected:?}"));
    }
    let trash = kv.trash(&ann(), "", None, 100).await.unwrap();
    let trash: Vec<_> = trash.items.into_iter().map(|item| (item.key, item.version)).collect();
    let expected: Vec<_> = model.trash.iter().map(|(at, life)| (name(*at), life.version)).collect();
    if trash != expected {
        return Err(format!("trash {trash:?} instead of {expected:?}"));
    }
    for at in 0..steps::KEYS {
        let (text, expected) = (key(&name(at)), model.history(at));
        let history = match kv.history(&ann(), anns(), &text).await {
            Ok(history) => history.into_iter().map(|meta| (meta.version, meta.revision)).collect(),
            Err(KvError::NotFound) => Vec::new(),
            Err(error) => return Err(error.to_string()),
        };
        let known: Vec<_> = expected.iter().map(|past| (past.version, past.revision)).collect();
        if history != known {
            return Err(format!("history {history:?} instead of {known:?} of {text}"));
        }
        if let Some(oldest) = expected.last() {
            let item =
                kv.get(&ann(), anns(), &text, Some(oldest.version)).await.map_err(|err| err.to_string())?;
            if *item.value.as_bytes() != value(oldest.value) || item.meta.expires_at != oldest.expires_at {
                return Err(format!("version {} of {text}: {:?}", oldest.version, item.meta));
            }
        }
        let access = bed.kv.access(&bob(), anns(), &text).await.unwrap();
        if access != model.access(at) {
            return Err(format!("access {access:?} instead of {:?} to {text}", model.access(at)));
        }
    }
    Ok(())
}
