use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;

const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

fn origin(text: &str) -> Origin {
    text.parse().unwrap()
}

fn credentials(kms: &str, data: &str) -> Credentials {
    Credentials {
        servers: Servers {
            kms: origin(kms),
            data: origin(data),
            gateway: Some(origin("https://gateway.example")),
        },
        email: "ann@example.com".parse().unwrap(),
        token: SecretString::from(TOKEN),
        expires_at: Timestamp::from_ms(1_700_000_000_000),
    }
}

fn saved() -> (TempDir, Store, PathBuf) {
    let root = TempDir::new().unwrap();
    let store = Store::new(root.path(), &"default".parse().unwrap());
    store.save(&credentials("https://kms.example", "https://data.example")).unwrap();
    let path = store.path_of(&origin("https://kms.example"), "");
    (root, store, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_session_comes_back_for_its_own_kms() {
    let (_root, store, _) = saved();
    let back = store.load(&origin("https://kms.example"), None).unwrap().unwrap();
    assert_eq!(back.token.expose_secret(), TOKEN);
    assert_eq!(back.email.as_str(), "ann@example.com");
    assert_eq!(back.servers.data, origin("https://data.example"));
    assert_eq!(store.current().unwrap().unwrap(), back.servers);
}

#[test]
fn another_kms_gets_no_session() {
    let (_root, store, _) = saved();
    for other in ["http://kms.example", "https://kms.example:8443", "https://evil.example"] {
        assert!(store.load(&origin(other), None).unwrap().is_none(), "{other}");
    }
}

#[test]
fn another_data_service_gets_no_session() {
    let (_root, store, _) = saved();
    let refused = store.load(&origin("https://kms.example"), Some(&origin("https://evil.example")));
    assert!(matches!(refused, Err(CredentialsError::OtherServer { .. })));
    assert!(store.load(&origin("https://kms.example"), Some(&origin("https://data.example"))).is_ok());
}

#[test]
fn another_gateway_gets_no_session_and_a_session_from_before_gateways_has_none() {
    let (_root, store, path) = saved();
    let load = || store.load(&origin("https://kms.example"), None).unwrap().unwrap().servers;
    let (own, other) = (origin("https://gateway.example"), origin("https://evil.example"));
    assert_eq!(load().gateway_for(None).unwrap(), &own);
    assert_eq!(load().gateway_for(Some(&own)).unwrap(), &own);
    assert!(matches!(load().gateway_for(Some(&other)), Err(CredentialsError::OtherServer { .. })));

    let text = fs::read_to_string(&path).unwrap();
    let earlier: Vec<_> = text.lines().filter(|line| !line.starts_with("gateway")).collect();
    assert_eq!(earlier.len() + 1, text.lines().count());
    fs::write(&path, earlier.join("\n")).unwrap();
    for asked in [None, Some(&other)] {
        assert!(matches!(load().gateway_for(asked), Err(CredentialsError::NoGateway)));
    }
}

#[test]
fn a_file_moved_to_another_servers_name_is_refused() {
    let (_root, store, path) = saved();
    fs::rename(path, store.path_of(&origin("https://evil.example"), "")).unwrap();
    let refused = store.load(&origin("https://evil.example"), None);
    assert!(matches!(refused, Err(CredentialsError::Foreign { .. })));
}

#[test]
fn another_profile_has_sessions_of_its_own() {
    let (root, _, _) = saved();
    let other = Store::new(root.path(), &"work".parse().unwrap());
    assert!(other.load(&origin("https://kms.example"), None).unwrap().is_none());
    assert!(["", "..", "a/b", "a.b", &"a".repeat(65)].iter().all(|text| text.parse::<Profile>().is_err()));
}

#[test]
fn files_and_folders_are_for_their_owner_alone() {
    let (root, _, path) = saved();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&root.path().join("credentials")), 0o700);
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let (_root, store, path) = saved();
    for open in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
        let refused = store.load(&origin("https://kms.example"), None);
        assert!(
            matches!(refused, Err(CredentialsError::File(PrivateFileError::ReadableByOthers { .. }))),
            "{open:o}"
        );
    }
}

