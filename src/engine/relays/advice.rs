//! A relay that cannot be used, in words of whoever has to mend its URL, who need not know what STARTTLS is.

use crate::deliver::server::{Server, Tls};
use crate::deliver::verdict::Phase;

/// What is wrong, and what to do; `why` are the words of the connection, `variable` holds the password.
pub(super) fn of(server: &Server, phase: Phase, why: &str, variable: &str) -> (String, String) {
    let lower = why.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (host, port) = (&server.host, server.port);
    let plain = |what: &str| format!("{what} ({why})");
    match phase {
        Phase::Auth if says(&["no compatible authentication"]) => (
            plain(&format!("the server asks for no login on port {port}, though `url` names a user")),
            format!(
                "write the port that your provider gives for sending with a login, usually smtp://user@{host}:587 or smtps://user@{host}:465; or take the user and the @ out of `url`"
            ),
        ),
        Phase::Auth => (why.to_owned(), format!("check the user in `url`, and {variable}")),
        _ if server.tls == Tls::Implicit && says(&["corrupt message", "invalidcontenttype", "wrong version", "unasked: `220"]) => (
            plain(&format!("port {port} does not speak TLS from the first byte, which smtps:// means")),
            format!(
                "write smtp://{host}:{port}, which turns TLS on after the greeting (STARTTLS), or the port for smtps://, usually 465"
            ),
        ),
        _ if server.tls != Tls::Implicit && port == 465 && says(&["did not answer"]) => (
            plain("the server does not greet on port 465, which speaks TLS from the first byte"),
            format!("write smtps://{host}:465"),
        ),
        _ if says(&["starttls"]) => (
            plain(&format!("the server does not encrypt on port {port}, and mail does not go in the clear")),
            format!("ask your provider for the port with TLS, usually smtps://{host}:465 or smtp://{host}:587"),
        ),
        _ if says(&["certificate", "unknownissuer"]) => (
            plain("the server's certificate is not trusted, or is for another name"),
            "write the host as your provider writes it, and not another name or its address; for a server of your own, name its authority's certificate with `ca`".into(),
        ),
        _ if says(&["lookup", "resolve", "name or service"]) => {
            (plain(&format!("there is no server of the name `{host}`")), "check the host in `url`".into())
        }
        _ => (why.to_owned(), "check host and port, that the server runs, and that no firewall stands between".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marketer_is_told_what_to_write() {
        let told = |tls, port, phase, why: &str| {
            let server = Server::new("mail.haru.example", port, tls);
            let (what, help) = of(&server, phase, why, "DANGOL_RELAY_PRIMARY_PASSWORD");
            assert!(what.contains(why), "the server's own words stay: {what}");
            format!("{what} | {help}")
        };
        for (tls, port, phase, why, words) in [
            (Tls::Implicit, 587, Phase::Connect, "received corrupt message", "write smtp://mail.haru.example:587"),
            (Tls::StartTls, 465, Phase::Connect, "it did not answer in 30 s", "write smtps://mail.haru.example:465"),
            (Tls::StartTls, 25, Phase::Connect, "it offers no STARTTLS", "does not encrypt on port 25"),
            (Tls::StartTls, 25, Phase::Auth, "No compatible authentication mechanism was found", "asks for no login"),
            (Tls::StartTls, 587, Phase::Auth, "535 no", "DANGOL_RELAY_PRIMARY_PASSWORD"),
            (Tls::Implicit, 465, Phase::Connect, "invalid peer certificate: UnknownIssuer", "not trusted"),
            (Tls::Implicit, 465, Phase::Connect, "failed to lookup address", "no server of the name `mail.haru"),
            (Tls::Implicit, 465, Phase::Connect, "Connection refused", "no firewall"),
        ] {
            let told = told(tls, port, phase, why);
            assert!(told.contains(words), "{told}");
        }
    }
}
