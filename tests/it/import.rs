//! Import: files as they come out of Excel and shops land row by row, twice is once, and hostile ones harm nothing.

use crate::support::{TestDb, on_both, sqlite};
use dangol::args;
use dangol::config::model::Settings;
use dangol::customer::{ErasureKey, erase, find};
use dangol::import::{self, ImportError, Input, Kind, Options, Report};
use dangol::permission::{self, State};
use dangol::types::Timestamp;
use proptest::prelude::*;
use std::io::Read;

fn settings() -> Settings {
    toml::from_str(
        r#"
        [site]
        name = "Haru"
        url = "https://mail.haru.example"
        timezone = "Asia/Seoul"
        locale = "ko"
        currency = "KRW"
        [law]
        profile = "kr"
        [topic.newsletter]
        [topic.offers]
        consent = "soft-opt-in"
        "#,
    )
    .unwrap()
}

fn key() -> ErasureKey {
    ErasureKey::new([7; 32])
}

fn now() -> Timestamp {
    "2026-11-22T03:00:00Z".parse().unwrap()
}

struct Door {
    t: TestDb,
    settings: Settings,
}

impl Door {
    fn new(t: TestDb) -> Door {
        Door { t, settings: settings() }
    }

    async fn with(
        &self,
        kind: Kind,
        bytes: impl AsRef<[u8]>,
        change: impl FnOnce(&mut Options<'_>),
    ) -> Result<Report, ImportError> {
        let path = self.t.dir.path().join("file.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut options = Options::new(&self.settings, key());
        change(&mut options);
        import::run(&self.t.db, kind, Input::Path(path), &options, &mut |_| {}, now()).await
    }

    async fn take(&self, kind: Kind, bytes: impl AsRef<[u8]>) -> Report {
        self.with(kind, bytes, |_| {}).await.unwrap()
    }

    fn rejected(&self) -> String {
        std::fs::read_to_string(self.t.dir.path().join("file.csv.rejected.csv")).unwrap()
    }

    async fn count(&self, table: &str) -> i64 {
        self.t.db.one::<(i64,)>(&format!("SELECT count(*) FROM {table}"), args![]).await.unwrap().0
    }
}

fn counts(report: &Report) -> [u64; 5] {
    [report.rows, report.inserted, report.updated, report.unchanged, report.rejected]
}

fn cp949(text: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding_rs::EUC_KR.encode(text);
    assert!(!lost);
    bytes.into_owned()
}

fn utf16le(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

const KOREAN: &str = "회원번호,이메일,이름,전화,생년월일,등급\r\n\
    1,hong@haru.example,홍길동,010-1234-5678,1990. 3. 3.,VIP\r\n\
    2,kim@예시.한국,\"김민지\r\n(대표)\",=\"0101234\",1985-12-31,\r\n";

#[test]
fn a_file_from_korean_excel_lands_in_any_of_its_encodings() {
    on_both(|t| async move {
        let door = Door::new(t);
        let files: [(Vec<u8>, &str, Option<char>); 5] = [
            (cp949(KOREAN), "CP949", Some(',')),
            (KOREAN.into(), "UTF-8", Some(',')),
            (format!("\u{feff}{KOREAN}").into(), "UTF-8 with BOM", Some(',')),
            (utf16le(&KOREAN.replace(',', "\t")), "UTF-16 LE", Some('\t')),
            (cp949(&KOREAN.replace(',', ";")), "CP949", Some(';')),
        ];
        for (i, (bytes, encoding, delimiter)) in files.into_iter().enumerate() {
            let report = door.take(Kind::Customers, bytes).await;
            let expected = if i == 0 { [2, 2, 0, 0, 0] } else { [2, 0, 0, 2, 0] };
            assert_eq!(counts(&report), expected, "{report:?}");
            assert_eq!((report.encoding, report.delimiter), (encoding, delimiter));
            assert_eq!(report.rejected_file, None);
        }
        let hong = &find(&mut &door.t.db, "1").await.unwrap()[0];
        assert_eq!((hong.name.as_deref(), hong.birthday.unwrap().to_string()), (Some("홍길동"), "1990-03-03".into()));
        assert_eq!(hong.attributes["phone"], "010-1234-5678");
        assert_eq!(hong.attributes["등급"], "VIP");
        assert_eq!(hong.bucket, dangol::types::bucket::bucket(hong.id));
        let kim = &find(&mut &door.t.db, "kim@예시.한국").await.unwrap()[0];
        assert_eq!(kim.name.as_deref(), Some("김민지 (대표)"), "a line break never reaches a name");
        assert_eq!(kim.email.as_ref().unwrap().domain(), "xn--vv4b11d.xn--3e0b707e");
        assert_eq!(kim.attributes["phone"], "0101234");
        assert!(!kim.attributes.contains_key("등급"));
    });
}

#[test]
fn names_of_all_scripts_and_header_injection_come_out_harmless() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file = "email,name,city\n\
            a@haru.example,محمد 🙂,القاهرة\n\
            b@haru.example,\"Bob\r\nBcc: all@evil.example\",x\n\
            c@haru.example,\"tab\there\",\n\
            \"d@haru.example\r\nBcc: x@evil.example\",D,\n\
            e@haru.example,nul\0here,\n";
        let report = door.take(Kind::Customers, file).await;
        assert_eq!(counts(&report), [5, 3, 0, 0, 2], "{report:?}");
        let name = async |who: &str| find(&mut &door.t.db, who).await.unwrap()[0].name.clone().unwrap();
        assert_eq!(name("a@haru.example").await, "محمد 🙂");
        assert_eq!(name("b@haru.example").await, "Bob Bcc: all@evil.example");
        assert_eq!(name("c@haru.example").await, "tab here");
        let rejected = door.rejected();
        assert!(rejected.contains("NUL"), "{rejected}");
        assert_eq!(report.reasons.iter().map(|r| r.line).collect::<Vec<_>>(), [6, 8]);
    });
}

