//! Coming in by an event.

use super::{campaign, world};
use crate::support::on_both;
use dangol::import::Kind;

const RECEIPT: &str = "topic = \"account\"\nsend = \"j/receipt\"\n[trigger]\nevent = \"order\"\nreenter = \"always\"\n";
const TEXT: &str = "---\nsubject = \"{{event.amount}} {{event.currency}}\"\n---\n{{event.order}} {{event.kind}} \
    {{money event.amount}} {{#each event.items}}[{{this.name}} x{{this.quantity}} {{this.amount}}]{{/each}}\n";

#[test]
fn each_order_has_its_own_receipt_although_two_share_an_address() {
    on_both(async |t| {
        let world = world(&t, 0).await.file(&t, "templates/j/receipt.txt", TEXT).await;
        let world = campaign(world, &t, "receipt", RECEIPT).await;
        world.customers("external_id,email,name\nc1,family@example.com,홍길동\nc2,family@example.com,مريم\n").await;
        world.launch("receipt").await;
        let items =
            r#""[{""sku"":""t1"",""name"":""튤립 구근 🌷"",""category"":""seeds"",""quantity"":2,""amount"":7000}]""#;
        let now = world.now();
        let orders = format!(
            "customer,order_id,at,amount,items\nc1,A-1,{now},12000,{items}\nc2,B-1,{now},12500,\nc1,A-2,{now},500,\n"
        );
        world.import(Kind::Orders, &orders, None).await;
        world.run().await;
        assert_eq!(world.got(), ["family 12000 KRW", "family 12500 KRW", "family 500 KRW"]);
        let all: Vec<_> = (1..=3).filter_map(|id| world.sink.inbox.mail(id)).collect();
        let mail = all.iter().find(|mail| mail.subject.contains("12000")).unwrap();
        let parsed = mail_parser::MessageParser::default().parse(&mail.raw).unwrap();
        let text = parsed.body_text(0).unwrap();
        assert!(text.contains("A-1 order") && text.contains("[튤립 구근 🌷 x2 7000]"), "{text}");
        // the same file again, and a correction of one
        world.import(Kind::Orders, &orders, None).await;
        world.import(Kind::Orders, &orders.replace("12500", "12600"), None).await;
        world.run().await;
        assert_eq!(world.got().len(), 3, "what is told again brings nobody");
        assert_eq!(world.report("receipt").await.assigned.holdout, 0, "none in service mail");
    });
}

#[test]
fn what_happened_before_the_launch_or_is_told_too_late_brings_nobody() {
    on_both(async |t| {
        let text =
            "holdout = \"0%\"\nsend = \"j/one\"\n[trigger]\nevent = \"order\"\nstale = \"2d\"\nreenter = \"always\"\n";
        let world = campaign(world(&t, 6).await, &t, "thanks", text).await;
        world.buy([1]).await;
        world.run().await;
        world.later("1h");
        world.launch("thanks").await;
        world.run().await;
        let order = |who: &str, at: &str, status: &str| {
            format!("customer,order_id,at,amount,status\n{who},{who}-{at},{at},100,{status}\n")
        };
        // told now, and happened before the launch
        world.import(Kind::Orders, &order("c2", "2027-03-02T03:30:00Z", "paid"), None).await;
        world.run().await;
        world.later("5d");
        world.import(Kind::Orders, &order("c3", "2027-03-05T03:00:00Z", "paid"), None).await; // 52 hours ago
        world.import(Kind::Orders, &order("c4", "2027-03-05T05:00:00Z", "paid"), None).await;
        world.import(Kind::Orders, &order("c5", "2027-03-06T05:00:00Z", "cancelled"), None).await;
        world.import(Kind::Orders, &order("c6", "2027-03-06T05:00:00Z", "paid"), None).await;
        world.import(Kind::Orders, &order("c6", "2027-03-06T05:00:00Z", "cancelled"), None).await;
        world.run().await;
        assert_eq!(world.got(), ["reader4 one"]);
    });
}

#[test]
fn an_event_of_another_kind_or_a_second_one_does_nothing() {
    on_both(async |t| {
        let text = "holdout = \"0%\"\nsend = \"j/one\"\n[trigger]\nevent = \"review\"\n";
        let world = campaign(world(&t, 2).await, &t, "thanks", text).await;
        world.launch("thanks").await;
        let now = world.now();
        let event = |who: &str, kind: &str, key: &str| {
            format!("{{\"customer\":\"{who}\",\"kind\":\"{kind}\",\"at\":\"{now}\",\"key\":\"{key}\",\"data\":{{}}}}\n")
        };
        let lines = [event("c1", "review", "a"), event("c1", "review", "b"), event("c2", "visit", "c")].concat();
        world.import(Kind::Events, &lines, None).await;
        world.run().await;
        world.import(Kind::Events, &event("c1", "review", "d"), None).await;
        world.run().await;
        assert_eq!(world.got(), ["reader1 one"]);
    });
}

#[test]
fn a_goal_is_not_reached_by_the_event_that_began_it() {
    on_both(async |t| {
        let text = "holdout = \"0%\"\n[trigger]\nevent = \"order\"\n[goal]\nevent = \"order\"\nwithin = \"30d\"\nexit = true\n\
                    [[step]]\nid = \"one\"\nsend = \"j/one\"\n[[step]]\nid = \"two\"\nwait = \"3d\"\nsend = \"j/two\"\n";
        let world = campaign(world(&t, 2).await, &t, "again", text).await;
        world.launch("again").await;
        world.buy([1, 2]).await;
        world.run().await;
        world.later("1d");
        world.buy([2]).await;
        world.run().await;
        world.later("2d");
        world.run().await;
        assert_eq!(world.got(), ["reader1 one", "reader1 two", "reader2 one"]);
        let passes = world.report("again").await.passes;
        assert_eq!((passes["done"], passes["exited"]), (1, 1));
    });
}
