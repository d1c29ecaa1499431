//! The rules of the law as data: what is asked, by which article, since when, how it is kept here, and how its wording
//! was checked.
//!
//! Checked on 2026-11-22. Read word for word: the Korean Act and its Enforcement Decree as amended to September 2026,
//! but not the annexes of the decree, which the collection of laws leaves out; Directive 2000/31/EC art. 5; Regulation
//! (EU) 2016/679 art. 21; 15 U.S.C. § 7704(a)(3); 16 CFR § 316.5. What was not is said at each rule by [`Checked`].

use crate::config::model::Profile;

/// One rule of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is asked for.
    pub asks: &'static str,
    /// The law and its article.
    pub source: &'static str,
    /// Since when it has this content.
    pub since: &'static str,
    /// How it is kept here, or that it is not.
    pub kept: &'static str,
    /// How it was checked.
    pub checked: Checked,
}

/// How well a rule is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The article was read word for word.
    Text,
    /// What others say of it was read, and agrees; the article was not.
    Told,
    /// It is written from memory.
    Unverified,
}

use Checked::{Text, Told, Unverified};

/// Korea: the Network Act (정보통신망 이용촉진 및 정보보호 등에 관한 법률) and its Enforcement Decree (시행령). The rules are of
/// Act No. 12681 and Decree No. 25789, both in force since 2014-11-29. Since 2026-10-01 art. 50-9 (Act No. 21500) sets
/// administrative fines of up to 6 % of turnover on breaches of art. 50.
const KR: &[Rule] = &[
    Rule {
        asks: "the subject of an advertising mail begins with (광고)",
        source: "Network Act art. 50(4); Enforcement Decree art. 61(3) and annex 6",
        since: "2014-11-29",
        kept: "the renderer puts `(광고) ` before the subject, once",
        checked: Told,
    },
    Rule {
        asks: "(광고) is written so and not otherwise: no spaces, signs or other brackets to get around filters",
        source: "Enforcement Decree annex 6, as the guides to it tell; Network Act art. 50(5) nos. 1 and 4",
        since: "2014-11-29",
        kept: "`check` refuses [광고], (광 고) and the like",
        checked: Told,
    },
    Rule {
        asks: "the mail names the sender and how to reach them: in the body name, e-mail address, telephone number and postal address",
        source: "Network Act art. 50(4) no. 1; Enforcement Decree art. 61(3) and annex 6",
        since: "2014-11-29",
        kept: "the footer; `check` asks for address and telephone",
        checked: Told,
    },
    Rule {
        asks: "the mail says how to refuse, or to withdraw consent, easily",
        source: "Network Act art. 50(4) no. 2; Enforcement Decree art. 61(3) and annex 6",
        since: "2014-11-29",
        kept: "the 수신거부 link in the footer, in Korean and English, and List-Unsubscribe",
        checked: Text,
    },
    Rule {
        asks: "refusing costs the reader nothing",
        source: "Network Act art. 50(6); Enforcement Decree art. 62",
        since: "2014-11-29",
        kept: "a page, a mail or one click",
        checked: Text,
    },
    Rule {
        asks: "explicit prior consent; none is needed from those who gave their address in a deal, for the same kind of goods, until six months after the deal ended",
        source: "Network Act art. 50(1) no. 1; Enforcement Decree art. 61(1)",
        since: "2014-11-29",
        kept: "the ledger of consent; `soft-opt-in` counts six months from the last order, which is never later than its end. That the goods are of the same kind is for the topic to keep",
        checked: Text,
    },
    Rule {
        asks: "nothing is sent after a refusal or withdrawal, whatever was agreed before",
        source: "Network Act art. 50(2)",
        since: "2014-11-29",
        kept: "at once, until the reader consents again by an act of their own",
        checked: Text,
    },
    Rule {
        asks: "between 21:00 and 08:00 separate consent, but not for e-mail",
        source: "Network Act art. 50(3); Enforcement Decree art. 61(2)",
        since: "2014-11-29",
        kept: "[limits] quiet, as a courtesy",
        checked: Text,
    },
    Rule {
        asks: "within 14 days of consent, refusal or withdrawal the reader is told: the sender's name, what they declared and when, and what was done",
        source: "Network Act art. 50(7); Enforcement Decree art. 62-2",
        since: "2014-11-29",
        kept: "not by itself: send it as service mail",
        checked: Text,
    },
    Rule {
        asks: "every two years from consent the reader is asked whether it holds: the sender's name, that and when they consented, and how to keep or withdraw it",
        source: "Network Act art. 50(8); Enforcement Decree art. 62-3",
        since: "2014-11-29",
        kept: "not by itself: send it as service mail",
        checked: Text,
    },
];

