//! `init`, `schema`, and where a workspace is looked for.

use super::{Shop, dangol};
use serde_json::{Value as Json, json};

#[test]
fn init_writes_a_workspace_that_has_no_mistakes() {
    let dir = tempfile::tempdir().unwrap();
    let said = dangol(dir.path(), &["init", "shop"]).done();
    assert!(said.contains("cd shop") && said.contains("catch://") && said.contains(".secret/site.key"), "{said}");
    let shop = dir.path().join("shop");
    for file in ["dangol.toml", ".gitignore", ".secret/site.key", ".schema/campaign.json", "assets/logo.png"] {
        assert!(shop.join(file).is_file(), "{file}");
    }
    let said = dangol(&shop, &["check", "--offline"]).done();
    assert!(said.contains("3 campaigns and 6 segments, no mistakes"), "{said}");
    assert!(!shop.join("dangol.db").exists(), "--offline needs no database");
}

#[test]
fn init_for_machines() {
    let dir = tempfile::tempdir().unwrap();
    let said: Json = serde_json::from_str(&dangol(dir.path(), &["init", "정원 shop", "--json"]).done()).unwrap();
    assert_eq!(said["dir"], "정원 shop");
    assert!(said["files"].as_array().unwrap().contains(&json!("campaigns/spring.toml")), "{said}");
    dangol(&dir.path().join("정원 shop"), &["check"]).done();
}

#[test]
fn init_takes_an_empty_folder_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    dangol(dir.path(), &["init", "empty"]).done();
    let before = std::fs::read(dir.path().join("empty/.secret/site.key")).unwrap();
    dangol(dir.path(), &["init", "empty"]).failed("empty is not empty: give a folder that does not exist yet");
    assert_eq!(std::fs::read(dir.path().join("empty/.secret/site.key")).unwrap(), before);
    std::fs::write(dir.path().join("file"), "x").unwrap();
    dangol(dir.path(), &["init", "file"]).failed("not empty");
    dangol(dir.path(), &["init", "file/shop"]).failed("cannot write");
}

#[test]
fn init_makes_no_workspace_inside_another() {
    let shop = Shop::empty();
    for inside in ["second", "campaigns/second"] {
        let said = shop.run(&["init", inside]).failed("is inside the workspace");
        let beside = shop.dir.path().with_file_name("second");
        assert!(said.contains(&format!("such as {}", beside.display())), "{said}");
        assert!(!shop.path(inside).exists());
    }
    let around = tempfile::tempdir().unwrap();
    dangol(around.path(), &["init", "first"]).done();
    dangol(&around.path().join("first"), &["init", "../second"]).done();
}

#[test]
fn the_workspace_is_found_from_below_and_by_name() {
    let shop = Shop::empty();
    dangol(&shop.path("templates/letters"), &["check", "--offline"]).done();
    let elsewhere = tempfile::tempdir().unwrap();
    let name = shop.dir.path().to_str().unwrap();
    for arguments in [["-w", name, "check"], ["check", "--workspace", name]] {
        dangol(elsewhere.path(), &arguments).done();
    }
    assert!(shop.path("dangol.db").is_file(), "the database is in the workspace, wherever the command was given");
}

#[test]
fn outside_of_a_workspace_there_are_clear_words() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in
        [&["check"][..], &["check", "--offline"], &["status"], &["plan"], &["schema"], &["run", "--until-idle"]]
    {
        let said = dangol(dir.path(), arguments).failed("there is no dangol.toml in /");
        assert!(said.contains("dangol init shop") && said.contains("--workspace"), "{said}");
    }
    dangol(dir.path(), &["-w", "/nowhere/at/all", "status"])
        .failed("there is no dangol.toml in /nowhere/at/all or above");
}

#[test]
fn schemas_are_written_into_the_workspace_or_elsewhere() {
    let shop = Shop::empty();
    std::fs::remove_dir_all(shop.path(".schema")).unwrap();
    let said = shop.json(&["schema"]);
    assert_eq!(said["files"].as_array().unwrap().len(), 5);
    let campaign: Json = serde_json::from_str(&shop.read(".schema/campaign.json")).unwrap();
    assert_eq!(campaign["properties"]["sender"]["description"], "The sender of dangol.toml that it comes from.");
    assert_eq!(campaign["additionalProperties"], false);
    let elsewhere = tempfile::tempdir().unwrap();
    dangol(elsewhere.path(), &["schema", "--out", "a/b"]).done();
    assert!(elsewhere.path().join("a/b/dangol.json").is_file());
}

#[test]
fn a_broken_dangol_toml_is_told_of_by_every_command() {
    let shop = Shop::empty();
    shop.edit("dangol.toml", "timezone = ", "timezon = ");
    for arguments in [&["status"][..], &["plan"], &["segment", "list"], &["run", "--until-idle"]] {
        let said = shop.run(arguments).failed("error[unknown-key]: `timezon` is not a key of [site]");
        assert!(said.contains("did you mean `timezone`?") && !said.contains("error: error"), "{said}");
    }
}
