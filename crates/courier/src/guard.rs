//! Which addresses the courier may connect to: a URL from outside must not reach what is inside.
//! Judged at connect time, on the very address that is connected to, so that no name can change its mind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether receivers may be in this machine's own networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateNetworks {
    /// Loopback and private ranges are fine: the receivers are the operator's own.
    /// Metadata services and link-local addresses are not, ever.
    Allow,
    /// Only public addresses: the webhooks are strangers'.
    Deny,
}

/// The address is in a range that may not be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address {0} may not be connected to")]
pub struct Forbidden(pub IpAddr);

impl PrivateNetworks {
    /// Passes if every address is allowed. One forbidden address among others is a name that
    /// tries something.
    pub fn check(self, addresses: &[IpAddr]) -> Result<(), Forbidden> {
        match addresses.iter().find(|address| !self.allows(**address)) {
            Some(address) => Err(Forbidden(*address)),
            None => Ok(()),
        }
    }

    /// Whether this address may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        match Range::of(address) {
            Range::Public => true,
            Range::Private => self == Self::Allow,
            Range::Never => false,
        }
    }
}

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    /// The internet.
    Public,
    /// Loopback, private and shared networks.
    Private,
    /// Metadata services, link-local, multicast, reserved and transition ranges: no receiver lives there.
    Never,
}

impl Range {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let bits = address.to_bits();
        V4.iter()
            .find(|(net, length, _)| bits >> (32 - length) == net.to_bits() >> (32 - length))
            .map_or(Self::Public, |(_, _, range)| *range)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let bits = address.to_bits();
        // Both carry an IPv4 address in their last 32 bits, and that is where the packets go.
        if bits >> 32 == MAPPED || bits >> 32 == NAT64 {
            return Self::of_v4(Ipv4Addr::from_bits(bits as u32));
        }
        V6.iter()
            .find(|(net, length, _)| bits >> (128 - length) == net.to_bits() >> (128 - length))
            .map_or(Self::Never, |(_, _, range)| *range)
    }
}

/// `::ffff:0:0/96`.
const MAPPED: u128 = 0xffff;
/// `64:ff9b::/96`.
const NAT64: u128 = 0x0064_ff9b << 64;

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(a: u16, b: u16) -> Ipv6Addr {
    Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)
}

/// The special ranges of IPv4, the narrow ones first; what is not here is public.
const V4: &[(Ipv4Addr, u32, Range)] = &[
    // Metadata services inside ranges that are otherwise fine: Alibaba Cloud, Azure.
    (v4(100, 100, 100, 200), 32, Range::Never),
    (v4(168, 63, 129, 16), 32, Range::Never),
    (v4(10, 0, 0, 0), 8, Range::Private),
    (v4(100, 64, 0, 0), 10, Range::Private),
    (v4(127, 0, 0, 0), 8, Range::Private),
    (v4(172, 16, 0, 0), 12, Range::Private),
    (v4(192, 168, 0, 0), 16, Range::Private),
    // Benchmarking; some resolvers hand it out for names behind a tunnel.
    (v4(198, 18, 0, 0), 15, Range::Private),
    // "This host": the kernel would take it for loopback.
    (v4(0, 0, 0, 0), 8, Range::Never),
    // Link-local, and most metadata services: 169.254.169.254.
    (v4(169, 254, 0, 0), 16, Range::Never),
    // Protocol assignments, and the metadata service of Oracle Cloud.
    (v4(192, 0, 0, 0), 24, Range::Never),
    // Documentation.
    (v4(192, 0, 2, 0), 24, Range::Never),
    (v4(198, 51, 100, 0), 24, Range::Never),
    (v4(203, 0, 113, 0), 24, Range::Never),
    // Relays of 6to4.
    (v4(192, 88, 99, 0), 24, Range::Never),
    // Multicast.
    (v4(224, 0, 0, 0), 4, Range::Never),
    // Reserved, and broadcast.
    (v4(240, 0, 0, 0), 4, Range::Never),
];