#[test]
fn who_is_meant_follows_the_key_the_address_and_adoption() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "email,name\nA@Haru.Example,Ann\n").await;
        // a new external_id adopts the one known by address only, also within one file
        let report = door.take(Kind::Customers, "external_id,email\nE1,a@haru.example\nE2,a@haru.example\nE3,\n").await;
        assert_eq!(counts(&report), [3, 2, 1, 0, 0], "{report:?}");
        let found = find(&mut &door.t.db, "a@haru.example").await.unwrap();
        assert_eq!(found.len(), 2, "two customers with one address");
        assert_eq!(found[0].name.as_deref(), Some("Ann"));
        // the address alone could mean both
        let report = door.take(Kind::Customers, "email,name\na@haru.example,Who\n").await;
        assert_eq!(counts(&report), [1, 0, 0, 0, 1]);
        assert!(report.reasons[0].reason.starts_with("ambiguous"), "{report:?}");
        // external_id of one, address of another that is known by address only
        door.take(Kind::Customers, "email\nb@haru.example\n").await;
        let report = door.take(Kind::Customers, "external_id,email\nE3,b@haru.example\n").await;
        assert!(report.reasons[0].reason.starts_with("ambiguous"), "{report:?}");
        // the key moves an address
        let report = door.take(Kind::Customers, "external_id,email\nE3,c@haru.example\n").await;
        assert_eq!(counts(&report), [1, 0, 1, 0, 0]);
        // nobody
        let report = door.take(Kind::Customers, "external_id,email,name\n,,Nobody\n").await;
        assert_eq!(counts(&report), [1, 0, 0, 0, 1]);
        // an order that could be of two
        let report =
            door.take(Kind::Orders, "customer,at,amount\na@haru.example,2026-01-01,100\nE1,2026-01-01,100\n").await;
        assert_eq!(counts(&report), [2, 1, 0, 0, 1]);
    });
}

