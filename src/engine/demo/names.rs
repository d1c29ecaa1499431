//! Names for people who do not exist, each with the Latin letters of an address. Every domain stands under `.example`
//! (RFC 2606), so that no file of the demo can ever reach anybody.

use super::Lang;
use super::random::Random;

/// A name, and what an address makes of it.
pub(super) struct Name {
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) latin: [&'static str; 2],
    pub(super) locale: &'static str,
    pub(super) timezone: &'static str,
}

type Part = (&'static str, &'static str);

const KO_LAST: &[Part] = &[
    ("김", "kim"),
    ("이", "lee"),
    ("박", "park"),
    ("최", "choi"),
    ("정", "jung"),
    ("강", "kang"),
    ("조", "cho"),
    ("윤", "yoon"),
    ("장", "jang"),
    ("임", "lim"),
    ("한", "han"),
    ("오", "oh"),
    ("서", "seo"),
    ("신", "shin"),
    ("권", "kwon"),
    ("황", "hwang"),
    ("안", "ahn"),
    ("송", "song"),
    ("홍", "hong"),
    ("남궁", "namgung"),
];
const KO_FIRST: &[Part] = &[
    ("민지", "minji"),
    ("서연", "seoyeon"),
    ("지우", "jiwoo"),
    ("하은", "haeun"),
    ("수빈", "subin"),
    ("예린", "yerin"),
    ("은지", "eunji"),
    ("지현", "jihyun"),
    ("혜진", "hyejin"),
    ("미경", "mikyung"),
    ("영희", "younghee"),
    ("순자", "soonja"),
    ("길동", "gildong"),
    ("민준", "minjun"),
    ("도윤", "doyun"),
    ("시우", "siwoo"),
    ("주원", "juwon"),
    ("준호", "junho"),
    ("현우", "hyunwoo"),
    ("성민", "sungmin"),
    ("재훈", "jaehoon"),
    ("철수", "chulsoo"),
    ("영수", "youngsoo"),
    ("가람", "garam"),
    ("하늘", "haneul"),
    ("나리", "nari"),
    ("솔", "sol"),
    ("봄", "bom"),
];
const EN_LAST: &[Part] = &[
    ("Hart", "hart"),
    ("Miller", "miller"),
    ("O'Neil", "oneil"),
    ("García", "garcia"),
    ("Nguyen", "nguyen"),
    ("Smith-Jones", "smithjones"),
    ("Walker", "walker"),
    ("Müller", "mueller"),
    ("Brown", "brown"),
    ("Okafor", "okafor"),
    ("Patel", "patel"),
    ("Young", "young"),
    ("Rossi", "rossi"),
    ("Green", "green"),
    ("de Vries", "devries"),
    ("Campbell", "campbell"),
];
const EN_FIRST: &[Part] = &[
    ("Emma", "emma"),
    ("Olivia", "olivia"),
    ("Noah", "noah"),
    ("Liam", "liam"),
    ("Ava", "ava"),
    ("Zoë", "zoe"),
    ("Ethan", "ethan"),
    ("Grace", "grace"),
    ("Jack", "jack"),
    ("José", "jose"),
    ("Ruth", "ruth"),
    ("Henry", "henry"),
    ("Iris", "iris"),
    ("Hazel", "hazel"),
    ("Owen", "owen"),
    ("Lucy", "lucy"),
    ("Theo", "theo"),
    ("Maya", "maya"),
    ("Anne-Marie", "annemarie"),
    ("Kai", "kai"),
];
/// First, last, Latin first, Latin last, locale, zone.
const RTL: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("مريم", "الحسن", "maryam", "alhasan", "ar", "Africa/Cairo"),
    ("يوسف", "خليل", "yusuf", "khalil", "ar", "Asia/Dubai"),
    ("יעל", "כהן", "yael", "cohen", "he", "Asia/Jerusalem"),
    ("پریسا", "رضایی", "parisa", "rezaei", "fa", "Asia/Tehran"),
];
const EMOJI: &[Part] = &[("민지🌱", "minji"), ("하늘☀️", "haneul"), ("Lily 🌷", "lily"), ("👩🏽‍🌾 Ann", "ann")];

const DOMAINS: &[&str] = &["hanbit.example", "gomail.example", "maru.example", "postbox.example", "green.example"];
const IDN_DOMAINS: &[&str] = &["하루.example", "büro.example", "정원.example"];
/// Where a scanner reads first.
pub(super) const OFFICES: &[&str] = &["office.example", "cityhall.example", "school.example"];

/// The name of person `number`: every fiftieth speaks the other language, every hundredth writes from right to left, and
/// every hundredth has an emoji.
pub(super) fn name(lang: Lang, number: usize, random: &mut Random) -> Name {
    match number {
        0 => return lang.pick(korean(&KO_LAST[0], &KO_FIRST[0]), english(&EN_LAST[0], &EN_FIRST[0])),
        1 => return korean(&KO_LAST[18], &KO_FIRST[12]),
        _ => {}
    }
    match number % 100 {
        13 => {
            let (first, last, latin_first, latin_last, locale, timezone) = *random.pick(RTL);
            Name { first, last, latin: [latin_first, latin_last], locale, timezone }
        }
        63 => {
            let (first, latin) = *random.pick(EMOJI);
            let (last, latin_last) = *random.pick(lang.pick(KO_LAST, EN_LAST));
            let base = lang.pick(korean(&("", ""), &("", "")), english(&("", ""), &("", "")));
            Name { first, last, latin: [latin, latin_last], ..base }
        }
        7 | 57 => lang.pick(
            english(random.pick(EN_LAST), random.pick(EN_FIRST)),
            korean(random.pick(KO_LAST), random.pick(KO_FIRST)),
        ),
        _ => lang.pick(
            korean(random.pick(KO_LAST), random.pick(KO_FIRST)),
            english(random.pick(EN_LAST), random.pick(EN_FIRST)),
        ),
    }
}

fn korean(last: &Part, first: &Part) -> Name {
    Name { first: first.0, last: last.0, latin: [first.1, last.1], locale: "ko", timezone: "Asia/Seoul" }
}

fn english(last: &Part, first: &Part) -> Name {
    Name { first: first.0, last: last.0, latin: [first.1, last.1], locale: "en", timezone: "America/New_York" }
}

/// An address that no other person has, since it holds the number.
pub(super) fn address(name: &Name, number: usize, office: bool, random: &mut Random) -> String {
    let [first, last] = name.latin;
    let domain = if office { random.pick(OFFICES) } else { random.pick(DOMAINS) };
    match number {
        1 => "홍길동@하루.example".to_owned(),
        _ if office => format!("{first}.{last}{number}@{domain}"),
        // a local part beyond ASCII needs SMTPUTF8 all the way
        _ if number % 400 == 199 => format!("{}{number}@{}", "정원사", random.pick(IDN_DOMAINS)),
        _ if number % 50 == 21 => format!("{first}{number}@{}", random.pick(IDN_DOMAINS)),
        _ if number.is_multiple_of(3) => format!("{first}.{last}{number}@{domain}"),
        _ if number % 3 == 1 => format!("{last}_{first}{number}@{domain}"),
        // as people type it: the same address in another spelling
        _ => format!("{}{}{number}@{domain}", first.to_uppercase(), last),
    }
}
