//! Answers are kept once, and a later one takes the place of an earlier one.

use super::{at, events, mail};
use crate::support::on_both;
use dangol::args;
use dangol::config::model::SurveyKind;
use dangol::track::answer::{self, Answer, Recorded};
use dangol::types::Timestamp;

#[test]
fn an_answer_is_kept_once_and_corrected() {
    on_both(|t| async move {
        let (customer, message) = mail(&t, "홍길동", "accepted").await;
        let said = |answer: &str, comment: Option<&str>| Answer {
            message,
            customer,
            survey: "nps".into(),
            kind: SurveyKind::Nps,
            answer: answer.into(),
            comment: comment.map(str::to_owned),
        };
        let record = async |answer: Answer, minute| answer::record(&t.db, &answer, at(minute, 0)).await.unwrap();
        assert_eq!(record(said("9", Some("좋아요 🙂")), 1).await, Recorded::First);
        assert_eq!(record(said("9", Some("좋아요 🙂")), 2).await, Recorded::Same);
        assert_eq!(record(said("3", None), 3).await, Recorded::Corrected);
        assert_eq!(record(said("4", None), 4).await, Recorded::Corrected);
        let stranger = Answer { customer: customer + 1, ..said("1", None) };
        assert_eq!(record(stranger, 5).await, Recorded::Nobody);

        let found = events(&t).await;
        let kinds: Vec<String> = found.iter().map(|e| format!("{} {}", e.kind, e.data["answer"])).collect();
        assert_eq!(kinds, ["survey_answer \"9\"", "survey_answer \"3\"", "survey_answer \"4\""]);
        assert_eq!(found[0].data["kind"], "nps");
        assert_eq!(found[0].data["comment"], "좋아요 🙂");
        assert!(found[0].data.get("previous").is_none());
        assert_eq!(found[2].data["previous"], "3");
        let row: (String, Option<String>, Timestamp, Timestamp) =
            t.db.one("SELECT answer, comment, at, updated_at FROM survey_answer", args![]).await.unwrap();
        assert_eq!(row, ("4".into(), None, at(1, 0), at(4, 0)));

        t.db.execute("UPDATE customer SET erased_at = 1 WHERE id = ?", args![customer]).await.unwrap();
        assert_eq!(record(said("5", None), 6).await, Recorded::Nobody);
    });
}

#[test]
fn the_example_surveys_are_surveys() {
    for (name, text) in [
        ("nps", include_str!("../../../templates/workspace/surveys/nps.toml")),
        ("taste", include_str!("../../../templates/workspace/surveys/taste.toml")),
    ] {
        let survey: dangol::config::model::Survey = toml::from_str(text).unwrap();
        assert_eq!(answer::possible(&survey).len(), if name == "nps" { 11 } else { 3 });
        assert_eq!(answer::accept(&survey, " 10 ").is_some(), name == "nps");
        assert_eq!(answer::accept(&survey, "11<script>"), None);
    }
    assert_eq!(answer::comment("a\r\nb\u{0}\u{1b}[31m"), Some("a\nb[31m".into()));
    assert_eq!(answer::comment(&"한".repeat(3_000)).unwrap().chars().count(), 2_000);
    assert_eq!(answer::comment(" \r\n "), None);
}
