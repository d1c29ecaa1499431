//! What only the database shows: templates tried on the members of each campaign's audience, and campaigns that run
//! though their files are gone.

use super::super::compose::{Composer, Unmade, Wanted};
use super::super::content::Content;
use super::super::{CampaignError, Live, reader, store};
use crate::config::Problem;
use crate::config::reading::Drafts;
use crate::config::workspace::Workspace;
use crate::db::Db;
use crate::types::{Email, Timestamp};

/// Renders each campaign's mail for up to `each` customers of its audience: what fails for real people.
///
/// # Errors
/// When the database is away.
pub async fn against_customers(
    workspace: &Workspace,
    db: &Db,
    composer: &Composer,
    each: i64,
    now: Timestamp,
) -> Result<Vec<Problem>, CampaignError> {
    let mut problems = Vec::new();
    let settings = &workspace.settings.value;
    for (id, file) in &workspace.campaigns {
        let content = Content::of(workspace, id)?;
        let Ok(live) = Live::compile(id, &content, settings) else { continue };
        let audience = live.audience(&db, settings, now)?;
        let asked = audience.include.into_iter().next().or(live.watched(&db, settings, now)?);
        let Some(asked) = asked else { continue };
        let members = crate::segment::store::members(&mut &*db, &asked, 0, each).await?;
        let ids: Vec<i64> = members.iter().map(|member| member.id).collect();
        let people = store::readers(&mut &*db, &ids).await?;
        let rewards = composer.rewards(&live, &ids, now).await?;
        let events = composer.latest_events(&live, &ids).await?;
        for (i, step) in live.steps.iter().enumerate() {
            let (Some(compiled), Some(send)) = (&step.compiled, file.value.steps().swap_remove(i).1.send) else {
                continue;
            };
            let (mut failed, mut first) = (0, None);
            for person in &people {
                let Some(Ok(to)) = person.email.as_deref().map(str::parse::<Email>) else { continue };
                let theirs = rewards.get(&person.id).cloned().unwrap_or_default();
                let event = events.get(&person.id).cloned();
                let more = reader::example(&live, step, event, theirs, now);
                if let Err(why) = composer.make(Wanted { live: &live, step, person, more, to: &to }, 0, now) {
                    failed += 1;
                    let who = person.external_id.clone().unwrap_or_else(|| format!("#{}", person.id));
                    first.get_or_insert((who, reader::locale(person, &settings.site.locale), why));
                }
            }
            if let Some((who, locale, why)) = first {
                let tried = if people.len() == 1 { "customer" } else { "customers" };
                let told = |why: &dyn std::fmt::Display| {
                    let n = people.len();
                    format!("the mail of `{id}` fails for {failed} of {n} {tried} tried, first for {who}: {why}")
                };
                let path = if file.value.step.is_empty() { "send".into() } else { format!("step[{i}].send") };
                problems.push(match &why {
                    Unmade::Render(error) => compiled.blame(&content.library(), &send, &locale, error, told(error)),
                    error => file.document.problem(&path, "render", told(error)),
                });
            }
        }
    }
    Ok(problems)
}

/// Campaigns that were launched and have not ended, of which the files know nothing any more: after a renaming, that would
/// be launched as another.
///
/// # Errors
/// When the database is away.
pub async fn vanished(workspace: &Workspace, drafts: &Drafts, db: &Db) -> Result<Vec<Problem>, CampaignError> {
    let drafted = drafts.campaigns.iter().filter_map(|(_, file)| file.as_ref());
    let was: Vec<&str> =
        workspace.campaigns.values().chain(drafted).filter_map(|file| file.value.was.as_deref()).collect();
    let there = |name: &str| {
        was.contains(&name)
            || workspace.campaigns.contains_key(name)
            || drafts.campaigns.iter().any(|(id, _)| id == name)
    };
    let mut problems = Vec::new();
    for campaign in store::campaigns(&mut &*db).await? {
        if matches!(campaign.state.as_str(), "running" | "paused") && !there(&campaign.name) {
            let name = &campaign.name;
            let message = format!("`{name}` was launched and is {}, and no file has this id any more", campaign.state);
            let help = format!(
                "bring it back; or write was = \"{name}\" in the file that it has become; or end it with `dangol cancel {name}`"
            );
            problems.push(Problem::whole(&format!("campaigns/{name}.toml"), "vanished", message).help(help));
        }
    }
    Ok(problems)
}
