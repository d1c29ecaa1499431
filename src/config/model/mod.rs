//! The files of a workspace as types. The doc comment of each field is what `dangol schema` tells editors and what
//! `check` tells marketers, so it is written for them.

mod api;
mod campaign;
mod delivery;
mod reward;
mod segment;
mod sender;
mod settings;
mod step;
mod survey;
mod words;

pub use api::Api;
pub use campaign::{At, Audience, Campaign, Goal, GoalValue, OwnLimits, Schedule};
pub use delivery::{Day, Delivery, DomainLimit, Relay, Warmup};
pub use reward::{Reward, RewardKind, Tier};
pub use segment::Segment;
pub use sender::{Dkim, DkimKey, Sender};
pub use settings::{
    Consent, Database, Law, Limits, Profile, Scoring, Settings, Site, Topic, TopicKind, Tracking, Web, Weights,
};
pub use step::{Step, StepReward, Trigger};
pub use survey::{Choice, Survey, SurveyKind};
pub use words::Words;
