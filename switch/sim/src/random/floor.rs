//! Who is there: the configuration, the phones, the network, and how well each behaves.

use super::dice::Dice;
use crate::phone::{Act, Digest, Moment, PhoneCommand, Plan, Quirks, Reply, Voice};
use crate::setup::Setup;
use crate::world::{Depends, Edge, Journal, Path, Way, World, WorldConfig};
use cordboard_model::audio::{AnswerAt, NumberAudio, NumberPart, NumberTo, RecordRule, RecordWhen};
use cordboard_model::config::{Queue, Snapshot};
use cordboard_model::id::{AssetId, QueueId, TenantId, UserId};
use cordboard_model::media::Codec;
use cordboard_model::service::Spare;
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::Destination;
use core::net::{IpAddr, Ipv4Addr};
use std::collections::BTreeSet;

/// One digit, three tries, and a queue.
const MENU: &str = r#"
call:answer()
for try = 1, 3 do
  local key = call:collect{prompt = "menu", max = 1, first = 4}
  if key == "1" then
    call.data.chosen = "sales"
    call:enqueue("sales", {timeout = 40})
    call:play("apology")
    break
  elseif key == "2" then
    call:enqueue("support", {priority = 5})
    break
  elseif key == "3" then
    local ok, why = call:transfer{user = "3001"}
    call:log("not transferred: " .. tostring(why))
  elseif key == "4" then
    error("chosen")
  elseif key == "5" then
    call:transfer{agent = "2001"}
  elseif key == "6" then
    call:transfer{trunk = "carrier", number = "+49309"}
  elseif key == "7" then
    call:say_number(12, "en")
    call:wait(1.5)
  end
end
call:hang_up()
"#;

/// Before the answer: early media, then a queue.
const EARLY: &str = r#"
call:play({tone = 750, seconds = 2}, "menu")
call:transfer{queue = "support"}
"#;

/// How a seed's world is made. Nothing is decided later but by the dice.
#[derive(Clone, Debug)]
pub(super) struct Floor {
    pub agents: Vec<String>,
    pub extensions: Vec<String>,
    /// Names of all phones; an agent may have two.
    pub phones: Vec<String>,
    /// Nothing is lost, late or cut: what the phones saw must agree with the record to the letter.
    pub kind: bool,
    /// Every packet of audio is sent.
    pub loud: bool,
    /// A vandal is about, or the switch is killed once: what phones saw proves nothing about records.
    pub rough: bool,
    pub vandal_in_1000: u32,
    /// Phones that misbehave, or whose own link is worse than the rest.
    pub hurt: BTreeSet<String>,
    /// Phones that call without an offer.
    pub no_offer: BTreeSet<String>,
    /// When the switch is killed, if it is.
    pub killed_at: Option<Time>,
    pub snapshot: Snapshot,
    /// The same with a queue, an agent and an extension less.
    pub smaller: Snapshot,
}

