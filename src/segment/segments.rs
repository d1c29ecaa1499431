//! The workspace's segments together: each checked, and what only all of them show: names that lead nowhere, circles,
//! and conditions that grow too large when one stands in for the other.

use super::catalogue::{Catalogue, Names};
use super::{Expr, place};
use crate::config::Problem;
use crate::config::document::Document;
use crate::config::model::Segment;
use std::collections::{BTreeMap, BTreeSet};

/// How many segments may stand in each other.
const DEEPEST: usize = 8;
/// How many tests a condition may come to, with those of the segments in it.
pub(super) const MOST_LEAVES: usize = 1_000;

/// Segments of which every one can be compiled: what was wrong is not among them.
#[derive(Clone, Debug, Default)]
pub struct Segments {
    known: BTreeMap<String, Expr>,
}

impl Segments {
    /// Checks a condition that stands elsewhere than in a segment, at `path` of a file. Segments that it names have to be
    /// among these, unless `names` knows them.
    ///
    /// # Errors
    /// Everything that is wrong with it, at its place in the file.
    pub fn condition(
        document: &Document,
        path: &str,
        text: &str,
        catalogue: &Catalogue,
        names: &Names,
    ) -> Result<Expr, Vec<Problem>> {
        Expr::parse(text, catalogue, names).map_err(|errors| {
            let at = |error: super::ExprError| {
                let span = place::in_file(document, path, text, &error.span);
                Problem::at(&document.file, &document.source, span, "condition", error.message).maybe_help(error.help)
            };
            errors.into_iter().map(at).collect()
        })
    }

    /// Checks segments by name, with the files that they were read from. Gives those that are good, and everything that
    /// is wrong with the others, at its place in the file. `names.segments` is taken from the segments themselves.
    pub fn check(
        segments: &[(&str, &Document, &Segment)],
        catalogue: &Catalogue,
        names: &Names,
    ) -> (Segments, Vec<Problem>) {
        let all = segments.iter().map(|(name, ..)| (*name).to_owned()).collect();
        let names = Names { segments: Some(all), ..names.clone() };
        let mut problems = Vec::new();
        let mut known = BTreeMap::new();
        for (name, document, segment) in segments {
            match Expr::parse(&segment.condition, catalogue, &names) {
                Ok(expr) => {
                    known.insert((*name).to_owned(), expr);
                }
                Err(errors) => problems.extend(errors.into_iter().map(|error| {
                    let span = place::in_file(document, "where", &segment.condition, &error.span);
                    Problem::at(&document.file, &document.source, span, "segment", error.message).maybe_help(error.help)
                })),
            }
        }
        let whole = Segments { known };
        let mut good = Segments::default();
        let mut in_circle = BTreeSet::new();
        for (name, document, segment) in segments {
            let Some(expr) = whole.known.get(*name) else { continue };
            let mut path = vec![(*name).to_owned()];
            let wrong = match whole.weigh(expr, &mut path) {
                Ok(_) => {
                    good.known.insert((*name).to_owned(), expr.clone());
                    continue;
                }
                // it is not this one's fault, and was told where it is
                Err(Wrong::Elsewhere) => continue,
                Err(Wrong::Circle) if !in_circle.insert(circle_key(&path)) => continue,
                Err(wrong) => wrong,
            };
            let (message, help) = match wrong {
                Wrong::Circle => {
                    let message = format!("segments stand in each other in a circle: {}", path.join(" → "));
                    (message, "one of them has to say it without the other")
                }
                Wrong::Deep => {
                    let message = format!("more than {DEEPEST} segments stand in each other");
                    (message, "write some of them out")
                }
                _ => {
                    let message = format!("with the segments in it, this comes to more than {MOST_LEAVES} tests");
                    (message, "name fewer segments, or simpler ones")
                }
            };
            let next = path.get(1);
            let span = expr.segments.iter().find(|(name, _)| Some(name) == next).map(|(_, span)| span.clone());
            let span = span.unwrap_or(0..segment.condition.len());
            let span = place::in_file(document, "where", &segment.condition, &span);
            problems.push(Problem::at(&document.file, &document.source, span, "segment", message).help(help));
        }
        (good, problems)
    }

    /// The condition of a segment.
    pub fn get(&self, name: &str) -> Option<&Expr> {
        self.known.get(name)
    }

    /// Why a trigger on the segment would wait in vain, at its place in the segment's file.
    pub fn never(&self, name: &str, document: &Document, condition: &str, campaign: &str) -> Option<Problem> {
        let never = self.get(name)?.waits_for_the_future(campaign)?;
        let span = place::in_file(document, "where", condition, &never.span);
        let message = format!("campaign `{campaign}` waits for this segment, and this {}", never.why);
        Some(Problem::at(&document.file, &document.source, span, "future", message))
    }

    /// All that are good, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Expr)> {
        self.known.iter().map(|(name, expr)| (name.as_str(), expr))
    }

    /// How many tests a condition comes to; on a mistake, `path` is how it was reached.
    fn weigh(&self, expr: &Expr, path: &mut Vec<String>) -> Result<usize, Wrong> {
        let mut leaves = expr.leaves;
        for (name, _) in &expr.segments {
            let circle = path.contains(name);
            if circle && path[0] != *name {
                // told for the segments of the circle themselves
                return Err(Wrong::Elsewhere);
            }
            path.push(name.clone());
            if circle {
                return Err(Wrong::Circle);
            }
            if path.len() > DEEPEST {
                return Err(Wrong::Deep);
            }
            let inner = self.known.get(name).ok_or(Wrong::Elsewhere)?;
            leaves += self.weigh(inner, path)?;
            if leaves > MOST_LEAVES {
                return Err(Wrong::Large);
            }
            path.pop();
        }
        Ok(leaves)
    }
}

enum Wrong {
    /// In a segment that this one names.
    Elsewhere,
    Circle,
    Deep,
    Large,
}

/// The same for each segment of one circle.
fn circle_key(path: &[String]) -> Vec<String> {
    let mut names = path[..path.len() - 1].to_vec();
    names.sort_unstable();
    names
}
