//! What the API's door asks of the stages: rows go where the rows of files go.

use super::App;
use crate::customer::{self, ErasureKey};
use crate::import::kinds::Landed;
use crate::import::{self, Kind, Options};
use crate::reward::{self, Redeem, Redemption, RewardError};
use crate::types::Timestamp;
use crate::web::Intake;
use futures_util::future::BoxFuture;
use serde_json::Value as Json;

impl Intake for App {
    fn rows<'a>(
        &'a self,
        kind: Kind,
        rows: Vec<Result<Json, String>>,
        create: bool,
        request: &'a str,
    ) -> BoxFuture<'a, anyhow::Result<Vec<Landed>>> {
        Box::pin(async move {
            let settings = self.settings();
            let mut options = Options::new(&settings, ErasureKey::new(self.secret.erasure_key()));
            options.create = create;
            let landed = import::rows(&self.db, kind, rows, &options, request, self.clock.now()).await?;
            self.woken.notify_one();
            Ok(landed)
        })
    }

    fn redeem<'a>(
        &'a self,
        customer: &'a str,
        reward: &'a str,
        points: Option<i64>,
        code: Option<String>,
        key: &'a str,
        at: Option<Timestamp>,
    ) -> BoxFuture<'a, anyhow::Result<Landed>> {
        Box::pin(async move {
            let now = self.clock.now();
            let refused = |why: String| Ok(Landed::Rejected(why));
            let what = match (points, code) {
                (Some(points), None) => Redeem::Points(points),
                (None, Some(code)) => Redeem::Coupon(code),
                _ => return refused("say how many `points`, or which `code`, and not both".into()),
            };
            let mut tx = self.db.begin().await?;
            let mut found = customer::find(&mut tx, customer).await?;
            found.retain(|found| found.erased_at.is_none());
            let [one] = found.as_slice() else {
                let why = if found.is_empty() { "there is no customer" } else { "more than one customer is" };
                return refused(format!("{why} `{customer}`: give the customer's external_id"));
            };
            let reward = reward.to_owned();
            let at = at.unwrap_or(now);
            let ask =
                Redemption { customer: one.id, reward, what, key: key.to_owned(), at, source: "api", batch: None };
            let redeemed = match reward::redeem(&mut tx, &ask, now).await {
                Ok(redeemed) => redeemed,
                Err(RewardError::Refused(why)) => return refused(why.to_string()),
                Err(e) => return Err(e.into()),
            };
            tx.commit().await?;
            self.woken.notify_one();
            Ok(if redeemed.again { Landed::Unchanged } else { Landed::Inserted })
        })
    }
}