/// The ranges of IPv6, the narrow ones first; what is not here is nobody's.
const V6: &[(Ipv6Addr, u32, Range)] = &[
    // Metadata services inside unique local addresses: AWS, Google Cloud, Scaleway.
    (v6(0xfd00, 0x0ec2), 32, Range::Never),
    (v6(0xfd20, 0x00ce), 32, Range::Never),
    (v6(0xfd00, 0x0042), 32, Range::Never),
    (Ipv6Addr::LOCALHOST, 128, Range::Private),
    (v6(0xfc00, 0), 7, Range::Private),
    // Protocol assignments: Teredo, benchmarking, ORCHID.
    (v6(0x2001, 0), 23, Range::Never),
    // Documentation.
    (v6(0x2001, 0x0db8), 32, Range::Never),
    (v6(0x3fff, 0), 20, Range::Never),
    // 6to4.
    (v6(0x2002, 0), 16, Range::Never),
    // Global unicast.
    (v6(0x2000, 0), 3, Range::Public),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn range(address: &str) -> Range {
        Range::of(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2001:db7:ffff::",
            "2001:db9::",
            "2003::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "3ffe::1",
            "3fff:1000::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(range(address), Range::Public, "{address}");
        }
    }

    #[test]
    fn own_networks_are_private() {
        for address in [
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.100.100.199",
            "100.100.100.201",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "::1",
            "fc00::",
            "fd12:3456:789a::1",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "64:ff9b::192.168.1.1",
        ] {
            assert_eq!(range(address), Range::Private, "{address}");
        }
    }

    #[test]
    fn where_no_receiver_lives_nobody_connects() {
        for address in [
            "0.0.0.0",
            "0.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "192.0.0.0",
            "192.0.0.192",
            "192.0.0.255",
            "192.0.2.0",
            "192.0.2.255",
            "192.88.99.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "::",
            "::2",
            "::127.0.0.1",
            "::10.0.0.1",
            "::ffff:0.0.0.0",
            "::ffff:169.254.169.254",
            "::fffe:1.1.1.1",
            "::1:ffff:1.1.1.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1.1.1.1",
            "64:ff9b::1:101:101",
            "100::1",
            "1fff:ffff::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "4000::1",
            "5f00::1",
            "fb00::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:42::42",
            "fe00::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert_eq!(range(address), Range::Never, "{address}");
        }
    }

    #[test]
    fn one_forbidden_address_spoils_the_name() {
        let public: IpAddr = "1.1.1.1".parse().unwrap();
        let private: IpAddr = "10.0.0.1".parse().unwrap();
        let metadata: IpAddr = "169.254.169.254".parse().unwrap();
        let both = [public, private];
        assert_eq!(PrivateNetworks::Allow.check(&both), Ok(()));
        assert_eq!(PrivateNetworks::Deny.check(&both), Err(Forbidden(private)));
        assert_eq!(PrivateNetworks::Deny.check(&[public]), Ok(()));
        for policy in [PrivateNetworks::Allow, PrivateNetworks::Deny] {
            assert_eq!(policy.check(&[public, metadata]), Err(Forbidden(metadata)));
        }
    }

    #[test]
    fn narrow_ranges_stand_before_wide_ones() {
        for (index, (net, length, _)) in V4.iter().enumerate() {
            let beyond = net.to_bits().checked_shl(*length).unwrap_or(0);
            assert_eq!(beyond, 0, "{net} has bits beyond /{length}");
            let wider = |(other, bits, _): &&(Ipv4Addr, u32, Range)| {
                bits < length && net.to_bits() >> (32 - bits) == other.to_bits() >> (32 - bits)
            };
            assert!(V4[..index].iter().find(wider).is_none(), "{net}");
        }
        for (index, (net, length, _)) in V6.iter().enumerate() {
            let wider = |(other, bits, _): &&(Ipv6Addr, u32, Range)| {
                bits < length && net.to_bits() >> (128 - bits) == other.to_bits() >> (128 - bits)
            };
            assert!(V6[..index].iter().find(wider).is_none(), "{net}");
        }
    }
}
