//! Configurations as environment variables: what they are called.

/// The environment variable of a configuration: its category, if it has one, and its key, joined by `_`, in upper case.
/// What can stand in no such name becomes `_`, and a name that would begin with a digit begins with `_`.
///
/// Different configurations can have the same one; who makes variables of several refuses that, naming both.
#[must_use]
pub fn env_name(category: Option<&str>, key: &str) -> String {
    let parts = category.into_iter().chain([key]);
    let joined = parts.collect::<Vec<_>>().join("_");
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = joined.chars().map(allowed).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_every_shell_takes() {
        for (category, key, name) in [
            (None, "host", "HOST"),
            (Some("db"), "host", "DB_HOST"),
            (Some("db"), "max-connections/2", "DB_MAX_CONNECTIONS_2"),
            (None, "2fa", "_2FA"),
            (Some("Grün"), "ß", "GR_N__"),
            (Some(""), "a", "_A"),
        ] {
            assert_eq!(env_name(category, key), name);
        }
    }
}
