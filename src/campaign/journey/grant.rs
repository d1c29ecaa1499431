//! Grants of a step: in the transaction that queues its mails, so that neither stands without the other.

use super::Turn;
use crate::campaign::live::{LiveStep, StepGrant};
use crate::campaign::store::{self, Pass};
use crate::campaign::{CampaignError, Live};
use crate::db::Tx;
use crate::reward::{self, Grant, Granted};
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
