//! From configurations to environment variables.
//!
//! The name of a variable is made by [`env_name`], as where the gateway exports variables. Two configurations of one name
//! are an error: which one wins would be chance. A string is its text, `null` is no variable, and everything else is its
//! JSON as it was written.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use coffer_api::configs::env_name;
use coffer_core::{ExposeSecret as _, SecretString};

use super::RunError;
use crate::user_key::KEY_VARIABLES;

/// What decides which code a program loads, before it is asked.
const RESERVED: [&str; 2] = ["LD_", "DYLD_"];

/// A variable with its name, `=` and the zero byte behind it: no more is handed to a program (`MAX_ARG_STRLEN` of Linux, 32
/// pages).
const VARIABLE_BYTES_MAX: usize = 128 * 1024;

/// A configuration as it was read, its value in JSON.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) key: String,
    pub(super) category: Option<String>,
    pub(super) json: SecretString,
}

/// The variables of a program, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(Arc<BTreeMap<String, Variable>>);

#[derive(Debug)]
struct Variable {
    /// Of the configuration that it was made of.
    key: String,
    text: SecretString,
}

impl Variables {
    /// The variables that configurations become.
    pub(super) fn of(read: Vec<Read>) -> Result<Self, RunError> {
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        let mut variables = BTreeMap::new();
        for Read { key, category, json } in read {
            let name = env_name(category.as_deref(), &key);
            if RESERVED.iter().any(|start| name.starts_with(start)) || KEY_VARIABLES.contains(&name.as_str())
            {
                return Err(RunError::Reserved { name, key });
            }
            if let Some(other) = keys.insert(name.clone(), key.clone()) {
                return Err(RunError::Collision { name, keys: vec![other, key] });
            }
            let Some(text) = text_of(json) else { continue };
            if text.expose_secret().contains('\0') {
                return Err(RunError::Zero { key });
            }
            if name.len() + text.expose_secret().len() + 2 > VARIABLE_BYTES_MAX {
                return Err(RunError::Long { key });
            }
            variables.insert(name, Variable { key, text });
        }
        Ok(Self(Arc::new(variables)))
    }

    /// Fails if one of them is set already, to something else. `inherited` says what a variable is set to.
    pub(super) fn check_against(
        &self,
        inherited: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<(), RunError> {
        let differs = |(name, one): &(&String, &Variable)| {
            inherited(name).is_some_and(|set| set != one.text.expose_secret())
        };
        match self.0.iter().find(differs) {
            Some((name, one)) => Err(RunError::Inherited { name: name.clone(), key: one.key.clone() }),
            None => Ok(()),
        }
    }

    /// Gives them to a program, which gets nothing that opens configurations.
    pub(super) fn give_to(&self, command: &mut Command) {
        for name in KEY_VARIABLES {
            command.env_remove(name);
        }
        command.envs(self.0.iter().map(|(name, one)| (name, one.text.expose_secret())));
    }

    /// Whether they are the same.
    pub(super) fn are(&self, others: &Self) -> bool {
        let pairs = |all: &Self| all.0.len();
        pairs(self) == pairs(others)
            && self.0.iter().zip(others.0.iter()).all(|((name, one), (other_name, other))| {
                name == other_name && one.text.expose_secret() == other.text.expose_secret()
            })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// The text of a value; none of `null`.
fn text_of(json: SecretString) -> Option<SecretString> {
    if json.expose_secret() == "null" {
        return None;
    }
    match serde_json::from_str::<SecretString>(json.expose_secret()) {
        Ok(text) => Some(text),
        Err(_) => Some(json),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Variables, RunError> {
        // What stands before a `:` is the category.
        let read = |(key, json): &(&str, &str)| {
            let (category, key) = key.split_once(':').map_or((None, *key), |(one, key)| (Some(one), key));
            Read { key: key.into(), category: category.map(Into::into), json: (*json).into() }
        };
        Variables::of(pairs.iter().map(read).collect())
    }

    fn shown(variables: &Variables) -> Vec<String> {
        variables.0.iter().map(|(name, one)| format!("{name}={}", one.text.expose_secret())).collect()
    }

    #[test]
    fn a_string_is_its_text_and_everything_else_its_json() {
        let variables = of(&[
            ("a", "\"x\\ny\""),
            ("b", "1.50"),
            ("c", "true"),
            ("d", "null"),
            ("e", "{\"n\": [1]}"),
            ("db:f", "\"\""),
        ]);
        let expected = ["A=x\ny", "B=1.50", "C=true", "DB_F=", "E={\"n\": [1]}"];
        assert_eq!(shown(&variables.unwrap()), expected);
    }

    #[test]
    fn keys_of_one_name_are_an_error_also_if_one_is_null_and_what_loads_code_is_no_configuration() {
        for pairs in [[("a.b", "1"), ("a:B", "1")], [("a/b", "null"), ("a-b", "\"planted\"")]] {
            let refused = of(&pairs).unwrap_err();
            assert!(
                matches!(&refused, RunError::Collision { name, keys } if name == "A_B" && keys.len() == 2)
            );
            assert!(!format!("{refused} {refused:?}").contains("planted"));
        }
        for key in ["ld.preload", "LD_LIBRARY_PATH", "dyld_insert_libraries", "coffer/user/key", "ld:preload"]
        {
            assert!(matches!(of(&[(key, "1")]), Err(RunError::Reserved { .. })), "{key}");
        }
        assert!(matches!(of(&[("a", "\"planted\\u0000\"")]), Err(RunError::Zero { .. })));
    }

    #[test]
    fn what_is_longer_than_the_system_takes_is_refused() {
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
        let longest = VARIABLE_BYTES_MAX - "A=".len() - 1;
        let given = of(&[("a", &text(longest))]).unwrap();
        let mut program = Command::new("true");
        given.give_to(&mut program);
        assert!(program.status().unwrap().success(), "the system takes what is allowed");
        assert!(matches!(of(&[("a", &text(longest + 1))]), Err(RunError::Long { .. })));
    }

    #[test]
    fn what_is_set_already_must_be_the_same() {
        let variables = of(&[("path", "\"/a\""), ("home", "\"/b\"")]).unwrap();
        let set = |path: &'static str| move |name: &str| (name == "PATH").then(|| OsString::from(path));
        assert!(variables.check_against(set("/a")).is_ok());
        let refused = variables.check_against(set("/c")).unwrap_err();
        assert!(
            matches!(refused, RunError::Inherited { name, key } if (&name[..], &key[..]) == ("PATH", "path"))
        );
    }

    #[test]
    fn they_are_the_same_if_names_and_values_are_and_show_no_value() {
        let one = of(&[("a", "\"planted\"")]).unwrap();
        assert!(one.are(&of(&[("a", "\"planted\"")]).unwrap()));
        for other in [&[][..], &[("a", "\"other\"")], &[("b", "\"planted\"")]] {
            assert!(!one.are(&of(other).unwrap()));
        }
        assert!(!format!("{one:?}").contains("planted"));
    }
}
