//! Where a relay is, how it is reached, and how long it may take.

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use secrecy::SecretString;
use std::time::Duration;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// In the clear: loopback only.
    None,
    /// STARTTLS, required.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// Where a relay is, parsed from its URL.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Who we are to it.
    pub login: Option<(String, SecretString)>,
    /// Authorities that are trusted beside the public ones.
    pub ca: Option<Ca>,
    /// How long each phase may take.
    pub limits: Limits,
}

impl Server {
    /// A server without a login.
    pub fn new(host: impl Into<String>, port: u16, tls: Tls) -> Server {
        Server { host: host.into(), port, tls, login: None, ca: None, limits: Limits::default() }
    }

    /// What TLS has to prove: the host's name, by a trusted authority.
    pub(super) fn trust(&self) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(ca) = &self.ca {
            parameters = parameters.add_root_certificate(ca.certificates.clone());
        }
        parameters.build_rustls()
    }
}

/// Certificates of authorities, from a PEM file.
#[derive(Clone, Debug)]
pub struct Ca {
    certificates: Certificate,
    /// Of the file, so that a new one is seen.
    hash: blake3::Hash,
}

impl PartialEq for Ca {
    fn eq(&self, other: &Ca) -> bool {
        self.hash == other.hash
    }
}

impl Ca {
    /// Reads the certificates of a PEM file.
    ///
    /// # Errors
    /// When there is none, or one that cannot be used.
    pub fn parse(pem: &[u8]) -> Result<Ca, String> {
        let begins = b"-----BEGIN CERTIFICATE-----";
        if !pem.windows(begins.len()).any(|window| window == begins) {
            return Err("it holds no certificate: expected PEM, which begins with -----BEGIN CERTIFICATE-----".into());
        }
        let certificate = Certificate::from_pem(pem).map_err(|_| "its PEM cannot be read".to_owned())?;
        let trusted = TlsParameters::builder("localhost".into()).add_root_certificate(certificate.clone());
        trusted.build_rustls().map_err(|_| "a certificate in it cannot be used as an authority".to_owned())?;
        Ok(Ca { certificates: certificate, hash: blake3::hash(pem) })
    }
}

/// How long each phase may take (RFC 5321, section 4.5.3.2; shorter where a person waits, or where no mail is at stake).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The network's connection.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// The server's greeting.
    pub greeting: Duration,
    /// The reply to EHLO, and to STARTTLS.
    pub hello: Duration,
    /// Each reply of the login.
    pub auth: Duration,
    /// The reply to MAIL.
    pub mail: Duration,
    /// The reply to RCPT.
    pub rcpt: Duration,
    /// The reply to DATA.
    pub data: Duration,
    /// Until the server takes some more of what we write.
    pub block: Duration,
    /// The reply to the final dot: a server that takes long here is often one that has already taken the mail.
    pub dot: Duration,
    /// The reply to RSET.
    pub reset: Duration,
    /// The reply to QUIT.
    pub quit: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        let s = Duration::from_secs;
        Limits {
            connect: s(30),
            tls: s(30),
            greeting: s(60),
            hello: s(60),
            auth: s(60),
            mail: s(300),
            rcpt: s(300),
            data: s(120),
            block: s(180),
            dot: s(600),
            reset: s(60),
            quit: s(5),
        }
    }
}

/// What a relay's URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `catch://`: the built-in catcher.
    Catch,
    /// A real server: scheme, user, host, port.
    Server {
        /// How the connection is protected.
        tls: Tls,
        /// The user to log in as.
        user: Option<String>,
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl Scheme {
    /// Reads a relay's URL.
    ///
    /// # Errors
    /// What is wrong, without repeating a password.
    pub fn parse(text: &str) -> Result<Scheme, String> {
        if text == "catch://" || text == "catch:" {
            return Ok(Scheme::Catch);
        }
        let expected = "write smtp://user@host:587 (STARTTLS), smtps://user@host:465 (TLS) or catch://";
        let url = url::Url::parse(text).map_err(|e| format!("this is no URL of a relay ({e}): {expected}"))?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| format!("it names no host: {expected}"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if url.password().is_some() {
            return Err("a password stands in the file: take it out, and set DANGOL_RELAY_<NAME>_PASSWORD".into());
        }
        let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let (tls, default) = match url.scheme() {
            "smtp" if loopback => (Tls::None, 25),
            "smtp" => (Tls::StartTls, 587),
            "smtps" => (Tls::Implicit, 465),
            other => return Err(format!("`{other}` is no scheme of a relay: {expected}")),
        };
        let user = (!url.username().is_empty()).then(|| percent_decode(url.username()));
        Ok(Scheme::Server { tls, user, host, port: url.port().unwrap_or(default) })
    }
}

fn percent_decode(text: &str) -> String {
    // a form's decoding also turns + into a space, and a user name may hold one
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relays_url() {
        let parse = |text| Scheme::parse(text);
        assert_eq!(parse("catch://"), Ok(Scheme::Catch));
        let Ok(Scheme::Server { tls, user, host, port }) = parse("smtp://hello%40haru.example@smtp.example:587") else {
            panic!("not read")
        };
        assert_eq!(
            (tls, user.as_deref(), host.as_str(), port),
            (Tls::StartTls, Some("hello@haru.example"), "smtp.example", 587)
        );
        assert!(matches!(parse("smtp://127.0.0.1:2525"), Ok(Scheme::Server { tls: Tls::None, port: 2525, .. })));
        assert!(matches!(parse("smtp://[::1]:2525"), Ok(Scheme::Server { tls: Tls::None, .. })));
        assert!(matches!(parse("smtps://smtp.example"), Ok(Scheme::Server { tls: Tls::Implicit, port: 465, .. })));
        let secret = parse("smtp://u:hunter2@smtp.example").unwrap_err();
        assert!(secret.contains("DANGOL_RELAY_") && !secret.contains("hunter2"));
        for wrong in ["", "smtp://", "http://x", "smtp.example:25"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_no_authority() {
        assert!(Ca::parse(b"").unwrap_err().contains("no certificate"));
        let wrong = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Ca::parse(wrong).unwrap_err().contains("authority"));
    }
}
