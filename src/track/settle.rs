//! Settling: a hit whose time has come is classed by what is around it, and becomes an `open` or a `click` in the log.
//!
//! Keys in the log: `hit:ID` is a hit; `open:message:ID` an open that follows from a human click; `correction:KEY:CLASS`
//! says that the event under `KEY` turned out to be of another class (data: `corrects`, the event's id; `kind`, `was`,
//! `class`, `reason`); `delivered:ID` is a mail of unknown fate that a hit has proved delivered. Safe to run on many nodes, and
//! again after a crash: each step is a compare-and-set, and a key comes into the log once.

use super::class::{self, Class, Surroundings, Trace, Verdict};
use super::company::{Crowds, Traps};
use super::hit::HitKind;
use super::store::{self, Due, Kept, Mail};
use crate::db::{Db, DbError, Tx};
use crate::event::{self, Kind, NewEvent};
use jiff::Timestamp;
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// Hits settled in one go.
const SLICE: i64 = 300;
/// Hits looked at for that, their company included.
const COMPANY: i64 = 5_000;

/// Settles all hits that are due at `now`; gives how many.
///
/// # Errors
/// What the database says; slices that were done stay done.
pub async fn settle(db: &Db, now: Timestamp) -> Result<u64, DbError> {
    let mut settled = 0;
    loop {
        let due = store::due(&mut &*db, now, SLICE).await?;
        if due.is_empty() {
            return Ok(settled);
        }
        settled += slice(db, &due, now).await?;
    }
}

async fn slice(db: &Db, due: &[Due], now: Timestamp) -> Result<u64, DbError> {
    let messages: Vec<i64> = due.iter().map(|(message, ..)| *message).collect();
    let mails: HashMap<i64, Mail> =
        store::mails(&mut &*db, &messages).await?.into_iter().map(|mail| (mail.id, mail)).collect();
    let mut hits = store::hits_around(&mut &*db, due, now, COMPANY).await?;
    hits.sort_by_key(|hit| (hit.at, hit.id));
    let judged = judge(db, &hits, &mails, now).await?;

    let mut tx = db.begin().await?;
    let (mut first, mut changed) = (Vec::new(), Vec::new());
    for (hit, verdict) in &judged {
        match &hit.class {
            None => first.push((hit.id, verdict.class.name(), verdict.reason)),
            // more evidence only ever speaks against a person; at the edge of what was looked at, some is missing
            Some(was) if was != verdict.class.name() && verdict.class == Class::Machine => {
                changed.push((hit.id, was.as_str(), verdict.class.name(), verdict.reason));
            }
            Some(_) => {}
        }
    }
    let done: HashSet<i64> = store::settle_hits(&mut tx, &first, now).await?.into_iter().collect();
    let corrected: HashSet<i64> = store::reclass_hits(&mut tx, &changed).await?.into_iter().collect();

    let mut evidence: HashMap<i64, (i64, &str, Timestamp)> = HashMap::new();
    for (hit, _) in judged.iter().filter(|(hit, _)| mails.get(&hit.message).is_some_and(|mail| mail.unknown)) {
        let why = if hit.kind == HitKind::Click.name() { "evidence: click" } else { "evidence: open" };
        evidence.entry(hit.message).or_insert((hit.message, why, hit.at));
    }
    let evidence: Vec<_> = evidence.into_values().collect();
    let arrived: HashSet<i64> = store::accept_unknown(&mut tx, &evidence, now).await?.into_iter().collect();

    let mut events = Vec::new();
    for (message, _, at) in evidence.iter().filter(|(message, ..)| arrived.contains(message)) {
        if let Some(mail) = mails.get(message) {
            events.push(of_mail(
                Kind::Delivered,
                mail,
                *at,
                format!("delivered:{message}"),
                json!({"evidence": "hit"}),
            ));
        }
    }
    let keys: Vec<String> = corrected.iter().map(|hit| format!("hit:{hit}")).collect();
    let logged: HashMap<String, i64> = store::events_of(&mut tx, &keys).await?.into_iter().collect();
    for (hit, verdict) in &judged {
        let (Some(mail), key) = (mails.get(&hit.message), format!("hit:{}", hit.id)) else { continue };
        if done.contains(&hit.id) {
            events.push(observed(hit, *verdict, mail, key));
        } else if let (Some(event), Some(was)) = (logged.get(&key), &hit.class) {
            events.push(correction((*event, &key, &kind_of(hit)), was, *verdict, mail, hit.at));
        }
    }
    events.extend(implied(&mut tx, &messages, &mails, now).await?);
    event::append(tx, &events, now).await?;
    Ok(done.len() as u64)
}

