//! The built-in mail catcher: a real SMTP server that delivers nowhere, behind `catch://` relays, and a page that shows
//! what it caught. A first launch reaches nobody, and the demo's people read their mail here.
//!
//! [`smtp`] is the protocol and knows nothing of catching: whoever implements [`smtp::Receiver`] can listen with it.
//!
//! ```no_run
//! # async fn f() -> std::io::Result<()> {
//! use dangol::catcher::{Catcher, Options, take_all};
//! let catcher = Catcher::start(Options::default(), dangol::types::Clock::system(), take_all).await?;
//! println!("smtp://{} and {:?}", catcher.smtp_addr, catcher.http_addr);
//! catcher.shutdown().await;
//! # Ok(()) }
//! ```

mod inbox;
mod page;
mod reply;
pub mod server;
pub mod smtp;
mod wire;
mod words;

pub use inbox::{Counts, Inbox, Keep, Mail, Subscription, Verdict, take_all};
pub use page::router;
pub use reply::Reply;

use crate::types::Clock;
use crate::types::locale::Locale;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long sessions may take to end once the catcher stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where and how to listen.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where SMTP is spoken; port 0 takes any that is free.
    pub smtp: SocketAddr,
    /// Where the page is, if there is to be one.
    pub http: Option<SocketAddr>,
    /// The page's language, when the browser and `?lang=` do not say.
    pub locale: Option<Locale>,
    /// How much is kept.
    pub keep: Keep,
    /// The bounds of a session.
    pub limits: smtp::Limits,
}

impl Default for Options {
    fn default() -> Options {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Options { smtp: anywhere, http: None, locale: None, keep: Keep::default(), limits: smtp::Limits::default() }
    }
}

/// A running catcher; dropping it ends it at once.
pub struct Catcher {
    /// Where it speaks SMTP.
    pub smtp_addr: SocketAddr,
    /// Where its page is.
    pub http_addr: Option<SocketAddr>,
    /// What it has caught.
    pub inbox: Inbox,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Catcher {
    /// Listens, and returns once connections are taken.
    ///
    /// # Errors
    /// When an address cannot be listened on; the error names it.
    pub async fn start(options: Options, clock: Clock, verdict: impl Verdict) -> io::Result<Catcher> {
        let inbox = Inbox::new(options.keep, clock, verdict);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let smtp = listen(options.smtp).await?;
        let http = match options.http {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let smtp_addr = smtp.local_addr()?;
        let http_addr = http.as_ref().map(TcpListener::local_addr).transpose()?;
        let name = "catcher.dangol.localhost".to_owned();
        tasks.spawn(server::run(smtp, name, inbox.clone(), options.limits, stop.clone()));
        if let (Some(listener), Some(address)) = (http, http_addr) {
            let pages = router(inbox.clone(), options.locale, address.ip().is_loopback());
            let stopped = stop.clone().cancelled_owned();
            tasks.spawn(async move {
                if let Err(error) = axum::serve(listener, pages).with_graceful_shutdown(stopped).await {
                    tracing::error!(%error, "the catcher's page has ended");
                }
            });
        }
        Ok(Catcher { smtp_addr, http_addr, inbox, stop, tasks })
    }

    /// Stops taking connections, and waits a little for those that are open.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            tracing::warn!("some connections to the catcher were still open when it stopped");
        }
    }
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(named)
}
