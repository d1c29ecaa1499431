//! What `check` says of relays and of limits for domains.

use crate::support::sqlite;
use crate::world::{World, settings, take, write};
use dangol::campaign::check;
use dangol::config::Workspace;

#[test]
fn mistakes_in_relays_and_domains_are_told_with_what_to_write() {
    super::conversation::at_once(async {
        let t = sqlite().await;
        let world = World::new(&t, take).await;
        let relay = world.relay();
        write(&world.dir, "no.pem", "not a certificate");
        let problems = |relay_keys: &str, more: &str| -> Vec<String> {
            let text = settings(&relay, more).replacen("connections = 4", &format!("connections = 4\n{relay_keys}"), 1);
            write(&world.dir, "dangol.toml", &text);
            let (workspace, mut problems) = Workspace::load(&world.dir);
            problems.extend(workspace.iter().flat_map(|workspace| check::check(workspace, None)));
            problems.into_iter().filter(|problem| problem.file == "dangol.toml").map(|p| p.render()).collect()
        };
        let fine = "ca = \"no.pem\"\nfor = [\"topic:offers\", \"sender:hello\"]\nweight = 3\nwarmup = { start = 2027-03-01, caps = [5] }";
        let domain = "[[delivery.domain]]\nname = \"예시.한국\"\nrate = \"20/s\"\nconnections = 4\n";
        assert_eq!(problems(fine.split_once('\n').unwrap().1, domain), [""; 0]);
        for (keys, more, word) in [
            ("ca = \"no.pem\"", "", "no certificate"),
            ("ca = \"gone.pem\"", "", "gone.pem"),
            ("for = [\"topic:ofers\"]", "", "topic:NAME"),
            ("for = [\"everything\"]", "", "`everything`"),
            ("warmup = { start = 2027-03-01, caps = [] }", "", "caps"),
            ("warmup = { start = 2027-03-01T09:00:00, caps = [5] }", "", "2027-03-01"),
            ("", "[[delivery.domain]]\nname = \"a b\"\nrate = \"1/s\"\n", "not a domain"),
            ("", "[[delivery.domain]]\nname = \"gmail.com\"\n", "nothing is said"),
            ("", &format!("{domain}{}", domain.replace("예시.한국", "xn--vv4b11d.xn--3e0b707e")), "two limits"),
        ] {
            let told = problems(keys, more);
            assert!(told.len() == 1 && told[0].contains(word), "{keys}{more}: {told:?}");
        }
    });
}