/// The verdict on each hit that is due or was settled before; the others only count as company.
async fn judge<'a>(
    db: &Db,
    hits: &'a [Kept],
    mails: &HashMap<i64, Mail>,
    now: Timestamp,
) -> Result<Vec<(&'a Kept, Verdict)>, DbError> {
    let ripe: Vec<&Kept> = hits.iter().filter(|hit| hit.settled_at.is_some() || hit.settle_at <= now).collect();
    // what is a machine's or a proxy's by itself needs no company, and Google's networks have a great deal of it
    let open: Vec<&Kept> = ripe.iter().copied().filter(|hit| class::alone(&trace(hit)).is_none()).collect();
    let (traps, crowds) = (Traps::find(db, hits, &open).await?, Crowds::find(db, &open).await?);
    let mut clicks: HashMap<i64, Vec<(Timestamp, u32)>> = HashMap::new();
    for hit in hits.iter().filter(|hit| hit.kind == HitKind::Click.name()) {
        clicks.entry(hit.message).or_default().push((hit.at, small(hit.link).unwrap_or(u32::MAX)));
    }
    let verdict = |hit: &'a Kept| {
        let around = Surroundings {
            accepted_at: mails.get(&hit.message).and_then(|mail| mail.accepted_at),
            clicks: clicks.get(&hit.message).map_or(&[], Vec::as_slice),
            honeypot: traps.caught(hit),
            crowd: crowds.hold(hit),
        };
        (hit, class::judge(&trace(hit), &around))
    };
    Ok(ripe.into_iter().map(verdict).collect())
}

/// A human click implies a human open, once a message; when no human click is left after all, that is corrected.
async fn implied(
    tx: &mut Tx,
    messages: &[i64],
    mails: &HashMap<i64, Mail>,
    now: Timestamp,
) -> Result<Vec<NewEvent>, DbError> {
    let keys: Vec<String> = messages.iter().map(|message| format!("open:message:{message}")).collect();
    let known: HashMap<String, i64> = store::events_of(tx, &keys).await?.into_iter().collect();
    let mut events = Vec::new();
    for (message, clicked_at, opens) in store::human_hits(tx, messages).await? {
        let (key, Some(mail)) = (format!("open:message:{message}"), mails.get(&message)) else { continue };
        match (clicked_at, known.get(&key)) {
            (Some(at), None) if opens == 0 => {
                let data = json!({"class": Class::Human.name(), "reason": "implied by a click"});
                events.push(of_mail(Kind::Open, mail, at, key, data));
            }
            (None, Some(event)) => {
                let verdict = Verdict { class: Class::Machine, reason: "the click that implied it was no person's" };
                events.push(correction((*event, &key, &Kind::Open), Class::Human.name(), verdict, mail, now));
            }
            _ => {}
        }
    }
    Ok(events)
}

fn kind_of(hit: &Kept) -> Kind {
    if hit.kind == HitKind::Click.name() { Kind::Click } else { Kind::Open }
}

fn small(number: Option<i64>) -> Option<u32> {
    number.and_then(|n| u32::try_from(n).ok())
}

fn trace(hit: &Kept) -> Trace<'_> {
    Trace {
        kind: HitKind::of(&hit.kind).unwrap_or(HitKind::Open),
        link: small(hit.link),
        links: small(hit.links),
        at: hit.at,
        method: &hit.method,
        agent: hit.agent.as_deref(),
        prefetch: hit.prefetch,
    }
}

fn of_mail(kind: Kind, mail: &Mail, at: Timestamp, key: String, data: serde_json::Value) -> NewEvent {
    let mut event = NewEvent::new(kind, mail.customer, at, "track", key);
    event.campaign = Some(mail.campaign);
    event.message = Some(mail.id);
    event.data = data;
    event
}

fn observed(hit: &Kept, verdict: Verdict, mail: &Mail, key: String) -> NewEvent {
    let mut data = json!({"class": verdict.class.name(), "reason": verdict.reason});
    if let (Some(link), Some(url)) = (hit.link, &hit.url) {
        data["link"] = json!(link);
        data["url"] = json!(url);
    }
    if hit.kind == HitKind::View.name() {
        data["via"] = json!("view in browser");
    }
    of_mail(kind_of(hit), mail, hit.at, key, data)
}

/// That an event, known by its id, key and kind, is of another class than it `was`.
fn correction(
    (event, key, kind): (i64, &str, &Kind),
    was: &str,
    verdict: Verdict,
    mail: &Mail,
    at: Timestamp,
) -> NewEvent {
    let class = verdict.class.name();
    let data = json!({"corrects": event, "kind": kind.name(), "was": was, "class": class, "reason": verdict.reason});
    of_mail(Kind::Correction, mail, at, format!("correction:{key}:{class}"), data)
}
