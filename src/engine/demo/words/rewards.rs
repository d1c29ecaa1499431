//! What is said of scene 7: who was thanked, what the budget held, and one customer's ledger.

use super::table::columns;
use super::{grouped, money, plain_tenths};
use crate::engine::demo::Lang;
use crate::reward::{Amounts, Entry, Kind};

/// What became of those who came into the segment in a week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Week {
    /// Who came in.
    pub entered: i64,
    /// Points of one gift.
    pub gift: i64,
    /// Got the mail and the points.
    pub thanked: i64,
    /// Were held out.
    pub holdout: i64,
    /// Were refused by the budget.
    pub refused: i64,
    /// Got neither for another reason, each with its number.
    pub left_out: Vec<(String, i64)>,
}

/// After the week.
pub fn week(lang: Lang, week: &Week) -> String {
    let Week { entered, gift, thanked, holdout, refused, left_out } = week;
    let mut rows = vec![
        vec![lang.pick(format!("꽃잎 {gift}개를 받음"), format!("thanked with {gift} petals")), grouped(*thanked)],
        vec![
            lang.pick("비교하려고 보내지 않음", "held out, to see what the thanks is worth").to_owned(),
            grouped(*holdout),
        ],
        vec![lang.pick("예산이 모자라 거절됨", "refused, since the budget ran short").to_owned(), grouped(*refused)],
    ];
    let left = lang.pick("제외: ", "left out: ");
    rows.extend(left_out.iter().map(|(reason, n)| vec![format!("{left}{reason}"), grouped(*n)]));
    let entered = grouped(*entered);
    let head = lang.pick(
        format!("한 주 동안 주문이 들어와 {entered}명이 새로 단골이 되었습니다."),
        format!("A week of orders came in, and by them {entered} customers became regulars:"),
    );
    format!("{head}\n{}", columns(&rows))
}

/// What the budget did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Of a week, in minor units.
    pub limit: i64,
    /// Used by what orders earned and by gifts.
    pub used: i64,
    /// What one gift costs.
    pub gift: i64,
    /// The lowest score that was thanked, in tenths.
    pub lowest: i64,
    /// The highest that was refused.
    pub highest: i64,
    /// Grants that waited for their mail.
    pub pending: i64,
    /// Of them, usable after it.
    pub active: i64,
}

/// After the gifts.
pub fn budget(lang: Lang, of: Budget) -> String {
    let [limit, used, left, gift] = [of.limit, of.used, of.limit - of.used, of.gift].map(|minor| money(lang, minor));
    let (lowest, highest) = (plain_tenths(of.lowest), plain_tenths(of.highest));
    let (pending, active) = (grouped(of.pending), grouped(of.active));
    lang.pick(
        format!(
            "메일이 나가기 전에는 {pending}건 모두 대기, 메일이 접수된 뒤 {active}건이 사용 가능.\n\
             주간 예산 {limit} 가운데 {used}을 썼고, 남은 {left}으로는 한 번(1인당 {gift})도 더 드릴 수 없습니다.\n\
             점수가 높은 분부터, 같으면 고객 번호순으로 드립니다.\n\
             받은 분 가운데 가장 낮은 점수 {lowest}, 거절된 분 가운데 가장 높은 점수 {highest}."
        ),
        format!(
            "Before the mail went out all {pending} gifts were pending; when it was accepted, {active} became usable.\n\
             Of the week's budget of {limit}, {used} is used; the {left} left are less than one gift ({gift}).\n\
             By score, then by customer number: the lowest score thanked is {lowest}, the highest refused {highest}."
        ),
    )
}

/// One customer's lines, what they add up to, and the command that shows them.
pub fn ledger(lang: Lang, name: &str, address: &str, lines: &[Entry], balance: &Amounts) -> String {
    let head = lang.pick(
        ["", "적립", "대기", "사용 가능", "사용함", "회수"],
        ["", "granted", "pending", "usable", "spent", "taken back"],
    );
    let cells = |a: &Amounts, show: &dyn Fn(i64) -> String| -> Vec<String> {
        [a.granted, a.pending, a.active, a.spent, a.reversed].map(show).to_vec()
    };
    let moved = |n: i64| match n {
        0 => String::new(),
        n => format!("{}{}", if n < 0 { "−" } else { "+" }, grouped(n.abs())),
    };
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(lines.iter().map(|line| [vec![what(lang, line).to_owned()], cells(&line.by, &moved)].concat()));
    rows.push([vec![lang.pick("합계", "together").to_owned()], cells(balance, &grouped)].concat());
    let said = lang.pick(
        format!("{name} 님은 꽃잎을 쓰고, 나중에 주문 하나를 반품합니다. 어떤 줄도 지우거나 고치지 않습니다:"),
        format!("{name} spends some, and later sends an order back. No line is ever changed or taken out:"),
    );
    let [granted, pending, active, spent, expired, reversed] =
        [balance.granted, balance.pending, balance.active, balance.spent, balance.expired, balance.reversed]
            .map(grouped);
    let sum = lang.pick(
        format!("적립 {granted} = 대기 {pending} + 사용 가능 {active} + 사용함 {spent} + 만료 {expired} + 회수 {reversed}"),
        format!(
            "granted {granted} = pending {pending} + usable {active} + spent {spent} + expired {expired} + taken back {reversed}"
        ),
    );
    format!("$ dangol reward show petals --customer {address}\n{said}\n{}\n  {sum}", columns(&rows))
}

fn what(lang: Lang, line: &Entry) -> &'static str {
    let earned = line.rule.starts_with("earn:");
    match line.kind {
        Kind::Grant if earned => lang.pick("주문 금액의 1%", "1% of an order"),
        Kind::Grant => lang.pick("단골 보답, 메일과 함께", "the thanks, queued with its mail"),
        Kind::Activate if earned => lang.pick("주문 확정", "order confirmed"),
        Kind::Activate => lang.pick("메일 접수됨", "the mail was accepted"),
        Kind::Spend => lang.pick("계산대에서 사용", "spent at the till"),
        Kind::Expire => lang.pick("기간 만료", "expired"),
        Kind::Reverse if earned => lang.pick("주문 반품", "the order was sent back"),
        Kind::Reverse => lang.pick("메일 실패", "the mail fell through"),
        Kind::Cover => lang.pick("부족분 메움", "a debt was filled"),
    }
}

/// Why somebody was refused, and the command that tells it.
pub fn refused(lang: Lang, name: &str, address: &str, reason: &str) -> String {
    lang.pick(
        format!("$ dangol why {address} --campaign thank-regulars\n{name} 님이 받지 못한 이유: {reason}."),
        format!("$ dangol why {address} --campaign thank-regulars\nWhy {name} got nothing: {reason}."),
    )
}

/// When everything was told twice.
pub fn once(lang: Lang, again: i64) -> String {
    let again = grouped(again);
    lang.pick(
        format!(
            "같은 주문 파일과 같은 사용 내역을 한 번 더 넣어도, 두 번 적립되거나 두 번 차감된 것은 {again}건입니다."
        ),
        format!("The same orders and the same spending told once more: {again} given or taken twice."),
    )
}
