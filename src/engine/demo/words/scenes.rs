//! The scenes: what each shows, and the command that does the same.

use crate::engine::demo::Lang;

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
pub fn scenes(lang: Lang) -> [Scene; 9] {
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
            7,
            ("저절로 가는 단골 보답", "A reward that goes out by itself"),
            (
                "새로 단골이 된 분께 꽃잎 500개를 한 번 드립니다. 적립과 메일은 함께 기록되거나 둘 다 기록되지 않으며, 예산을 넘지 않습니다.",
                "Whoever becomes a regular gets 500 petals, once. Points and mail are written together or not at all, and never beyond the budget.",
            ),
            "dangol launch thank-regulars --yes",
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
        scene(
            9,
            ("효과를 부풀리지 않는 보고", "A report that does not flatter"),
            (
                "편지 두 통을 각각 구독자 절반에게만 보냅니다. 한 통은 정말로 주문을 늘리고, 다른 한 통은 아무 효과가 없습니다. 데모는 답을 알지만 Dangol은 모릅니다.",
                "Two letters, each to one half of the readers. One really brings orders, the other nothing. The demo knows which; Dangol does not.",
            ),
            "dangol report invite && dangol report notes",
        ),
    ]
}
