//! Campaigns with a trigger and campaigns of several steps: who comes in, what happens to them there, and that each step
//! and each grant happens once, whatever goes wrong meanwhile.

mod budget;
mod changed;
mod crash;
mod entering;
mod events;
mod holdout;
mod restored;
mod steps;
mod stopped;

use crate::support::TestDb;
use crate::world::{World, people, take};
use dangol::args;
use dangol::campaign::control::{Action, control};
use dangol::import::Kind;

/// Whoever has bought lately.
pub const RECENT: &str = "where = \"days_since('order') <= 10\"\n";
/// Whoever has ever bought.
pub const BUYERS: &str = "where = \"count('order') >= 1\"\n";
/// One mail to whoever begins to buy.
pub const THANKS: &str = "holdout = \"0%\"\nsend = \"j/one\"\n[trigger]\nenters = \"buyers\"\n";
/// Two mails, two weeks apart.
pub const TWO: &str = "holdout = \"0%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nid = \"one\"\nsend = \"j/one\"\n\
    [[step]]\nid = \"two\"\nwait = \"14d\"\nsend = \"j/two\"\n";

/// A world with `n` customers, templates `j/one` to `j/three`, and segments of buyers.
pub async fn world(t: &TestDb, n: usize) -> World {
    let world = World::new(t, take).await;
    for name in ["one", "two", "three"] {
        let text = format!("---\nsubject = \"{name}\"\n---\n{name} to {{{{honorific}}}}\n");
        crate::world::write(&world.dir, &format!("templates/j/{name}.txt"), &text);
    }
    crate::world::write(&world.dir, "segments/recent.toml", RECENT);
    let world = world.file(t, "segments/buyers.toml", BUYERS).await;
    world.customers(&people(n)).await;
    world
}

/// What a campaign's file says beside its topic and sender.
pub async fn campaign(world: World, t: &TestDb, name: &str, text: &str) -> World {
    let head = if text.contains("topic =") { "" } else { "topic = \"newsletter\"\n" };
    world.file(t, &format!("campaigns/{name}.toml"), &format!("{head}sender = \"hello\"\n{text}")).await
}

impl World {
    /// Customers `who` buy now, for 12,000.
    pub async fn buy(&self, who: impl IntoIterator<Item = usize>) {
        let now = self.now();
        let rows: String =
            who.into_iter().map(|i| format!("c{i},{i}-{},{now},12000\n", now.as_millisecond())).collect();
        let report = self.import(Kind::Orders, &format!("customer,order_id,at,amount\n{rows}"), None).await;
        assert_eq!(report.rejected, 0);
    }

    /// Subjects in the order in which they came in, with the part of the address before the `@`.
    pub fn got(&self) -> Vec<String> {
        let all = self.sink.inbox.counts().deliveries;
        let mails = (1..=all).filter_map(|id| self.sink.inbox.mail(id));
        let mut got: Vec<String> = mails
            .map(|mail| {
                let to = mail.envelope.to[0].to_string();
                format!("{} {}", to.split('@').next().unwrap(), mail.subject.trim_start_matches("(광고)").trim())
            })
            .collect();
        got.sort();
        got
    }

    /// The lines of a customer, the oldest first: step, state, reason.
    pub async fn lines(&self, customer: i64) -> Vec<String> {
        let sql = "SELECT step, state, COALESCE(reason, '') FROM message WHERE customer_id = ? ORDER BY id";
        let rows: Vec<(String, String, String)> = self.app.db.all(sql, args![customer]).await.unwrap();
        rows.into_iter().map(|(step, state, reason)| format!("{step} {state} {reason}").trim_end().to_owned()).collect()
    }

    /// Passes of a campaign by state.
    pub async fn passes(&self, name: &str) -> Vec<(String, i64)> {
        let sql = "SELECT e.state, count(*) FROM enrolment e JOIN campaign c ON c.id = e.campaign_id WHERE c.name = ? \
                   GROUP BY e.state ORDER BY e.state";
        self.app.db.all(sql, args![name]).await.unwrap()
    }

    pub async fn state(&self, name: &str) -> String {
        let row: (String,) = self.app.db.one("SELECT state FROM campaign WHERE name = ?", args![name]).await.unwrap();
        row.0
    }

    pub async fn control(&self, name: &str, action: Action) {
        control(&self.app.db, Some(name), action, self.now()).await.unwrap();
    }

    /// The ledger of rewards, which must balance.
    pub async fn ledger(&self) -> crate::reward::Shop {
        let settings = (*self.app.settings()).clone();
        let shop = crate::reward::Shop { db: self.app.db.clone(), settings };
        shop.audit().await;
        shop
    }
}

/// Pairs as they are read.
pub fn pairs(of: &[(&str, i64)]) -> Vec<(String, i64)> {
    of.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect()
}
