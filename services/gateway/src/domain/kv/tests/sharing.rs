use std::time::Duration;

use coffer_api::Role;
use coffer_api::grants::Permission;

use super::super::access::GRANTS_PER_SUBJECT_MAX;
use super::super::{
    Caller, Condition, GrantOrder, Grantee, KvError, ListRequest, Route, Scope, SharedKeys, SharedRequest,
};
use super::bed::{Bed, ann, anns, bob, key, request, user};

fn to(caller: &Caller) -> Grantee {
    Grantee::User { email: "bob@example.com".to_owned(), address: caller.principal.address_hash }
}

fn order(grantee: Grantee, scope: Scope, permission: Permission) -> GrantOrder {
    GrantOrder { grantee, scope, permission, expires_at: None }
}

async fn reads(bed: &Bed, caller: &Caller, name: &str) -> bool {
    match bed.kv.get(caller, anns(), &key(name), None).await {
        Ok(_) => true,
        Err(KvError::Denied) => false,
        Err(error) => panic!("{error}"),
    }
}

async fn writes(bed: &Bed, caller: &Caller, name: &str) -> bool {
    match bed.kv.put(caller, anns(), &request(name, "1")).await {
        Ok(_) => true,
        Err(KvError::Denied | KvError::ReadOnly) => false,
        Err(error) => panic!("{error}"),
    }
}