#[test]
fn bad_rows_go_to_a_file_that_excel_opens_and_that_can_be_mended() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file =
            "email,name,note\nnot-an-address,=cmd|'/c calc'!A0,-5\na@haru.example,Ann\nb@haru.example,Bob,fine\n";
        let report = door.take(Kind::Customers, file).await;
        assert_eq!(counts(&report), [3, 1, 0, 0, 2]);
        let text = door.rejected();
        assert!(text.starts_with("\u{feff}email,name,note,line,reason\r\n"), "{text}");
        assert!(text.contains("not-an-address,'=cmd|'/c calc'!A0,'-5,2,`not-an-address` is not"), "{text}");
        assert!(text.contains("a@haru.example,Ann,,3,"), "{text}");
        assert_eq!(
            report.rejected_file.unwrap(),
            door.t.dir.path().join("file.csv.rejected.csv").display().to_string()
        );
        // mended and imported again, the file is itself again
        let mended = text.replace("not-an-address", "c@haru.example");
        let report = door.take(Kind::Customers, mended).await;
        assert_eq!(counts(&report), [2, 2, 0, 0, 0], "{report:?}");
        assert!(!door.t.dir.path().join("file.csv.rejected.csv").exists(), "no stale reasons");
        let c = &find(&mut &door.t.db, "c@haru.example").await.unwrap()[0];
        assert_eq!(c.name.as_deref(), Some("=cmd|'/c calc'!A0"));
        assert_eq!(c.attributes["note"], -5);
        assert!(!c.attributes.contains_key("reason"));
    });
}

#[test]
fn invalid_bytes_reject_the_row_and_not_the_file() {
    on_both(|t| async move {
        let door = Door::new(t);
        let mut bytes = cp949("이메일,이름\na@haru.example,홍길동\n");
        bytes.extend_from_slice(b"b@haru.example,\xff\xff\n");
        bytes.extend_from_slice(&cp949("c@haru.example,김민지 선생님\n"));
        let report = door.take(Kind::Customers, bytes).await;
        assert_eq!((report.encoding, counts(&report)), ("CP949", [3, 2, 0, 0, 1]), "{report:?}");
        assert_eq!(report.reasons[0].line, 3);
    });
}

#[test]
fn columns_that_do_not_fit_end_the_import_with_what_was_found() {
    on_both(|t| async move {
        let door = Door::new(t);
        let wrong = async |kind, file: &str, map: &[(&str, &str)]| {
            let map = map.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            door.with(kind, file, |o| o.map = map).await.unwrap_err().to_string()
        };
        let e = wrong(Kind::Customers, "emial,name\na@b.example,x\n", &[]).await;
        assert!(e.contains("`emial`, `name`") && e.contains("--map \"emial=email\""), "{e}");
        let e = wrong(Kind::Orders, "customer,at\n", &[]).await;
        assert!(e.contains("orders need a column `amount`"), "{e}");
        let e = wrong(Kind::Customers, "이메일,메일\n", &[]).await;
        assert!(e.contains("both look like `email`"), "{e}");
        let e = wrong(Kind::Customers, "email,x\n", &[("y", "name")]).await;
        assert!(e.contains("no column `y`"), "{e}");
        let e = wrong(Kind::Customers, "email,x\n", &[("x", "nmae")]).await;
        assert!(e.contains("did you mean `name`?"), "{e}");
        for empty in ["", "\n\n  \n", "\u{feff}"] {
            let e = wrong(Kind::Customers, empty, &[]).await;
            assert!(e.contains("is empty"), "{e}");
        }
        assert!(wrong(Kind::Customers, "[{\"email\": 1}]", &[]).await.contains("NDJSON"));
        let many = format!("email{}\n", ",x".repeat(50_000));
        assert!(wrong(Kind::Customers, &many, &[]).await.contains("50001 columns"));
        assert_eq!(door.count("import_batch").await, 0, "nothing began");
        let map =
            vec![("Kunde".into(), "email".into()), ("Ort".into(), "attr.city".into()), ("Rest".into(), String::new())];
        let report =
            door.with(Kind::Customers, "Kunde;Ort;Rest\na@haru.example;서울;1\n", |o| o.map = map).await.unwrap();
        assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
        let ours: Vec<Option<&str>> = report.mapping.iter().map(|m| m.ours.as_deref()).collect();
        assert_eq!(ours, [Some("email"), Some("attr.city"), None]);
    });
}

#[test]
fn two_spellings_of_a_column_are_told_apart_when_one_is_ours() {
    on_both(|t| async move {
        let door = Door::new(t);
        let report = door.take(Kind::Customers, "e-mail,email\nold@haru.example,new@haru.example\n").await;
        assert_eq!(counts(&report), [1, 1, 0, 0, 0]);
        let c = &find(&mut &door.t.db, "new@haru.example").await.unwrap()[0];
        assert_eq!(c.attributes["e-mail"], "old@haru.example");
    });
}

