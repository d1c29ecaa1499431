//! Opening a connection: greeting, EHLO, TLS, login. What the server can do is known when it is over.

use super::connection::NoConnection;
use super::reply::Reply;
use super::server::{Server, Tls};
use super::verdict::Phase;
use super::wire::Wire;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;
use std::net::IpAddr;
use std::time::Duration;

/// What a server said in EHLO that it can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Takes several commands in one write.
    pub pipelining: bool,
    /// Takes addresses and headers in UTF-8.
    pub smtputf8: bool,
    /// Takes octets above 127 in the content.
    pub eight_bit: bool,
    /// Knows the SIZE parameter of MAIL.
    pub size: bool,
    /// The largest mail that it takes; 0 when it does not say.
    pub largest: usize,
    starttls: bool,
    plain: bool,
    login: bool,
}

impl Abilities {
    /// Reads the reply to EHLO.
    pub fn of(reply: &Reply) -> Abilities {
        let mut can = Abilities::default();
        for line in reply.lines.iter().skip(1) {
            // `AUTH=LOGIN` is how some old servers write it
            let upper = line.trim().to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = upper.split_ascii_whitespace();
            match words.next() {
                Some("PIPELINING") => can.pipelining = true,
                Some("SMTPUTF8") => can.smtputf8 = true,
                Some("8BITMIME") => can.eight_bit = true,
                Some("STARTTLS") => can.starttls = true,
                Some("SIZE") => {
                    can.size = true;
                    can.largest = words.next().and_then(|size| size.parse().ok()).unwrap_or(0);
                }
                Some("AUTH") => {
                    for way in words {
                        can.plain |= way == "PLAIN";
                        can.login |= way == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        can
    }
}

/// Connects, protects and logs in.
pub(super) async fn open(server: &Server, hello: &str) -> Result<(Wire, Abilities), NoConnection> {
    let at = format!("{}:{}", server.host, server.port);
    let failed = |phase, why: String| NoConnection { phase, why };
    let cannot = |why: String| failed(Phase::Connect, format!("cannot connect to {at}: {why}"));
    let mut wire = Wire::connect(server).await.map_err(cannot)?;
    if server.tls == Tls::Implicit {
        wire.protect(server).await.map_err(|why| failed(Phase::Tls, format!("TLS with {at} failed: {why}")))?;
    }
    let greeting = wire.reply(server.limits.greeting).await;
    let greeting = greeting.map_err(|e| failed(Phase::Greeting, format!("{at} did not greet: {}", late(&e))))?;
    if !greeting.positive() {
        return Err(failed(Phase::Greeting, format!("{at} will not talk to us: {}", said(&greeting))));
    }
    let mut can = introduce(&mut wire, server, hello).await?;
    if server.tls == Tls::StartTls {
        let refused = |why: String| failed(Phase::Tls, format!("TLS with {at} failed: {why}"));
        if !can.starttls {
            let why = "it offers no STARTTLS, and mail does not go in the clear: use smtps://, or another relay";
            return Err(failed(Phase::Tls, format!("cannot use {at}: {why}")));
        }
        let reply = ask(&mut wire, "STARTTLS\r\n", server.limits.hello).await.map_err(refused)?;
        if reply.code != 220 {
            return Err(refused(format!("it refused STARTTLS: {}", said(&reply))));
        }
        wire.protect(server).await.map_err(refused)?;
        // what was said in the clear counts no more
        can = introduce(&mut wire, server, hello).await?;
    }
    if let Some((user, password)) = &server.login {
        login(&mut wire, can, server.limits.auth, user, password.expose_secret())
            .await
            .map_err(|why| failed(Phase::Auth, format!("{at} refused the login as {user}: {why}")))?;
    }
    Ok((wire, can))
}

async fn introduce(wire: &mut Wire, server: &Server, hello: &str) -> Result<Abilities, NoConnection> {
    let name = match hello.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => format!("[{ip}]"),
        Ok(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Err(_) => hello.to_owned(),
    };
    let at = format!("{}:{}", server.host, server.port);
    let failed = |why: String| NoConnection { phase: Phase::Hello, why: format!("{at} refused EHLO: {why}") };
    let reply = ask(wire, &format!("EHLO {name}\r\n"), server.limits.hello).await.map_err(failed)?;
    if reply.positive() { Ok(Abilities::of(&reply)) } else { Err(failed(said(&reply))) }
}

/// AUTH PLAIN, or LOGIN where there is no PLAIN.
async fn login(wire: &mut Wire, can: Abilities, limit: Duration, user: &str, password: &str) -> Result<(), String> {
    let mut reply = if can.plain {
        let both = BASE64.encode(format!("\0{user}\0{password}"));
        ask(wire, &format!("AUTH PLAIN {both}\r\n"), limit).await?
    } else if can.login {
        let mut reply = ask(wire, "AUTH LOGIN\r\n", limit).await?;
        for answer in [user, password] {
            if reply.code != 334 {
                break;
            }
            reply = ask(wire, &format!("{}\r\n", BASE64.encode(answer)), limit).await?;
        }
        reply
    } else {
        return Err("no compatible authentication: it offers neither PLAIN nor LOGIN".into());
    };
    if reply.positive() {
        return Ok(());
    }
    if reply.code == 334 {
        // a challenge beyond what these ways have: take it back, and give up
        reply = ask(wire, "*\r\n", limit).await?;
    }
    Err(said(&reply))
}

/// One command and its reply.
async fn ask(wire: &mut Wire, command: &str, limit: Duration) -> Result<Reply, String> {
    wire.quiet().map_err(|e| e.to_string())?;
    wire.send(command.as_bytes()).await.map_err(|e| e.to_string())?;
    wire.reply(limit).await.map_err(|e| late(&e))
}

fn late(e: &super::wire::Broken) -> String {
    match e {
        super::wire::Broken::Slow(limit) => format!("it did not answer in {limit:?}"),
        other => other.to_string(),
    }
}

fn said(reply: &Reply) -> String {
    format!("{} {}", reply.code, reply.text()).chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_can_do() {
        let lines = ["mail.example SMTPUTF8", "pipelining", "SIZE 1000", "AUTH=LOGIN", "8BITMIME", "XCLIENT NAME"];
        let reply = Reply { code: 250, lines: lines.map(str::to_owned).to_vec() };
        let can = Abilities::of(&reply);
        assert!(can.pipelining && can.eight_bit && can.size && can.login && !can.plain && !can.starttls);
        assert!(!can.smtputf8, "the first line is the server's name");
        assert_eq!(can.largest, 1_000);
        let bare = Abilities::of(&Reply { code: 250, lines: vec!["x".into(), "SIZE".into()] });
        assert_eq!((bare.size, bare.largest, bare.pipelining), (true, 0, false));
    }
}
