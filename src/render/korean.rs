//! Korean particles after any word: 민지는, 준영은; 서울로, 부산으로; 3이, 2가; Naver가, Google이.
//!
//! Which form follows depends on how the word's last syllable ends when it is read aloud. Hangul says so itself; digits
//! are read as Sino-Korean numbers; of Latin words the common loan readings are taken (Google 구글, Apple 애플, Naver
//! 네이버), and short capitals are spelled (KTX 케이티엑스). What cannot be read gets both forms: 은(는).

use unicode_normalization::UnicodeNormalization;

/// How a word ends when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In a vowel: 나.
    Vowel,
    /// In ㄹ: 달.
    Rieul,
    /// In another consonant: 산.
    Consonant,
}

use Ending::{Consonant, Rieul, Vowel};

/// A particle in its two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Josa {
    consonant: String,
    vowel: String,
}

impl Josa {
    /// Reads `은/는`, `는/은`, `(으)로`, `이에요/예요`, `(이)라고` and their like.
    ///
    /// # Errors
    /// What is expected, when it is no such pair.
    pub fn parse(text: &str) -> Result<Josa, String> {
        let wrong = || format!("`{text}` is not a particle in two forms such as `은/는`, `이/가`, `을/를` or `(으)로`");
        let text = text.trim();
        if let Some((start, rest)) = text.strip_prefix('(').and_then(|t| t.split_once(')')) {
            if !matches!(start, "이" | "으") || rest.contains(['/', '(']) || (rest.is_empty() && start != "이") {
                return Err(wrong());
            }
            return Ok(Josa { consonant: format!("{start}{rest}"), vowel: rest.to_owned() });
        }
        let (a, b) = text.split_once('/').ok_or_else(wrong)?;
        let (a, b) = (a.trim(), b.trim());
        let known = |c: &str, v: &str| {
            matches!(
                (c, v),
                ("은", "는")
                    | ("이", "가")
                    | ("을", "를")
                    | ("과", "와")
                    | ("아", "야")
                    | ("이", "")
                    | ("이에요", "예요")
                    | ("이어요", "여요")
                    | ("이었", "였")
            ) || (c.strip_prefix('이') == Some(v) && !v.is_empty())
                || (c.strip_prefix('으') == Some(v) && v.starts_with('로'))
        };
        match (known(a, b), known(b, a)) {
            (true, _) => Ok(Josa { consonant: a.to_owned(), vowel: b.to_owned() }),
            (_, true) => Ok(Josa { consonant: b.to_owned(), vowel: a.to_owned() }),
            _ => Err(wrong()),
        }
    }

    /// The form that follows `word`.
    pub fn after(&self, word: &str) -> String {
        // 로 follows ㄹ as it follows a vowel: 서울로
        let skips_rieul = self.consonant.starts_with("으로");
        match ending(word) {
            Some(Vowel) => self.vowel.clone(),
            Some(Rieul) if skips_rieul => self.vowel.clone(),
            Some(_) => self.consonant.clone(),
            None => match self.consonant.strip_suffix(self.vowel.as_str()) {
                Some(start) if !self.vowel.is_empty() => format!("({start}){}", self.vowel),
                _ if self.vowel.is_empty() => format!("({})", self.consonant),
                _ => format!("{}({})", self.consonant, self.vowel),
            },
        }
    }
}

/// How `word` ends when it is read; `None` when nobody can say.
pub fn ending(word: &str) -> Option<Ending> {
    let word: String = word.nfc().collect();
    let mut word = word.trim_end();
    loop {
        match word.chars().next_back()? {
            '%' | '％' | '℃' | '℉' | '°' => return Some(Vowel), // 퍼센트, 도
            '+' => return Some(Vowel),                          // 플러스
            c if c.is_alphanumeric() => break,
            // what stands in brackets is not read: 김민지(VIP)는
            c @ (')' | ']' | '）' | '］' | '〉' | '》') => {
                let open = match c {
                    ')' => '(',
                    ']' => '[',
                    '）' => '（',
                    '］' => '［',
                    '〉' => '〈',
                    _ => '《',
                };
                let inside = matches!(c, '〉' | '》'); // a title is read
                match word.rfind(open) {
                    Some(at) if !inside && word[..at].chars().any(char::is_alphanumeric) => {
                        word = word[..at].trim_end()
                    }
                    _ => word = word[..word.len() - c.len_utf8()].trim_end(),
                }
            }
            c => word = word[..word.len() - c.len_utf8()].trim_end(),
        }
    }
    let last = word.chars().next_back()?;
    match last {
        '가'..='힣' => Some(match (last as u32 - 0xAC00) % 28 {
            0 => Vowel,
            8 => Rieul,
            _ => Consonant,
        }),
        'ㄹ' => Some(Rieul),
        'ㄱ'..='ㅎ' => Some(Consonant),
        'ㅏ'..='ㅣ' => Some(Vowel),
        '0'..='9' => Some(number(word)),
        '０'..='９' => Some(number(&word.nfkc().collect::<String>())),
        _ => latin(word),
    }
}

