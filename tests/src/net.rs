//! Networks of a test's own: hosts, routers that translate addresses, and one segment that plays the internet.
//!
//! Each host is a network namespace inside the test's, and goes with it. What a host does is done by a thread that has
//! entered it ([`inside`]): sockets and processes made there stay there. The test itself, and the switch, stand where the
//! test was started.

use crate::fail::{Fail, Outcome, fail};
use crate::runner::APART;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;

/// The segment everybody reaches (RFC 5737: for examples), and the same for IPv6 (RFC 3849).
const INTERNET: &str = "net";
/// Its router: takes what is for nowhere and drops it, as a provider does.
const PROVIDER: &str = "203.0.113.1";

/// How a router gives out ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// A host's own where it is free: what most home routers do.
    Kept,
    /// Another for each peer that a host speaks with: symmetric NAT (RFC 4787 4.1).
    ForEachPeer,
}

/// Runs a command to its end; its words if it fails.
fn run(line: &str) -> Outcome {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap_or_default()).args(words).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { fail(format!("{line}: {said}")) }
}

/// Runs several, one a line; `$` stands for "in this host".
fn run_all(host: &str, lines: &str) -> Outcome {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines {
        run(&line.replace("$ ", &format!("ip netns exec {host} ")))?;
    }
    Ok(())
}

/// Does something as a host.
pub fn inside<T: Send>(host: &str, act: impl FnOnce() -> Result<T, Fail> + Send) -> Result<T, Fail> {
    let enter = || {
        let place = File::open(format!("/run/netns/{host}"))?;
        move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network))?;
        act()
    };
    std::thread::scope(|scope| match scope.spawn(enter).join() {
        Ok(done) => done,
        Err(_) => fail(format!("{host} panicked")),
    })
}

/// Makes the internet. Fails, and says so, where there are no rights for it.
pub fn internet() -> Outcome {
    if std::env::var_os(APART).is_none() {
        return fail(
            "no rights for network namespaces: NAT cannot be tested here; run as root, or allow user namespaces",
        );
    }
    std::fs::create_dir_all("/run/netns")?;
    run("mount -t tmpfs tmpfs /run/netns")?;
    run(&format!("ip netns add {INTERNET}"))?;
    run_all(
        INTERNET,
        &format!(
            "$ ip link set lo up
             $ ip link add wire type bridge
             $ ip addr add {PROVIDER}/24 dev wire
             $ ip -6 addr add 2001:db8::1/64 dev wire nodad
             $ ip link set wire up"
        ),
    )
}

/// Puts the test's own place, where the switch is, at this address of the internet.
pub fn switch_at(ipv4: &str, ipv6: Option<&str>) -> Outcome {
    run(&format!("ip link add wan type veth peer name switch netns {INTERNET}"))?;
    run_all(INTERNET, "$ ip link set switch master wire up")?;
    run(&format!("ip addr add {ipv4}/24 dev wan"))?;
    if let Some(ipv6) = ipv6 {
        run(&format!("ip -6 addr add {ipv6}/64 dev wan nodad"))?;
    }
    run("ip link set wan up")?;
    run(&format!("ip route add default via {PROVIDER}"))
}

/// Puts the test's own place behind a router that gives it a public address of its own, port for port.
pub fn switch_behind_one_to_one(private: &str, router: &str, public: &str) -> Outcome {
    host_bare("oneone")?;
    wire_up("oneone", public)?;
    run("ip link add wan type veth peer name lan netns oneone")?;
    run_all(
        "oneone",
        &format!(
            "$ ip addr add {router}/24 dev lan
             $ ip link set lan up
             $ sysctl -qw net.ipv4.ip_forward=1
             $ iptables -t nat -A PREROUTING -i wan -d {public} -j DNAT --to-destination {private}
             $ iptables -t nat -A POSTROUTING -o wan -s {private} -j SNAT --to-source {public}"
        ),
    )?;
    run(&format!("ip addr add {private}/24 dev wan"))?;
    run("ip link set wan up")?;
    run(&format!("ip route add default via {router}"))
}

/// A host on the internet itself.
pub fn host(name: &str, address: &str) -> Outcome {
    host_bare(name)?;
    wire_up(name, address)
}

/// A router at a public address with a network 192.168.1.0/24 behind it.
pub fn router(name: &str, public: &str, ports: Ports) -> Outcome {
    router_of("192.168.1", name, public, ports)
}

/// A router at a public address with this network of 256 addresses behind it.
pub fn router_of(inner: &str, name: &str, public: &str, ports: Ports) -> Outcome {
    let random = if ports == Ports::ForEachPeer { "--random-fully" } else { "" };
    host(name, public)?;
    run_all(
        name,
        &format!(
            "$ ip link add lan type bridge
             $ ip addr add {inner}.1/24 dev lan
             $ ip link set lan up
             $ sysctl -qw net.ipv4.ip_forward=1
             $ iptables -t nat -A POSTROUTING -o wan -j MASQUERADE {random}
             $ iptables -A FORWARD -i wan -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP
             $ iptables -A INPUT -i wan -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP"
        ),
    )
}

