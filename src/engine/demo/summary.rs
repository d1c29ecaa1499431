//! What a demo came to: the figures of each scene, and which promises did not hold. As JSON: the answer of `demo --json`.

use serde::Serialize;
use serde_json::{Map, Value};

/// The whole demo.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// `ko` or `en`.
    pub lang: &'static str,
    /// Customers that the shop has.
    pub customers: usize,
    /// Orders of two years.
    pub orders: usize,
    /// The scenes, in order.
    pub scenes: Vec<Played>,
    /// Whether every promise held.
    pub kept: bool,
    /// Those that did not, in words.
    pub broken: Vec<String>,
}

/// A scene that was played.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    /// Its number in the demo's list.
    pub number: u8,
    /// Its title.
    pub title: &'static str,
    /// What to type to do the same.
    pub command: String,
    /// What was counted, all of it read from the database, the receiving server or the web server.
    pub figures: Map<String, Value>,
    /// How long it took.
    pub seconds: f64,
}

/// What a scene gives back: figures, and the promises that did not hold.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) figures: Map<String, Value>,
    pub(super) broken: Vec<String>,
}

impl Outcome {
    /// Writes a figure down.
    pub(super) fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Holds a promise against what came of it; `told` says what was found instead.
    pub(super) fn promise(&mut self, held: bool, told: impl FnOnce() -> String) {
        if !held {
            self.broken.push(told());
        }
    }
}
