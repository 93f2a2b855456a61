//! Which addresses a guarded request may go to.

use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something else than http and https.
    #[error("is neither http nor https")]
    Scheme,
    /// A name and a password stand in it: they would be logged by whoever sees it.
    #[error("holds a user name or a password")]
    Credentials,
    /// It names no host.
    #[error("names no host")]
    NoHost,
    /// It is one of an internal or private network, or none that anybody can be reached at.
    #[error("is one of an internal or private network")]
    Internal,
}

/// A place that guarded requests may go to although it is internal: a network such as `10.0.0.0/8`, an address, or the
/// name of a host.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum AllowedPlace {
    /// Every address with these first bits.
    Network {
        /// Its first address.
        address: IpAddr,
        /// How many bits decide.
        bits: u8,
    },
    /// A host, whatever its name resolves to; in lower case.
    Host(String),
}

impl TryFrom<String> for AllowedPlace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        if let Ok(address) = address.parse::<IpAddr>() {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(most), str::parse::<u8>);
            return match bits {
                Ok(bits) if bits <= most => Ok(Self::Network { address, bits }),
                _ => Err(format!(
                    "`{text}` has no length from 0 to {most} after its slash"
                )),
            };
        }
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if bits.is_some() || text.is_empty() || !text.chars().all(is_host) {
            return Err(format!(
                "`{text}` is neither a network, an address nor the name of a host"
            ));
        }
        Ok(Self::Host(text.trim_end_matches('.').to_ascii_lowercase()))
    }
}

impl AllowedPlace {
    /// True for a network that holds the address; metadata services have to be named one by one.
    pub(super) fn holds(&self, wanted: IpAddr) -> bool {
        let Self::Network { address, bits } = self else {
            return false;
        };
        let is_single = usize::from(*bits) == if address.is_ipv4() { 32 } else { 128 };
        (is_single || !is_metadata(wanted)) && shares_bits(*address, wanted, *bits)
    }

    /// True for the name of this host.
    pub(super) fn is_host(&self, wanted: &str) -> bool {
        let wanted = wanted.trim_end_matches('.');
        matches!(self, Self::Host(host) if host.eq_ignore_ascii_case(wanted))
    }
}

/// Where clouds tell a machine its secrets.
fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address == Ipv4Addr::new(169, 254, 169, 254)
                || address == Ipv4Addr::new(169, 254, 170, 2)
                || address == Ipv4Addr::new(100, 100, 100, 200)
        }
        IpAddr::V6(address) => address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    }
}

/// Networks that nobody outside of one is in, and those that are no addresses of hosts at all: the special-purpose
/// registries of IANA.
const INTERNAL_V4: [([u8; 4], u8); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];
const INTERNAL_V6: [([u16; 8], u8); 9] = [
    // Teredo tunnels and other addresses of protocols.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    // NAT64 with a prefix of one's own: which address is meant cannot be known.
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

/// True for an address that is not out on the internet.
pub(super) fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let within = |(network, bits): &([u8; 4], u8)| {
                shares_bits(Ipv4Addr::from(*network).into(), address.into(), *bits)
            };
            INTERNAL_V4.iter().any(within)
        }
        IpAddr::V6(address) => {
            if let Some(inner) = address_within(address) {
                return is_internal(inner.into());
            }
            let within = |(network, bits): &([u16; 8], u8)| {
                shares_bits(Ipv6Addr::from(*network).into(), address.into(), *bits)
            };
            INTERNAL_V6.iter().any(within)
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped and compatible ones (`::` and `::1` are of that form and
/// lie within `0.0.0.0/8`), NAT64, 6to4.
fn address_within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let pieces = address.segments();
    let last = || v4(pieces[6], pieces[7]);
    match pieces {
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => Some(last()),
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(last()),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

fn shares_bits(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let bits = u32::from(bits);
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let difference = one.to_bits() ^ other.to_bits();
            difference.leading_zeros() >= bits
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let difference = one.to_bits() ^ other.to_bits();
            difference.leading_zeros() >= bits
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_addresses_are_known_in_every_form() {
        let internal = [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "240.0.0.1",
            "203.0.113.7",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12:3456::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ];
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "172.15.255.255",
            "100.128.0.1",
            "11.0.0.1",
            "193.0.0.1",
            "2606:4700::1111",
            "2a00::1",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
            "2002:808:808::1",
        ];

        for text in internal {
            assert!(is_internal(text.parse().unwrap()), "{text}");
        }
        for text in public {
            assert!(!is_internal(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn places_are_networks_addresses_and_hosts() {
        let place = |text: &str| AllowedPlace::try_from(text.to_owned());
        let holds =
            |network: &str, address: &str| place(network).unwrap().holds(address.parse().unwrap());

        assert!(holds("10.0.0.0/8", "10.200.1.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "192.168.0.1"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("192.168.0.7", "192.168.0.7"));
        assert!(!holds("192.168.0.7", "192.168.0.8"));
        assert!(holds("fd00::/8", "fd12::1"));
        assert!(place("Hooks.Internal").unwrap().is_host("hooks.internal."));
        assert!(!place("hooks.internal").unwrap().is_host("x.hooks.internal"));
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/x",
            "host/8",
            "http://x",
            "a b",
            "[::1]",
        ] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn metadata_services_have_to_be_named_one_by_one() {
        let holds = |network: &str, address: &str| {
            let place = AllowedPlace::try_from(network.to_owned()).unwrap();
            place.holds(address.parse().unwrap())
        };

        assert!(!holds("169.254.0.0/16", "169.254.169.254"));
        assert!(holds("169.254.0.0/16", "169.254.1.1"));
        assert!(!holds("fd00::/8", "fd00:ec2::254"));
        assert!(holds("169.254.169.254", "169.254.169.254"));
    }
}
