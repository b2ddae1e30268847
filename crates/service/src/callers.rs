//! From where a call came: what is believed of who passes calls on.
//!
//! A gateway calls for others, and a proxy may stand before it: each says where a call came from. That is believed of those whom a setting
//! names, and of nobody else: else whoever calls had as many addresses as they like.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::OnceLock,
};

use ipnet::IpNet;

/// Networks, as a setting names them: addresses and prefixes, parted by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl FromStr for Networks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one =
            |word: &str| word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)).map_err(|_| format!("{word} is no address and no network"));
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(one).collect::<Result<Vec<_>, _>>().map(Self)
    }
}

impl Networks {
    /// Whether an address is of one of them.
    pub fn hold(&self, address: &str) -> bool {
        address.parse::<IpAddr>().is_ok_and(|address| self.0.iter().any(|network| network.contains(&address.to_canonical())))
    }

    /// Where a call came from: the other end of the connection, or, where that is believed, the last of those of whom it tells that is not.
    pub fn origin(&self, peer: &str, told: &str) -> String {
        if !self.hold(peer) {
            return peer.to_owned();
        }
        let mut last = peer.to_owned();
        for told in told.rsplit(',').map(str::trim).filter(|told| !told.is_empty()) {
            // What stands before something that is no address was told by whoever wrote that.
            let Some(address) = address_of(told) else { break };
            last = address.to_string();
            if !self.hold(&last) {
                break;
            }
        }
        last
    }
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn address_of(told: &str) -> Option<IpAddr> {
    let address = told.parse().or_else(|_| told.parse::<SocketAddr>().map(|address| address.ip())).or_else(|_| told.trim_matches(['[', ']']).parse());
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// The gateways of this process's services.
static GATEWAYS: OnceLock<Networks> = OnceLock::new();

/// Says which addresses are gateways'. A process does it once, before its services start; a second time changes nothing.
pub fn believe(gateways: Networks) {
    // Whoever said it first stays.
    let _ = GATEWAYS.set(gateways);
}

/// Those whom this process's services believe; those on the same machine where nothing was said.
pub(crate) fn gateways() -> &'static Networks {
    GATEWAYS.get_or_init(|| NEAR.parse().unwrap_or_default())
}

/// The same machine.
pub const NEAR: &str = "127.0.0.0/8, ::1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_believed_as_far_as_those_who_tell_it() {
        let trusted: Networks = "10.0.0.0/24, 192.0.2.7, ::1".parse().expect("networks");
        for (peer, told, origin) in [
            ("203.0.113.5", "1.1.1.1", "203.0.113.5"),
            ("10.0.0.9", "", "10.0.0.9"),
            ("10.0.0.9", "203.0.113.5", "203.0.113.5"),
            // What stands before the last stranger that stranger may have made up.
            ("10.0.0.9", "1.1.1.1, 203.0.113.5", "203.0.113.5"),
            ("10.0.0.9", "203.0.113.5, 192.0.2.7", "203.0.113.5"),
            ("10.0.0.9", "10.0.0.1, 10.0.0.2", "10.0.0.1"),
            ("10.0.0.9", "unknown, <script>", "10.0.0.9"),
            ("10.0.0.9", "1.1.1.1, unknown", "10.0.0.9"),
            ("10.0.0.9", "1.1.1.1, 203.0.113.5:4171", "203.0.113.5"),
            ("10.0.0.9", "1.1.1.1, [2001:db8::1]:4171", "2001:db8::1"),
            ("10.0.0.9", "[2001:db8::1]", "2001:db8::1"),
            ("10.0.0.9", "::ffff:203.0.113.5", "203.0.113.5"),
            ("::1", "2001:db8::1", "2001:db8::1"),
            ("::ffff:10.0.0.9", "203.0.113.5", "203.0.113.5"),
            ("", "203.0.113.5", ""),
        ] {
            assert_eq!(trusted.origin(peer, told), origin, "{peer} {told}");
        }
        for wrong in ["10.0.0.0/33", "proxy", "10.0.0"] {
            assert!(wrong.parse::<Networks>().is_err(), "{wrong}");
        }
        assert_eq!("".parse::<Networks>(), Ok(Networks::default()));
    }
}
