//! How far our clock is off, by one question to a time server (SNTP, RFC 4330): mail from tomorrow is spam, and the
//! signatures of mail say when they were made.

use std::time::Duration;
use tokio::net::UdpSocket;

/// From 1900, from which NTP counts, to 1970.
const EPOCH: i64 = 2_208_988_800;

/// The milliseconds that the server's clock shows since 1970.
pub(super) async fn ask(server: &str) -> Result<i64, String> {
    let asked = tokio::time::timeout(Duration::from_secs(3), once(server)).await;
    asked.unwrap_or_else(|_| Err(format!("the time server {server} does not answer")))
}

async fn once(server: &str) -> Result<i64, String> {
    let cannot = |e: std::io::Error| format!("the time server {server} cannot be asked: {e}");
    let mut addresses = tokio::net::lookup_host(server).await.map_err(cannot)?;
    let address = addresses.next().ok_or_else(|| format!("the time server {server} has no address"))?;
    let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(local).await.map_err(cannot)?;
    socket.connect(address).await.map_err(cannot)?;
    let mut packet = [0; 48];
    // version 4, a client; a number of our own comes back, so that nobody else's answer is taken
    packet[0] = 0x23;
    getrandom::fill(&mut packet[40..48]).map_err(|e| e.to_string())?;
    socket.send(&packet).await.map_err(cannot)?;
    let mut answer = [0; 48];
    let n = socket.recv(&mut answer).await.map_err(cannot)?;
    read(&answer[..n], &packet).ok_or_else(|| format!("the time server {server} gives no time"))
}

fn read(answer: &[u8], asked: &[u8; 48]) -> Option<i64> {
    // a server, with a stratum of its own, that answers us
    let genuine = answer.len() == 48 && answer[0] & 7 == 4 && answer[1] != 0 && answer[24..32] == asked[40..48];
    let part = |at: usize| Some(i64::from(u32::from_be_bytes(answer.get(at..at + 4)?.try_into().ok()?)));
    let (seconds, fraction) = (part(40)?, part(44)?);
    // the count starts anew in 2036
    let seconds = if seconds < EPOCH { seconds + (1 << 32) } else { seconds };
    (genuine && (seconds, fraction) != (1 << 32, 0)).then(|| (seconds - EPOCH) * 1000 + ((fraction * 1000) >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_to_us_is_taken() {
        let mut asked = [0; 48];
        asked[40..48].copy_from_slice(b"ourowntm");
        let mut answer = [0; 48];
        (answer[0], answer[1]) = (0x24, 2);
        answer[24..32].copy_from_slice(b"ourowntm");
        answer[40..44].copy_from_slice(&(EPOCH as u32 + 1_000).to_be_bytes());
        answer[44] = 0x80;
        assert_eq!(read(&answer, &asked), Some(1_000_500));
        let mut late = answer;
        late[40..44].copy_from_slice(&1_u32.to_be_bytes());
        assert_eq!(read(&late, &asked).map(|ms| ms / 1000), Some((1 << 32) + 1 - EPOCH));
        answer[24] ^= 1;
        assert_eq!(read(&answer, &asked), None);
        assert_eq!(read(b"short", &asked), None);
    }
}
