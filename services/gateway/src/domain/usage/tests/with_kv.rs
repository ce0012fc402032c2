//! Totals of real keys, on every back end.

use std::sync::Arc;
use std::time::Duration;

use coffer_core::{Random as _, SeededRandom, SystemRandom};

use super::super::totals::{Keys, Sizes};
use super::super::{Calendar, Retention, Usage, UsageParts, UsageSettings};
use super::world::{report, settle};
use crate::domain::kv::tests::bed::{Bed, ann, anns, key, request};
use crate::domain::kv::{Condition, KvSettings, ListRequest, PutRequest};
use crate::repo::kv::KvRepo;
use crate::repo::kv_totals::KvKeys;

const RETENTION: Duration = Duration::from_hours(24);

fn keys_of(bed: &Bed) -> KvKeys {
    KvKeys::new(KvRepo::new(bed.sealed.clone()), bed.clock.clone(), RETENTION)
}

pub(crate) fn usage_over(bed: &Bed) -> Usage {
    let settings = UsageSettings {
        enabled: true,
        retention: Retention { days: 400, hours: 336 },
        calendar: Calendar::of("UTC").unwrap(),
    };
    let parts = UsageParts {
        store: bed.sealed.clone(),
        keys: Arc::new(keys_of(bed)),
        clock: bed.clock.clone(),
        random: Arc::new(SystemRandom),
    };
    Usage::new(settings, parts)
}

/// What a listing of all keys adds up to.
async fn listed(bed: &Bed) -> Sizes {
    let mut sum = Sizes::default();
    let mut request = ListRequest { limit: 50, ..ListRequest::default() };
    loop {
        let page = bed.kv.list(&ann(), anns(), &request).await.unwrap();
        for item in &page.items {
            let one = |holds| i64::from(holds);
            sum += Sizes {
                keys: 1,
                plain_bytes: i64::try_from(item.meta.plain_bytes).unwrap(),
                stored_bytes: i64::try_from(item.meta.stored_bytes).unwrap(),
                encrypted: one(item.meta.encrypt),
                compressed: one(item.meta.compressed),
            };
        }
        match page.next_cursor {
            Some(next) => request.cursor = Some(next),
            None => return sum,
        }
    }
}

async fn every_back_end() -> [Bed; 3] {
    let settings = KvSettings::default();
    [Bed::memory(), Bed::sqlite_with(settings), Bed::redis_with(settings).await]
}

/// Stores, replaces, deletes and restores keys, some of which expire.
async fn stir(bed: &Bed, (seed, steps): (u64, usize)) {
    let random = SeededRandom::new(seed);
    for _ in 0..steps {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        let name = format!("k{}", bytes[0] % 20);
        bed.clock.advance(Duration::from_millis(u64::from(bytes[1]) * 10));
        match bytes[2] % 10 {
            0 | 1 => drop(bed.kv.delete(&ann(), anns(), &key(&name), Condition::None).await),
            2 => drop(bed.kv.collect().await.unwrap()),
            kind => {
                let text = format!("\"{}\"", "ab".repeat(usize::from(bytes[3])));
                let expires_at =
                    (kind < 6).then(|| bed.after(Duration::from_secs(u64::from(bytes[3] % 20) + 1)));
                let encrypt = kind % 2 == 0;
                let put = PutRequest { expires_at, encrypt, ..request(&name, &text) };
                bed.kv.put(&ann(), anns(), &put).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn totals_of_real_keys_are_what_a_listing_adds_up_to() {
    for bed in every_back_end().await {
        let usage = usage_over(&bed);
        for seed in 0..3 {
            stir(&bed, (seed, 60)).await;
            usage.changed(anns().owner);
            settle(&usage).await;
            bed.kv.collect().await.unwrap();
            assert_eq!(report(&usage, anns().owner).await.sizes(), listed(&bed).await);
        }
    }
}

#[tokio::test]
async fn real_keys_are_counted_anew_with_those_whose_time_is_over() {
    for bed in every_back_end().await {
        stir(&bed, (9, 120)).await;
        bed.clock.advance(Duration::from_secs(5));
        // Nobody has collected, and no totals were ever kept.
        let usage = usage_over(&bed);
        usage.changed(anns().owner);
        settle(&usage).await;
        bed.clock.advance(Duration::from_mins(1));
        bed.kv.collect().await.unwrap();
        assert_eq!(report(&usage, anns().owner).await.sizes(), listed(&bed).await);
        let owner = anns().owner;
        assert_eq!(keys_of(&bed).expired(owner).await.unwrap(), Sizes::default());
    }
}
