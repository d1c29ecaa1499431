//! What people buy while the story goes on, as the till writes it: files that come in through the import.

use super::scenes::import;
use super::stage::Stage;
use super::{Effect, Person, files, purchases_after};
use crate::engine::demo::person::Order;
use crate::import::{Kind, Report};
use jiff::SignedDuration;

/// The midnight after the story begins, which is at ten in the morning: from then on people buy.
pub(super) const OPENS: SignedDuration = SignedDuration::from_hours(14);
/// Days of the story in which people buy.
const DAYS: u16 = 20;

/// Orders with those who placed them.
pub(super) type Bought<'a> = Vec<(&'a Person, Order)>;

/// What people buy between two moments of the story by themselves, whatever they are sent.
pub(super) fn bought(stage: &Stage, from: SignedDuration, to: SignedDuration) -> Bought<'_> {
    let at = |after| stage.begins.saturating_add(after).unwrap_or(stage.begins);
    let (from, to) = (at(from), at(to));
    let nothing = Effect { occasion: "nothing", lift: 0 };
    let all = stage.shop.people.iter().flat_map(|person| {
        let purchases = purchases_after(stage.lang, person, false, nothing, at(OPENS), DAYS);
        purchases.into_iter().map(move |purchase| (person, purchase.order))
    });
    all.filter(|(_, order)| from <= order.at && order.at < to).collect()
}

/// What a letter makes `person` buy within `days` days from `from`, beyond what they buy by themselves.
pub(super) fn caused(
    stage: &Stage,
    person: &Person,
    effect: Effect<'_>,
    from: SignedDuration,
    days: u16,
) -> Option<Order> {
    let from = stage.begins.saturating_add(from).unwrap_or(stage.begins);
    let purchases = purchases_after(stage.lang, person, true, effect, from, days);
    purchases.into_iter().find(|purchase| purchase.planted).map(|purchase| purchase.order)
}

/// Writes the file `name` and imports it.
pub(super) async fn bring(stage: &Stage, name: &str, orders: &[(&Person, Order)]) -> anyhow::Result<Report> {
    let file = stage.files.orders.with_file_name(name);
    files::write_orders(&file, stage.lang, orders.iter().map(|(person, order)| (*person, order)))?;
    import::run(stage, Kind::Orders, &file, false).await
}
