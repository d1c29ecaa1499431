//! A real Postfix between us and the recipient: what it rewrites breaks no signature.

use super::{BOTH, judges, put_keys, there};
use crate::support::sqlite;
use crate::world::{World, settings, take};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A Postfix of the test's own, that gives everything to the next server. It ends when its standard input closes.
struct Postfix {
    child: Child,
    port: u16,
    dir: PathBuf,
}

impl Postfix {
    fn start(dir: &Path, next: u16) -> Option<Postfix> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let here = dir.display();
        for folder in ["etc", "spool", "data"] {
            std::fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {here}/spool\ndata_directory = {here}/data\nmail_owner = postfix\n\
             setgid_group = postdrop\ncommand_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n\
             meta_directory = /etc/postfix\nshlib_directory = /usr/lib/postfix\nmyhostname = relay.haru.example\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nmydestination =\nalias_maps =\n\
             relayhost = [127.0.0.1]:{next}\nsmtp_host_lookup = native\nmaillog_file = {here}/log\n\
             maillog_file_prefixes = {here}\nsmtpd_relay_restrictions = permit_mynetworks, reject\n\
             header_size_limit = 102400\nremote_header_rewrite_domain = rewritten.example\n\
             local_header_rewrite_clients = permit_mynetworks\n"
        );
        let mut master = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        for (name, max, command) in [
            ("cleanup", "0", "cleanup"),
            ("qmgr", "1", "qmgr"),
            ("rewrite", "-", "trivial-rewrite"),
            ("bounce", "0", "bounce"),
            ("defer", "0", "bounce"),
            ("trace", "0", "bounce"),
            ("smtp", "-", "smtp"),
            ("relay", "-", "smtp"),
            ("error", "-", "error"),
            ("retry", "-", "error"),
            ("proxymap", "-", "proxymap"),
            ("anvil", "1", "anvil"),
            ("scache", "1", "scache"),
            ("flush", "0", "flush"),
        ] {
            // what the outside may reach, and what only Postfix itself
            let reach = if ["cleanup", "qmgr", "flush"].contains(&name) { "n" } else { "-" };
            master += &format!("{name} unix {reach} - n - {max} {command}\n");
        }
        master += "postlog unix-dgram n - n - 1 postlogd\n";
        std::fs::write(dir.join("etc/main.cf"), main).unwrap();
        std::fs::write(dir.join("etc/master.cf"), master).unwrap();
        let script = format!(
            "chmod 755 '{here}' && chown postfix '{here}/data' && postfix -c '{here}/etc' start >'{here}/said' 2>&1 || exit 1\n\
             read -r _ || true\npostfix -c '{here}/etc' stop >>'{here}/said' 2>&1"
        );
        let child = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().ok()?;
        let mut postfix = Postfix { child, port, dir: dir.to_owned() };
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = postfix.child.try_wait().unwrap().is_some();
            assert!(!ended && Instant::now() < deadline, "Postfix did not start: {}", postfix.said());
            std::thread::sleep(Duration::from_millis(50)); // sleep-ok: the port is asked again, there is no signal
        }
        Some(postfix)
    }

    fn said(&self) -> String {
        ["said", "log"].map(|file| std::fs::read_to_string(self.dir.join(file)).unwrap_or_default()).concat()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn what_postfix_relays_is_verified_still() {
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"));
    if !root {
        eprintln!("SKIPPED: only root starts a Postfix, so it does not relay our mail");
        return;
    }
    if !there("Postfix (postfix)", Path::new("/usr/lib/postfix/sbin/master").exists()) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let t = sqlite().await;
        let world = World::new(&t, take).await;
        put_keys(&world.dir);
        let dir = tempfile::tempdir().unwrap();
        let postfix = Postfix::start(dir.path(), world.sink.smtp_addr.port()).unwrap();
        let from = "from = \"Haru Garden <hello@haru.example>\"";
        let text = settings(&format!("smtp://127.0.0.1:{}", postfix.port), "")
            .replace(from, &format!("{from}\ndkim = {BOTH}\nbounce = \"bounces.haru.example\""));
        let world = world.file(&t, "dangol.toml", &text).await;
        world.clock.set("2025-03-04T03:00:00Z".parse().unwrap());
        let mut caught = world.sink.inbox.subscribe();
        world
            .customers("external_id,email,name,locale\na,hong@예시.한국,홍길동,ko\nb,ada@example.com,\"Ada \"\"the\"\" 🌷\",en\n")
            .await;
        world.launch("spring").await;
        world.run().await;
        let mut mails = Vec::new();
        for _ in 0..2 {
            let mail = tokio::time::timeout(Duration::from_secs(60), caught.recv()).await;
            let mail = mail.unwrap_or_else(|_| panic!("Postfix relayed nothing: {}", postfix.said()));
            assert!(mail.envelope.from.starts_with("b+") && mail.raw.starts_with(b"Received: "));
            mails.push(mail.raw.clone());
        }
        judges::dkimpy(&mails);
        judges::opendkim(&mails);
    });
}