impl Floor {
    /// Draws a configuration.
    pub fn draw(seed: u64, dice: &mut Dice) -> Option<Self> {
        let agents: Vec<String> = (1..=dice.number(2, 4)).map(|n| format!("200{n}")).collect();
        let extensions: Vec<String> = (1..=dice.number(2, 3)).map(|n| format!("300{n}")).collect();
        let fallback = dice.chance(50).then(|| queue("support")).flatten().map(Destination::Queue);
        let mut setup = Setup::new()
            .codecs(&Codec::ALL)
            .trunk("carrier", "198.51.100.1:5060".parse().ok()?)
            .flow("menu", MENU, fallback)
            .flow("early", EARLY, None)
            .number_to_flow("1000", "menu")
            .number_to_flow("1100", "early")
            .number_to_queue("2000", "sales")
            .number_to_agent("4001", "2001")
            .number_to_trunk("900", "carrier", "+49301");
        for name in ["sales", "support"] {
            let mut draw = |queue: &mut Queue| draw_queue(dice, queue);
            setup = setup.queue(name, &mut draw);
        }
        for (n, agent) in agents.iter().enumerate() {
            let queues: &[&str] = match n {
                0 => &["sales"],
                1 => &["support"],
                _ => &["sales", "support"],
            };
            setup = setup.agent(agent, queues);
            if dice.chance(15) {
                setup = setup.signed_out(agent);
            }
        }
        for extension in &extensions {
            setup = setup.user(extension);
        }
        let setup = setup.limits(|limits| {
            limits.media_silence = dice.ms(12_000, 40_000);
            // In every other world a vandal is heard to the end.
            limits.guard.enabled = dice.chance(50);
            limits.ring = dice.ms(4_000, 40_000);
            if dice.chance(20) {
                limits.call_length = dice.ms(8_000, 30_000);
            }
            if dice.chance(5) {
                limits.calls = dice.number(2, 4) as u32;
            }
        });
        let snapshot = setup.snapshot().ok()?;
        let smaller = smaller(&snapshot);
        let kind = dice.chance(30);
        let vandal = !kind && dice.chance(15);
        let killed_at = dice.chance(6).then(|| Time::ZERO + dice.ms(8_000, 58_000));
        Some(Self {
            agents,
            extensions,
            phones: Vec::new(),
            kind,
            loud: seed.is_multiple_of(20),
            rough: vandal || killed_at.is_some(),
            vandal_in_1000: if vandal { dice.number(30, 400) as u32 } else { 0 },
            hurt: BTreeSet::new(),
            no_offer: BTreeSet::new(),
            killed_at,
            snapshot,
            smaller,
        })
    }

    /// Makes the world and puts the phones into it.
    pub fn build(&mut self, seed: u64, trace: bool, dice: &mut Dice) -> Option<World> {
        let mut config = WorldConfig::new(seed);
        config.trace = trace;
        config.keep_audio = false;
        config.vandal_in_1000 = self.vandal_in_1000;
        config.lane = dice.us(0, 4_000);
        if !self.kind {
            config.journal = Journal {
                from: dice.us(0, 3_000),
                to: dice.ms(3, 20),
                late_in_1000: dice.number(0, 150) as u32,
                late: dice.ms(20, 3_000),
                fails_in_1000: dice.number(0, 30) as u32,
            };
        }
        let mut world = World::new(config, self.snapshot.clone()).ok()?;
        world.set_path(self.path(dice));
        let mut carrier = world.phone_config("+4930123", 1_000);
        carrier.lines = 20;
        carrier.tone_step_hz = 50;
        carrier.incoming = plan(dice);
        carrier.codecs = codecs(dice);
        self.add(&mut world, "carrier", carrier);
        // Above the twenty tones of the carrier, so that nobody is taken for another.
        let mut tone = 2_000;
        let agents = self.agents.clone();
        let extensions = self.extensions.clone();
        for (n, user) in agents.iter().chain(&extensions).enumerate() {
            let devices = if n == 1 || dice.chance(10) { 2 } else { 1 };
            for device in 0..devices {
                let mut phone = world.phone_config(user, tone);
                tone += 50;
                phone.incoming = plan(dice);
                phone.register = dice.ms(60_000, 600_000);
                phone.digest = if dice.chance(50) { Digest::Md5 } else { Digest::Sha256 };
                phone.quirks = self.quirks(dice);
                phone.codecs = codecs(dice);
                // Behind a NAT a phone is known by its audio, so it must say some.
                if self.loud && dice.chance(20) {
                    phone.said_ip = Some("10.1.1.1".parse().ok()?);
                } else if self.loud && dice.chance(40) {
                    // The way for messages is kept open by registering.
                    phone.register = Duration::from_secs(60);
                    world.behind(edge(dice), &mut phone);
                }
                let name = format!("{user}{}", ["", "b"][device % 2]);
                if phone.quirks != Quirks::default() {
                    self.hurt.insert(name.clone());
                }
                phone.quirks.no_offer = dice.chance(15);
                if phone.quirks.no_offer {
                    self.no_offer.insert(name.clone());
                }
                self.add(&mut world, &name, phone);
            }
        }
        for name in self.phones.clone().into_iter().skip(1) {
            let at = world.now() + dice.ms(0, 2_000);
            world.tell_at(at, &name, PhoneCommand::Register);
        }
        Some(world)
    }

