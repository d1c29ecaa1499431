//! `score`

use super::app;
use crate::cli::arguments::{Global, Score};
use crate::cli::output;
use crate::relationship;
use serde_json::json;

pub async fn score(global: &Global, command: Score) -> anyhow::Result<()> {
    let app = app(global).await?;
    let settings = app.settings();
    match command {
        Score::Refresh { at } => {
            let at = match at {
                Some(moment) => moment.at(settings.site.timezone.tz())?,
                None => app.clock.now(),
            };
            let customers = relationship::refresh_all(&app.db, &settings, at).await?;
            output::show(global.json, &json!({ "customers": customers, "as_of": at }), || match customers {
                1 => format!("1 customer's score is as of {at}"),
                n => format!("{n} customers' scores are as of {at}"),
            })
        }
        Score::Explain => {
            let calibration = relationship::store::calibration(&mut &app.db).await?;
            let constants = relationship::constants(&settings, &calibration);
            output::show(global.json, &json!({ "constants": constants, "calibration": calibration }), || {
                let rows = constants.iter().map(|c| vec![c.name.to_owned(), c.value.to_string(), c.meaning.to_owned()]);
                output::table(&["constant", "value", "meaning"], rows)
            })
        }
    }
}
