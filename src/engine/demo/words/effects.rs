//! What is said of scene 9: what was planted, beside what the report says.

use super::table::columns;
use super::{grouped, signed};
use crate::engine::demo::Lang;

/// What a report says of a campaign, beside the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The campaign's name.
    pub campaign: &'static str,
    /// Who were to get it, and of them who ordered.
    pub treated: (i64, i64),
    /// Who were held out, and of them who ordered.
    pub holdout: (i64, i64),
    /// Customers who ordered because of it, and would not have.
    pub planted: i64,
    /// The ends of the report's 95 % interval, in customers who ordered.
    pub range: (i64, i64),
}

impl Measured {
    /// Whether the report claims an effect.
    pub fn claims(&self) -> bool {
        self.range.0 > 0 || self.range.1 < 0
    }

    /// Whether the planted truth lies within the range.
    pub fn holds_the_truth(&self) -> bool {
        (self.range.0..=self.range.1).contains(&self.planted)
    }
}

/// After scene 9.
pub fn measured(lang: Lang, days: i64, all: &[Measured]) -> String {
    let head = lang.pick(["", "받음", "주문", "받지 않음", "주문"], ["", "got it", "ordered", "held out", "ordered"]);
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|one| {
        let numbers = [one.treated.0, one.treated.1, one.holdout.0, one.holdout.1].map(grouped);
        [vec![one.campaign.to_owned()], numbers.to_vec()].concat()
    }));
    let told: Vec<Vec<String>> = all.iter().map(|one| told(lang, one)).collect();
    let note = lang.pick(
        format!(
            "주문은 편지를 보낸 뒤 {days}일 안에 주문한 고객 수입니다. 범위는 95% 신뢰구간으로, 이렇게 잰 범위는 스무 번에\n\
             열아홉 번꼴로 참값을 품습니다. 범위가 0에 걸치면 효과가 있다고 말하지 않습니다."
        ),
        format!(
            "Orders are customers who ordered within {days} days of the letter. The range is a 95 % interval: made in this way,\n\
             19 ranges in 20 hold the truth. Where it reaches across 0, no effect is claimed."
        ),
    );
    format!("{}\n{}\n{note}", columns(&rows), lines(&told))
}

fn told(lang: Lang, one: &Measured) -> Vec<String> {
    let (low, high) = (signed(one.range.0), signed(one.range.1));
    let verdict = match (one.claims(), one.range.0 > 0) {
        (false, _) => lang.pick("아직 근거가 부족함", "not enough evidence"),
        (true, true) => lang.pick("효과 있음", "it brought orders"),
        (true, false) => lang.pick("역효과", "it kept orders away"),
    };
    let planted = signed(one.planted);
    lang.pick(
        vec![
            format!("{}:", one.campaign),
            format!("심어 둔 효과 {planted}건"),
            format!("보고 {low} ~ {high}건"),
            verdict.to_owned(),
        ],
        vec![
            format!("{}:", one.campaign),
            format!("planted effect {planted} orders;"),
            format!("report: {low} to {high}:"),
            verdict.to_owned(),
        ],
    )
}

/// The last column is words, and stands to the left.
fn lines(rows: &[Vec<String>]) -> String {
    let numbers: Vec<Vec<String>> = rows.iter().map(|row| row[..row.len().saturating_sub(1)].to_vec()).collect();
    let aligned = columns(&numbers);
    let whole =
        aligned.lines().zip(rows).map(|(line, row)| format!("{line}  {}", row.last().map_or("", String::as_str)));
    whole.collect::<Vec<String>>().join("\n")
}
