//! What the demo says, in Korean and English: a scene has a title, a sentence before, and the command that does the same
//! in anybody's own workspace; the sentences after hold what was counted.

mod effects;
mod frame;
mod rewards;
mod scenes;
mod table;

pub use effects::{Measured, measured};
pub use frame::{closing, kept, opening};
pub use rewards::{Budget, Week, budget, ledger, once, refused, week};
pub use scenes::{Scene, scenes};

use super::Lang;
use crate::types::Money;
use crate::types::number::grouped;
use table::columns;

/// After scene 1, for each file.
pub fn imported(lang: Lang, file: &str, encoding: &str, landed: i64, rejected: i64) -> String {
    let (landed, rejected) = (grouped(landed), grouped(rejected));
    lang.pick(
        format!("{file} ({encoding}): {landed}줄이 들어갔고, {rejected}줄은 이유와 함께 남았습니다."),
        format!("{file} ({encoding}): {landed} rows landed, {rejected} were kept apart with their reasons."),
    )
}

/// After scene 2.
pub fn mended(lang: Lang) -> &'static str {
    lang.pick("알려 준 대로 고치니 check가 통과합니다.", "Mended as it said, and `check` passes.")
}

/// After scene 3: `left_out` holds each reason with its number, `promised` what the rewards of this campaign would cost.
pub fn planned(lang: Lang, audience: i64, mails: i64, left_out: &[(&str, i64)], promised: i64) -> String {
    let mut rows = vec![
        vec![lang.pick("대상", "in the audience").to_owned(), grouped(audience)],
        vec![lang.pick("메일을 받음", "get a mail").to_owned(), grouped(mails)],
    ];
    rows.extend(
        left_out.iter().map(|(reason, n)| vec![format!("{}{reason}", lang.pick("제외: ", "left out: ")), grouped(*n)]),
    );
    rows.push(vec![lang.pick("보상으로 나갈 비용", "what its rewards would cost").to_owned(), money(lang, promised)]);
    columns(&rows)
}

/// Within scene 4, when the process is gone.
pub fn killed(lang: Lang, caught: i64) -> String {
    let caught = grouped(caught);
    lang.pick(
        format!("{caught}통이 나간 때에 프로세스를 죽였습니다. 다시 시작합니다."),
        format!("The process was killed when {caught} mails had gone out. It is started again."),
    )
}

/// What scene 4 counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Deliveries that the receiving server counted.
    pub sink: i64,
    /// Messages that the database says were accepted.
    pub ours: i64,
    /// Recipients who got the same mail twice.
    pub twice: i64,
    /// Messages whose fate nobody knows.
    pub unknown: i64,
    /// Refused for good.
    pub refused: i64,
}

/// After scene 4.
pub fn sent(lang: Lang, counts: Sent) -> String {
    let Sent { sink, ours, twice, unknown, refused } = counts;
    let rows = [
        (("메일 서버가 받음", "the mail server got"), sink),
        (("우리 기록: 보냄", "we recorded as sent"), ours),
        (("우리 기록: 알 수 없음", "we recorded as unknown"), unknown),
        (("두 번 받은 사람", "people who got it twice"), twice),
        (("거절됨 (없는 주소)", "refused: no such mailbox"), refused),
    ];
    columns(&rows.map(|((ko, en), n)| vec![lang.pick(ko, en).to_owned(), grouped(n)]))
}

/// After scene 5: the change of the score in tenths.
pub fn scanned(lang: Lang, requests: i64, score_change: i64, unsubscribed: i64) -> String {
    let (requests, change, unsubscribed) = (grouped(requests), tenths(score_change), grouped(unsubscribed));
    lang.pick(
        format!("검사기의 요청 {requests}번: 점수 {change}, 수신거부 {unsubscribed}명."),
        format!("{requests} requests by scanners: score {change}, {unsubscribed} unsubscribed."),
    )
}

/// After scene 6: scores in tenths, each with the points that add up to it.
pub fn answered(lang: Lang, name: &str, before: &[(&str, i64)], after: &[(&str, i64)]) -> String {
    let total = |points: &[(&str, i64)]| plain_tenths(points.iter().map(|(_, points)| points).sum());
    let sum = |points: &[(&str, i64)]| {
        let parts: Vec<String> = points
            .iter()
            .enumerate()
            .map(|(at, (part, points))| {
                let points = if at == 0 { plain_tenths(*points) } else { tenths(*points) };
                format!("{part} {points}")
            })
            .collect();
        format!("{} = {}", parts.join(", "), total(points))
    };
    let (was, is) = (total(before), total(after));
    lang.pick(
        format!("{name} 님: {was}점에서 {is}점.\n  전: {}\n  후: {}", sum(before), sum(after)),
        format!("{name}: from {was} to {is}.\n  before: {}\n  after:  {}", sum(before), sum(after)),
    )
}

/// Within scene 6, when a part has fewer points though nothing speaks against it.
pub fn shared(lang: Lang) -> &'static str {
    lang.pick(
        "  (점수는 100을 넘지 않으므로, 근거가 늘면 다른 항목의 몫이 조금 줄어듭니다.)",
        "  (A score ends at 100: with more that speaks for somebody, the share of what spoke before is smaller.)",
    )
}

