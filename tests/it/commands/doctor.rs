//! `doctor` as a command: its lines, its exit codes, its answer for machines.

use super::{Shop, keys};
use crate::dkim::{put_keys, records};
use crate::fake_dns::FakeDns;

#[test]
fn it_says_what_to_publish_and_ends_with_1_while_something_is_to_mend() {
    let shop = Shop::empty();
    put_keys(shop.dir.path());
    shop.edit("dangol.toml", "reply_to =", "dkim = { selector = \"d1\", key = \".secret/d1.pem\" }\nreply_to =");
    let dns = FakeDns::start();
    let resolver = dns.addr.to_string();
    let look = ["doctor", "--resolver", &resolver, "--ntp", "127.0.0.1:1"];
    let said = shop.run(&look);
    assert_eq!((said.code, said.err.as_str()), (1, ""), "{}", said.out);
    let (place, value) = records().remove(0);
    for words in [
        &format!("fail  dkim         {place}: there is no such record"),
        &format!("        {place}  TXT  {value}\n"),
        &format!("        in a zone file: {place}. IN TXT ( \"v=DKIM1; k=rsa; p="),
        "fail  dmarc        haru.example: there is no DMARC record",
        "        _dmarc.haru.example  TXT  v=DMARC1; p=none; rua=mailto:dmarc@haru.example\n",
        "fail  site         http://127.0.0.1:8080: is this machine",
        "warn  relay        primary: is the built-in catcher",
        "warn  clock        this machine: cannot be compared",
    ] {
        assert!(said.out.contains(words), "{words:?} is not in {}", said.out);
    }
    // as it has to be
    dns.txt(&place, &value).txt("haru.example", "v=spf1 ip4:192.0.2.1 ~all").mx("haru.example", "mx.haru.example");
    dns.txt("_dmarc.haru.example", "v=DMARC1; p=reject").address("mx.haru.example", "192.0.2.5");
    dns.address("mail.haru.example", "2001:db8::6");
    shop.edit("dangol.toml", "http://127.0.0.1:8080", "https://mail.haru.example");
    let answer = shop.json(&look);
    assert_eq!(keys(&answer), ["findings", "ok", "warn", "fail"]);
    assert_eq!((answer["fail"].as_u64(), answer["warn"].as_u64()), (Some(0), Some(2)), "{answer:#}");
    assert_eq!(keys(&answer["findings"][0]), ["level", "area", "subject", "found", "advice", "record"]);
    shop.run(&["doctor", "--sender", "helo"]).failed("did you mean `hello`?");
    shop.run(&["doctor", "--resolver", "dns.example"]).misused("--resolver");
}
