//! Envelope senders: each says which mail it is of, in any case of letters, and none can be made up.

use super::{OLD, SECRET, secret};
use dangol::config::secret::SiteSecret;
use dangol::track::Tokens;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_bounce_says_which_mail_it_is_of(message in 1_i64..=i64::MAX, upper in any::<bool>()) {
        let tokens = Tokens::new(&secret());
        let mut local = tokens.bounce(message);
        prop_assert!(local.len() <= 64 && local.starts_with("b+"), "{}", local);
        prop_assert!(local[2..].bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        if upper {
            local.make_ascii_uppercase();
        }
        let address = format!("{local}@bounces.haru.example");
        prop_assert_eq!(tokens.parse_bounce(&local), Some(message));
        prop_assert_eq!(tokens.parse_bounce(&address), Some(message));
    }

    #[test]
    fn any_letter_changed_is_refused(message in 1_i64..1_000_000, at in any::<prop::sample::Index>(), to in "[a-z2-7]") {
        let tokens = Tokens::new(&secret());
        let local = tokens.bounce(message);
        let place = 2 + at.index(local.len() - 2);
        let mut altered = local.clone();
        altered.replace_range(place..=place, &to);
        prop_assert_eq!(tokens.parse_bounce(&altered).is_some(), altered == local);
        prop_assert_eq!(tokens.parse_bounce(&local[..local.len() - 1]), None);
        let longer = local + "a";
        prop_assert_eq!(tokens.parse_bounce(&longer), None);
    }

    #[test]
    fn nothing_that_comes_in_makes_it_panic(address in "\\PC{0,100}") {
        prop_assert_eq!(Tokens::new(&secret()).parse_bounce(&address), None);
    }
}

#[test]
fn only_what_we_gave_out_is_believed() {
    let tokens = Tokens::new(&secret());
    let stranger = Tokens::new(&SiteSecret::from_lines("another secret of another site, long enough").unwrap());
    assert_eq!(stranger.parse_bounce(&tokens.bounce(7)), None);
    // the link of a pixel knows the same number, under another key
    assert_eq!(tokens.parse_open(&tokens.bounce(7)), None);
    assert_eq!(tokens.parse_bounce(&tokens.bounce(0)), None);
    assert_eq!(tokens.parse_bounce(&tokens.bounce(7).replace("b+", "c+")), None);
    for odd in ["", "b", "b+", "@", "b+@x.example", "hello@haru.example", "b+가나다@x.example"] {
        assert_eq!(tokens.parse_bounce(odd), None, "{odd}");
    }
    // a bounce of a mail that was sent before the secret was changed
    let before = Tokens::new(&SiteSecret::from_lines(OLD).unwrap()).bounce(7);
    let after = Tokens::new(&SiteSecret::from_lines(&format!("{SECRET}\n{OLD}")).unwrap());
    assert_eq!(after.parse_bounce(&before), Some(7));
}
