//! What a signature costs: `cargo test --test it dkim::speed -- --ignored --nocapture`. Not a test of a duration.

use super::{both, judges};
use dangol::render::dkim::Signer;
use std::time::Instant;

#[test]
#[ignore = "measures, and proves nothing"]
fn microseconds_per_mail() {
    let (name, signed) = judges::shipped().remove(0);
    let text = String::from_utf8(signed).unwrap();
    let bare = &text.as_bytes()[text.find("\r\nFrom: ").unwrap() + 2..];
    for (selector, key) in both() {
        let kind = key.algorithm().name();
        let signer = Signer::new("haru.example", vec![(selector, key)]);
        let n = 400_u32;
        let begin = Instant::now();
        for _ in 0..n {
            let mut mail = bare.to_vec();
            signer.sign(&mut mail, "2025-03-04T03:00:00Z".parse().unwrap()).unwrap();
        }
        let each = begin.elapsed() / n;
        println!("{kind}: {} µs for {name}, {} KB", each.as_micros(), bare.len() / 1024);
    }
}
