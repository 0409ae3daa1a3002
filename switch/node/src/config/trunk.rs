//! Trunks: who calls us without a password, where calls are sent, and how it is found out whether they arrive.

use super::audio;
use super::machine::told;
use super::number;
use super::section::{At, Section, Wrong};
use super::srtp;
use super::tenant::{Context, DTMF, missing, read_codecs};
use super::tree::Node;
use super::value::{
    boolean, dialled, duration, host, integer, one_of, peer, secret, socket, some_text, text, wrong,
};
use cordboard_model::config::{
    FAILOVER, Gateway, NamedGateway, Secret, SharedNumber, SipTransport, Trunk, TrunkAccount, TrunkHealth,
    TrunkIdentity,
};
use cordboard_model::id::{Name, TenantId, TrunkId};
use cordboard_model::number::{Rewrite, TrunkNumbers, rewritten};
use cordboard_model::plan::{NumberPlan, read as read_number};
use core::net::SocketAddr;
use core::time::Duration;

const TRANSPORTS: &[(&str, SipTransport)] =
    &[("udp", SipTransport::Udp), ("tcp", SipTransport::Tcp), ("tls", SipTransport::Tls)];

const IDENTITIES: &[(&str, TrunkIdentity)] = &[
    ("none", TrunkIdentity::None),
    ("p-asserted-identity", TrunkIdentity::Asserted),
    ("remote-party-id", TrunkIdentity::RemoteParty),
];

const fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Reads one trunk. Its peers are added to `peers`, for those of all tenants must differ.
pub(super) fn read(
    context: &Context<'_>,
    name: &Name,
    section: &Section<'_>,
    peers: &mut Vec<At<SocketAddr>>,
    others: &mut Vec<At<TenantId>>,
    own: &mut Vec<At<SocketAddr>>,
) -> Option<Trunk> {
    let given = section.list("peers", peer).map_or(vec![], |l| l.value);
    let (gateways, named) = read_gateways(section);
    let plan = number::plan(section);
    let srtp = srtp::read(section, context.srtp);
    srtp::check(section, srtp, &gateways, &named);
    let d = Trunk::new(TrunkId { tenant: context.id, name: name.clone() });
    let trunk = Trunk {
        peers: given.iter().map(|at| at.value).collect(),
        local: read_own(section, own),
        told: section.opt("public", told).map(|at| at.value),
        told_media: section.opt("media_address", told).map(|at| at.value),
        video: section.or("video", d.video, boolean),
        gateways,
        named,
        max_calls: section.or("max_calls", d.max_calls, integer(1..=100_000, "calls")),
        calls_per_second: section
            .opt("calls_per_second", integer(1..=100_000, "calls a second"))
            .map(|at| at.value),
        account: read_account(context, section),
        health: read_health(section),
        failover: read_failover(section),
        numbers: read_numbers(section),
        shared: read_shared(section, plan.as_ref().or(context.plan.as_ref()), others),
        plan,
        number_form: number::form(section),
        codecs: section.has("codecs").map_or_else(Vec::new, |_| read_codecs(section)),
        dtmf: section.or("dtmf", d.dtmf, one_of(DTMF)),
        srtp,
        caller_pool: number::pool(section, &context.names.pools),
        transfers: section.or("transfers", d.transfers, boolean),
        identity: section.or("identity", d.identity, one_of(IDENTITIES)),
        record: audio::record(context, section),
        ..d
    };
    if section.has("peers").is_none() && section.has("gateway").is_none() && section.has("gateways").is_none()
    {
        return missing(section, "peers", "addresses that call us, or a gateway");
    }
    if trunk.account.as_ref().is_some_and(|account| account.register.is_some())
        && trunk.gateways.is_empty()
        && trunk.named.is_empty()
    {
        return missing(section, "gateway", "where to register");
    }
    peers.extend(given);
    Some(trunk)
}

