//! Grants of a step: in the transaction that queues its mails, so that neither stands without the other.

use super::Turn;
use crate::campaign::live::{LiveStep, StepGrant};
use crate::campaign::store::{self, Pass, Unmade};
use crate::campaign::{CampaignError, Live};
use crate::db::{Db, Tx};
use crate::reward::{self, Grant, Granted};
use crate::types::Timestamp;
use std::collections::HashMap;

/// Grants to the treated passes of a step, in their order; `made` is each pass's message. Whose grant there is no room
/// for gets no mail either, which would promise it.
pub(super) async fn grant(
    tx: &mut Tx,
    turn: &Turn<'_>,
    live: &Live,
    step: &LiveStep,
    what: &StepGrant,
    treated: &[&Pass],
    made: &HashMap<i64, i64>,
) -> Result<(), CampaignError> {
    let sends = step.compiled.is_some();
    let grants: Vec<Grant> = treated
        .iter()
        .map(|pass| Grant {
            customer: pass.customer,
            points: what.points,
            rule: rule(turn.campaign.id, &live.name, &step.id),
            period: format!("pass {}", pass.id),
            message: made.get(&pass.id).copied().filter(|_| sends),
            pending: false,
        })
        .collect();
    let granted = reward::grant(tx, &grants, &what.reward, turn.now).await?;
    let refused: Vec<(i64, String)> = treated
        .iter()
        .zip(granted)
        .filter_map(|(pass, granted)| match granted {
            Granted::No(why) => Some((*made.get(&pass.id)?, format!("reward: {}", why.reason()))),
            Granted::Yes(_) | Granted::Already(_) => None,
        })
        .collect();
    Ok(store::unqueue(tx, &refused, turn.now).await?)
}

/// What the ledger calls the rule of a step: by the campaign's number, which a renaming does not change, with names for
/// people.
pub fn rule(campaign: i64, name: &str, step: &str) -> String {
    format!("{}{name}/{step}", rules(campaign))
}

/// What the rules of all steps of a campaign begin with.
pub fn rules(campaign: i64) -> String {
    format!("campaign {campaign}: ")
}

/// Mails that could not be made, and whose grants were taken back with them, are queued again by another revision, each
/// with a grant of its own; whose grant there is no room for any more stays without a mail. Gives how many.
///
/// # Errors
/// What the database says; then the rest can be done again.
pub async fn again(
    db: &Db,
    (campaign, revision): (i64, i64),
    live: &Live,
    now: Timestamp,
) -> Result<u64, CampaignError> {
    let mut queued = 0;
    for step in &live.steps {
        loop {
            let mut tx = db.begin().await?;
            let mails = store::revive(&mut tx, (campaign, revision), (&step.id, step.grant.is_some()), now).await?;
            if mails.is_empty() {
                break;
            }
            if let Some(what) = &step.grant {
                let rule = rule(campaign, &live.name, &step.id);
                let grant = |mail: &Unmade| Grant {
                    customer: mail.customer,
                    points: what.points,
                    rule: rule.clone(),
                    // the first was taken back for good
                    period: format!("pass {} again {revision}", mail.pass),
                    message: Some(mail.message),
                    pending: true,
                };
                let grants: Vec<Grant> = mails.iter().map(grant).collect();
                let granted = reward::grant(&mut tx, &grants, &what.reward, now).await?;
                let refused: Vec<(i64, String)> = mails
                    .iter()
                    .zip(granted)
                    .filter_map(|(mail, granted)| match granted {
                        Granted::No(why) => Some((mail.message, format!("reward: {}", why.reason()))),
                        // this revision has failed it before
                        Granted::Already(grant) if grant.points == 0 => {
                            Some((mail.message, "render: it failed, and its reward was taken back".into()))
                        }
                        Granted::Yes(_) | Granted::Already(_) => None,
                    })
                    .collect();
                store::unqueue(&mut tx, &refused, now).await?;
            }
            tx.commit().await?;
            queued += mails.len() as u64;
        }
    }
    Ok(queued)
}
