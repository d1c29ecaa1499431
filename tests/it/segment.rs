//! Segments: what a condition means, alike on both databases and in a naive evaluator, and what a wrong one is told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alike;
mod files;
mod foreign;
mod members;
mod wrong;

use dangol::db::Db;
use dangol::segment::{Catalogue, Context, Expr, Field, Kind, Names, Segments};
use dangol::types::{Currency, Timestamp};
use jiff::tz::TimeZone;

/// Noon in Seoul on 22 November 2026.
pub fn now() -> Timestamp {
    "2026-11-22T12:00:00+09:00".parse().unwrap()
}

pub fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_millisecond(now().as_millisecond() - days * 86_400_000).unwrap()
}

/// The catalogue with some fields of the relationship, as its stage registers them.
pub fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::new();
    let loyalty: &[&str] = &["true", "latent", "spurious", "none", "unknown"];
    for (name, kind, sql, values) in [
        ("score", Kind::Number, "r.score", &[] as &[&str]),
        ("purchases", Kind::Number, "r.purchases", &[]),
        ("revenue", Kind::Money, "r.revenue", &[]),
        ("loyalty", Kind::Text, "r.loyalty", loyalty),
        ("last_purchase_at", Kind::Date, "r.last_purchase_at", &[]),
        ("tracking_off", Kind::Bool, "c.tracking_off", &[]),
    ] {
        catalogue.register(Field { name, kind, sql, values, doc: "" });
    }
    catalogue
}

pub fn seoul() -> TimeZone {
    TimeZone::get("Asia/Seoul").unwrap()
}

pub fn context<'a>(db: &Db, zone: &'a TimeZone, segments: &'a Segments) -> Context<'a> {
    Context { dialect: db.dialect(), now: now(), zone, currency: Currency::KRW, segments }
}

pub fn parse(text: &str) -> Expr {
    Expr::parse(text, &catalogue(), &Names::default()).unwrap_or_else(|e| panic!("{text}: {e:#?}"))
}
