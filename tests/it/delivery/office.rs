//! A node that sends to a server of the test, without the loops around it.

use super::conversation::short;
use super::server::Server;
use crate::world::World;
use dangol::config::model::{self, DomainLimit};
use dangol::db::Query;
use dangol::deliver::node::Node;
use dangol::deliver::relay::Relay;
use dangol::deliver::route::{For, Routes};
use dangol::deliver::sender::Senders;
use dangol::deliver::server::{self, Tls};
use dangol::{args, campaign};
use std::sync::Arc;

pub struct Office<'a> {
    pub world: &'a World,
    pub node: Node,
}

/// Settings of a relay: what a test says, and else what files say by default.
pub fn relay_settings(more: &str) -> model::Relay {
    let name = if more.contains("name =") { "" } else { "name = \"primary\"\n" };
    let rate = if more.contains("rate =") { "" } else { "rate = \"5000/s\"\n" };
    let connections = if more.contains("connections =") { "" } else { "connections = 1\n" };
    toml::from_str(&format!("url = \"smtp://127.0.0.1\"\n{name}{rate}{connections}{more}")).unwrap()
}

pub fn relay(server: &Server, more: &str) -> Arc<Relay> {
    let to = server::Server { limits: short(), ..server::Server::new("127.0.0.1", server.address.port(), Tls::None) };
    Arc::new(Relay::new(&relay_settings(more), to))
}

/// A relay with the limits of every day: where no phase is to run out of time, a busy machine must not make one.
pub fn patient(server: &Server, more: &str) -> Arc<Relay> {
    let to = server::Server::new("127.0.0.1", server.address.port(), Tls::None);
    Arc::new(Relay::new(&relay_settings(more), to))
}

impl<'a> Office<'a> {
    pub async fn new(world: &'a World) -> Office<'a> {
        let node = Node::start(&world.app.db, &world.app.location, world.now()).await.unwrap();
        Office { world, node }
    }

    /// Takes the audiences of what was launched.
    pub async fn enrol(&self) {
        let app = &self.world.app;
        campaign::enrol::tick(&app.db, &app.cache, &app.settings(), 1_000, self.world.now()).await.unwrap();
    }

    pub fn send(&self, relays: Vec<(Arc<Relay>, Vec<For>)>, limits: &[DomainLimit]) -> Senders {
        let app = &self.world.app;
        let composer = Arc::new(app.composer.clone());
        let hello = "haru.example".to_owned();
        Senders::start(app.db.clone(), app.clock.clone(), self.node.id, Routes::new(relays), limits, composer, hello)
    }

    /// Sends through one relay until nothing is due.
    pub async fn send_all(&self, relay: &Arc<Relay>) {
        let senders = self.send(vec![(relay.clone(), vec![])], &[]);
        let idle = tokio::time::timeout(std::time::Duration::from_secs(60), senders.until_idle()).await;
        idle.expect("nothing is idle after a minute").unwrap();
        senders.stop().await;
    }

    /// State, reason and reply of each message, in the order of customers.
    pub async fn fates(&self, from: i64, to: i64) -> Vec<(String, String)> {
        let sql = "SELECT state, COALESCE(reason, '') || ' ' || COALESCE(reply, '') FROM message \
                   WHERE customer_id BETWEEN ? AND ? ORDER BY customer_id";
        (&mut &self.world.app.db).all(sql, args![from, to]).await.unwrap()
    }

    pub async fn execute(&self, sql: &str, args: dangol::db::Args) {
        self.world.app.db.execute(sql, args).await.unwrap();
    }
}

/// Waits for what no signal tells of.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await; // sleep-ok: asked again, there is no signal
    }
    panic!("this never came about: {what}");
}
