//! The site's secret: where it comes from, and that a database knows its own.

use super::{OLD, SECRET, secret};
use crate::support::on_both;
use dangol::config::secret::{SecretError, SiteSecret, env_or_file, relay_password_variable};
use secrecy::ExposeSecret as _;

#[test]
fn a_database_refuses_a_strangers_secret() {
    on_both(|t| async move {
        SiteSecret::from_lines(OLD).unwrap().verify_fingerprint(&t.db).await.unwrap();
        let erasure = SiteSecret::from_lines(OLD).unwrap().erasure_key();
        let wrong = secret().verify_fingerprint(&t.db).await.unwrap_err();
        assert!(matches!(wrong, SecretError::Stranger { known: 1, .. }), "{wrong}");
        assert!(!wrong.to_string().contains(SECRET));

        let rotated = format!("{SECRET}\n{OLD}");
        let mut now = SiteSecret::from_lines(&rotated).unwrap();
        now.verify_fingerprint(&t.db).await.unwrap();
        assert_eq!(now.erasure_key(), erasure, "the key of the erasure hash never rotates");
        // an even older file of another origin, listed last, does not take its place
        let mut more = SiteSecret::from_lines(&format!("{rotated}\n{}", "z".repeat(40))).unwrap();
        more.verify_fingerprint(&t.db).await.unwrap();
        assert_eq!(more.erasure_key(), erasure);
        let lost = secret().verify_fingerprint(&t.db).await.unwrap_err();
        assert!(matches!(lost, SecretError::ErasureKey), "{lost}");
    });
}

#[test]
fn the_secret_comes_from_the_environment_or_a_private_file() {
    let dir = tempfile::tempdir().unwrap();
    let none = |_: &str| None;
    let missing = SiteSecret::load(dir.path(), &none).unwrap_err();
    assert!(missing.to_string().contains("DANGOL_SECRET_FILE"), "{missing}");

    let path = SiteSecret::create(dir.path()).unwrap();
    let made = SiteSecret::load(dir.path(), &none).unwrap();
    assert!(matches!(SiteSecret::create(dir.path()), Err(SecretError::Exists(_))));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!format!("{made:?} {:?}", made.key("x")).contains(text.trim()));

    // rotation: the old one moves, a new one signs
    std::fs::create_dir(dir.path().join(".secret/old")).unwrap();
    std::fs::rename(&path, dir.path().join(".secret/old/2027-01.key")).unwrap();
    SiteSecret::create(dir.path()).unwrap();
    let rotated = SiteSecret::load(dir.path(), &none).unwrap();
    assert_ne!(rotated.key("x"), made.key("x"));
    assert_eq!(rotated.keys("x")[1], made.key("x"));
    assert_ne!(made.key("x").bytes, made.key("y").bytes);

    let set = |name: &str| (name == "DANGOL_SECRET").then(|| SECRET.to_owned());
    assert_eq!(SiteSecret::load(dir.path(), &set).unwrap().key("x"), secret().key("x"), "a variable wins");
    let short = |name: &str| (name == "DANGOL_SECRET").then(|| "hunter2".to_owned());
    let wrong = SiteSecret::load(dir.path(), &short).unwrap_err().to_string();
    assert!(wrong.contains("at least 32") && !wrong.contains("hunter2"), "{wrong}");
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = SiteSecret::create(dir.path()).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let wrong = SiteSecret::load(dir.path(), &|_: &str| None).unwrap_err();
    assert!(wrong.to_string().contains("chmod 600"), "{wrong}");
}

#[test]
fn a_variable_or_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, "\u{feff}s3cret 비밀\r\n").unwrap();
    let name = relay_password_variable("primary-2");
    assert_eq!(name, "DANGOL_RELAY_PRIMARY_2_PASSWORD");
    let file_name = file.to_str().unwrap().to_owned();
    let by_file = |asked: &str| (asked == "DANGOL_RELAY_PRIMARY_2_PASSWORD_FILE").then(|| file_name.clone());
    assert_eq!(env_or_file(&by_file, &name).unwrap().unwrap().expose_secret(), "s3cret 비밀");
    assert!(matches!(env_or_file(&|_: &str| Some("x".into()), &name), Err(SecretError::Both(_))));
    assert!(env_or_file(&|_: &str| Some("  ".into()), &name).unwrap().is_none(), "empty is none");
    let nowhere = |asked: &str| asked.ends_with("_FILE").then(|| "/nowhere/x".to_owned());
    assert!(env_or_file(&nowhere, &name).unwrap_err().to_string().contains("/nowhere/x"));
}
