//! What the demo says before its first scene and after its last.

use super::grouped;
use crate::engine::demo::Lang;

/// Before the first scene.
pub fn opening(lang: Lang, customers: i64, orders: i64) -> String {
    let (customers, orders) = (grouped(customers), grouped(orders));
    lang.pick(
        format!(
            "Dangol은 고객에게 메일을 보내 단골로 만들고, 그 효과를 증명하는 프로그램입니다.\n\
             지금부터 보시는 것은 모두 실제로 일어납니다. 데이터베이스도, 메일 서버도, 웹 요청도 진짜이고, 메일은 이 컴퓨터 밖으로\n\
             나가지 않습니다. 지어낸 것은 사람뿐입니다. 그래서 데모는 한 사람 한 사람의 진실을 알고, Dangol의 말이 맞는지 매번 대조합니다.\n\n\
             가게 이름은 하루 정원: 고객 {customers}명, 2년 동안의 주문 {orders}건. 장면은 아홉 개, 2분이면 끝납니다."
        ),
        format!(
            "Dangol writes to a shop's customers, turns them into regulars, and proves what its letters brought.\n\
             What follows really happens: a real database, a real mail server, real web requests, all on this machine; no mail\n\
             leaves it. Only the people are invented. So the demo knows the truth about each of them, and holds whatever Dangol\n\
             says against it.\n\n\
             The shop is called Haru Garden: {customers} customers, {orders} orders in two years. Nine scenes, two minutes at most."
        ),
    )
}

/// After the last scene.
pub fn kept(lang: Lang, broken: usize) -> String {
    match broken {
        0 => lang
            .pick(
                "모든 약속을 지켰습니다. 빠진 사람도 두 번 받은 사람도 없었고, 기계를 사람으로 세지 않았고, 점수는 한 점까지\n\
                 설명되고, 보상은 예산 안에서 한 번만 나갔고, 효과는 모르면 모른다고 했습니다. 하나라도 어긋났다면 여기에 적혔을 것입니다.",
                "Every promise held: nobody was missed or mailed twice, no machine passed for a person, every point of a score was\n\
                 explained, rewards went out once and within the budget, and no effect was claimed that was not there. Had one of\n\
                 them failed, it would stand here.",
            )
            .to_owned(),
        n => lang.pick(format!("지키지 못한 약속이 {n}개 있습니다."), format!("{n} promises did not hold.")),
    }
}

/// At the end: the page of caught mails, the site, the workspace, and the address of one customer.
pub fn closing(lang: Lang, catcher: &str, site: &str, workspace: &str, customer: &str) -> String {
    let next = format!(
        "  dangol --workspace {workspace} status\n  dangol --workspace {workspace} report invite\n  dangol --workspace {workspace} why {customer}"
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
