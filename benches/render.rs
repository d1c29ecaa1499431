//! What making one mail costs: the reader's variables merged into the template, its links signed, headers and both parts
//! encoded into the bytes that go to the server.
//!
//! `cargo bench --bench render` makes mails of the example workspace's spring letter, in Korean and in English. The
//! reference is `lettre`'s own `MessageBuilder` with the finished HTML and text of the same mail: no merge, no links, no
//! choice of encoding by content.

use dangol::campaign::compose::Wanted;
use dangol::campaign::content::Content;
use dangol::campaign::{Live, store};
use dangol::config::init;
use dangol::customer::ErasureKey;
use dangol::engine::{Environment, Open};
use dangol::import::{self, Input, Kind, Options};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const MAILS: usize = 5_000;
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let shop = dir.path().join("shop");
    init::write(&shop)?;
    let open = Open { workspace: Some(shop), environment: Environment::Of(Arc::default()), ..Open::default() };
    let app = open.app().await?;
    let file = dir.path().join("customers.csv");
    std::fs::write(
        &file,
        "external_id,email,name,locale\na,minji@example.com,김민지,ko\nb,ada@example.com,Ada Lovelace,en\n",
    )?;
    let settings = app.settings();
    let options = Options::new(&settings, ErasureKey::new(app.secret.erasure_key()));
    let input = Input::of(&file.display().to_string());
    import::run(&app.db, Kind::Customers, input, &options, &mut |_| {}, app.clock.now()).await?;
    let content = Content::of(&app.workspace, "spring")?;
    let live = Live::compile("spring", &content, &settings)?;
    let people = store::readers(&mut &app.db, &[1, 2]).await?;
    for person in &people {
        let to = person.email.as_deref().unwrap_or_default().parse().map_err(anyhow::Error::msg)?;
        let now = app.clock.now();
        let wanted = || Wanted { live: &live, step: live.first(), person, more: Default::default(), to: &to };
        let sample = app.composer.make(wanted(), 1, now)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for message in 1..=MAILS {
                black_box(app.composer.make(wanted(), i64::try_from(message)?, now)?);
            }
            ours.push(start.elapsed().as_secs_f64() * 1e6 / MAILS as f64);
            let start = Instant::now();
            for _ in 0..MAILS {
                black_box(reference(&sample.rendered, to.as_str())?);
            }
            theirs.push(start.elapsed().as_secs_f64() * 1e6 / MAILS as f64);
        }
        let (us, reference) = (median(&mut ours), median(&mut theirs));
        let language = person.locale.as_deref().unwrap_or_default();
        println!(
            "{language}: {} bytes, {us:.0} µs a mail; lettre's builder alone {reference:.0} µs; ratio {:.2}",
            sample.bytes.len(),
            reference / us
        );
    }
    Ok(())
}

fn reference(rendered: &dangol::render::Rendered, to: &str) -> anyhow::Result<Vec<u8>> {
    use lettre::message::{Message, MultiPart};
    let parts = MultiPart::alternative_plain_html(rendered.text.clone(), rendered.html.clone());
    let mail = Message::builder()
        .from("Haru Garden <hello@haru.example>".parse()?)
        .to(to.parse()?)
        .subject(rendered.subject.clone())
        .multipart(parts)?;
    Ok(mail.formatted())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
