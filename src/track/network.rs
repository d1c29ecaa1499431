//! Addresses and their neighbourhoods, as texts whose order in the database is the order of the numbers' prefixes.

use std::net::IpAddr;

/// The address as it is kept: IPv4 in the usual way, IPv6 with all its digits, so that a network is a range of texts.
pub fn text(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip.segments().map(|segment| format!("{segment:04x}")).join(":"),
    }
}

/// The /24 (of IPv6 the /64) of an address on the Internet, as a range of kept texts: from the first, up to and without
/// the second. `None` for addresses that say nothing about a network: private ones, as behind a proxy of ours that
/// `[web] proxies` does not count, loopback, link-local.
pub fn neighbourhood(ip: IpAddr) -> Option<(String, String)> {
    let ip = ip.to_canonical();
    let (prefix, after) = match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || shared {
                return None;
            }
            (format!("{a}.{b}.{c}"), ('.', '/'))
        }
        IpAddr::V6(v6) => {
            if v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local() {
                return None;
            }
            (text(ip)[..19].to_owned(), (':', ';'))
        }
    };
    Some((format!("{prefix}{}", after.0), format!("{prefix}{}", after.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_a_range_of_texts() {
        for (member, stranger, of) in [
            ("203.0.113.255", "203.0.11.3", "203.0.113.7"),
            ("203.0.113.0", "203.0.114.7", "203.0.113.7"),
            ("2001:db8:0:1::", "2001:db8:0:2::1", "2001:db8::1:0:0:0:9"),
            ("::ffff:203.0.113.9", "203.0.112.9", "203.0.113.7"),
        ] {
            let (from, to) = neighbourhood(ip(of)).unwrap();
            let within = |other: &str| (from.as_str()..to.as_str()).contains(&text(ip(other)).as_str());
            assert!(within(of) && within(member) && !within(stranger), "{of}: {from} {to}");
        }
    }

    #[test]
    fn private_addresses_are_no_network() {
        for private in
            ["127.0.0.1", "10.1.2.3", "192.168.0.9", "100.64.3.1", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"]
        {
            assert_eq!(neighbourhood(ip(private)), None, "{private}");
        }
    }
}