#[test]
fn orders_land_once_and_what_differs_later_is_a_correction() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id,email\nE1,a@haru.example\n").await;
        let file = "customer,order_id,at,amount,margin,status,items\n\
            E1,O1,2026. 3. 3. 오후 2:10,\"12,000원\",4000,paid,\"[{\"\"sku\"\":\"\"S1\"\",\"\"name\"\":\"\"씨앗\"\",\"\"quantity\"\":2,\"\"amount\"\":12000}]\"\n\
            a@haru.example,O2,2026-03-04,5000,,,\n\
            E1,O3,2026-03-04,12.5,,,\n\
            E9,O4,2026-03-04,100,,,\n\
            E1,O5,2026-03-04,-100,,,\n\
            E1,O6,2026-03-04,100,,lost,\n\
            E1,O7,2030-03-04,100,,,\n";
        let report = door.take(Kind::Orders, file).await;
        assert_eq!(counts(&report), [7, 2, 0, 0, 5], "{report:?}");
        let reasons: Vec<&str> = report.reasons.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(report.reasons.iter().map(|r| r.line).collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
        for (reason, part) in reasons.iter().zip(["decimals", "--create", "below zero", "no status", "future"]) {
            assert!(reason.contains(part), "{reason}");
        }
        assert_eq!(counts(&door.take(Kind::Orders, file).await), [7, 0, 0, 2, 5]);
        let row: (i64, i64, String, Option<i64>) = door
            .t
            .db
            .one("SELECT at, amount, status, margin FROM purchase WHERE order_key = 'O1'", args![])
            .await
            .unwrap();
        assert_eq!(row, (1_772_514_600_000, 12_000, "paid".into(), Some(4_000)));
        assert_eq!(door.count("order_item").await, 1);

        let later = "customer,order_id,at,amount,status,refunded\nE1,O1,2026-03-03 14:10,12000,returned,12000\nE1,O2,2026-03-04,5000,,\n";
        assert_eq!(counts(&door.take(Kind::Orders, later).await), [2, 0, 1, 1, 0]);
        assert_eq!(counts(&door.take(Kind::Orders, later).await), [2, 0, 0, 2, 0]);
        let events: Vec<(String, String)> =
            door.t.db.all("SELECT kind, data FROM event ORDER BY id", args![]).await.unwrap();
        assert_eq!(events.iter().map(|e| e.0.as_str()).collect::<Vec<_>>(), ["order", "order", "correction"]);
        let data: serde_json::Value = serde_json::from_str(&events[2].1).unwrap();
        assert_eq!(data["changes"]["status"], serde_json::json!({"from": "paid", "to": "returned"}));
        assert_eq!(data["changes"]["refunded"]["to"], 12_000);
        let row: (i64, String, Option<i64>) = door
            .t
            .db
            .one("SELECT refunded, status, margin FROM purchase WHERE order_key = 'O1'", args![])
            .await
            .unwrap();
        assert_eq!(row, (12_000, "returned".into(), Some(4_000)), "what was not said stays");
    });
}

#[test]
fn an_order_told_twice_in_one_file_is_one_order_and_a_correction() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file = "customer,order_id,at,amount,status\nE1,O1,2026-03-03,100,paid\nE1,O1,2026-03-03,100,returned\nE2,O1,2026-03-03,100,paid\n";
        let report = door.with(Kind::Orders, file, |o| o.create = true).await.unwrap();
        assert_eq!(counts(&report), [3, 1, 1, 0, 1], "{report:?}");
        assert!(report.reasons[0].reason.contains("another customer"));
        let data: Vec<(String, String)> =
            door.t.db.all("SELECT kind, data FROM event ORDER BY id", args![]).await.unwrap();
        assert_eq!(data.len(), 2);
        assert!(data[0].1.contains("paid") && data[1].0 == "correction");
        assert_eq!(
            counts(&door.with(Kind::Orders, file.replace("E1,O1,2026-03-03,100,paid\n", ""), |_| {}).await.unwrap())[3],
            1
        );
    });
}

