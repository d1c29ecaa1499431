//! What is well written and yet hardly meant: a holdout that leaves nobody, a time years away, a goal that nothing ever
//! reaches, a former name that nothing ever had.

use super::super::{CampaignError, store};
use crate::config::model::{At, Campaign};
use crate::config::reading::Drafts;
use crate::config::workspace::{File, Workspace};
use crate::config::{Problem, nearest};
use crate::db::Db;
use crate::event;
use crate::types::Timestamp;

/// Further than this from now, a time is taken for a slip.
const YEARS: i16 = 5;

fn campaigns<'a>(workspace: &'a Workspace, drafts: &'a Drafts) -> impl Iterator<Item = (&'a str, &'a File<Campaign>)> {
    let drafted = drafts.campaigns.iter().filter_map(|(id, file)| Some((id.as_str(), file.as_ref()?)));
    workspace.campaigns.iter().map(|(id, file)| (id.as_str(), file)).chain(drafted)
}

/// A holdout that leaves few or nobody.
pub(super) fn holdout(file: &File<Campaign>) -> Option<Problem> {
    let share = file.value.holdout?;
    let problem = |message: &str| file.document.problem("holdout", "value", message);
    if share.fraction() >= 1.0 {
        let problem = problem("a holdout of 100% holds everybody out: nobody would get this");
        return Some(problem.help("10% is usual; without `holdout` everybody gets it"));
    }
    (share.fraction() > 0.5).then(|| {
        problem(&format!("with a holdout of {share} most people get nothing"))
            .help("10% is usual: it is the share that gets nothing, to compare with")
            .warning()
    })
}

/// Times that are years away from `now`.
pub fn times(workspace: &Workspace, drafts: &Drafts, now: Timestamp) -> Vec<Problem> {
    let year = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).year();
    let found = campaigns(workspace, drafts).filter_map(|(_, file)| {
        let written = match file.value.schedule.at {
            At::Now => return None,
            At::Moment(at) => year(at),
            At::Local(at) => at.year(),
        };
        let away = written - year(now);
        (away.abs() > YEARS).then(|| {
            let way = if away > 0 { "from now" } else { "ago" };
            let message = format!("the year is {written}, {} years {way}", away.abs());
            file.document.problem("schedule.at", "value", message).help("is the year a slip?").warning()
        })
    });
    found.collect()
}

/// What only the database knows: whether a former name was ever launched, and whether a goal's event ever came in.
///
/// # Errors
/// When the database is away.
pub async fn against_history(workspace: &Workspace, drafts: &Drafts, db: &Db) -> Result<Vec<Problem>, CampaignError> {
    let mut problems = Vec::new();
    let launched = store::campaigns(&mut &*db).await?;
    let has = |name: &str| launched.iter().any(|campaign| campaign.name == name);
    let mut seen: Option<Vec<String>> = None;
    for (id, file) in campaigns(workspace, drafts) {
        // after the launch under the new name the old one is gone, and `was` may stay
        if let Some(was) = file.value.was.as_deref().filter(|was| *was != id && !has(was) && !has(id)) {
            let message = format!("no campaign `{was}` has been launched, so this cannot have been it");
            let near = nearest(was, launched.iter().map(|campaign| campaign.name.as_str()));
            let problem = file.document.problem("was", "unknown-name", message);
            let problem = problem.maybe_help(near.map(|near| near.replace("known are:", "launched are:")));
            // in a new database there is nothing yet that it could have been
            problems.push(if launched.is_empty() { problem.warning() } else { problem });
        }
        let goal = file.value.goal.as_ref().map(|goal| ("goal.event", &goal.event));
        let trigger = file.value.trigger.as_ref().and_then(|trigger| Some(("trigger.event", trigger.event.as_ref()?)));
        for (path, kind) in goal.into_iter().chain(trigger) {
            let kinds = || event::Kind::names().chain([crate::reward::EVENT]);
            if kind.is_empty() || kinds().any(|known| known == kind) {
                continue;
            }
            let seen = match &mut seen {
                Some(seen) => seen,
                none => none.insert(event::kinds_seen(&mut &*db).await?),
            };
            if !seen.contains(kind) {
                let message = format!("no event `{kind}` has ever come in");
                let mut known: Vec<&str> = seen.iter().map(String::as_str).collect();
                for kind in kinds() {
                    known.push(kind);
                }
                let near = nearest(kind, known);
                problems.push(file.document.problem(path, "unknown-name", message).maybe_help(near).warning());
            }
        }
    }
    Ok(problems)
}
