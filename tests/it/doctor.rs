//! `doctor` against a DNS server of the test's own: what is as it has to be, and each thing that is not, with what to
//! publish in its place.

use crate::dkim::{BOTH, put_keys, records};
use crate::fake_dns::FakeDns;
use crate::support::{TestDb, sqlite};
use crate::world::{World, settings, take};
use dangol::engine::doctor::{Finding, Level, Options, run};
use dangol::types::Timestamp;
use std::net::UdpSocket;

/// A time server whose clock shows `at` and stands still.
fn time_server(at: Timestamp) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut asked = [0; 48];
        while let Ok((_, from)) = socket.recv_from(&mut asked) {
            let mut answer = [0; 48];
            (answer[0], answer[1]) = (0x24, 2);
            answer[24..32].copy_from_slice(&asked[40..48]);
            answer[40..44].copy_from_slice(&((at.as_second() + 2_208_988_800) as u32).to_be_bytes());
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

/// A shop that is set up as it has to be, its relay on this machine.
struct Clinic {
    world: World,
    t: TestDb,
    dns: FakeDns,
    ntp: String,
}

impl Clinic {
    async fn new() -> Clinic {
        let t = sqlite().await;
        let world = World::new(&t, take).await;
        put_keys(&world.dir);
        let ntp = time_server(world.now());
        let dns = FakeDns::start();
        for (name, value) in records() {
            dns.txt(&name, &value);
        }
        dns.txt("haru.example", "some-verification=1").txt("haru.example", "v=spf1 ip4:192.0.2.0/24 -all");
        dns.txt("bounces.haru.example", "v=spf1 include:haru.example ~all");
        dns.txt("_dmarc.haru.example", "v=DMARC1; p=quarantine; rua=mailto:dmarc@haru.example");
        dns.mx("haru.example", "mx.haru.example").mx("bounces.haru.example", "mx.haru.example");
        dns.address("mx.haru.example", "192.0.2.5").address("mail.haru.example", "192.0.2.6");
        Clinic { world, t, dns, ntp }.sender(&format!("dkim = {BOTH}\nbounce = \"bounces.haru.example\"")).await
    }

    /// With these lines in `[sender.hello]`.
    async fn sender(self, lines: &str) -> Clinic {
        let from = "from = \"Haru Garden <hello@haru.example>\"";
        let text = settings(&self.world.relay(), "").replace("http://127.0.0.1:8080", "https://mail.haru.example");
        let text = text.replace(from, &format!("{from}\n{lines}"));
        let world = self.world.file(&self.t, "dangol.toml", &text).await;
        Clinic { world, ..self }
    }

    async fn look(&self) -> Vec<Finding> {
        let options = Options { sender: None, resolver: Some(self.dns.addr), ntp: self.ntp.clone() };
        run(&self.world.app, &options).await.unwrap()
    }

    /// The findings of an area that are not ok.
    async fn wrong(&self, area: &str) -> Vec<Finding> {
        let all = self.look().await;
        assert!(all.iter().any(|finding| finding.area == area), "nothing looks at {area}");
        all.into_iter().filter(|finding| finding.area == area && finding.level != Level::Ok).collect()
    }

    /// The one finding of an area that is not ok.
    #[track_caller]
    fn one(found: Vec<Finding>, level: Level, words: &str) -> Finding {
        assert!(found.len() == 1 && found[0].level == level && found[0].found.contains(words), "{words}: {found:#?}");
        found.into_iter().next().unwrap()
    }
}

fn on(behaviour: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(behaviour);
}

#[test]
fn a_shop_that_is_set_up_well_has_nothing_to_mend() {
    on(async {
        let clinic = Clinic::new().await;
        let found = clinic.look().await;
        assert!(found.iter().all(|finding| finding.level == Level::Ok), "{found:#?}");
        let areas: Vec<&str> = found.iter().map(|finding| finding.area).collect();
        for area in ["dkim", "spf", "dmarc", "mx", "relay", "site", "unsubscribe", "law", "clock"] {
            assert!(areas.contains(&area), "{area} is not in {areas:?}");
        }
    });
}

#[test]
fn a_key_that_is_not_the_published_one() {
    on(async {
        let clinic = Clinic::new().await;
        let (place, value) = records().remove(0);
        let other = records()[1].1.clone();
        for (published, words) in [
            (&[][..], "there is no such record"),
            (&["hello"], "no DKIM record"),
            (&[other.as_str()], "another key is published"),
            (&["v=DKIM1; k=rsa; p="], "was revoked"),
            (&["v=DKIM1; p=%%%"], "damaged"),
            (&[&value, &value], "several records"),
        ] {
            clinic.dns.clear(&place);
            for text in published {
                clinic.dns.txt(&place, text);
            }
            let finding = Clinic::one(clinic.wrong("dkim").await, Level::Fail, words);
            let record = finding.record.unwrap();
            assert_eq!((record.name, record.kind, record.value), (place.clone(), "TXT", value.clone()));
        }
        clinic.dns.clear(&place).txt(&place, &value.replace("k=rsa", "t=y; k=rsa"));
        Clinic::one(clinic.wrong("dkim").await, Level::Warn, "t=y");
        // over TCP: more than fits a packet
        clinic.dns.clear(&place).txt(&place, &value.replace("k=rsa", &format!("n={}; k=rsa", "x".repeat(700))));
        assert_eq!(clinic.wrong("dkim").await, []);
        std::fs::remove_file(clinic.world.dir.join(".secret/d1.pem")).unwrap();
        let clinic = clinic.sender(&format!("dkim = {BOTH}")).await;
        Clinic::one(clinic.wrong("dkim").await, Level::Fail, "there is no key in");
        let clinic = clinic.sender("").await;
        let finding = Clinic::one(clinic.wrong("dkim").await, Level::Warn, "signs no mail");
        assert!(finding.advice.unwrap().contains("dangol dkim keygen --sender hello"));
    });
}

#[test]
fn spf_that_receivers_do_not_take() {
    on(async {
        let clinic = Clinic::new().await.sender(&format!("dkim = {BOTH}")).await;
        let long: String = (0..11).map(|i| format!("include:s{i}.example ")).collect();
        for i in 0..11 {
            clinic.dns.txt(&format!("s{i}.example"), "v=spf1 -all");
        }
        for (published, level, words, record) in [
            (&[][..], Level::Fail, "there is no SPF record", None),
            (
                &["v=spf1 ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.2 ~all"],
                Level::Fail,
                "2 SPF records",
                Some("v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ~all"),
            ),
            (&["v=spf1 ipv4:192.0.2.1 -all"], Level::Fail, "`ipv4:192.0.2.1` is not a mechanism", None),
            (&["v=spf1 ip4:192.0.2.1/99 -all"], Level::Fail, "is not a mechanism", None),
            (&["v=spf1 include:nowhere.example -all"], Level::Fail, "nowhere.example, which has no SPF record", None),
            (&["v=spf1 include:haru.example -all"], Level::Fail, "more than 10 look-ups", None),
            (&[&format!("v=spf1 {long}-all")], Level::Fail, "more than 10 look-ups", None),
            (&["v=spf1 +all"], Level::Fail, "lets anybody send", Some("v=spf1 ~all")),
            (&["v=spf1 a mx"], Level::Warn, "says nothing of everybody else", Some("v=spf1 a mx ~all")),
        ] {
            clinic.dns.clear("haru.example").mx("haru.example", "mx.haru.example");
            for text in published {
                clinic.dns.txt("haru.example", text);
            }
            let finding = Clinic::one(clinic.wrong("spf").await, level, words);
            assert_eq!(finding.record.map(|record| record.value).as_deref(), record, "{words}");
        }
    });
}

#[test]
fn dmarc_that_is_missing_or_not_aligned() {
    on(async {
        let clinic = Clinic::new().await;
        let place = "_dmarc.haru.example";
        for (published, level, words) in [
            (&[][..], Level::Fail, "there is no DMARC record"),
            (
                &["v=DMARC1; p=none; rua=mailto:a@b.example", "v=DMARC1; p=none"],
                Level::Fail,
                "there are 2 DMARC records",
            ),
            (&["v=DMARC1"], Level::Fail, "names no policy"),
            (&["v=DMARC1; p=never"], Level::Fail, "is no policy"),
            (&["v=DMARC1; p=none"], Level::Warn, "p=none"),
        ] {
            clinic.dns.clear(place);
            for text in published {
                clinic.dns.txt(place, text);
            }
            let record = Clinic::one(clinic.wrong("dmarc").await, level, words).record.unwrap();
            assert!(record.name == place && record.value.starts_with("v=DMARC1; p=none; rua=mailto:"), "{record:?}");
        }
        clinic.dns.clear(place).txt(place, "v=DMARC1; p=reject; aspf=s");
        let found = clinic.look().await;
        let dmarc = found.iter().find(|finding| finding.area == "dmarc").unwrap();
        assert!(dmarc.level == Level::Ok && dmarc.found.contains("SPF that of another domain"), "{dmarc:?}");
        // nothing carries the name: not signed, and bounces come back elsewhere
        clinic.dns.txt("bounces.elsewhere.example", "v=spf1 -all").mx("bounces.elsewhere.example", "mx.haru.example");
        let clinic = clinic.sender("bounce = \"bounces.elsewhere.example\"").await;
        Clinic::one(clinic.wrong("dmarc").await, Level::Fail, "neither DKIM nor SPF");
    });
}

#[test]
fn what_mail_leans_on() {
    on(async {
        let clinic = Clinic::new().await;
        clinic.dns.clear("haru.example").clear("mail.haru.example").clear("bounces.haru.example");
        clinic.dns.txt("haru.example", "v=spf1 ~all").mx("bounces.haru.example", ".");
        clinic.dns.txt("bounces.haru.example", "v=spf1 ~all");
        let found = clinic.wrong("mx").await;
        assert!(found.len() == 2 && found.iter().all(|finding| finding.level == Level::Fail), "{found:#?}");
        Clinic::one(clinic.wrong("site").await, Level::Fail, "has no address in DNS");
        Clinic::one(
            clinic.wrong("unsubscribe").await,
            Level::Fail,
            "shows no button".replace("shows", "show").as_str(),
        );
        for (ahead, level) in [("10s", Level::Warn), ("1h", Level::Fail)] {
            clinic.world.later(ahead);
            Clinic::one(clinic.wrong("clock").await, level, "s ahead");
        }
        let text = clinic.world.dir.join("dangol.toml");
        let without = std::fs::read_to_string(&text).unwrap().replace("phone = \"02-000-0000\"\n", "");
        let without = without.replace(&clinic.world.relay(), "smtp://127.0.0.1:1");
        let world = clinic.world.file(&clinic.t, "dangol.toml", &without).await;
        let clinic = Clinic { world, ..clinic };
        let law = Clinic::one(clinic.wrong("law").await, Level::Fail, "[site] has no `phone`");
        assert!(law.advice.unwrap().contains("phone ="));
        Clinic::one(clinic.wrong("relay").await, Level::Fail, "cannot connect to 127.0.0.1:1");
    });
}

#[test]
fn without_dns_it_says_so_and_holds_nothing_against_anybody() {
    on(async {
        let clinic = Clinic::new().await;
        // a port on which nobody listens
        let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options = Options { sender: Some("hello".into()), resolver: Some(nobody), ntp: "127.0.0.1:1".into() };
        let found = run(&clinic.world.app, &options).await.unwrap();
        for finding in &found {
            let dns = ["dkim", "spf", "dmarc", "mx", "site"].contains(&finding.area);
            assert!(!dns || (finding.level == Level::Warn && finding.found.contains("not known: ")), "{finding:?}");
            assert_ne!(finding.level, Level::Fail, "{finding:?}");
        }
        let options = Options { sender: Some("helo".into()), ..options };
        let wrong = run(&clinic.world.app, &options).await.unwrap_err().to_string();
        assert!(wrong.contains("did you mean `hello`?"), "{wrong}");
    });
}