/// The listener that is our end; whether it is one is seen when all is read.
fn read_own(section: &Section<'_>, own: &mut Vec<At<SocketAddr>>) -> Option<SocketAddr> {
    let at = section.opt("address", socket)?;
    let value = at.value;
    own.push(at);
    Some(value)
}

/// Where a gateway is said to be.
enum Place {
    Address(SocketAddr),
    Name(String, Option<u16>),
}

/// An address with its port, or a name with or without one.
fn place_of(node: &Node) -> Result<Place, Wrong> {
    if let Ok(address) = socket(node) {
        return Ok(Place::Address(address));
    }
    let expected =
        "an address and port as \"192.0.2.1:5060\", or a name as \"carrier.example\", with or without a port";
    let text = some_text(node)?;
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => {
            (name.to_owned(), Some(port.parse::<u16>().map_err(|_| wrong(node, expected))?))
        }
        None => (text, None),
    };
    let label = |label: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        (1..=63).contains(&label.len()) && label.chars().all(fits)
    };
    // a name ends in letters; digits alone are an address that lacks something
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_name =
        name.len() <= 253 && name.split('.').all(label) && last.contains(|c: char| c.is_ascii_alphabetic());
    match is_name && port != Some(0) {
        true => Ok(Place::Name(name.to_ascii_lowercase(), port)),
        false => Err(wrong(node, expected)),
    }
}

fn read_gateways(section: &Section<'_>) -> (Vec<Gateway>, Vec<NamedGateway>) {
    let (mut gateways, mut named) = (Vec::new(), Vec::new());
    let mut add = |place: Place, transport: Option<SipTransport>, priority: u16, weight: u16| match place {
        Place::Address(address) => gateways.push(Gateway {
            transport: transport.unwrap_or(SipTransport::Udp),
            priority,
            weight,
            ..Gateway::at(address)
        }),
        Place::Name(host, port) => named.push(NamedGateway { host, port, transport, priority }),
    };
    if let Some(at) = section.opt("gateway", place_of) {
        add(at.value, None, 0, 1);
    }
    for table in section.tables("gateways") {
        let place = table.need("address", "an address and port as \"192.0.2.1:5060\", or a name", place_of);
        let transport = table.opt("transport", one_of(TRANSPORTS)).map(|at| at.value);
        let priority = table.or("priority", 0, integer(0..=65_535, ""));
        let weight = table.opt("weight", integer(0..=65_535, ""));
        if let (Some(weight), Some(Place::Name(..))) = (&weight, place.as_ref().map(|at| &at.value)) {
            table.conflict("weight", weight.pos, "a name's weights stand in its SRV records");
        }
        table.finish();
        if let Some(place) = place {
            add(place.value, transport, priority, weight.map_or(1, |at| at.value));
        }
    }
    (gateways, named)
}

/// Numbers of the trunk that are other tenants'; whether those are there is seen when all are read.
fn read_shared(
    section: &Section<'_>,
    plan: Option<&NumberPlan>,
    others: &mut Vec<At<TenantId>>,
) -> Vec<SharedNumber> {
    let mut shared = Vec::new();
    for table in section.tables("shared") {
        let number = table.need("number", "a number of the trunk", dialled);
        let tenant = table.need("tenant", "the tenant whose it is", tenant_id);
        table.finish();
        if let (Some(number), Some(tenant)) = (number, tenant) {
            shared.push(SharedNumber { number: read_number(plan, &number.value), tenant: tenant.value });
            others.push(tenant);
        }
    }
    shared
}

fn tenant_id(node: &Node) -> Result<TenantId, Wrong> {
    TenantId::new(&text(node)?).map_err(|why| wrong(node, format!("a tenant's name: {why}")))
}