/// Where a rejected row stands.
pub fn line(lang: Lang, line: u64) -> String {
    lang.pick(format!("{line}번째 줄"), format!("line {line}"))
}

/// After scene 1: the same file once more.
pub fn again(lang: Lang, changed: i64) -> String {
    let changed = grouped(changed);
    lang.pick(
        format!("customers.csv를 한 번 더 가져와도 달라진 고객은 {changed}명입니다."),
        format!("customers.csv once more: {changed} customers changed by it."),
    )
}

/// Within scene 4, when there are mails whose fate nobody knows.
pub fn of_unknown(lang: Lang, unknown: i64, arrived: i64) -> String {
    lang.pick(
        format!(
            "알 수 없음 {unknown}: 죽는 순간 나가던 메일로, 받은 서버에 {arrived}통이 있습니다. 두 번 보내느니 보내지 않고, 열어 본 것이 확인되면 보낸 것으로 셉니다."
        ),
        format!(
            "Unknown {unknown}: they were on the wire at that moment, and the server has {arrived} of them. They are not sent again; one that is opened is known to have arrived."
        ),
    )
}

/// What people did with the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Mails that a person opened.
    pub opened: i64,
    /// Mails whose pictures a proxy fetched.
    pub proxies: i64,
    /// Mails of which a person followed a link.
    pub clicked: i64,
    /// Who unsubscribed.
    pub unsubscribed: i64,
    /// Orders of the two days after.
    pub bought: i64,
}

/// After scene 5, when people have read.
pub fn read(lang: Lang, read: Read) -> String {
    let Read { opened, proxies, clicked, unsubscribed, bought } = read;
    let [opened, proxies, clicked, unsubscribed, bought] =
        [opened, proxies, clicked, unsubscribed, bought].map(grouped);
    lang.pick(
        format!(
            "그 뒤 이틀 동안 사람이 열어 본 메일 {opened}, 프록시만 연 것 {proxies}, 사람이 누른 메일 {clicked}, 수신거부 {unsubscribed}명, 주문 {bought}건."
        ),
        format!(
            "In the two days after it: {opened} opened by people, {proxies} fetched by proxies, {clicked} clicked by people, {unsubscribed} unsubscribed, {bought} orders."
        ),
    )
}

/// The parts of the score.
pub fn component(lang: Lang, name: &'static str) -> &'static str {
    match name {
        "base" => lang.pick("기본", "base"),
        "buying" => lang.pick("구매", "buying"),
        "engagement" => lang.pick("관심", "engagement"),
        "attitude" => lang.pick("태도", "attitude"),
        other => other,
    }
}

/// Within scene 6: what is new and speaks for the customer.
pub fn evidence(lang: Lang, component: &str, what: &str, detail: &str) -> String {
    let what = match what {
        "survey_answer" => lang.pick("설문에 답함", "answered a question"),
        "open" => lang.pick("메일을 열어 봄", "opened a mail"),
        "click" => lang.pick("링크를 누름", "followed a link"),
        other => other,
    };
    format!("  {}{component}: {what} ({detail})", lang.pick("새 근거, ", "new evidence, "))
}

/// After scene 6: what the others said.
pub fn answers(lang: Lang, mails: i64, answers: i64) -> String {
    let (mails, answers) = (grouped(mails), grouped(answers));
    lang.pick(
        format!("이 질문을 받은 {mails}명 가운데 {answers}명이 답했습니다."),
        format!("Of {mails} who were asked, {answers} answered."),
    )
}

/// After scene 8.
pub fn got_nothing(lang: Lang, name: &str, reason: &str) -> String {
    lang.pick(format!("{name} 님이 받지 못한 이유: {reason}."), format!("Why {name} got nothing: {reason}."))
}

/// `+0`, `+1.5`, `−2`.
fn tenths(n: i64) -> String {
    format!("{}{}", if n < 0 { "−" } else { "+" }, plain_tenths(n.abs()))
}

fn plain_tenths(n: i64) -> String {
    let sign = if n < 0 { "−" } else { "" };
    match (n.unsigned_abs() / 10, n.unsigned_abs() % 10) {
        (whole, 0) => format!("{sign}{whole}"),
        (whole, tenth) => format!("{sign}{whole}.{tenth}"),
    }
}

/// An amount in minor units, as the shop's customers read it.
fn money(lang: Lang, minor: i64) -> String {
    let amount = Money { minor: minor.abs(), currency: lang.currency() };
    let sign = if minor < 0 { "−" } else { "" };
    lang.pick(format!("{sign}{}원", grouped(amount.minor)), format!("{sign}${}", amount.major()))
}

/// `+41`, `0`, `−3`.
fn signed(n: i64) -> String {
    match n {
        0 => "0".to_owned(),
        n => format!("{}{}", if n < 0 { "−" } else { "+" }, grouped(n.abs())),
    }
}
