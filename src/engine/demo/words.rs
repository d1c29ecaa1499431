//! What the demo says, in Korean and English: a scene has a title, a sentence before, and the command that does the same
//! in anybody's own workspace; the sentences after hold what was counted.

use super::Lang;
use super::files::grouped;

/// A scene, before it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// As in the demo's list: 1 to 9.
    pub number: u8,
    /// A few words.
    pub title: &'static str,
    /// What is about to be shown, and why it matters.
    pub says: &'static str,
    /// What to type to do the same.
    pub command: &'static str,
}

/// The scenes that this demo plays, in order.
pub fn scenes(lang: Lang) -> [Scene; 7] {
    let scene = |number, title: (&'static str, &'static str), says: (&'static str, &'static str), command| Scene {
        number,
        title: lang.pick(title.0, title.1),
        says: lang.pick(says.0, says.1),
        command,
    };
    [
        scene(
            1,
            ("엑셀에서 나온 파일 그대로", "The file as Excel wrote it"),
            (
                "CP949로 저장된 고객 파일을 그대로 가져옵니다. 잘못된 줄은 이유와 함께 따로 남고, 나머지는 들어갑니다.",
                "Customers come in from a file as Excel saves it. Wrong rows are kept apart with their reasons; the others land.",
            ),
            lang.pick(
                "dangol import customers customers.csv --map 이메일=email --map 고객번호=external_id …",
                "dangol import customers customers.csv",
            ),
        ),
        scene(
            2,
            ("보내기 전에 찾는 오타", "A typo, found before anything is sent"),
            (
                "캠페인 파일에 오타가 하나 있습니다. check가 파일과 줄, 칸, 고칠 말을 알려 줍니다.",
                "A campaign file has a typo. `check` names the file, line and column, and the word that was meant.",
            ),
            "dangol check",
        ),
        scene(
            3,
            ("누가 받고, 누가 왜 받지 않는가", "Who gets it, who does not, and why"),
            (
                "plan은 아무것도 바꾸지 않고, 보내면 일어날 일을 미리 보여 줍니다.",
                "`plan` changes nothing and shows what sending would do.",
            ),
            "dangol plan spring",
        ),
        scene(
            4,
            ("보내는 도중에 죽이기", "Killed half-way"),
            (
                "보내는 프로세스를 도중에 kill -9로 죽이고, 다시 시작합니다. 빠진 사람도, 두 번 받은 사람도 없어야 합니다.",
                "The sending process is killed with kill -9 half-way, and started again. Nobody may be missed, nobody mailed twice.",
            ),
            "dangol launch spring --yes && dangol run --until-idle",
        ),
        scene(
            5,
            ("모든 링크를 누르는 기계", "A machine that clicks everything"),
            (
                "보안 검사기가 2초 안에 모든 링크를 엽니다. 수신거부 링크도 엽니다.",
                "A security scanner opens every link within two seconds, the unsubscribe link too.",
            ),
            "dangol report spring",
        ),
        scene(
            6,
            ("고객의 대답", "A customer answers"),
            (
                "단골 한 분이 메일을 열고, 링크를 누르고, 설문에 답합니다. 점수가 왜 달라졌는지 한 점까지 설명합니다.",
                "A regular opens the mail, clicks and answers its question. Every point of the change is explained.",
            ),
            "dangol why EMAIL",
        ),
        scene(
            8,
            ("아무것도 받지 못한 사람", "The one who got nothing"),
            (
                "홍길동 님은 왜 메일을 받지 못했을까요? why는 보내지 않은 이유도 말합니다.",
                "Why did 홍길동 get nothing? `why` tells the reason for what was not sent, too.",
            ),
            "dangol why EMAIL --campaign spring",
        ),
    ]
}

/// Before the first scene.
pub fn opening(lang: Lang, customers: i64, orders: i64) -> String {
    let (customers, orders) = (grouped(customers), grouped(orders));
    lang.pick(
        format!("하루 정원이라는 가게를 임시 폴더에 만들었습니다: 고객 {customers}명, 두 해 동안의 주문 {orders}건."),
        format!("A shop called Haru Garden stands in a temporary folder: {customers} customers and two years of orders, {orders} of them."),
    )
}

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

/// After scene 3: `left_out` holds each reason with its number.
pub fn planned(lang: Lang, audience: i64, mails: i64, left_out: &[(&str, i64)]) -> String {
    let reasons: Vec<String> = left_out.iter().map(|(reason, n)| format!("{reason} {}", grouped(*n))).collect();
    let reasons = if reasons.is_empty() { lang.pick("없음", "nobody").to_owned() } else { reasons.join(", ") };
    let (audience, mails) = (grouped(audience), grouped(mails));
    lang.pick(
        format!("대상 {audience}명 가운데 {mails}명에게 보냅니다. 받지 않는 사람: {reasons}."),
        format!("Of {audience} in the audience, {mails} get a mail. Left out: {reasons}."),
    )
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
    let [sink, ours, twice, unknown, refused] = [sink, ours, twice, unknown, refused].map(grouped);
    lang.pick(
        format!("받은 서버 {sink}, 우리 기록 {ours}, 두 번 {twice}, 알 수 없음 {unknown} (없는 주소라 거절 {refused})."),
        format!("sink {sink}, ours {ours}, twice {twice}, unknown {unknown} (refused, since there is no such mailbox: {refused})."),
    )
}

/// After scene 5: the change of the score in tenths.
pub fn scanned(lang: Lang, requests: i64, score_change: i64, unsubscribed: i64) -> String {
    let (requests, change, unsubscribed) = (grouped(requests), tenths(score_change), grouped(unsubscribed));
    lang.pick(
        format!("검사기의 요청 {requests}번: 점수 {change}, 수신거부 {unsubscribed}명."),
        format!("{requests} requests by scanners: score {change}, {unsubscribed} unsubscribed."),
    )
}

/// After scene 6: scores in tenths, and what each component moved.
pub fn answered(lang: Lang, name: &str, before: i64, after: i64, points: &[(&str, i64)]) -> String {
    let sum: Vec<String> =
        points.iter().map(|(component, points)| format!("{component} {}", tenths(*points))).collect();
    let (sum, before, after) = (sum.join(", "), plain_tenths(before), plain_tenths(after));
    lang.pick(
        format!("{name} 님: {before}점에서 {after}점. 항목별로 {sum}."),
        format!("{name}: from {before} to {after}. By component: {sum}."),
    )
}

/// After scene 8.
pub fn got_nothing(lang: Lang, name: &str, reason: &str) -> String {
    lang.pick(format!("{name} 님이 받지 못한 이유: {reason}."), format!("Why {name} got nothing: {reason}."))
}

/// At the end.
pub fn closing(lang: Lang, catcher: &str, site: &str, workspace: &str) -> String {
    lang.pick(
        format!(
            "잡아 둔 메일: {catcher}\n상태와 보고서: {site}\n작업 폴더: {workspace}\n이어서 해 볼 것:\n  dangol --workspace {workspace} status\n  dangol --workspace {workspace} report spring\n  dangol init my-shop\nCtrl-C를 누르면 모두 지우고 끝납니다."
        ),
        format!(
            "Mails caught: {catcher}\nStatus and report: {site}\nWorkspace: {workspace}\nTo go on:\n  dangol --workspace {workspace} status\n  dangol --workspace {workspace} report spring\n  dangol init my-shop\nCtrl-C ends the demo and removes it all."
        ),
    )
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
