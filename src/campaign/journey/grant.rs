//! Grants of a step: in the transaction that queues its mails.

use super::Turn;
use crate::campaign::live::LiveStep;
use crate::campaign::store::Pass;
use crate::campaign::{CampaignError, Live};
use crate::config::model::StepReward;
use crate::db::Tx;
use std::collections::HashMap;

/// Grants `reward` to the treated passes of a step, in their order.
pub(super) async fn grant(
    _tx: &mut Tx,
    _turn: &Turn<'_>,
    _live: &Live,
    _step: &LiveStep,
    _reward: &StepReward,
    _treated: &[&Pass],
    _made: &HashMap<i64, i64>,
) -> Result<(), CampaignError> {
    Ok(())
}