/// A host behind a router.
pub fn host_behind(router: &str, name: &str, address: &str) -> Outcome {
    host_bare(name)?;
    run(&format!("ip -n {name} link add wan type veth peer name to-{name} netns {router}"))?;
    run_all(router, &format!("$ ip link set to-{name} master lan up"))?;
    run_all(
        name,
        &format!(
            "$ ip addr add {address}/24 dev wan
             $ ip link set wan up
             $ ip route add default via 192.168.1.1"
        ),
    )
}

/// A host without any link, of IPv4 alone: an address of IPv6 is there only a second or two after its link.
pub fn host_apart(name: &str) -> Outcome {
    host_bare(name)?;
    run_all(name, "$ sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
}

/// Gives a host a link to a router, whose network is `inner`, and the address with this end in it. What has that address
/// goes by that link, whatever others there are; what has none yet goes by the link with the lowest `metric`.
pub fn plug(host: &str, router: &str, inner: &str, end: u8, metric: u32) -> Outcome {
    run(&format!("ip -n {host} link add {router} type veth peer name to-{host} netns {router}"))?;
    run_all(router, &format!("$ ip link set to-{host} master lan up"))?;
    run_all(
        host,
        &format!(
            "$ ip addr add {inner}.{end}/24 dev {router}
             $ ip link set {router} up
             $ ip rule add from {inner}.{end} table {metric}
             $ ip route add default via {inner}.1 dev {router} table {metric}
             $ ip route add default via {inner}.1 dev {router} metric {metric}"
        ),
    )
}

/// Takes a host's link to a router away, and its address with it.
pub fn unplug(host: &str, router: &str) -> Outcome {
    run(&format!("ip -n {host} link del {router}"))
}

/// From now on a router passes nothing on, and says so to nobody.
pub fn goes_dead(router: &str) -> Outcome {
    run_all(router, "$ iptables -I FORWARD -j DROP")
}

/// How many packets a router has sent to the internet so far.
pub fn sent_by(router: &str) -> Result<u64, Fail> {
    let table = inside(router, || Ok(std::fs::read_to_string("/proc/thread-self/net/dev")?))?;
    // after the name eight figures of what came, and then of what was sent: bytes, packets
    let wan = table.lines().find_map(|line| line.trim().strip_prefix("wan:"));
    let sent = wan.and_then(|figures| figures.split_whitespace().nth(9)?.parse().ok());
    sent.ok_or_else(|| Fail(format!("{router} counts nothing: {table}")))
}

/// From now on a router loses a part of the audio that hosts behind it send to the switch: one packet in `every`, `run` of
/// them side by side.
pub fn loses(router: &str, every: u32, run: u32) -> Outcome {
    let audio = "-o wan -p udp --dport 20000:21999 -m statistic --mode nth";
    // each rule counts what the ones before it have left
    let rule = |n| {
        let (place, left) = (n + 1, every * run - n);
        format!("$ iptables -I FORWARD {place} {audio} --every {left} --packet 0 -j DROP")
    };
    let rules = (0..run).map(rule);
    run_all(router, &rules.collect::<Vec<_>>().join("\n"))
}

/// From now on this test's own loopback loses one packet in `every` of those that the switch sends to these ports.
pub fn loses_here(ports: &str, every: u32) -> Outcome {
    let lost = "-m statistic --mode nth --packet 0 -j DROP --every";
    run(&format!("iptables -I OUTPUT -p udp --sport 20000:21999 --dport {ports} {lost} {every}"))
}

/// From now on a router lets no audio of the hosts behind it through to the switch.
pub fn lets_no_audio_out(router: &str) -> Outcome {
    run_all(router, "$ iptables -I FORWARD -o wan -p udp --dport 20000:21999 -j DROP")
}

fn host_bare(name: &str) -> Outcome {
    run(&format!("ip netns add {name}"))?;
    run_all(name, "$ ip link set lo up")
}

fn wire_up(name: &str, address: &str) -> Outcome {
    run(&format!("ip -n {name} link add wan type veth peer name to-{name} netns {INTERNET}"))?;
    run_all(INTERNET, &format!("$ ip link set to-{name} master wire up"))?;
    if address.contains(':') {
        run_all(name, &format!("$ ip -6 addr add {address}/64 dev wan nodad\n$ ip link set wan up"))
    } else {
        run_all(
            name,
            &format!(
                "$ ip addr add {address}/24 dev wan
                 $ ip link set wan up
                 $ ip route add default via {PROVIDER}"
            ),
        )
    }
}
