//! An explanation as people read it: points with one decimal, rounded so that they still add up to the score.

use super::explain::{Evidence, Explanation};
use super::score::tenths;
use crate::types::locale::Locale;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

impl Explanation {
    /// The text in the reader's language: Korean, or else English.
    pub fn to_text(&self, locale: &Locale) -> String {
        let ko = locale.language() == "ko";
        let points: Vec<f64> = self.contributions.iter().map(|part| part.points).collect();
        let rounded = tenths(&points);
        let day = |at: jiff::Timestamp| at.to_zoned(self.zone.clone()).date();
        let (score, total) = (decimal(rounded.iter().sum(), false), day(self.as_of));
        let mut text = String::new();
        // writing to a string cannot fail
        let _ = match ko {
            true => writeln!(text, "점수 {score} / 100 ({total} 기준, {})", word(self.lifecycle, true)),
            false => writeln!(text, "score {score} of 100 on {total} ({})", word(self.lifecycle, false)),
        };
        for (part, points) in self.contributions.iter().zip(rounded) {
            let _ = writeln!(text, "{:>7}  {}", decimal(points, part.component != "base"), word(part.component, ko));
            for evidence in &part.evidence {
                let _ = writeln!(text, "{}", line(evidence, day(evidence.at), ko));
            }
            if part.evidence.is_empty() {
                let _ = writeln!(text, "           {}", if ko { "근거 없음" } else { "no evidence" });
            }
            if part.more > 0 {
                let _ = match ko {
                    true => writeln!(text, "           … 외 {}건", part.more),
                    false => writeln!(text, "           … and {} more", part.more),
                };
            }
        }
        let _ = writeln!(text, "{}", if ko { "수신 동의 (점수 없음)" } else { "permission (a gate, no points)" });
        for permission in &self.permission {
            let stopped = if ko { "발송 중지" } else { "no mail" };
            let topic = permission.topic.as_deref().unwrap_or(stopped);
            let _ = writeln!(text, "           {}  {topic}: {}", day(permission.since), word(&permission.state, ko));
        }
        if self.permission.is_empty() {
            let _ = writeln!(text, "           {}", if ko { "동의 없음" } else { "none recorded" });
        }
        text
    }
}

fn line(evidence: &Evidence, day: jiff::civil::Date, ko: bool) -> String {
    let what = word(evidence.what, ko);
    let pad = " ".repeat(28_usize.saturating_sub(what.width()));
    let mut line = format!("           {day}  {what}{pad}");
    if evidence.what != "calibration" {
        let _ = write!(line, " {} {:.2}", if ko { "가중치" } else { "weight" }, evidence.weight);
    }
    if let Some(value) = evidence.value {
        let _ = write!(line, " × {value:.2}");
    }
    if !evidence.detail.is_empty() {
        let _ = write!(line, "  {}", evidence.detail);
    }
    line.trim_end().to_owned()
}

/// Tenths as a decimal: `+3.1`, `-0.4`.
fn decimal(tenths: i64, signed: bool) -> String {
    let sign = match tenths {
        ..0 => "-",
        _ if signed => "+",
        _ => "",
    };
    format!("{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
}

/// Names in English and Korean; what has none is shown as it is.
const WORDS: &[(&str, &str, &str)] = &[
    ("base", "base: where everybody starts", "기본점수: 모두의 출발점"),
    ("buying", "buying", "구매"),
    ("engagement", "engagement with our mail", "메일 반응"),
    ("attitude", "attitude: what they say", "태도: 고객의 말"),
    ("calibration", "calibration", "기준값"),
    ("first_purchase", "first purchase", "첫 구매"),
    ("purchase", "purchase", "구매"),
    ("delivered", "mail, nothing came of it", "메일, 반응 없음"),
    ("unsure_open", "mail opened, by whom is unsure", "메일, 누가 열었는지 모름"),
    ("open", "mail opened", "메일 열어 봄"),
    ("click", "mail clicked", "메일 링크 누름"),
    ("reply", "mail answered by a reply", "메일에 답장"),
    ("survey_answer", "survey answered", "설문 응답"),
    ("order", "mail that led to an order", "메일로 주문"),
    ("referral", "referral", "추천"),
    ("review", "good review", "좋은 후기"),
    ("complaint", "complaint", "불만"),
    ("complaint_resolved", "complaint, resolved in time", "불만, 제때 해결"),
    ("prospect", "prospect", "구매 전"),
    ("new", "new", "신규"),
    ("active", "active", "활동"),
    ("core", "core", "핵심"),
    ("slipping", "slipping", "멀어지는 중"),
    ("lapsed", "lapsed", "떠남"),
    ("won_back", "won back", "돌아옴"),
    ("granted", "granted", "동의"),
    ("pending", "pending", "확인 대기"),
    ("withdrawn", "withdrawn", "철회"),
    ("hard-bounce", "address does not exist", "없는 주소"),
    ("soft-bounce", "mailbox could not take mail", "받을 수 없는 편지함"),
];

fn word(name: &str, ko: bool) -> &str {
    let found = WORDS.iter().find(|(known, ..)| *known == name);
    found.map_or(name, |(_, english, korean)| if ko { korean } else { english })
}
