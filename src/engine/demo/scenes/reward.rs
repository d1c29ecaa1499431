//! Scene 7: whoever becomes a regular is thanked by itself, once, within the budget; one customer's ledger; one refusal.

use super::Say;
use super::scanner::BOUGHT;
use crate::deliver::store::Listed;
use crate::engine::demo::person::{Order, Person};
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::{Lang, till, words, world};
use crate::import::kinds::Landed;
use crate::report::why;
use crate::reward::{self, Amounts, Entry, Kind};
use crate::web::Intake as _;
use anyhow::Context as _;
use jiff::SignedDuration;
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// The night in which the campaign is launched; from the next morning on, orders make regulars.
const LAUNCHED: SignedDuration = SignedDuration::from_hours(133);
/// The night in which the week ends.
pub(super) const ENDED: SignedDuration = SignedDuration::from_hours(302);
/// The morning after, when the week's orders come in.
const MORNING: SignedDuration = SignedDuration::from_hours(312);
/// Points of one gift, as templates/workspace/campaigns/thank-regulars.toml says.
const GIFT: i64 = 500;
/// How many of them the customer of the scene spends.
const SPENT: i64 = 300;

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    // what was bought until now makes nobody enter: whoever is a regular already was one before
    stage.go_to(LAUNCHED);
    till::bring(stage, "orders-before.csv", &till::bought(stage, BOUGHT, LAUNCHED)).await?;
    stage.work(false).await?;
    stage.launch(world::THANKS).await?;
    stage.go_to(MORNING);
    stage.work(false).await?;
    let orders = till::bought(stage, LAUNCHED, ENDED);
    till::bring(stage, "orders-week.csv", &orders).await?;

    // passes, mails and points are there; nothing is sent yet
    stage.work(false).await?;
    let queued = Gifts::of(stage).await?;
    let scores = scores(stage, &queued).await?;
    let caught = stage.catcher.inbox.by_recipient();
    let pending = queued.lines(stage, |lines| granted(lines).iter().all(|line| line.by.pending == GIFT)).await?;
    stage.work(true).await?;
    let gifts = Gifts::of(stage).await?;
    let active = gifts.lines(stage, |lines| lines.iter().any(|line| line.kind == Kind::Activate)).await?;
    let report = stage.report(world::THANKS).await?;

    let ko = stage.lang == Lang::Ko;
    let skipped = |reason: &str| report.skipped.get(reason).copied().unwrap_or(0);
    let left_out: Vec<(String, i64)> = report
        .skipped
        .iter()
        .filter(|(reason, _)| !matches!(reason.as_str(), "holdout" | "reward: budget"))
        .map(|(reason, n)| (why::spelled(reason, ko).to_owned(), *n))
        .collect();
    let week = words::Week {
        entered: gifts.thanked.len() as i64 + report.skipped.values().sum::<i64>(),
        gift: GIFT,
        thanked: gifts.thanked.len() as i64,
        holdout: report.assigned.holdout,
        refused: skipped("reward: budget"),
        left_out,
    };
    say(&words::week(stage.lang, &week));
    let of = |all: &[Listed]| all.iter().filter_map(|one| scores.get(&one.customer).copied()).collect::<Vec<i64>>();
    let budget = words::Budget {
        limit: world::budget(stage.lang),
        used: used(stage).await?,
        gift: GIFT * world::unit(stage.lang),
        lowest: of(&gifts.thanked).into_iter().min().unwrap_or_default(),
        highest: of(&gifts.refused).into_iter().max().unwrap_or_default(),
        pending,
        active,
    };
    say(&words::budget(stage.lang, budget));
    outcome.promise(week.thanked > 0 && week.holdout > 0 && week.refused > 0, || {
        format!("{} were thanked, {} held out, {} refused", week.thanked, week.holdout, week.refused)
    });
    outcome.promise(pending == queued.queued && active == week.thanked && pending == active, || {
        format!("of {} gifts {pending} were pending with their mail, and {active} usable after it", queued.queued)
    });
    outcome.promise(budget.used <= budget.limit && budget.limit - budget.used < budget.gift, || {
        format!("of a budget of {} {} is used, and somebody was refused", budget.limit, budget.used)
    });
    outcome.promise(budget.lowest >= budget.highest, || "a lower score was preferred to a higher one".into());
    outcome.promise(gifts.nobody_twice(), || "somebody was thanked twice".into());

    let (person, customer, order) = gifts.of_the_scene(stage, &orders)?;
    let refusal = spend(stage, person).await?;
    outcome.promise(refusal.is_none(), || refusal.unwrap_or_default());
    let back = Order { status: "returned", refunded: order.amount, ..order.clone() };
    till::bring(stage, "orders-returned.csv", &[(person, back.clone())]).await?;
    stage.work(true).await?;
    let (lines, balance) = reward::entries(&mut &stage.app.db, customer, world::PETALS).await?;
    say(&words::ledger(stage.lang, &person.name, address(person), &lines, &balance));
    outcome.promise(adds_up(&lines, &balance), || format!("the lines do not add up: {balance:?}"));
    outcome.promise(balance.spent == SPENT && balance.active == GIFT - SPENT && balance.reversed > 0, || {
        format!("{SPENT} of {GIFT} were to be spent and an order's points taken back: {balance:?}")
    });
    let (refused, customer) = gifts.one_refused(stage)?;
    let (settings, now) = (stage.app.settings(), stage.clock.now());
    let told = why::why(&stage.app.db, &settings, customer, Some(world::THANKS), now).await?;
    let reason = told.messages.first().and_then(|message| message.reason.clone()).unwrap_or_default();
    say(&words::refused(stage.lang, &refused.name, address(refused), why::spelled(&reason, ko)));
    outcome.promise(reason == "reward: budget", || format!("the reason is `{reason}`"));

    // told again, all of it: nothing may happen twice
    let again: Vec<(&Person, Order)> =
        orders.iter().map(|(p, o)| (*p, if o.id == back.id { back.clone() } else { o.clone() })).collect();
    let before = totals(stage, &orders).await?;
    till::bring(stage, "orders-week.csv", &again).await?;
    let refusal = spend(stage, person).await?;
    outcome.promise(refusal.is_none(), || refusal.unwrap_or_default());
    stage.work(true).await?;
    let after = totals(stage, &orders).await?;
    let twice = before.iter().zip(&after).filter(|(before, after)| before.0 != after.0).count() as i64;
    say(&words::once(stage.lang, twice));
    outcome.promise(twice == 0, || format!("{twice} were given or charged something twice"));
    outcome.promise(after.iter().all(|(_, adds_up)| *adds_up), || "a ledger does not add up".into());
    let now = stage.catcher.inbox.by_recipient();
    let more = |one: &&Listed, than: u64| {
        one.address.as_ref().is_none_or(|to| {
            let [before, after] = [&caught, &now].map(|all| all.get(to).copied().unwrap_or(0));
            after != before + than
        })
    };
    let wrong = gifts.refused.iter().filter(|one| more(one, 0)).count()
        + gifts.thanked.iter().filter(|one| more(one, 1)).count();
    outcome.promise(wrong == 0, || format!("{wrong} did not get one mail for one gift and none for none"));

    outcome.figure("thanked", week.thanked);
    outcome.figure("holdout", week.holdout);
    outcome.figure("refused", week.refused);
    outcome.figure("left_out", json!(report.skipped));
    outcome.figure("pending", pending);
    outcome.figure("active", active);
    outcome.figure("budget", budget.limit);
    outcome.figure("used", budget.used);
    outcome.figure("gift", budget.gift);
    outcome.figure("lowest_thanked", budget.lowest);
    outcome.figure("highest_refused", budget.highest);
    outcome.figure("twice", twice);
    outcome.figure("customer", person.external_id.as_str());
    outcome.figure("balance", json!(balance));
    outcome.figure("lines", json!(lines));
    Ok(outcome)
}

