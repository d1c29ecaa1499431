//! The same file again, half a file, hostile files, and a dry run.

use super::*;

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
        // a key that is told without its address first, and with it later, may meet somebody else's row in between
        let bare = |id: &u8| rows.iter().any(|(other, address, _)| other == id && *address == 0);
        prop_assume!(rows.iter().all(|(id, address, _)| *id == 0 || *address == 0 || !bare(id)));
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

#[test]
fn a_key_stands_for_one_event_whoever_says_it_again() {
    on_both(|t| async move {
        let door = Door::new(t);
        let people = "external_id,email\na,hong@example.com\nb,minji@example.com\n";
        door.with(Kind::Customers, people, |_| {}).await.unwrap();
        let said = |who: &str, kind: &str| format!("customer,kind,at,key\n{who},{kind},2026-01-01,k1\n");
        for (who, kind, expected) in
            [("a", "visit", [1, 1, 0, 0, 0]), ("a", "visit", [1, 0, 0, 1, 0]), ("a", "review", [1, 0, 0, 0, 1])]
        {
            let report = door.with(Kind::Events, &said(who, kind), |_| {}).await.unwrap();
            assert_eq!(counts(&report), expected, "{who} {kind} {report:?}");
        }
        let other = door.with(Kind::Events, &said("b", "visit"), |_| {}).await.unwrap();
        assert!(other.reasons[0].reason.contains("a key stands for one"), "{other:?}");
    });
}
