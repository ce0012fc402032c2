//! Whatever is done in whatever order, the store answers as a plain map would.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::bed::{Bed, CLIENT};
use crate::domain::configs::{Address, ConfigsError, DEFAULT_ENVIRONMENT, Filter, NewConfig, Update};

const USER_KEYS: [&str; 3] = ["the key of ann", "the key of bob", "the key of cid"];
const KEYS: [&str; 2] = ["a", "b/c"];
const ENVIRONMENTS: [&str; 3] = [DEFAULT_ENVIRONMENT, "staging", "production"];

/// Configurations by key and environment: value and version.
type Space = BTreeMap<(usize, usize), (String, u64)>;

#[derive(Clone, Debug)]
enum Step {
    Create { key: usize, environment: Option<usize>, value: u8 },
    Update { key: usize, environment: Option<usize>, value: u8, to: Option<usize> },
    Delete { key: usize, environment: Option<usize> },
    Get { key: usize, environment: Option<usize> },
    Rekey { to: usize },
    List,
}

fn steps() -> impl Strategy<Value = Vec<(usize, bool, Step)>> {
    let key = || 0..KEYS.len();
    let environment = || proptest::option::of(0..ENVIRONMENTS.len());
    let step = prop_oneof![
        4 => (key(), environment(), any::<u8>()).prop_map(|(key, environment, value)| Step::Create { key, environment, value }),
        4 => (key(), environment(), any::<u8>(), environment())
            .prop_map(|(key, environment, value, to)| Step::Update { key, environment, value, to }),
        2 => (key(), environment()).prop_map(|(key, environment)| Step::Delete { key, environment }),
        2 => (key(), environment()).prop_map(|(key, environment)| Step::Get { key, environment }),
        1 => (0..USER_KEYS.len()).prop_map(|to| Step::Rekey { to }),
        1 => Just(Step::List),
    ];
    proptest::collection::vec((0..USER_KEYS.len(), any::<bool>(), step), 1..40)
}

/// Where an address leads, or what is said instead.
fn lead(space: &Space, key: usize, environment: Option<usize>) -> Result<(usize, usize), &'static str> {
    let places: Vec<_> = space.keys().filter(|place| place.0 == key).copied().collect();
    let place = match environment {
        Some(environment) => places.iter().find(|place| place.1 == environment),
        None if places.len() == 1 => places.first(),
        None if places.len() > 1 => {
            return places.into_iter().find(|place| place.1 == 0).ok_or("environment");
        }
        None => None,
    };
    place.copied().ok_or("not found")
}

fn said<T>(result: Result<T, ConfigsError>) -> Result<T, &'static str> {
    result.map_err(|error| match error {
        ConfigsError::NotFound { .. } => "not found",
        ConfigsError::Exists { .. } => "exists",
        ConfigsError::EnvironmentNeeded { .. } => "environment",
        ConfigsError::UserKeyInUse => "in use",
        ConfigsError::SameUserKey => "same",
        ConfigsError::NothingKept => "nothing",
        other => panic!("{other}"),
    })
}

async fn walk(steps: Vec<(usize, bool, Step)>) {
    let bed = Bed::memory().await;
    let processes = [bed.configs.clone(), bed.another().await];
    let mut spaces: BTreeMap<usize, Space> = BTreeMap::new();
    for (who, process, step) in steps {
        let configs = &processes[usize::from(process)];
        let holder = configs.holder(USER_KEYS[who].as_bytes(), CLIENT).await.unwrap();
        let name = |at: usize| ENVIRONMENTS[at];
        let at = |key: usize, environment: Option<usize>| Address {
            key: KEYS[key],
            environment: environment.map(name),
        };
        let (empty, mut none) = (Space::new(), Space::new());
        match step {
            Step::Create { key, environment, value } => {
                let text = value.to_string();
                let new = NewConfig {
                    key: KEYS[key],
                    environment: environment.map(name),
                    category: None,
                    value: &text,
                };
                let done = said(holder.create(new).await).map(|config| (config.value, config.version));
                let place = (key, environment.unwrap_or(0));
                let space = spaces.entry(who).or_default();
                let expected = if space.contains_key(&place) { Err("exists") } else { Ok((text.clone(), 1)) };
                space.entry(place).or_insert((text, 1));
                assert_eq!(done, expected);
            }
            Step::Update { key, environment, value, to } => {
                let text = value.to_string();
                let update = Update { value: &text, category: None, environment: to.map(name) };
                let done =
                    said(holder.update(at(key, environment), update).await).map(|config| config.version);
                let space = spaces.get_mut(&who).unwrap_or(&mut none);
                let expected = lead(space, key, environment).and_then(|place| {
                    let target = (key, to.unwrap_or(place.1));
                    if target != place && space.contains_key(&target) {
                        return Err("exists");
                    }
                    let version = space.remove(&place).unwrap().1 + 1;
                    space.insert(target, (text.clone(), version));
                    Ok(version)
                });
                assert_eq!(done, expected);
            }
            Step::Delete { key, environment } => {
                let done = said(holder.delete(at(key, environment)).await);
                let space = spaces.get_mut(&who).unwrap_or(&mut none);
                assert_eq!(done, lead(space, key, environment).map(|place| drop(space.remove(&place))));
            }
            Step::Get { key, environment } => {
                let done =
                    said(holder.get(at(key, environment)).await).map(|config| (config.value, config.version));
                let space = spaces.get(&who).unwrap_or(&empty);
                assert_eq!(done, lead(space, key, environment).map(|place| space[&place].clone()));
            }
            Step::Rekey { to } => {
                let keys = (USER_KEYS[who].as_bytes(), USER_KEYS[to].as_bytes());
                let done = said(configs.rekey(keys, CLIENT).await);
                // A user key has a name space once something was tried to be made under it.
                let expected = match (spaces.contains_key(&who), spaces.contains_key(&to)) {
                    _ if who == to => Err("same"),
                    (false, _) => Err("nothing"),
                    (true, true) => Err("in use"),
                    (true, false) => Ok(()),
                };
                if expected.is_ok() {
                    let space = spaces.remove(&who).unwrap();
                    spaces.insert(to, space);
                }
                assert_eq!(done, expected);
            }
            Step::List => {
                let list = holder.list(Filter::default()).await.unwrap();
                let mut found: Vec<_> =
                    list.into_iter().map(|config| (config.key, config.environment, config.value)).collect();
                found.sort();
                let space = spaces.get(&who).unwrap_or(&empty);
                let mut expected: Vec<_> = space
                    .iter()
                    .map(|((key, environment), (value, _))| {
                        (KEYS[*key].to_owned(), name(*environment).to_owned(), value.clone())
                    })
                    .collect();
                expected.sort();
                assert_eq!(found, expected);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn configurations_are_a_map_for_each_user_key(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(walk(steps));
    }
}
