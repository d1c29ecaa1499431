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

/// After scene 6: what the others said.
pub fn answers(lang: Lang, mails: i64, answers: i64) -> String {
    let (mails, answers) = (grouped(mails), grouped(answers));
    lang.pick(
        format!("이 질문을 받은 {mails}명 가운데 {answers}명이 답했습니다."),
        format!("Of {mails} who were asked, {answers} answered."),
    )
}

/// After the last scene.
pub fn kept(lang: Lang, broken: usize) -> String {
    match broken {
        0 => lang.pick("모든 약속을 지켰습니다.", "Every promise held.").to_owned(),
        n => lang.pick(format!("지키지 못한 약속이 {n}개 있습니다."), format!("{n} promises did not hold.")),
    }
}

/// After scene 8.
pub fn got_nothing(lang: Lang, name: &str, reason: &str) -> String {
    lang.pick(format!("{name} 님이 받지 못한 이유: {reason}."), format!("Why {name} got nothing: {reason}."))
}

/// At the end: the page of caught mails, the site, the workspace, and the address of one customer.
pub fn closing(lang: Lang, catcher: &str, site: &str, workspace: &str, customer: &str) -> String {
    let next = format!(
        "  dangol --workspace {workspace} status\n  dangol --workspace {workspace} report spring\n  dangol --workspace {workspace} why {customer}"
    );
    lang.pick(
        format!(
            "잡아 둔 메일: {catcher}\n메일의 링크가 가는 곳: {site}\n작업 폴더: {workspace}\n다른 터미널에서 이어서 해 볼 것:\n{next}\n내 가게는 `dangol init my-shop`으로 시작합니다. Ctrl-C를 누르면 모두 지우고 끝납니다."
        ),
        format!(
            "Mails caught: {catcher}\nWhere their links lead: {site}\nWorkspace: {workspace}\nTo go on, in another terminal:\n{next}\nA shop of your own begins with `dangol init my-shop`. Ctrl-C ends the demo and removes it all."
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
