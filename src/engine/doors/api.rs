//! What the API's door asks of the stages: rows go where the rows of files go.

use super::App;
use crate::customer::{Directory, ErasureKey, address_of};
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
            let what = match (points, code) {
                (Some(points), None) => Redeem::Points(points),
                (None, Some(code)) => Redeem::Coupon(code),
                _ => return Ok(Landed::Rejected("a redemption has either `points` or a `code`".into())),
            };
            let now = self.clock.now();
            let mut tx = self.db.begin().await?;
            // by the shop's own names alone: our ids are no business of a till
            let address = address_of(customer);
            let erasure = ErasureKey::new(self.secret.erasure_key());
            let addresses = address.as_deref().into_iter().collect();
            let directory = Directory::gather(&mut tx, vec![customer], addresses, &erasure).await?;
            let customer = match directory.named(customer, address.as_deref()) {
                Ok(slot) => directory.id(slot),
                Err(why) => return Ok(Landed::Rejected(why.to_string())),
            };
            let (reward, key, at) = (reward.to_owned(), key.to_owned(), at.unwrap_or(now));
            let ask = Redemption { customer, reward, what, key, at, source: "api", batch: None };
            let redeemed = match reward::redeem(&mut tx, &ask, now).await {
                Ok(redeemed) => redeemed,
                Err(RewardError::Refused(why)) => return Ok(Landed::Rejected(why.to_string())),
                Err(other) => return Err(other.into()),
            };
            tx.commit().await?;
            self.woken.notify_one();
            Ok(if redeemed.again { Landed::Unchanged } else { Landed::Inserted })
        })
    }
}
