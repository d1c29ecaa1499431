//! What the API's door asks of the stages: rows go where the rows of files go.

use super::App;
use crate::customer::ErasureKey;
use crate::import::kinds::Landed;
use crate::import::{self, Kind, Options};
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
        _customer: &'a str,
        reward: &'a str,
        _points: Option<i64>,
        _code: Option<String>,
        _key: &'a str,
        _at: Option<Timestamp>,
    ) -> BoxFuture<'a, anyhow::Result<Landed>> {
        // a site without rewards has none of any name
        Box::pin(async move { Ok(Landed::Rejected(format!("there is no reward `{reward}`"))) })
    }
}
