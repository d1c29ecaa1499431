//! Scene 8: why somebody got nothing.

use super::Say;
use crate::engine::demo::stage::Stage;
use crate::engine::demo::summary::Outcome;
use crate::engine::demo::{Lang, words, world};
use crate::report::why;
use anyhow::Context as _;
use serde_json::json;

pub(super) async fn play(stage: &Stage, say: Say<'_>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let person = stage.shop.left_out();
    let email = person.address.as_ref().context("the one who got nothing has no address")?;
    let customer = stage.customer(person).await?;
    let (settings, now) = (stage.app.settings(), stage.clock.now());
    let told = why::why(&stage.app.db, &settings, customer.id, Some(world::SPRING), now).await?;
    let message = told.messages.first();
    let reason = message.and_then(|message| message.reason.clone()).unwrap_or_default();
    say(&words::got_nothing(stage.lang, &person.name, why::spelled(&reason, stage.lang == Lang::Ko)));
    let caught = stage.catcher.inbox.by_recipient().get(email.as_str()).copied().unwrap_or(0);
    outcome.promise(caught == 0, || format!("{caught} mails came to who should have got nothing"));
    outcome.promise(message.is_some_and(|m| m.state == "skipped") && reason == "no consent", || {
        format!("the reason was to be that there is no consent, and is `{reason}`")
    });
    outcome.figure("customer", person.external_id.as_str());
    outcome.figure("caught", caught);
    outcome.figure("messages", json!(told.messages));
    Ok(outcome)
}