fn read_account(context: &Context<'_>, section: &Section<'_>) -> Option<TrunkAccount> {
    let username = section.opt("username", some_text);
    let password = section.opt("password", secret(1));
    let variable = section.opt("password_env", some_text);
    let domain = section.opt("domain", host);
    let register = section.opt("register", duration(s(60)..=s(86_400)));
    let Some(username) = username else {
        for key in ["password", "password_env", "domain", "register"] {
            if let Some(pos) = section.has(key) {
                section.conflict(key, pos, "expected username beside it");
            }
        }
        return None;
    };
    let password = match (password, variable) {
        (Some(_), Some(at)) => {
            section.conflict("password_env", at.pos, "give one of password and password_env");
            return None;
        }
        (Some(at), None) => at.value,
        (None, Some(at)) => context.variable(section, &at)?,
        (None, None) => return missing(section, "password", "the password of username, or password_env"),
    };
    let Some(domain) = domain else {
        return missing(section, "domain", "the carrier's domain, as it stands in From and To");
    };
    Some(TrunkAccount {
        username: username.value,
        password: Secret(password),
        domain: domain.value,
        register: register.map(|at| at.value),
    })
}

fn read_health(section: &Section<'_>) -> TrunkHealth {
    let d = TrunkHealth::default();
    let every = section.or("options_every", d.every.unwrap_or_default(), duration(s(0)..=s(3_600)));
    TrunkHealth {
        every: Some(every).filter(|every| !every.is_zero()),
        down_after: section.or("down_after", d.down_after, integer(1..=100, "failures")),
        up_after: section.or("up_after", d.up_after, integer(1..=100, "successes")),
        silence: section.or("silence", d.silence, duration(Duration::from_millis(100)..=s(32))),
    }
}

const DIRECTIONS: &[(&str, bool)] = &[("in", true), ("out", false)];
const WHOSE: &[(&str, bool)] = &[("called", true), ("caller", false)];

/// The rules, each tested by what the operator says that they shall do.
fn read_numbers(section: &Section<'_>) -> TrunkNumbers {
    let mut numbers = TrunkNumbers::default();
    for table in section.tables("rewrite") {
        let place = place(&table);
        let rule = Rewrite {
            prefix: table.or("prefix", String::new(), number_part),
            strip: table.or("strip", 0, integer(0..=32, "characters")),
            prepend: table.or("prepend", String::new(), number_part),
        };
        table.finish();
        if let Some(place) = place {
            rules(&mut numbers, place).push(rule);
        }
    }
    for table in section.tables("rewrite_test") {
        let place = place(&table);
        let from = table.need("from", "a number as it comes", number_part);
        let to = table.need("to", "the number that the rules make of it", number_part);
        table.finish();
        if let (Some(place), Some(from), Some(to)) = (place, from, to) {
            let made = rewritten(rules(&mut numbers, place), &from.value);
            if made != to.value {
                let why = format!("the rules make {made:?} of {:?}, not {:?}", from.value, to.value);
                table.conflict("to", to.pos, why);
            }
        }
    }
    numbers
}

/// Whether it comes, and whether it is the called number's.
fn place(table: &Section<'_>) -> Option<(bool, bool)> {
    let direction = table.need("direction", "\"in\" or \"out\"", one_of(DIRECTIONS));
    let whose = table.need("number", "\"called\" or \"caller\"", one_of(WHOSE));
    Some((direction?.value, whose?.value))
}

fn rules(numbers: &mut TrunkNumbers, place: (bool, bool)) -> &mut Vec<Rewrite> {
    match place {
        (true, true) => &mut numbers.in_called,
        (true, false) => &mut numbers.in_caller,
        (false, true) => &mut numbers.out_called,
        (false, false) => &mut numbers.out_caller,
    }
}

/// Part of a number, or nothing.
fn number_part(node: &Node) -> Result<String, Wrong> {
    let part = text(node)?;
    match part.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#')) && part.len() <= 32 {
        true => Ok(part),
        false => Err(wrong(node, "at most 32 of the digits, +, * and #")),
    }
}

fn read_failover(section: &Section<'_>) -> Vec<u16> {
    let list = section.list("failover", integer(300..=699, "a status"));
    list.map_or(FAILOVER.to_vec(), |list| list.value.into_iter().map(|at| at.value).collect())
}
