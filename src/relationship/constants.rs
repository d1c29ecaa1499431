//! The constants of the score, from `[scoring]` and `[site]`, in the units of the formulas; and what they mean, for
//! `score explain`.

use super::calibration::Calibration;
use crate::config::model::{Scoring, Settings, Weights};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

/// Pseudo-observations in the priors of engagement (at the base) and attitude (at one half).
pub const PSEUDO: f64 = 2.0;
/// Where attitude stands before anything was said.
pub const NEUTRAL: f64 = 0.5;
/// Within how long a complaint has to be resolved to be half forgiven: 7 days.
pub const RESOLVED_WITHIN: i64 = 7 * 86_400_000;

const WEEK: f64 = 7.0 * 86_400_000.0;
/// A half-life is at least an hour: `0s` in a file divides nothing by zero.
const SHORTEST: f64 = 3_600_000.0;

/// The constants in the units of the formulas.
#[derive(Clone, Debug)]
pub struct Model {
    /// How far ahead buying is looked at, in weeks.
    pub horizon: f64,
    /// After how long a purchase counts half, in milliseconds.
    pub half_life: f64,
    /// Purchases assumed before any is seen.
    pub r: f64,
    /// Weeks assumed before any is seen.
    pub alpha: f64,
    /// After how long a delivered mail counts half, in milliseconds.
    pub engagement_half_life: f64,
    /// After how long what somebody said counts half, in milliseconds.
    pub attitude_half_life: f64,
    /// w: how much each part moves the score.
    pub weights: Weights,
    /// κ: how much evidence it takes for a part to count half.
    pub evidence: Weights,
    /// Whose midnight ends a day of purchases.
    pub zone: TimeZone,
    /// The currency in which revenue is summed.
    pub currency: String,
}

impl Model {
    /// The constants of an installation.
    pub fn new(settings: &Settings) -> Model {
        let Scoring { horizon, half_life, r, alpha, engagement_half_life, attitude_half_life, weights, evidence } =
            settings.scoring;
        let millis = |period: crate::types::Period| (period.as_millis() as f64).max(SHORTEST);
        Model {
            horizon: horizon.as_weeks().max(SHORTEST / WEEK),
            half_life: millis(half_life),
            r,
            alpha: alpha.max(0.01),
            engagement_half_life: millis(engagement_half_life),
            attitude_half_life: millis(attitude_half_life),
            weights,
            evidence,
            zone: settings.site.timezone.tz().clone(),
            currency: settings.site.currency.code().to_owned(),
        }
    }

    /// The horizon in milliseconds.
    pub fn horizon_millis(&self) -> i64 {
        (self.horizon * WEEK) as i64
    }

    /// First and one past the last millisecond of the site's day in which `at` lies.
    pub fn day(&self, at: i64) -> (i64, i64) {
        let Ok(at) = Timestamp::from_millisecond(at) else { return (at, at + 1) };
        let day = at.to_zoned(self.zone.clone()).date();
        let start =
            |day: jiff::civil::Date| day.to_zoned(self.zone.clone()).ok().map(|d| d.timestamp().as_millisecond());
        let from = start(day).unwrap_or(at.as_millisecond());
        let to = day.tomorrow().ok().and_then(start).unwrap_or(at.as_millisecond() + 1);
        (from, to)
    }

    /// Buying: (r+S)/(α+e) per week, where S are the discounted repeat purchases and e = (1−2^(−T/h))·h/ln 2 the
    /// equally discounted weeks since the first purchase (a gamma-Poisson mean with exponential forgetting).
    pub fn rate(&self, repeats: f64, age_millis: i64) -> f64 {
        let half_life = self.half_life / WEEK;
        let age = age_millis.max(0) as f64 / WEEK;
        let exposure = (1.0 - (-age / half_life).exp2()) * half_life / std::f64::consts::LN_2;
        (self.r + repeats) / (self.alpha + exposure)
    }

