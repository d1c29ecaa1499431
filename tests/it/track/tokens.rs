//! Tokens cannot be forged, open one route only, and outlive a rotation of the secret.

use super::{OLD, SECRET, at, secret};
use dangol::config::secret::SiteSecret;
use dangol::track::Tokens;
use dangol::track::token::ClickToken;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_token_says_what_it_was_made_of(message in any::<i64>(), customer in any::<i64>(), topic in "\\PC{1,40}") {
        let tokens = Tokens::new(&secret());
        prop_assert_eq!(tokens.parse_open(&tokens.open(message)), Some(message));
        let stop = tokens.parse_unsubscribe(&tokens.unsubscribe(message, customer, Some(&topic))).unwrap();
        prop_assert_eq!((stop.message, stop.customer, stop.topic), (message, customer, Some(topic.clone())));
        let survey = tokens.parse_survey(&tokens.survey(message, customer, &topic)).unwrap();
        prop_assert_eq!((survey.message, survey.customer, survey.survey), (message, customer, topic));
    }

    #[test]
    fn any_bit_changed_is_refused(message in 1_i64..1_000_000, at in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let tokens = Tokens::new(&secret());
        let token = tokens.click(message, 3, 9, "https://haru.example/꽃?a=1&b=2").unwrap();
        let mut bytes = token.clone().into_bytes();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let altered = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(tokens.parse_click(&altered), None);
        prop_assert!(tokens.parse_click(&token[..token.len() - 1]).is_none());
        let longer = token + "A";
        prop_assert!(tokens.parse_click(&longer).is_none());
    }

    #[test]
    fn nothing_that_comes_in_makes_it_panic(token in "\\PC{0,200}") {
        let tokens = Tokens::new(&secret());
        prop_assert_eq!(tokens.parse_click(&token), None);
        prop_assert_eq!(tokens.parse_unsubscribe(&token), None);
    }
}

#[test]
fn a_token_opens_one_route_only() {
    let tokens = Tokens::new(&secret());
    let (open, view, preferences) = (tokens.open(5), tokens.view(5), tokens.preferences(5));
    assert!(tokens.parse_view(&open).is_none() && tokens.parse_preferences(&open).is_none());
    assert!(tokens.parse_open(&view).is_none() && tokens.parse_preferences(&view).is_none());
    assert!(tokens.parse_open(&preferences).is_none() && tokens.parse_manage(&preferences, at(0, 0)).is_none());
    let survey = tokens.survey(5, 6, "nps");
    assert!(tokens.parse_unsubscribe(&survey).is_none());
    assert!(tokens.parse_survey(&tokens.unsubscribe(5, 6, Some("nps"))).is_none());
    assert!(open.len() <= 24, "a pixel's token is short: {open}");
}

#[test]
fn old_secrets_verify_and_strangers_do_not() {
    let before = Tokens::new(&SiteSecret::from_lines(OLD).unwrap());
    let after = Tokens::new(&SiteSecret::from_lines(&format!("{SECRET}\n{OLD}\n")).unwrap());
    assert_eq!(after.parse_open(&before.open(9)), Some(9));
    assert_eq!(before.parse_open(&after.open(9)), None, "the first secret signs");
    assert_eq!(Tokens::new(&secret()).parse_open(&before.open(9)), None);
}

#[test]
fn a_manage_link_ends() {
    let tokens = Tokens::new(&secret());
    let token = tokens.manage(5, at(10, 0));
    assert_eq!(tokens.parse_manage(&token, at(10, 0)), Some(5));
    assert_eq!(tokens.parse_manage(&token, at(10, 1)), None);
}

#[test]
fn only_web_addresses_are_redirected_to() {
    let tokens = Tokens::new(&secret());
    for hostile in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>1</script>",
        "https://x.example/\r\nSet-Cookie: a=b",
        "https://x.example/\n",
        "java\tscript:alert(1)",
        "//x.example/",
        "/relative",
        "mailto:a@b.example",
        "http://",
        "",
        "{{url}}",
    ] {
        assert_eq!(tokens.click(1, 1, 1, hostile), None, "{hostile:?}");
    }
    assert_eq!(tokens.click(1, 1, 1, &format!("https://x.example/{}", "가".repeat(2_000))), None);
    let token = tokens.click(4, 2, 9, "https://예시.한국/꽃 씨?q=봄#위").unwrap();
    let expected = "https://xn--vv4b11d.xn--3e0b707e/%EA%BD%83%20%EC%94%A8?q=%EB%B4%84#%EC%9C%84";
    let click = ClickToken { message: 4, link: 2, links: 9, url: expected.into() };
    assert_eq!(tokens.parse_click(&token), Some(click));
}
