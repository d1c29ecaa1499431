//! `segment`

use super::{app, who};
use crate::campaign::segments::Book;
use crate::cli::arguments::{Global, Segment};
use crate::cli::output;
use serde_json::json;

pub async fn segment(global: &Global, command: Segment) -> anyhow::Result<()> {
    let app = app(global).await?;
    let settings = app.settings();
    if let Segment::Show { name, .. } = &command {
        app.readable(&format!("segments/{name}.toml"))?;
    }
    let book = Book::of(&app.workspace)?;
    let now = app.clock.now();
    match command {
        Segment::List => {
            let mut sizes = Vec::new();
            for name in book.names() {
                sizes.push((name.to_owned(), book.size(&app.db, &settings, name, now).await?, book.title(name)));
            }
            let listed: Vec<_> =
                sizes.iter().map(|(name, size, title)| json!({ "name": name, "size": size, "title": title })).collect();
            output::show(global.json, &json!({ "segments": listed }), || {
                let rows = sizes
                    .iter()
                    .map(|(name, size, title)| vec![name.clone(), size.to_string(), title.clone().unwrap_or_default()]);
                output::table(&["segment", "size", "title"], rows)
            })
        }
        Segment::Show { name, limit, why: None } => {
            let size = book.size(&app.db, &settings, &name, now).await?;
            let members = book.members(&app.db, &settings, &name, limit, now).await?;
            let label = |member: &crate::segment::store::Member| {
                member.external_id.clone().unwrap_or_else(|| format!("#{}", member.id))
            };
            let listed: Vec<_> = members.iter().map(|m| json!({ "customer": label(m), "email": m.email })).collect();
            output::show(global.json, &json!({ "name": name, "size": size, "members": listed }), || {
                let rows = members.iter().map(|m| vec![label(m), m.email.clone().unwrap_or_default()]);
                format!(
                    "{name}: {}\n{}",
                    output::counted(size, "customer"),
                    output::table(&["customer", "email"], rows)
                )
            })
        }
        Segment::Show { name, why: Some(word), .. } => {
            let customer = who(&app, &word).await?;
            let tests = book.explain(&app.db, &settings, &name, customer.id, now).await?;
            let inside = book.contains(&app.db, &settings, &name, customer.id, now).await?;
            let listed: Vec<_> = tests.iter().map(|(test, truth)| json!({ "test": test, "true": truth })).collect();
            output::show(
                global.json,
                &json!({ "name": name, "customer": word, "member": inside, "tests": listed }),
                || {
                    let mut text = format!("{word} is {}in {name}\n", if inside { "" } else { "not " });
                    for (test, truth) in &tests {
                        text += &format!("  {:<5}  {test}\n", truth);
                    }
                    text
                },
            )
        }
    }
}