fn address(person: &Person) -> &str {
    person.address.as_ref().map_or("", |address| address.as_str())
}

/// The mails of the campaign.
struct Gifts {
    queued: i64,
    thanked: Vec<Listed>,
    refused: Vec<Listed>,
    waiting: Vec<Listed>,
}

impl Gifts {
    async fn of(stage: &Stage) -> anyhow::Result<Gifts> {
        let (mut thanked, mut refused, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for message in stage.messages(world::THANKS).await? {
            match (message.state.as_str(), message.reason.as_deref()) {
                ("accepted", _) => thanked.push(message),
                ("queued", _) => waiting.push(message),
                (_, Some("reward: budget")) => refused.push(message),
                _ => {}
            }
        }
        for all in [&mut thanked, &mut refused, &mut waiting] {
            all.sort_by_key(|message| message.id);
        }
        Ok(Gifts { queued: waiting.len() as i64, thanked, refused, waiting })
    }

    /// Of how many who were given something the lines are so.
    async fn lines(&self, stage: &Stage, so: impl Fn(&[Entry]) -> bool) -> anyhow::Result<i64> {
        let mut n = 0;
        for one in self.thanked.iter().chain(&self.waiting) {
            let (lines, _) = reward::entries(&mut &stage.app.db, one.customer, world::PETALS).await?;
            n += i64::from(granted(&lines).len() == 1 && so(&lines));
        }
        Ok(n)
    }

    fn nobody_twice(&self) -> bool {
        let customers: HashSet<i64> = self.thanked.iter().map(|one| one.customer).collect();
        customers.len() == self.thanked.len()
    }

    /// Somebody who was thanked and whose order earned points, with the order: a reader of the demo's language, if there
    /// is one.
    fn of_the_scene<'a>(
        &self,
        stage: &'a Stage,
        orders: &[(&'a Person, Order)],
    ) -> anyhow::Result<(&'a Person, i64, Order)> {
        let found = self.thanked.iter().filter_map(|one| {
            let person = stage.shop.by_address(one.address.as_deref()?)?;
            let own = orders.iter().filter(|(buyer, _)| buyer.number == person.number).map(|(_, order)| order);
            Some((person, one.customer, own.max_by_key(|order| order.amount)?.clone()))
        });
        // an order that earned something worth showing
        let best = found.max_by_key(|(person, _, order)| (person.locale == stage.lang.code(), order.amount));
        best.context("nobody was thanked")
    }

    /// Somebody who was refused.
    fn one_refused<'a>(&self, stage: &'a Stage) -> anyhow::Result<(&'a Person, i64)> {
        let person = |one: &Listed| Some((stage.shop.by_address(one.address.as_deref()?)?, one.customer));
        let (ours, others): (Vec<_>, Vec<_>) =
            self.refused.iter().filter_map(person).partition(|(person, _)| person.locale == stage.lang.code());
        ours.into_iter().chain(others).next().context("nobody was refused")
    }
}

/// The grants of the campaign among a customer's lines.
fn granted(lines: &[Entry]) -> Vec<&Entry> {
    lines.iter().filter(|line| line.kind == Kind::Grant && line.rule.starts_with("campaign ")).collect()
}

/// What of this week's budget is used.
async fn used(stage: &Stage) -> anyhow::Result<i64> {
    let all = reward::overview(&stage.app.db, &stage.app.settings(), &[], stage.clock.now()).await?;
    let petals = all.iter().find(|one| one.name == world::PETALS).context("petals are not live")?;
    Ok(petals.used)
}

/// The scores in tenths of those who are to be thanked or were refused.
async fn scores(stage: &Stage, gifts: &Gifts) -> anyhow::Result<HashMap<i64, i64>> {
    let now = stage.clock.now();
    let mut scores = HashMap::new();
    for one in gifts.waiting.iter().chain(&gifts.refused) {
        let score = stage.explain(one.customer, now).await?.score;
        scores.insert(one.customer, (score * 10.0).round() as i64);
    }
    Ok(scores)
}

/// The shop says that points were used, as its program says it to the API; what is wrong, if it is refused.
async fn spend(stage: &Stage, person: &Person) -> anyhow::Result<Option<String>> {
    let landed = stage.app.redeem(&person.external_id, world::PETALS, Some(SPENT), None, "till:4711", None).await?;
    Ok(match landed {
        Landed::Rejected(why) => Some(format!("the redemption was refused: {why}")),
        _ => None,
    })
}

/// Whether each line balances, and all together are the balance.
fn adds_up(lines: &[Entry], balance: &Amounts) -> bool {
    let of = |a: &Amounts| [a.granted, a.pending, a.active, a.spent, a.expired, a.reversed];
    let sum = lines.iter().fold([0; 6], |mut sum, line| {
        sum.iter_mut().zip(of(&line.by)).for_each(|(sum, n)| *sum += n);
        sum
    });
    balance.balance() && lines.iter().all(|line| line.by.balance()) && sum == of(balance)
}

/// The balance of everybody who bought in the week, and whether it is the sum of its lines.
async fn totals(stage: &Stage, orders: &[(&Person, Order)]) -> anyhow::Result<Vec<(Amounts, bool)>> {
    let buyers: std::collections::BTreeMap<usize, &Person> = orders.iter().map(|(p, _)| (p.number, *p)).collect();
    let mut all = Vec::new();
    for person in buyers.into_values() {
        let customer = stage.customer(person).await?;
        let (lines, balance) = reward::entries(&mut &stage.app.db, customer.id, world::PETALS).await?;
        all.push((balance, adds_up(&lines, &balance)));
    }
    Ok(all)
}
