//! Accepts connections and gives each to a session, within the limit, until it is told to stop.

use super::reply::Reply;
use super::smtp::{Limits, Receiver, serve};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Serves `listener` until `stop`; then waits for the sessions, which end after the command that they are at.
pub async fn run<R: Receiver>(
    listener: TcpListener,
    name: String,
    receiver: R,
    limits: Limits,
    stop: CancellationToken,
) {
    let shared = Arc::new((name, receiver, limits));
    let room = Arc::new(Semaphore::new(shared.2.connections));
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // an ended session's memory is given back
            Some(_) = sessions.join_next() => continue,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // out of file descriptors, most likely: others have to end before this can go on
                tracing::warn!(%error, "the SMTP listener could not accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            sessions.spawn(turn_away(stream));
            continue;
        };
        let (shared, stop) = (shared.clone(), stop.clone());
        sessions.spawn(async move {
            // replies are small, and waiting for more of them costs 40 ms a mail
            let _ = stream.set_nodelay(true);
            let (name, receiver, limits) = &*shared;
            if let Err(error) = serve(stream, Some(peer.ip()), name, receiver, limits, &stop).await {
                tracing::debug!(%error, "an SMTP session broke off");
            }
            drop(permit);
        });
    }
    while sessions.join_next().await.is_some() {}
}

async fn turn_away(mut stream: TcpStream) {
    let mut reply = Vec::new();
    Reply::new(421, "4.3.2", "too many connections; come back later").write(&mut reply);
    let farewell = async {
        stream.write_all(&reply).await?;
        stream.shutdown().await
    };
    // one who does not read this is not waited for
    let _ = tokio::time::timeout(Duration::from_secs(5), farewell).await;
}