#[test]
fn orders_without_a_number_are_told_apart_by_how_many_came_before() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file =
            "customer_id,date,amount\n1,1997-01-01,29.33\n1,1997-01-01,29.33\n1,1997-01-01,10.00\n2,1997-01-01,29.33\n";
        let options = |o: &mut Options<'_>| {
            o.create = true;
            o.currency = Some("USD".parse().unwrap());
        };
        let report = door.with(Kind::Orders, file, options).await.unwrap();
        assert_eq!(counts(&report), [4, 4, 0, 0, 0], "{report:?}");
        assert_eq!(counts(&door.with(Kind::Orders, file, options).await.unwrap()), [4, 0, 0, 4, 0]);
        let (sum,): (i64,) = door
            .t
            .db
            .one("SELECT CAST(sum(amount) AS BIGINT) FROM purchase WHERE currency = 'USD'", args![])
            .await
            .unwrap();
        assert_eq!(sum, 2_933 * 3 + 1_000);
        assert_eq!(door.count("customer").await, 2);
    });
}

#[test]
fn events_come_as_ndjson_and_our_own_observations_are_refused() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id\nE1\n42\n").await;
        let file = r#"{"customer": "E1", "kind": "visit", "at": "2026-03-03T10:00:00Z", "key": "v1", "data": {"page": "/씨앗", "n": 2}}
{"customer": 42, "kind": "Wishlist.Added", "at": 1772514600000}
{"customer": 42, "kind": "wishlist.added", "at": 1772514600000}
{"customer": "E1", "kind": "open", "at": "2026-03-03"}
{"customer": "E1", "kind": "order", "at": "2026-03-03"}
{"customer": "E1", "kind": "visit", "at": "2026-03-03", "data": {"x": "a\u0000b"}}
{"customer": "E1", "kind": "visit"
["E1"]
{"customer": "E1", "kind": "a b", "at": "2026-03-03"}
"#;
        let report = door.take(Kind::Events, file).await;
        assert_eq!(counts(&report), [9, 3, 0, 0, 6], "{report:?}");
        assert_eq!(counts(&door.take(Kind::Events, file).await), [9, 0, 0, 3, 6]);
        let rejected = door.rejected();
        assert!(
            rejected.starts_with("\u{feff}row,line,reason\r\n") && rejected.contains("Dangol observes itself"),
            "{rejected}"
        );
        let (data,): (String,) =
            door.t.db.one("SELECT data FROM event WHERE dedupe_key = 'event:v1'", args![]).await.unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&data).unwrap()["page"], "/씨앗");
    });
}

#[test]
fn a_withdrawal_outlives_whatever_is_imported_without_a_time_of_its_own() {
    on_both(|t| async move {
        let door = Door::new(t);
        let consent = |o: &mut Options<'_>| o.consent = Some(("newsletter".into(), "checkout".into()));
        let file = "email\na@haru.example\nb@haru.example\n";
        assert_eq!(counts(&door.with(Kind::Customers, file, consent).await.unwrap()), [2, 2, 0, 0, 0]);
        assert_eq!(counts(&door.with(Kind::Customers, file, consent).await.unwrap()), [2, 0, 0, 2, 0]);
        let stand = async |who: &str| {
            let id = find(&mut &door.t.db, who).await.unwrap()[0].id;
            permission::state(&mut &door.t.db, id).await.unwrap()[0].state
        };
        assert_eq!(stand("a@haru.example").await, State::Granted);
        let withdrawn = "customer,topic,state,at\na@haru.example,newsletter,withdrawn,2026-05-01\nb@haru.example,newsleter,granted,\n";
        let report = door.take(Kind::Consents, withdrawn).await;
        assert_eq!(counts(&report), [2, 1, 0, 0, 1]);
        assert!(report.reasons[0].reason.contains("did you mean `newsletter`?"), "{report:?}");
        assert_eq!(stand("a@haru.example").await, State::Withdrawn, "older than the import, and still it holds");
        let report = door.with(Kind::Customers, file, consent).await.unwrap();
        assert_eq!((stand("a@haru.example").await, report.withdrawn_kept), (State::Withdrawn, 0));
        door.take(Kind::Consents, "customer,topic,state\na@haru.example,newsletter,granted\n").await;
        assert_eq!(stand("a@haru.example").await, State::Withdrawn);
        let own = "customer,topic,state,at\na@haru.example,newsletter,granted,2026-06-01\n";
        assert_eq!(counts(&door.take(Kind::Consents, own).await), [1, 1, 0, 0, 0]);
        assert_eq!(stand("a@haru.example").await, State::Granted, "a later act of their own");
        assert_eq!(counts(&door.take(Kind::Consents, own).await), [1, 0, 0, 1, 0]);
        assert_eq!(counts(&door.take(Kind::Consents, withdrawn).await), [2, 0, 0, 1, 1]);
        assert_eq!(stand("a@haru.example").await, State::Granted);
    });
}