    fn add(&mut self, world: &mut World, name: &str, mut config: crate::phone::PhoneConfig) {
        config.names_callee = true;
        config.voice = if self.loud { Voice::Always } else { Voice::Probe };
        self.phones.push(name.into());
        world.add_phone(name, config);
    }

    fn path(&self, dice: &mut Dice) -> Path {
        let mut path = Path { latency: dice.ms(1, 60), ..Path::GOOD };
        if !self.kind {
            path.jitter = dice.ms(0, 30);
            path.loss = dice.number(0, 60) as u32;
            path.reorder = dice.number(0, 40) as u32;
            path.duplicate = dice.number(0, 40) as u32;
        }
        path
    }

    /// Most phones do nothing wrong.
    pub fn quirks(&self, dice: &mut Dice) -> Quirks {
        let mut quirks = Quirks::default();
        if self.kind || dice.chance(80) {
            return quirks;
        }
        match dice.number(0, 3) {
            0 => quirks.no_ack = true,
            1 => quirks.no_bye_reply = true,
            2 => quirks.answers_cancel = true,
            _ => quirks.bye_before_ack = true,
        }
        quirks
    }

    /// A phone that has a link of its own for the worse.
    pub fn worsen(&mut self, world: &mut World, name: &str, dice: &mut Dice) {
        self.hurt.insert(name.into());
        for way in [Way::In, Way::Out] {
            let (loss, jitter) = (dice.number(0, 200) as u32, dice.ms(0, 60));
            if let Some(path) = world.path(name, way) {
                path.loss = loss;
                path.jitter = jitter;
            }
        }
    }
}

/// One of two routers, of the kind that the first phone behind it had.
fn edge(dice: &mut Dice) -> Edge {
    let kinds = [Depends::OnItself, Depends::OnAddress, Depends::OnPort];
    Edge {
        public: IpAddr::V4(Ipv4Addr::new(198, 51, 100, dice.pick(&[200, 201]))),
        mapping: dice.pick(&kinds),
        filtering: dice.pick(&kinds),
        lifetime: dice.ms(60_000, 180_000),
    }
}

/// One of the laws or both in either order, or G.722 alone or before one.
fn codecs(dice: &mut Dice) -> Vec<Codec> {
    let (a, u, wide) = (Codec::Pcma, Codec::Pcmu, Codec::G722);
    dice.pick(&[vec![a, u], vec![u, a], vec![a], vec![u], vec![wide, a], vec![wide]])
}

fn queue(name: &str) -> Option<QueueId> {
    QueueId::new(TenantId::DEFAULT, name).ok()
}

fn draw_queue(dice: &mut Dice, queue: &mut Queue) {
    queue.ring = dice.ms(2_000, 12_000);
    queue.wrap_up = dice.ms(0, 5_000);
    queue.max_wait = dice.ms(8_000, 60_000);
    queue.max_length = dice.number(1, 8) as u32;
    queue.announce_every = dice.chance(50).then(|| dice.ms(5_000, 15_000));
    draw_audio(dice, queue);
    if !dice.chance(40) {
        queue.service.unanswered.no_answer = Spare::For(Duration::from_secs(5));
    }
    if dice.chance(15) {
        queue.music = None;
    }
    let other = if queue.id.name.as_str() == "sales" { "support" } else { "sales" };
    let overflow = match dice.number(0, 3) {
        0 => QueueId::new(TenantId::DEFAULT, other).ok().map(Destination::Queue),
        1 => UserId::new(TenantId::DEFAULT, "3001").ok().map(Destination::User),
        _ => None,
    };
    queue.service.on_timeout = overflow.clone();
    queue.service.on_busy = overflow;
}

