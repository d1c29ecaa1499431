//! Why one customer got what they got: every send, skip and deferral, and every point of the score with its evidence.

use super::store;
use crate::config::model::Settings;
use crate::db::Db;
use crate::relationship::{self, Explanation, RelationshipError};
use crate::types::Timestamp;
use crate::types::locale::Locale;
use serde::Serialize;
use std::fmt::Write as _;

/// One message, or one decision that there is none.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Its number, for `dangol message`.
    pub id: i64,
    /// Of which campaign.
    pub campaign: String,
    /// Of which step.
    pub step: String,
    /// Where it stands.
    pub state: String,
    /// Why it stands there.
    pub reason: Option<String>,
    /// The server's words, if it said any.
    pub reply: Option<String>,
    /// Since when; for what waits, until when.
    pub at: Timestamp,
}

/// Everything about one customer that decides what they get.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// The score, taken apart.
    #[serde(flatten)]
    pub score: Explanation,
    /// The messages, the newest first.
    pub messages: Vec<Message>,
}

/// Explains customer `customer`, of all campaigns or one.
///
/// # Errors
/// When there is no such customer, or what the database says.
pub async fn why(
    db: &Db,
    settings: &Settings,
    customer: i64,
    campaign: Option<&str>,
    now: Timestamp,
) -> Result<Why, RelationshipError> {
    let score = relationship::explain(db, settings, customer, now).await?;
    let lines = store::lines(&mut &*db, customer, campaign).await?;
    let messages = lines
        .into_iter()
        .map(|line| Message {
            id: line.id,
            campaign: line.campaign,
            step: line.step,
            at: if matches!(line.state.as_str(), "queued" | "deferred") { line.next_at } else { line.at },
            state: line.state,
            reason: line.reason,
            reply: line.reply,
        })
        .collect();
    Ok(Why { score, messages })
}

impl Why {
    /// As people read it.
    pub fn to_text(&self, locale: &Locale) -> String {
        let ko = locale.language() == "ko";
        let mut text = self.score.to_text(locale);
        // writing to a string cannot fail
        let _ = writeln!(text, "{}", if ko { "메일" } else { "mail" });
        if self.messages.is_empty() {
            let none =
                if ko { "어떤 캠페인의 대상도 아니었습니다" } else { "was in no campaign's audience" };
            let _ = writeln!(text, "           {none}");
        }
        for message in &self.messages {
            let at = message.at.to_zoned(self.score.zone.clone()).strftime("%Y-%m-%d %H:%M");
            let _ = write!(text, "           {at}  {}, {}: {}", message.campaign, message.step, sentence(message, ko));
            if let Some(reply) = &message.reply {
                let _ = write!(text, "  [{reply}]");
            }
            let _ = writeln!(text, "  #{}", message.id);
        }
        text
    }
}

fn sentence(message: &Message, ko: bool) -> String {
    let reason = message.reason.as_deref().unwrap_or_default();
    let said = match (message.state.as_str(), ko) {
        ("queued", false) => "waits for its time".into(),
        ("queued", true) => "때를 기다립니다".into(),
        ("deferred", false) => format!("put off: {reason}"),
        ("deferred", true) => format!("미뤄짐: {reason}"),
        ("claimed" | "transmitting", false) => "is on its way".into(),
        ("claimed" | "transmitting", true) => "보내는 중".into(),
        ("accepted", false) => "sent".into(),
        ("accepted", true) => "보냄".into(),
        ("refused", false) => "refused by the server".into(),
        ("refused", true) => "서버가 거절함".into(),
        ("unknown", false) => format!("nobody knows whether it arrived, so it is not sent again: {reason}"),
        ("unknown", true) => format!("도착 여부를 알 수 없어 다시 보내지 않음: {reason}"),
        ("skipped", false) => format!("not sent: {}", spelled(reason, false)),
        ("skipped", true) => format!("보내지 않음: {}", spelled(reason, true)),
        (state, _) => format!("{state} {reason}"),
    };
    said.trim_end().to_owned()
}

/// A reason of a skip, in words: Korean, or else English.
pub fn spelled(reason: &str, ko: bool) -> &str {
    let words = match reason {
        "no consent" => ("never consented to this topic, or withdrew", "이 주제에 동의하지 않았거나 철회함"),
        "no address" => ("has no address", "메일 주소가 없음"),
        "suppressed" => ("the address is suppressed", "발송 중지된 주소"),
        "holdout" => ("held out, to see what the campaign causes", "효과를 비교하기 위한 대조군"),
        "same address" => ("another customer with this address gets it", "같은 주소의 다른 고객이 받음"),
        "cap" => ("has had enough mail", "메일 한도에 이름"),
        "paused" => ("asked for a pause", "수신을 잠시 멈춤"),
        "expired" => ("its time has passed", "기한이 지남"),
        "expired in quiet hours" => ("its time passed in quiet hours", "야간 시간대에 기한이 지남"),
        "address changed" => ("the address changed while it waited", "대기 중에 메일 주소가 바뀜"),
        "cancelled" => ("the campaign was cancelled", "캠페인이 취소됨"),
        "erased" => ("was erased", "정보가 삭제됨"),
        "when" => ("the step's condition was not true", "단계의 조건에 맞지 않음"),
        "granted" => ("the reward was granted without a mail", "메일 없이 보상만 지급함"),
        "reward: budget" => ("the reward's budget ran short", "보상 예산이 모자람"),
        "reward: ceiling" => ("has had as much of this reward as one customer may", "고객 한 사람의 보상 한도에 이름"),
        "reward: no coupon left" => ("no code of the reward was left", "남은 쿠폰 코드가 없음"),
        other => return other,
    };
    if ko { words.1 } else { words.0 }
}
