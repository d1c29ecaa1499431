//! Files as they come out of Excel, their columns, and the rows that are refused.

use super::*;

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
fn bad_rows_go_to_a_file_that_excel_opens_and_that_can_be_mended() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file =
            "email,name,note\nnot-an-address,=cmd|'/c calc'!A0,-5\na@haru.example,Ann\nb@haru.example,Bob,fine\n";
        let report = door.take(Kind::Customers, file).await;
        assert_eq!(counts(&report), [3, 1, 0, 0, 2]);
        let text = door.rejected();
        assert!(
            text.starts_with("\u{feff}rejected_line,rejected,email,name,note\r\n2,`not-an-address` is not"),
            "{text}"
        );
        assert!(text.contains(",not-an-address,'=cmd|'/c calc'!A0,'-5\r\n"), "{text}");
        assert!(text.contains("\r\n3,\"this row has 2 cells, and the first line has 3: "), "{text}");
        assert!(text.ends_with(",a@haru.example,Ann\r\n"), "{text}");
        assert_eq!(
            report.rejected_file.unwrap(),
            door.t.dir.path().join("file.csv.rejected.csv").display().to_string()
        );
        // mended and imported again, the file is itself again
        let mended = text.replace("not-an-address", "c@haru.example").replace(",Ann\r\n", ",Ann,\r\n");
        let report = door.take(Kind::Customers, mended).await;
        assert_eq!(counts(&report), [2, 2, 0, 0, 0], "{report:?}");
        assert!(!door.t.dir.path().join("file.csv.rejected.csv").exists(), "no stale reasons");
        let c = &find(&mut &door.t.db, "c@haru.example").await.unwrap()[0];
        assert_eq!(c.name.as_deref(), Some("=cmd|'/c calc'!A0"));
        assert_eq!(c.attributes["note"], -5);
        assert!(!c.attributes.contains_key("rejected") && !c.attributes.contains_key("rejected_line"));
    });
}

#[test]
fn a_row_with_too_many_cells_keeps_them_all() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file = "email,name\na@haru.example,Kim, Ann,extra\nb@haru.example,Bob\n";
        assert_eq!(counts(&door.take(Kind::Customers, file).await), [2, 1, 0, 0, 1]);
        let text = door.rejected();
        assert!(text.ends_with(",a@haru.example,Kim, Ann,extra\r\n"), "{text}");
        // as it is it is refused again, by the same words, and loses nothing
        let report = door.take(Kind::Customers, &text).await;
        assert!(report.reasons[0].reason.starts_with("this row has 4 cells, and the first line has 2"), "{report:?}");
        assert!(door.rejected().ends_with(",a@haru.example,Kim, Ann,extra\r\n"));
        let mended = text.replace("Kim, Ann,extra", "\"Kim, Ann\"");
        assert_eq!(counts(&door.take(Kind::Customers, mended).await), [1, 1, 0, 0, 0]);
        assert_eq!(find(&mut &door.t.db, "a@haru.example").await.unwrap()[0].name.as_deref(), Some("Kim, Ann"));
    });
}

#[test]
fn bad_rows_of_ndjson_go_to_ndjson_that_can_be_mended() {
    on_both(|t| async move {
        let door = Door::new(t);
        let file = "{\"email\": \"a@haru.example\", \"name\": \"홍길동\"}\n\
            {\"email\": \"nobody\", \"name\": \"مرحبا\", \"size\": 1.50}\n\
            {\"email\": \"c@haru.example\", \n";
        let report = door.take(Kind::Customers, file).await;
        assert_eq!(counts(&report), [3, 1, 0, 0, 2], "{report:?}");
        let path = door.t.dir.path().join("file.csv.rejected.ndjson");
        assert_eq!(report.rejected_file.unwrap(), path.display().to_string());
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[0]["rejected_line"].as_u64(), lines[1]["rejected_line"].as_u64()), (Some(2), Some(3)));
        assert_eq!(
            (lines[0]["name"].as_str(), lines[1]["row"].as_str()),
            (Some("مرحبا"), Some("{\"email\": \"c@haru.example\","))
        );
        assert!(lines[0]["rejected"].as_str().unwrap().contains("not an e-mail address"), "{text}");
        assert!(text.contains("\"size\": 1.50"), "a number stays as it was written: {text}");
        let mended = text.lines().next().unwrap().replace("\"nobody\"", "\"b@haru.example\"");
        let report = door.take(Kind::Customers, mended).await;
        assert_eq!(counts(&report), [1, 1, 0, 0, 0], "{report:?}");
        let theirs: Vec<&str> = report.mapping.iter().map(|mapped| mapped.theirs.as_str()).collect();
        assert!(!theirs.contains(&"rejected"), "{theirs:?}");
        let c = &find(&mut &door.t.db, "b@haru.example").await.unwrap()[0];
        assert_eq!((c.name.as_deref(), c.attributes.len()), (Some("مرحبا"), 1), "{:?}", c.attributes);
        assert!(!path.exists(), "no stale reasons");
        // without both of our keys these are their own
        let own = "{\"email\": \"d@haru.example\", \"rejected\": \"twice\"}\n";
        door.take(Kind::Customers, own).await;
        assert_eq!(find(&mut &door.t.db, "d@haru.example").await.unwrap()[0].attributes["rejected"], "twice");
    });
}

#[test]
fn what_is_no_text_is_refused_by_what_it_is() {
    on_both(|t| async move {
        let door = Door::new(t);
        for (bytes, words) in [
            (&b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml"[..], "an Excel workbook (xlsx)"),
            (b"PK\x03\x04\x14\0\0\0\0\0photo.jpg", "a ZIP archive"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an old Excel workbook (xls)"),
            (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
            (b"\x1f\x8b\x08\0\0\0", "gunzip FILE"),
            (b"email,na\0me\na@haru.example,x\n", "NUL bytes are in it"),
        ] {
            let e = door.with(Kind::Customers, bytes, |_| {}).await.unwrap_err().to_string();
            assert!(e.contains("file.csv seems to be ") && e.contains(words), "{e}");
        }
        let e = door.with(Kind::Customers, b"PK\x03\x04xl/workbook.xml", |_| {}).await.unwrap_err().to_string();
        assert!(e.contains("save it as CSV"), "{e}");
        assert_eq!(door.count("import_batch").await, 0, "nothing began");
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