/// All that is shared with somebody, in pages of two.
async fn shared_with(bed: &Bed, caller: &Caller) -> Vec<SharedKeys> {
    let (mut request, mut found) = (SharedRequest { limit: 2, ..SharedRequest::default() }, Vec::new());
    loop {
        let page = bed.kv.shared_with_me(caller, &request).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn a_grant_gives_what_it_says_and_nothing_beside() {
    let bed = Bed::memory();
    for name in ["a", "ab", "team/x"] {
        bed.put(name, "1").await;
    }
    let prefix = Scope::Prefix("team/".to_owned());
    bed.kv.grant(&ann(), &order(to(&bob()), Scope::Key("a".to_owned()), Permission::Read)).await.unwrap();
    bed.kv.grant(&ann(), &order(to(&bob()), prefix.clone(), Permission::Write)).await.unwrap();
    assert!(reads(&bed, &bob(), "a").await && !writes(&bed, &bob(), "a").await);
    assert!(!reads(&bed, &bob(), "ab").await);
    assert!(reads(&bed, &bob(), "team/x").await && writes(&bed, &bob(), "team/new").await);
    let by = bed.kv.meta(&ann(), anns(), &key("team/new")).await.unwrap().created_by;
    assert_eq!(by, bob().principal.user_id);
    assert!(!reads(&bed, &user(3, Role::Admin), "a").await, "no role sees values");
    // A list needs all of what it lists.
    let list = |prefix: &str| ListRequest { prefix: prefix.to_owned(), limit: 9, ..ListRequest::default() };
    assert_eq!(bed.kv.list(&bob(), anns(), &list("team/")).await.unwrap().items.len(), 2);
    assert!(matches!(bed.kv.list(&bob(), anns(), &list("")).await, Err(KvError::Denied)));
    assert!(matches!(bed.kv.list(&bob(), anns(), &list("a")).await, Err(KvError::Denied)));
    let (from, out) = (key("a"), key("team/a"));
    let copy = Route { from: &from, to: &out, condition: Condition::None };
    bed.kv.copy(&bob(), (anns(), anns()), copy).await.unwrap();
    assert!(matches!(bed.kv.rename(&bob(), anns(), copy).await, Err(KvError::ReadOnly)));
    bed.kv.revoke(&ann(), &to(&bob()), &prefix).await.unwrap();
    assert!(!reads(&bed, &bob(), "team/x").await && reads(&bed, &bob(), "a").await);
    assert!(matches!(bed.kv.revoke(&ann(), &to(&bob()), &prefix).await, Err(KvError::GrantNotFound)));
}

#[tokio::test]
async fn no_cursor_leads_out_of_the_prefix_that_is_shared() {
    let bed = Bed::memory();
    for name in ["a-secret", "b/secret", "shared/x", "shared/y/z", "z-secret"] {
        bed.put(name, "1").await;
    }
    let shared = Scope::Prefix("shared/".to_owned());
    bed.kv.grant(&ann(), &order(to(&bob()), shared, Permission::Read)).await.unwrap();
    for cursor in ["k", "p", "ka", "pa", "kshared", "pshared", "kb/secret", "kz", "pz"] {
        for (delimiter, search) in
            [(None, None), (Some("/"), None), (None, Some("s")), (None, Some("secret"))]
        {
            let request = ListRequest {
                prefix: "shared/".to_owned(),
                delimiter: delimiter.map(str::to_owned),
                search: search.map(str::to_owned),
                cursor: Some(cursor.to_owned()),
                limit: 100,
            };
            let listing = bed.kv.list(&bob(), anns(), &request).await.unwrap();
            let names = listing.items.iter().map(|item| item.key.as_str());
            let told: Vec<_> = names.chain(listing.common_prefixes.iter().map(String::as_str)).collect();
            assert!(told.iter().all(|name| name.starts_with("shared/")), "{cursor}: {told:?}");
        }
    }
}

#[tokio::test]
async fn what_is_longer_than_any_key_is_refused_before_it_is_looked_for() {
    let bed = Bed::memory();
    let long = "a".repeat(5_000);
    let list = |prefix: &str, cursor: Option<String>| ListRequest {
        prefix: prefix.to_owned(),
        cursor,
        limit: 9,
        ..ListRequest::default()
    };
    assert!(matches!(bed.kv.list(&ann(), anns(), &list(&long, None)).await, Err(KvError::Key(_))));
    for kind in ["k", "p"] {
        let cursor = Some(format!("{kind}{long}"));
        assert!(matches!(bed.kv.list(&ann(), anns(), &list("", cursor)).await, Err(KvError::Cursor)));
    }
    assert!(matches!(bed.kv.trash(&ann(), &long, None, 9).await, Err(KvError::Key(_))));
    assert!(matches!(bed.kv.trash(&ann(), "", Some(&long), 9).await, Err(KvError::Cursor)));
    for scope in [Scope::Key(long.clone()), Scope::Prefix(long)] {
        assert!(matches!(bed.kv.revoke(&ann(), &to(&bob()), &scope).await, Err(KvError::Key(_))));
    }
}

#[tokio::test]
async fn a_grant_to_a_role_is_for_exactly_that_role_and_ends_when_it_should() {
    let bed = Bed::memory();
    bed.put("a", "1").await;
    let expires_at = Some(bed.after(Duration::from_secs(10)));
    let everything = Scope::Prefix(String::new());
    let grant = GrantOrder {
        expires_at,
        ..order(Grantee::Role(Role::Supervisor), everything.clone(), Permission::Read)
    };
    bed.kv.grant(&ann(), &grant).await.unwrap();
    assert!(reads(&bed, &user(5, Role::Supervisor), "a").await);
    assert!(!reads(&bed, &user(5, Role::Admin), "a").await && !reads(&bed, &bob(), "a").await);
    bed.clock.advance(Duration::from_secs(10));
    assert!(!reads(&bed, &user(5, Role::Supervisor), "a").await);
    assert!(bed.kv.grants(&ann()).await.unwrap().is_empty());
    let past = GrantOrder { expires_at, ..order(Grantee::Role(Role::Admin), everything, Permission::Read) };
    assert!(matches!(bed.kv.grant(&ann(), &past).await, Err(KvError::ExpiryPassed)));
}

#[tokio::test]
async fn both_sides_see_what_is_shared() {
    let bed = Bed::memory();
    let scope = Scope::Prefix("team/".to_owned());
    for permission in [Permission::Read, Permission::Write] {
        // The second replaces the first.
        bed.kv.grant(&ann(), &order(to(&bob()), scope.clone(), permission)).await.unwrap();
    }
    bed.kv
        .grant(&ann(), &order(Grantee::Role(Role::Employee), Scope::Key("x".to_owned()), Permission::Read))
        .await
        .unwrap();
    let grants = bed.kv.grants(&ann()).await.unwrap();
    assert_eq!(grants.len(), 2);
    assert!(grants.iter().any(|grant| grant.grantee == to(&bob()) && grant.permission == Permission::Write));
    let shared = shared_with(&bed, &bob()).await;
    let mut scopes: Vec<_> = shared.iter().map(|shared| (shared.owner, shared.scope.clone())).collect();
    scopes.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(scopes, [(anns().owner, Scope::Key("x".to_owned())), (anns().owner, scope.clone())]);
    assert!(shared_with(&bed, &ann()).await.is_empty(), "one shares nothing with oneself");
    bed.kv.revoke(&ann(), &to(&bob()), &scope).await.unwrap();
    assert_eq!(shared_with(&bed, &bob()).await.len(), 1);
    assert!(matches!(
        bed.kv.grant(&ann(), &order(to(&bob()), Scope::Key(String::new()), Permission::Read)).await,
        Err(KvError::Key(_))
    ));
}

#[tokio::test]
async fn others_cannot_hide_what_is_shared_with_a_role_or_with_an_address() {
    let bed = Bed::memory();
    let role = || Grantee::Role(Role::Employee);
    // The ids of these come before that of whoever shares something of use.
    for number in 10..15 {
        for key in 0..GRANTS_PER_SUBJECT_MAX {
            let scope = Scope::Key(format!("noise-{key}"));
            bed.kv
                .grant(&user(number, Role::Employee), &order(role(), scope, Permission::Read))
                .await
                .unwrap();
        }
    }
    let late = user(200, Role::Admin);
    let (plan, letter) = (Scope::Key("plan".to_owned()), Scope::Key("letter".to_owned()));
    bed.kv.grant(&late, &order(role(), plan.clone(), Permission::Read)).await.unwrap();
    bed.kv.grant(&late, &order(to(&bob()), letter.clone(), Permission::Write)).await.unwrap();
    let page = |owner, cursor| SharedRequest { owner, cursor, limit: 1_000 };
    let first = bed.kv.shared_with_me(&bob(), &page(None, None)).await.unwrap();
    assert_eq!((first.items.len(), &first.items[0].scope), (1_000, &letter), "one's own come first");
    let second = bed.kv.shared_with_me(&bob(), &page(None, first.next_cursor)).await.unwrap();
    assert_eq!(second.items.len(), 5 * GRANTS_PER_SUBJECT_MAX + 2 - 1_000);
    assert!(second.next_cursor.is_none() && second.items.iter().any(|shared| shared.scope == plan));
    let of_late = page(Some(late.principal.user_id), None);
    let scopes = bed.kv.shared_with_me(&bob(), &of_late).await.unwrap().items.into_iter();
    assert_eq!(scopes.map(|shared| shared.scope).collect::<Vec<_>>(), [letter, plan]);
    let wrong = page(None, Some("nonsense".to_owned()));
    assert!(matches!(bed.kv.shared_with_me(&bob(), &wrong).await, Err(KvError::Cursor)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_revokes_is_out_of_force_in_another_within_two_seconds() {
    let bed = Bed::memory();
    bed.put("a", "1").await;
    let scope = Scope::Prefix(String::new());
    bed.kv.grant(&ann(), &order(to(&bob()), scope.clone(), Permission::Read)).await.unwrap();
    let other = bed.another();
    other.get(&bob(), anns(), &key("a"), None).await.unwrap();
    let mut watcher = other.watch(&bob(), anns(), "", None).await.unwrap();
    watcher.next().await.unwrap();
    bed.kv.revoke(&ann(), &to(&bob()), &scope).await.unwrap();
    let cut = tokio::time::timeout(Duration::from_secs(2), async {
        loop {
            if let Err(error) = watcher.next().await {
                return error;
            }
        }
    });
    let error = cut.await.expect("the watcher goes on");
    assert!(matches!(error, KvError::Denied), "{error}");
    assert!(matches!(other.get(&bob(), anns(), &key("a"), None).await, Err(KvError::Denied)));
}