#[test]
fn suppressions_are_added_and_never_lifted() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file = "email,reason,until\nA@haru.example,hard_bounce,\nb@haru.example,soft-bounce,2027-01-01\nc@haru.example,bored,\n";
        assert_eq!(counts(&door.take(Kind::Suppressions, file).await), [3, 2, 0, 0, 1]);
        assert_eq!(counts(&door.take(Kind::Suppressions, file).await), [3, 0, 0, 2, 1]);
        assert!(permission::is_suppressed(&mut &door.t.db, "a@haru.example", now()).await.unwrap());
        door.take(Kind::Customers, "email\na@haru.example\n").await;
        assert!(permission::is_suppressed(&mut &door.t.db, "a@haru.example", now()).await.unwrap());
    });
}

#[test]
fn an_erased_person_does_not_come_back_by_import() {
    on_both(|t| async move {
        let door = Door::new(t);
        door.take(Kind::Customers, "external_id,email\nE1,a@haru.example\nE2,b@haru.example\n").await;
        let id = find(&mut &door.t.db, "E1").await.unwrap()[0].id;
        let mut tx = door.t.db.begin().await.unwrap();
        assert!(erase(&mut tx, id, &key(), "test", now()).await.unwrap());
        tx.commit().await.unwrap();
        let erased = |report: &Report| report.reasons.iter().all(|r| r.reason.starts_with("erased"));
        let report = door
            .take(
                Kind::Customers,
                "external_id,email\nE1,new@haru.example\nE7,A@haru.example\n,a@haru.example\nE2,b@haru.example\n",
            )
            .await;
        assert_eq!(counts(&report), [4, 0, 0, 1, 3]);
        assert!(erased(&report), "{report:?}");
        let orders = "customer,at,amount\nE1,2026-01-01,1\na@haru.example,2026-01-01,1\n";
        let report = door.with(Kind::Orders, orders, |o| o.create = true).await.unwrap();
        assert!(report.rejected == 2 && erased(&report), "{report:?}");
        let report = door.take(Kind::Suppressions, "email\na@haru.example\n").await;
        assert!(report.rejected == 1 && erased(&report), "{report:?}");
        // their own sign-up does
        let mut tx = door.t.db.begin().await.unwrap();
        let back = dangol::customer::ensure(&mut tx, &"a@haru.example".parse().unwrap(), "form", now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_ne!(back, id);
        let report = door.take(Kind::Customers, "email,name\na@haru.example,Ann\n").await;
        assert_eq!(counts(&report), [1, 0, 1, 0, 0]);
    });
}

#[test]
fn a_dry_run_shows_and_changes_nothing() {
    on_both(|t| async move {
        let door = Door::new(t);
        let mut file = String::from("email,name\nbad,x\n");
        (0..7).for_each(|n| file.push_str(&format!("p{n}@haru.example,이름{n}\n")));
        let report = door.with(Kind::Customers, &file, |o| o.dry_run = true).await.unwrap();
        assert_eq!(counts(&report), [8, 7, 0, 0, 1]);
        assert_eq!((report.preview.len(), report.batch, report.rejected_file), (5, None, None));
        assert_eq!(report.preview[0], serde_json::json!({"email": "p0@haru.example", "name": "이름0"}));
        assert_eq!(door.count("customer").await + door.count("import_batch").await, 0);
        assert!(!door.t.dir.path().join("file.csv.rejected.csv").exists());
    });
}

#[test]
fn a_file_cut_off_is_imported_again_as_a_whole() {
    on_both(|t| async move {
        let door = Door::new(t);
        let mut file = String::from("customer,at,amount,status\n");
        (0..300).for_each(|n| file.push_str(&format!("E{},2026-01-0{},{},paid\n", n % 7, 1 + n % 3, 100 + n % 2)));
        let create = |o: &mut Options<'_>| o.create = true;
        let cut = &file.as_bytes()[..file.len() / 2 - 3];
        let first = door.with(Kind::Orders, cut, create).await.unwrap();
        let second = door.with(Kind::Orders, &file, create).await.unwrap();
        assert!(first.inserted > 100 && second.unchanged == first.inserted, "{first:?} {second:?}");
        assert_eq!(first.inserted + second.inserted, 300);
        assert_eq!((door.count("purchase").await, door.count("event").await), (300, 300));
    });
}

/// Bytes without an end, and without the memory that they would take.
struct Endless {
    head: &'static [u8],
    body: &'static [u8],
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let from = if self.head.is_empty() { self.body } else { self.head };
        let n = from.len().min(buffer.len()).min(self.left);
        buffer[..n].copy_from_slice(&from[..n]);
        if !self.head.is_empty() {
            self.head = &self.head[n..];
        }
        self.left -= n;
        Ok(n)
    }
}