/// What is recorded, what is heard before a talk, and when the caller is answered.
fn draw_audio(dice: &mut Dice, queue: &mut Queue) {
    let when =
        dice.pick(&[RecordWhen::Always, RecordWhen::Always, RecordWhen::OnDemand, RecordWhen::Share(50)]);
    queue.audio.record = Some(RecordRule::new(when));
    if dice.chance(30)
        && let Ok(word) = AssetId::new(TenantId::DEFAULT, "en.queue.in-line")
    {
        queue.audio.number = NumberAudio::Own(vec![NumberPart::Prompt(word), NumberPart::Number]);
        queue.audio.number_to = dice.pick(&[NumberTo::Caller, NumberTo::Both]);
    }
    if dice.chance(25) {
        queue.audio.answer = AnswerAt::Agent;
    }
}

fn smaller(snapshot: &Snapshot) -> Snapshot {
    let mut smaller = snapshot.clone();
    smaller.version += 1;
    for tenant in smaller.tenants.values_mut() {
        tenant.queues.remove("support");
        tenant.agents.remove("2002");
        tenant.users.remove("2002");
        tenant.users.remove("3002");
        tenant.flows.remove("early");
        tenant.numbers.retain(|number| number.access_code != "1100");
        let sales = |to: &Option<Destination>| matches!(to, Some(Destination::Queue(q)) if q.name.as_str() == "support");
        for queue in tenant.queues.values_mut() {
            for to in [&mut queue.service.on_timeout, &mut queue.service.on_busy] {
                to.take_if(|to| sales(&Some(to.clone())));
            }
        }
        for flow in tenant.flows.values_mut() {
            flow.fallback = flow.fallback.take().filter(|to| !sales(&Some(to.clone())));
        }
        for agent in tenant.agents.values_mut() {
            agent.queues.retain(|queue| queue.name.as_str() == "sales");
        }
    }
    smaller
}

/// How a phone meets calls for a while.
pub(super) fn plan(dice: &mut Dice) -> Plan {
    // Few delays, so that hang-ups can be aimed at them.
    let delay = Duration::from_millis(dice.pick(&[0, 300, 1_000, 2_000, 4_000]));
    let mut plan = Plan::reply(match dice.number(0, 19) {
        0..=11 => Reply::Answer(delay),
        12..=13 => Reply::EarlyMedia(delay),
        14 => Reply::Reject(486, delay),
        15 => Reply::Reject(603, delay),
        16 => Reply::Reject(dice.pick(&[404, 480, 488, 500, 503, 606]), delay),
        17..=18 => Reply::RingOn,
        _ => Reply::Nothing,
    });
    if dice.chance(60) {
        plan = plan.hang_up_after(dice.ms(0, 20_000));
    }
    talk(plan, dice)
}

/// What is done in a call that is up.
pub(super) fn talk(mut plan: Plan, dice: &mut Dice) -> Plan {
    if dice.chance(25) {
        let held = dice.ms(500, 8_000);
        plan = plan.then(Moment::Answered, held, Act::Hold);
        if dice.chance(80) {
            plan = plan.then(Moment::Answered, held + dice.ms(0, 6_000), Act::Resume);
        }
    }
    if dice.chance(12) {
        let to = dice.pick(&NUMBERS).to_owned();
        plan = plan.then(Moment::Answered, dice.ms(0, 8_000), Act::Refer(to));
    }
    plan
}

/// Numbers that parties are sent to: a flow, a queue, accounts, one that is none.
pub(super) const NUMBERS: [&str; 7] = ["1000", "2000", "3001", "3002", "3003", "4001", "9999"];