#[test]
fn a_symbolic_link_is_refused_and_never_written_through() {
    let (root, store, path) = saved();
    let elsewhere = root.path().join("elsewhere.toml");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    let refused = store.load(&origin("https://kms.example"), None);
    assert!(matches!(refused, Err(CredentialsError::File(PrivateFileError::NotPlain { .. }))));

    let before = fs::read(&elsewhere).unwrap();
    store.save(&credentials("https://kms.example", "https://other.example")).unwrap();
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let (_root, store, path) = saved();
    fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o777)).unwrap();
    let refused = store.save(&credentials("https://kms.example", "https://data.example"));
    assert!(matches!(refused, Err(CredentialsError::File(PrivateFileError::FolderOpen { .. }))));
}

#[test]
fn saving_leaves_no_other_file_behind() {
    let (_root, store, path) = saved();
    store.save(&credentials("https://kms.example", "https://data.example")).unwrap();
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "the session and current.toml");
}

#[test]
fn removing_twice_is_no_error() {
    let (_root, store, path) = saved();
    store.remove(&origin("https://kms.example")).unwrap();
    store.remove(&origin("https://kms.example")).unwrap();
    assert!(!path.exists());
}

#[test]
fn what_is_no_credentials_file_is_refused_without_showing_it() {
    let (_root, store, path) = saved();
    for text in ["", "token = 'visible-secret'", "x = 1"] {
        fs::write(&path, text).unwrap();
        let refused = store.load(&origin("https://kms.example"), None).unwrap_err();
        assert!(matches!(refused, CredentialsError::Damaged { .. }), "{text}");
        assert!(!format!("{refused} {refused:?}").contains("visible-secret"));
    }
    fs::write(&path, vec![b' '; 20_000]).unwrap();
    assert!(store.load(&origin("https://kms.example"), None).is_err());
}

#[test]
fn debug_shows_nothing_of_the_token() {
    assert!(!format!("{:?}", credentials("https://a.example", "https://b.example")).contains(TOKEN));
}

#[test]
fn the_folder_for_settings_follows_the_environment() {
    let folder = |set: &[(&str, &str)]| {
        let set: Vec<(String, String)> = set.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        config_folder(|name| set.iter().find(|(key, _)| key == name).map(|(_, value)| value.into()))
    };
    let home = ("HOME", "/home/ann");
    assert_eq!(folder(&[home]).unwrap(), Path::new("/home/ann/.config/coffer"));
    assert_eq!(folder(&[home, ("XDG_CONFIG_HOME", "/xdg")]).unwrap(), Path::new("/xdg/coffer"));
    assert_eq!(folder(&[home, ("XDG_CONFIG_HOME", "xdg")]).unwrap(), Path::new("/home/ann/.config/coffer"));
    assert_eq!(folder(&[home, ("COFFER_CONFIG_DIR", "here")]).unwrap(), Path::new("here"));
    assert!(matches!(folder(&[]), Err(CredentialsError::NoFolder)));
}

#[test]
fn a_device_is_remembered_for_its_account_and_kms_and_outlives_the_session() {
    let (_root, store, path) = saved();
    let kms = origin("https://kms.example");
    let (ann, bob): (EmailAddress, EmailAddress) =
        ("ann@example.com".parse().unwrap(), "bob@example.com".parse().unwrap());
    store.remember_device(&kms, &ann, "device-of-ann".into()).unwrap();
    store.remember_device(&kms, &bob, "device-of-bob".into()).unwrap();
    store.remove(&kms).unwrap();
    assert!(!path.exists());
    assert_eq!(store.device(&kms, &ann).unwrap().expose(), "device-of-ann");
    assert_eq!(store.device(&kms, &bob).unwrap().expose(), "device-of-bob");
    assert!(store.device(&origin("https://evil.example"), &ann).is_none());
}
