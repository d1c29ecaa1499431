//! A process that dies anywhere: between slices, inside a transaction, while mails go out.

use super::{campaign, pairs, world};
use crate::support::on_both;
use crate::world::World;
use dangol::campaign::LiveCache;
use dangol::campaign::journey::{self, Which};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

const N: usize = 40;

/// A future that dies when it has been looked at so many times: what it had begun is dropped where it stood.
struct Mortal<F> {
    inner: F,
    looks: u32,
}

impl<F: Future + Unpin> Future for Mortal<F> {
    type Output = Option<F::Output>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.looks == 0 {
            return Poll::Ready(None);
        }
        self.looks -= 1;
        Pin::new(&mut self.inner).poll(cx).map(Some)
    }
}

/// Works on the campaigns and the log for so many looks, and dies.
async fn dies(world: &World, looks: u32) {
    let settings = world.app.settings();
    let (db, now) = (&world.app.db, world.now());
    let cache = LiveCache::default();
    let work = pin!(async {
        for _ in 0..3 {
            journey::tick(db, &cache, &settings, 2, Which::Running, now).await.unwrap();
            dangol::relationship::catch_up(db, &settings, now).await.unwrap();
            dangol::reward::catch_up(db, &settings, now).await.unwrap();
        }
    });
    Mortal { inner: work, looks }.await;
}

#[test]
fn each_step_and_each_grant_happens_once_whoever_dies_meanwhile() {
    on_both(async |t| {
        let text = "holdout = \"20%\"\n[trigger]\nenters = \"buyers\"\n[[step]]\nid = \"one\"\nsend = \"j/one\"\n\
                    reward = { grant = \"petals\", points = 10 }\n[[step]]\nid = \"gift\"\nreward = { grant = \"petals\", points = 5 }\n\
                    [[step]]\nid = \"two\"\nwait = \"1d\"\nsend = \"j/two\"\nreward = { grant = \"petals\", points = 20 }\n";
        let world = campaign(world(&t, N).await, &t, "two", text).await;
        let receipt = "topic = \"account\"\nsend = \"j/three\"\n[trigger]\nevent = \"order\"\nreenter = \"always\"\n";
        let world = campaign(world, &t, "receipt", receipt).await;
        world.launch("two").await;
        world.launch("receipt").await;
        // any numbers do: they say where it dies
        let mut dice = 20_270_302_u64;
        let mut throw = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        for round in 0..N {
            if round % 2 == 0 {
                world.buy([round + 1, round + 2]).await;
            }
            for _ in 0..3 {
                let looks = u32::try_from(throw(60)).unwrap();
                dies(&world, looks).await;
            }
            world.ledger().await;
            if round % 10 == 9 {
                world.run().await;
                world.later("6h");
            }
        }
        world.run().await;
        world.later("2d");
        world.run().await;
        assert_eq!(world.passes("two").await, pairs(&[("done", N as i64)]), "no pass is lost, none is there twice");
        assert_eq!(world.passes("receipt").await, pairs(&[("done", N as i64)]));
        let report = world.report("two").await;
        let (treated, holdout) = (report.assigned.treated, report.assigned.holdout);
        assert_eq!(treated + holdout, N as i64);
        assert_eq!(report.steps["one"]["accepted"], treated);
        assert_eq!(report.steps["two"]["accepted"], treated);
        let counts = world.sink.inbox.counts();
        assert_eq!((counts.deliveries as i64, counts.twice), (2 * treated + N as i64, 0));
        let ledger = world.ledger().await;
        let mut granted = 0;
        for id in 1..=N as i64 {
            let [pending, active, ..] = ledger.account(id, "petals").await;
            assert_eq!(pending, 120, "what the order earned");
            assert!(active == 35 || active == 0, "{active}");
            granted += active / 35;
        }
        assert_eq!(granted, treated);
    });
}