    /// Names the constants on which the stored sums depend: when they change, the sums are made anew from the log.
    pub fn fingerprint(&self) -> String {
        format!(
            "1 {} {} {} {} {}",
            self.half_life,
            self.engagement_half_life,
            self.attitude_half_life,
            self.zone.iana_name().unwrap_or("UTC"),
            self.currency
        )
    }
}

/// A constant, as `score explain` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Constant {
    /// Its name: a key of `[scoring]`, or a part of the calibration.
    pub name: &'static str,
    /// Its value, as it would be written.
    pub value: String,
    /// What it means.
    pub meaning: &'static str,
}

/// Every constant that a score depends on, with its meaning: first those of `[scoring]`, then those that are fixed, then
/// the present calibration.
pub fn constants(settings: &Settings, calibration: &Calibration) -> Vec<Constant> {
    let s = &settings.scoring;
    let one = |name, value: String, meaning| Constant { name, value, meaning };
    let real = |value: f64| format!("{value:.4}");
    vec![
        one(
            "scoring.horizon",
            s.horizon.to_string(),
            "how far ahead buying is looked at; lifecycle counts in halves of it",
        ),
        one("scoring.half_life", s.half_life.to_string(), "h: after how long a purchase counts half"),
        one("scoring.r", s.r.to_string(), "r: purchases assumed before any is seen"),
        one("scoring.alpha", s.alpha.to_string(), "α: weeks assumed before any is seen"),
        one(
            "scoring.engagement_half_life",
            s.engagement_half_life.to_string(),
            "after how long a delivered mail, with what came of it, counts half",
        ),
        one(
            "scoring.attitude_half_life",
            s.attitude_half_life.to_string(),
            "after how long what somebody said counts half",
        ),
        one("scoring.weights.buying", s.weights.buying.to_string(), "w of buying in the score"),
        one("scoring.weights.engagement", s.weights.engagement.to_string(), "w of engagement in the score"),
        one("scoring.weights.attitude", s.weights.attitude.to_string(), "w of attitude in the score"),
        one(
            "scoring.evidence.buying",
            s.evidence.buying.to_string(),
            "κ of buying: so many days with a purchase count half",
        ),
        one(
            "scoring.evidence.engagement",
            s.evidence.engagement.to_string(),
            "κ of engagement: so many delivered mails count half",
        ),
        one("scoring.evidence.attitude", s.evidence.attitude.to_string(), "κ of attitude: so many answers count half"),
        one("prior", PSEUDO.to_string(), "pseudo-observations in engagement (at its base) and attitude (at 0.5)"),
        one(
            "credit",
            "0.05 / 0.3 / 0.8 / 1".into(),
            "of a mail: opened by a proxy or unknown / opened by a person / clicked by a person / reply, answer or purchase",
        ),
        one("nps", "0 / 0.6 / 1".into(), "attitude of an answer 0–6 / 7–8 / 9–10"),
        one(
            "complaint",
            "2".into(),
            "weight of a complaint, at attitude 0; half of it when it is resolved within 7 days",
        ),
        one(
            "calibration.as_of",
            calibration.as_of.map_or_else(|| "none yet: defaults".into(), |at| at.to_string()),
            "when the medians below were taken; at most daily",
        ),
        one(
            "calibration.active",
            calibration.active.to_string(),
            "customers who bought or were seen within two horizons, at that time",
        ),
        one(
            "calibration.buying",
            real(calibration.buying),
            "base of buying: the median active buyer's 1−e^(−rate·horizon)",
        ),
        one("calibration.engagement", real(calibration.engagement), "base of engagement: the median active reader's"),
        one(
            "calibration.attitude",
            real(calibration.attitude),
            "base of attitude: the median of active customers who said something",
        ),
        one(
            "calibration.base",
            format!("{:.1}", 100.0 * super::score::sigmoid(calibration.logit)),
            "score of somebody of whom nothing is known; set so that the median active customer is at 50",
        ),
    ]
}
