//! DMARC (RFC 7489): the record that holds for a domain, found by walking up its parents, and whether another domain is
//! aligned with it. The walk needs no list of public suffixes.

use super::dns::Resolver;

/// No walk asks more often.
const HIGHEST: usize = 8;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dmarc {
    /// Where it stands, without `_dmarc.`.
    pub domain: String,
    /// As it is published.
    pub text: String,
    /// `p=`, or for a subdomain of where it stands `sp=`, in lower case.
    pub policy: Option<String>,
    /// SPF's domain has to be the very same.
    pub strict_spf: bool,
    /// Somebody gets the reports.
    pub reported: bool,
}

/// The record that holds for `domain`: its own, or its nearest parent's. `Err(Ok(n))`: at one place there are `n`, which is
/// as good as none; `Err(Err(…))`: DNS is away.
pub(super) async fn of(resolver: &Resolver, domain: &str) -> Result<Option<Dmarc>, Result<usize, String>> {
    for here in parents(domain) {
        let texts = resolver.txt(&format!("_dmarc.{here}")).await.map_err(Err)?;
        let mut records: Vec<String> = texts.into_iter().filter(|text| is_record(text)).collect();
        match records.len() {
            0 => {}
            1 => return Ok(Some(parse(here, &records.remove(0), here != domain))),
            n => return Err(Ok(n)),
        }
    }
    Ok(None)
}

/// Whether mail whose envelope (or signature) is of `other` counts as mail of `from`.
pub(super) async fn aligned(resolver: &Resolver, from: &str, other: &str, strict: bool) -> Result<bool, String> {
    if strict || from == other {
        return Ok(from == other);
    }
    Ok(organisation(resolver, from).await? == organisation(resolver, other).await?)
}

/// The domain that stands for all below it: the highest above `domain` at which there is a record, else itself.
async fn organisation(resolver: &Resolver, domain: &str) -> Result<String, String> {
    let mut found = domain;
    for here in parents(domain) {
        let texts = resolver.txt(&format!("_dmarc.{here}")).await?;
        if texts.iter().any(|text| is_record(text)) {
            found = here;
        }
    }
    Ok(found.to_owned())
}

/// A domain and its parents of at least two labels.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |here| here.split_once('.').map(|(_, above)| above))
        .take_while(|here| here.contains('.'))
        .take(HIGHEST)
}

fn is_record(text: &str) -> bool {
    text.split(';').next().is_some_and(|tag| tag.split_whitespace().collect::<String>() == "v=DMARC1")
}

fn parse(domain: &str, text: &str, below: bool) -> Dmarc {
    let tag = |wanted: &str| {
        text.split(';').find_map(|tag| {
            let (key, value) = tag.split_once('=')?;
            key.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_ascii_lowercase())
        })
    };
    let policy = if below { tag("sp").or_else(|| tag("p")) } else { tag("p") };
    Dmarc {
        domain: domain.to_owned(),
        text: text.to_owned(),
        policy,
        strict_spf: tag("aspf").as_deref() == Some("s"),
        reported: tag("rua").is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read() {
        let found = parse("haru.example", "v=DMARC1; p=Reject; sp=none ;aspf=s; rua=mailto:x@haru.example", false);
        assert_eq!((found.policy.as_deref(), found.strict_spf, found.reported), (Some("reject"), true, true));
        assert_eq!(parse("haru.example", "v=DMARC1; p=reject; sp=none", true).policy.as_deref(), Some("none"));
        assert_eq!(parse("haru.example", "v=DMARC1", true).policy, None);
        assert!(is_record("v = DMARC1;p=none") && !is_record("v=DMARC12; p=none") && !is_record("p=none; v=DMARC1"));
    }

    #[test]
    fn the_walk_goes_up_to_two_labels() {
        assert_eq!(
            parents("a.b.haru.example").collect::<Vec<_>>(),
            ["a.b.haru.example", "b.haru.example", "haru.example"]
        );
        assert_eq!(parents("localhost").count(), 0);
    }
}