fn number(word: &str) -> Ending {
    let start = word
        .rfind(|c: char| !c.is_ascii_digit() && c != ',' && c != '.')
        .map_or(0, |at| at + word[at..].chars().next().map_or(1, char::len_utf8));
    let digits = word[start..].trim_start_matches(['.', ',']);
    let last = |digit: u8| match digit {
        b'1' | b'7' | b'8' => Rieul,        // 일 칠 팔
        b'2' | b'4' | b'5' | b'9' => Vowel, // 이 사 오 구
        _ => Consonant,                     // 영 삼 육
    };
    let end = digits.bytes().next_back().unwrap_or(b'0');
    // after the point, digits are read one by one
    if end != b'0' || digits.contains('.') {
        return last(end);
    }
    let zeros = digits.bytes().rev().filter(|b| *b != b',').take_while(|b| *b == b'0').count();
    if !digits.bytes().any(|b| matches!(b, b'1'..=b'9')) {
        return Consonant; // 영
    }
    match zeros {
        12..=15 | 20..=23 => Vowel, // 조 해
        _ => Consonant,             // 십 백 천 만 억 경
    }
}

fn latin(word: &str) -> Option<Ending> {
    // é is e with an accent
    let plain: String = word.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect();
    let start = plain
        .rfind(|c: char| !c.is_ascii_alphabetic())
        .map_or(0, |at| at + plain[at..].chars().next().map_or(1, char::len_utf8));
    let word = &plain[start..];
    if word.is_empty() {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    let vowels = lower.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    let capitals = word.bytes().all(|b| b.is_ascii_uppercase());
    Some(if word.len() == 1 || !vowels || (capitals && word.len() <= 3) { letter(&lower) } else { read(&lower) })
}

/// How the name of the last letter ends.
fn letter(word: &str) -> Ending {
    match word.as_bytes().last() {
        Some(b'l' | b'r') => Rieul,     // 엘 알
        Some(b'm' | b'n') => Consonant, // 엠 엔
        _ => Vowel,
    }
}

/// How a word that is read as one ends.
fn read(word: &str) -> Ending {
    let bytes = word.as_bytes();
    let back = |n: usize| bytes.len().checked_sub(n).map_or(b' ', |i| bytes[i]);
    let vowel = |b: u8| b"aeiou".contains(&b);
    let ends = |tail: &str| word.ends_with(tail);
    match back(1) {
        b'l' => Rieul,
        b'e' if ends("le") => Rieul,                   // Google, Apple, sale
        b'e' if ends("me") || ends("ne") => Consonant, // home, line
        b'm' | b'n' => Consonant,                      // Amazon, team
        b'g' if ends("ng") => Consonant,               // Samsung, king
        b'b' if ends("mb") => Consonant,               // bomb
        b'b' if ends("hub") => Vowel,                  // 허브
        b'k' if ends("ck") => Consonant,               // Jack
        b'k' if ends("ook") => Consonant,              // Facebook
        // a short vowel before the stop closes the syllable (book, shop, club, music, market), a long one opens
        // another (week, soup, point)
        b'k' | b'p' | b't' | b'b' | b'c' if vowel(back(2)) && (!vowel(back(3)) || back(3) == b'i') => Consonant,
        b'p' if ends("pp") || ends("oup") => Consonant, // app, group
        _ => Vowel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(word: &str, pair: &str) -> String {
        format!("{word}{}", Josa::parse(pair).unwrap().after(word))
    }

    #[test]
    fn hangul_says_it_itself() {
        for (word, pair, expected) in [
            ("민지", "은/는", "민지는"),
            ("준영", "은/는", "준영은"),
            ("민지", "이/가", "민지가"),
            ("준영", "이/가", "준영이"),
            ("사과", "을/를", "사과를"),
            ("귤", "을/를", "귤을"),
            ("민지", "와/과", "민지와"),
            ("준영", "와/과", "준영과"),
            ("민지", "아/야", "민지야"),
            ("준영", "아/야", "준영아"),
            ("서울", "(으)로", "서울로"),
            ("부산", "(으)로", "부산으로"),
            ("제주", "(으)로", "제주로"),
            ("서울", "으로/로", "서울로"),
            ("서울", "으로부터/로부터", "서울로부터"),
            ("부산", "(으)로서", "부산으로서"),
            ("민지", "이에요/예요", "민지예요"),
            ("서울", "이에요/예요", "서울이에요"),
            ("준영", "예요/이에요", "준영이에요"),
            ("민지", "이나/나", "민지나"),
            ("준영", "이나/나", "준영이나"),
            ("준영", "(이)라고", "준영이라고"),
            ("민지", "이라고/라고", "민지라고"),
            ("준영", "이랑/랑", "준영이랑"),
            ("준영", "이/", "준영이"),
            ("민지", "이/", "민지"),
            ("김민지님", "은/는", "김민지님은"),
        ] {
            assert_eq!(with(word, pair), expected);
        }
    }

    #[test]
    fn what_is_not_read_is_passed_over() {
        for (word, expected) in [
            ("민지!", "민지!는"),
            ("준영 🙂", "준영 🙂은"),
            ("'하루'", "'하루'는"),
            ("「봄」", "「봄」은"),
            ("《봄날》", "《봄날》은"),
            ("김민지(VIP)", "김민지(VIP)는"),
            ("(주)하루", "(주)하루는"),
            ("하루[新]", "하루[新]는"),
            ("민지  ", "민지  는"),
            ("\u{1106}\u{1175}\u{11ab}", "\u{1106}\u{1175}\u{11ab}은"),
        ] {
            assert_eq!(with(word, "은/는"), expected);
        }
    }

    #[test]
    fn digits_are_read_as_sino_korean() {
        for (word, expected) in [
            ("0", "0은"),
            ("1", "1은"),
            ("2", "2는"),
            ("3", "3은"),
            ("4", "4는"),
            ("5", "5는"),
            ("6", "6은"),
            ("7", "7은"),
            ("8", "8은"),
            ("9", "9는"),
            ("10", "10은"),
            ("100", "100은"),
            ("1,000", "1,000은"),
            ("10000", "10000은"),
            ("100,000,000", "100,000,000은"),
            ("1000000000000", "1000000000000는"),
            ("3.5", "3.5는"),
            ("1.0", "1.0은"),
            ("50%", "50%는"),
            ("12,000원", "12,000원은"),
            ("iPhone 15", "iPhone 15는"),
            ("2호", "2호는"),
            ("３", "３은"),
        ] {
            assert_eq!(with(word, "은/는"), expected);
        }
        assert_eq!(with("1", "(으)로"), "1로");
        assert_eq!(with("3", "(으)로"), "3으로");
        assert_eq!(with("7", "(으)로"), "7로");
        assert_eq!(with("10", "(으)로"), "10으로");
    }

    #[test]
    fn latin_is_read_as_koreans_read_it() {
        for (word, expected) in [
            ("Google", "Google은"),
            ("Apple", "Apple은"),
            ("Naver", "Naver는"),
            ("Samsung", "Samsung은"),
            ("Kim", "Kim은"),
            ("John", "John은"),
            ("Paul", "Paul은"),
            ("Anna", "Anna는"),
            ("Mike", "Mike는"),
            ("Jane", "Jane은"),
            ("home", "home은"),
            ("Facebook", "Facebook은"),
            ("shop", "shop은"),
            ("club", "club은"),
            ("music", "music은"),
            ("week", "week는"),
            ("David", "David는"),
            ("KTX", "KTX는"),
            ("SMS", "SMS는"),
            ("URL", "URL은"),
            ("IBM", "IBM은"),
            ("HTML", "HTML은"),
            ("A", "A는"),
            ("L", "L은"),
            ("café", "café는"),
            ("Group", "Group은"),
            ("point", "point는"),
        ] {
            assert_eq!(with(word, "은/는"), expected);
        }
        assert_eq!(with("Google", "(으)로"), "Google로");
        assert_eq!(with("Amazon", "(으)로"), "Amazon으로");
        assert_eq!(with("URL", "(으)로"), "URL로");
    }

    #[test]
    fn what_nobody_can_read_gets_both_forms() {
        assert_eq!(with("محمد", "은/는"), "محمد은(는)");
        assert_eq!(with("🙂", "이/가"), "🙂이(가)");
        assert_eq!(with("", "(으)로"), "(으)로");
        assert_eq!(with("山", "이에요/예요"), "山이에요(예요)");
    }

    #[test]
    fn what_is_no_particle_is_refused() {
        for text in ["", "은", "의/의", "x/y", "(가)나", "은/를", "(으)"] {
            assert!(Josa::parse(text).is_err(), "{text}");
        }
    }
}