#[test]
fn a_row_without_an_end_ends_the_import_and_not_the_machine() {
    on_both(|t| async move {
        let door = Door::new(t);
        for (i, (head, body)) in [
            ("email,name\na@haru.example,Ann\n\"", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
            ("{\"email\": \"b@haru.example\"}\n{\"email\": \"", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
            ("email,name\nc@haru.example,Ann\n\"", "홍홍홍홍홍홍홍홍홍홍홍홍"),
        ]
        .into_iter()
        .enumerate()
        {
            let endless = Endless { head: head.as_bytes(), body: body.as_bytes(), left: usize::MAX };
            let options =
                Options { rejected: Some(door.t.dir.path().join("r.csv")), ..Options::new(&door.settings, key()) };
            let input = Input::Reader("pipe".into(), Box::new(endless));
            let result = import::run(&door.t.db, Kind::Customers, input, &options, &mut |_| {}, now()).await;
            let e = result.unwrap_err();
            assert!(matches!(e, ImportError::TooLong { .. }) && e.to_string().contains("1 MB"), "{e}");
            assert_eq!(door.count("customer").await, i as i64 + 1, "rows before it landed");
        }
        // and from the first byte on
        let endless = Endless { head: b"", body: b"z", left: 50_000_000 };
        let options =
            Options { rejected: Some(door.t.dir.path().join("r.csv")), ..Options::new(&door.settings, key()) };
        let input = Input::Reader("pipe".into(), Box::new(endless));
        assert!(import::run(&door.t.db, Kind::Customers, input, &options, &mut |_| {}, now()).await.is_err());
    });
}

#[test]
fn undo_takes_back_what_nothing_has_used_and_says_what_it_kept() {
    on_both(|t| async move {
        let door = Door::new(t);
        let consent = |o: &mut Options<'_>| o.consent = Some(("newsletter".into(), "form".into()));
        let people = door
            .with(Kind::Customers, "email\na@haru.example\nb@haru.example\nc@haru.example\n", consent)
            .await
            .unwrap();
        let orders = door.take(Kind::Orders, "customer,order_id,at,amount\na@haru.example,O1,2026-01-01,5\n").await;
        let more = door.take(Kind::Orders, "customer,order_id,at,amount\na@haru.example,O2,2026-01-02,5\n").await;
        // a reader has seen the first order only
        let (first,): (i64,) = door.t.db.one("SELECT min(id) FROM event", args![]).await.unwrap();
        door.t
            .db
            .execute("INSERT INTO cursor (name, position) VALUES ('relationship', ?)", args![first])
            .await
            .unwrap();
        let undone = import::undo(&door.t.db, more.batch.unwrap(), "test", now()).await.unwrap();
        assert_eq!((undone.events, undone.kept.len()), (1, 0), "{undone:?}");
        let undone = import::undo(&door.t.db, orders.batch.unwrap(), "test", now()).await.unwrap();
        assert_eq!(undone.events, 0);
        assert!(undone.kept[0].contains("1 orders or events stay"), "{undone:?}");
        let undone = import::undo(&door.t.db, people.batch.unwrap(), "test", now()).await.unwrap();
        assert_eq!((undone.customers, undone.consents), (2, 3), "{undone:?}");
        assert_eq!(undone.kept, ["1 customers stay: 1 have events or orders"]);
        assert_eq!((door.count("customer").await, door.count("consent").await), (1, 0));
        assert_eq!(door.count("consent_state").await, 0);
        assert!(matches!(import::undo(&door.t.db, 999, "test", now()).await, Err(ImportError::NoBatch(999))));
        let batches = import::batches(&mut &door.t.db, 10).await.unwrap();
        assert!(batches.len() == 3 && batches.iter().all(|b| b.state == "undone"));
        let blocked = door.take(Kind::Suppressions, "email\nx@haru.example\n").await;
        let undone = import::undo(&door.t.db, blocked.batch.unwrap(), "test", now()).await.unwrap();
        assert_eq!(undone.suppressions, 1);
        assert!(!permission::is_suppressed(&mut &door.t.db, "x@haru.example", now()).await.unwrap());
    });
}

#[test]
fn many_slices_land_with_progress_and_exact_counts() {
    on_both(|t| async move {
        let door = Door::new(t);
        let path = door.t.dir.path().join("many.csv");
        let mut file = String::from("external_id,email,name,city\n");
        (0..12_345).for_each(|n| file.push_str(&format!("E{n},p{n}@haru.example,이름 {n},서울\n")));
        std::fs::write(&path, &file).unwrap();
        let options = Options::new(&door.settings, key());
        for expected in [[12_345, 12_345, 0, 0, 0], [12_345, 0, 0, 12_345, 0]] {
            let mut last = (0, 0);
            let mut steps = 0;
            let mut progress = |p: import::Progress| {
                assert!(p.rows > last.0 && p.total == Some(file.len() as u64));
                last = (p.rows, p.bytes);
                steps += 1;
            };
            let report =
                import::run(&door.t.db, Kind::Customers, Input::Path(path.clone()), &options, &mut progress, now());
            assert_eq!(counts(&report.await.unwrap()), expected);
            assert_eq!(last, (12_345, file.len() as u64));
            assert!(steps > 3);
        }
        let batch = &import::batches(&mut &door.t.db, 1).await.unwrap()[0];
        assert_eq!((batch.state.as_str(), batch.rows, batch.unchanged), ("done", 12_345, 12_345));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever is told of, in whichever order and however often: the same file again makes nobody new and changes nothing
    /// that a third time would not. (Each key keeps its address: a file that contradicts itself has no one meaning.)
    #[test]
    fn the_same_file_twice_is_once(
        rows in proptest::collection::vec((0..5_u8, 0..5_u8, any::<bool>()), 0..40),
        name in "[가-힣a-z,\"=\\n ]{0,6}",
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["external_id", "email", "name"]).unwrap();
        for (id, address, named) in &rows {
            let email = match (id, address) {
                (_, 0) => String::new(),
                (_, 1) => "broken".into(),
                (0, n) => format!("p{}@haru.example", n - 1),
                (id, _) => format!("p{}@haru.example", id.div_ceil(2)),
            };
            let id = if *id == 0 { String::new() } else { format!("E{id}") };
            writer.write_record([id.as_str(), &email, if *named { &name } else { "" }]).unwrap();
        }
        let file = writer.into_inner().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let door = Door::new(sqlite().await);
            let first = door.take(Kind::Customers, &file).await;
            let again = door.take(Kind::Customers, &file).await;
            prop_assert_eq!(first.rows, again.rows);
            prop_assert_eq!(again.inserted, 0);
            let third = door.take(Kind::Customers, &file).await;
            prop_assert_eq!(counts(&again), counts(&third));
            let (people,): (i64,) = door.t.db.one("SELECT count(*) FROM customer", args![]).await.unwrap();
            prop_assert_eq!(people as u64, first.inserted);
            Ok(())
        })?;
    }
}