/// European Union. The directives bind the member states, whose laws may ask for more.
const EU: &[Rule] = &[
    Rule {
        asks: "prior consent to direct marketing by e-mail",
        source: "Directive 2002/58/EC art. 13(1)",
        since: "2002-07-31",
        kept: "the ledger of consent",
        checked: Told,
    },
    Rule {
        asks: "a customer who gave the address at a sale may be mailed about the seller's own similar goods, and can refuse then and in each message, easily and free of charge",
        source: "Directive 2002/58/EC art. 13(2)",
        since: "2002-07-31",
        kept: "`soft-opt-in` of a topic; the footer's unsubscribe link",
        checked: Told,
    },
    Rule {
        asks: "the sender's identity is not disguised, and there is a valid address to ask that it stops",
        source: "Directive 2002/58/EC art. 13(4), as amended by Directive 2009/136/EC",
        since: "2009-12-19",
        kept: "the footer's name, address and unsubscribe link",
        checked: Text,
    },
    Rule {
        asks: "the provider's name, geographic address and e-mail address are easily, directly and permanently accessible",
        source: "Directive 2000/31/EC art. 5(1)(a) to (c)",
        since: "2000-07-17",
        kept: "the footer",
        checked: Text,
    },
    Rule {
        asks: "whoever objects to direct marketing gets no more",
        source: "Regulation (EU) 2016/679 art. 21(2) and (3)",
        since: "2018-05-25",
        kept: "at once",
        checked: Text,
    },
    Rule {
        asks: "the right to object is brought to attention by the first communication at the latest, clearly and apart from other information",
        source: "Regulation (EU) 2016/679 art. 21(4)",
        since: "2018-05-25",
        kept: "the footer says it in each mail",
        checked: Text,
    },
    Rule {
        asks: "that consent was given can be shown, and withdrawing it is as easy as giving it",
        source: "Regulation (EU) 2016/679 art. 6(1)(a) and 7(1) and (3)",
        since: "2018-05-25",
        kept: "the ledger of consent with source, text and time; one click",
        checked: Unverified,
    },
];

/// United States: CAN-SPAM.
const US: &[Rule] = &[
    Rule {
        asks: "a clear and conspicuous way to opt out, working for 30 days after sending",
        source: "15 U.S.C. § 7704(a)(3)(A) and (a)(5)(A)(ii)",
        since: "2004-01-01",
        kept: "the footer's unsubscribe link, which never expires",
        checked: Text,
    },
    Rule {
        asks: "who opted out gets nothing more from ten business days on",
        source: "15 U.S.C. § 7704(a)(4)(A)",
        since: "2004-01-01",
        kept: "at once",
        checked: Told,
    },
    Rule {
        asks: "a valid physical postal address of the sender; a registered post office box will do",
        source: "15 U.S.C. § 7704(a)(5)(A)(iii); 16 CFR § 316.2(p)",
        since: "2004-01-01",
        kept: "the footer",
        checked: Told,
    },
    Rule {
        asks: "clear and conspicuous identification as an advertisement",
        source: "15 U.S.C. § 7704(a)(5)(A)(i)",
        since: "2004-01-01",
        kept: "not by itself: say it in the template",
        checked: Told,
    },
    Rule {
        asks: "no identification as an advertisement is needed for those who gave affirmative consent before",
        source: "15 U.S.C. § 7704(a)(5)(B)",
        since: "2004-01-01",
        kept: "the ledger of consent; `soft-opt-in` is no such consent",
        checked: Unverified,
    },
    Rule {
        asks: "opting out takes no fee, nothing but the address, and no more than a reply or one visit to a page",
        source: "16 CFR § 316.5",
        since: "2008-07-07",
        kept: "one page, no login",
        checked: Text,
    },
];

/// The rules of a profile.
pub fn rules(profile: Profile) -> &'static [Rule] {
    match profile {
        Profile::Kr => KR,
        Profile::Eu => EU,
        Profile::Us => US,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_its_source_and_its_day() {
        for profile in [Profile::Kr, Profile::Eu, Profile::Us] {
            for rule in rules(profile) {
                assert!(!rule.source.is_empty() && !rule.kept.is_empty(), "{rule:?}");
                assert!(rule.since.parse::<jiff::civil::Date>().is_ok(), "{rule:?}");
            }
        }
    }
}
