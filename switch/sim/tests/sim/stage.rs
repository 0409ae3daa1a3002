//! A scenario in a few words: who is there, what is done when, what is heard, which ladder, which record.

use cordboard_model::cdr::Cdr;
use cordboard_model::config::Snapshot;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::time::{Duration, Time};
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, PhoneCommand, PhoneConfig, Plan};
use cordboard_sim::setup::Setup;
use cordboard_sim::world::{World, WorldConfig};

/// What callers, agents and extensions say.
pub const CALLER_HZ: u16 = 1_000;
pub const AGENT_HZ: u16 = 500;
pub const OTHER_HZ: u16 = 800;

/// The menu of most scenarios: one digit, `1` leads to the queue.
pub const MENU: &str = r#"
call:answer()
local key = call:collect{prompt = "menu", max = 1, first = 10}
if key == "1" then
  call.data.chosen = "sales"
  local how = call:enqueue("sales")
  call:log("queue: " .. tostring(how))
end
call:hang_up()
"#;

pub fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A menu at 1000, a queue `sales` with these agents, a trunk whose peer is the first phone.
pub fn setup(agents: &[&str]) -> Setup {
    let setup = Setup::new()
        .trunk("carrier", "198.51.100.1:5060".parse().unwrap())
        .queue("sales", |_| {})
        .flow("menu", MENU, None)
        .number_to_flow("1000", "menu")
        .number_to_queue("2000", "sales");
    agents.iter().fold(setup, |setup, agent| setup.agent(agent, &["sales"]))
}

pub struct Stage {
    pub world: World,
}

impl Stage {
    pub fn new(setup: Setup) -> Self {
        Self::with(WorldConfig::new(1), setup)
    }

    pub fn with(config: WorldConfig, setup: Setup) -> Self {
        Self::with_snapshot(config, setup.snapshot().unwrap())
    }

    pub fn with_snapshot(mut config: WorldConfig, snapshot: Snapshot) -> Self {
        config.trace = true;
        let world = World::new(config, snapshot).unwrap();
        assert_eq!(world.alarms(), [""; 0], "{:?}", world.events());
        Self { world }
    }

    /// A carrier with its caller; the trunk of [`setup`] when it is the first phone.
    pub fn carrier(&mut self, name: &str) {
        self.carrier_with(name, |_| {});
    }

    pub fn carrier_with(&mut self, name: &str, change: impl FnOnce(&mut PhoneConfig)) {
        let mut config = self.world.phone_config("+4930123", CALLER_HZ);
        config.lines = 50;
        change(&mut config);
        self.world.add_phone(name, config);
    }

    /// A phone that registers at once.
    pub fn phone(&mut self, name: &str, hz: u16, incoming: Plan) {
        self.phone_with(name, name, hz, |config| config.incoming = incoming);
    }

    pub fn phone_with(&mut self, name: &str, user: &str, hz: u16, change: impl FnOnce(&mut PhoneConfig)) {
        let mut config = self.world.phone_config(user, hz);
        change(&mut config);
        self.world.add_phone(name, config);
        assert!(self.world.tell(name, PhoneCommand::Register));
        self.run(1.0);
        let phone = self.world.phone(name).unwrap();
        assert!(phone.is_registered(), "{name} is not registered\n{}", self.world.trace().text());
    }

    pub fn call(&mut self, name: &str, to: &str, plan: Plan) {
        let call = PhoneCommand::Call { to: to.into(), from: None, display: None, plan };
        assert!(self.world.tell(name, call));
    }

    pub fn act(&mut self, name: &str, act: Act) {
        assert!(self.world.tell(name, PhoneCommand::Do { call: None, act }));
    }

    pub fn run(&mut self, length: f64) {
        self.world.run_for(secs(length));
        assert_eq!(self.world.fault(), None);
    }

    #[track_caller]
    pub fn hears(&self, name: &str, hz: u16) {
        let share = self.world.share(name, hz);
        assert!(
            share > 0.8,
            "{name} hears {share:.2} of {hz} Hz at {:?}\n{}",
            self.world.now(),
            self.story()
        );
    }

    #[track_caller]
    pub fn hears_not(&self, name: &str, hz: u16) {
        let share = self.world.share(name, hz);
        assert!(share < 0.05, "{name} hears {share:.2} of {hz} Hz at {:?}", self.world.now());
    }

    /// The ladder since the last time, phone by phone or in full.
    #[track_caller]
    pub fn ladder(&mut self, expected: &str) {
        let lines: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let got = self.world.take_ladder();
        assert!(got == lines.join("\n"), "the ladder is\n{got}\n");
    }

    /// The ladder of one phone; the others' is forgotten.
    #[track_caller]
    pub fn ladder_of(&mut self, name: &str, expected: &str) {
        self.ladders_of(&[(name, expected)]);
    }

    /// The ladders of some phones, each by itself; the others' are forgotten.
    #[track_caller]
    pub fn ladders_of(&mut self, phones: &[(&str, &str)]) {
        let all = self.world.take_ladder();
        for (name, expected) in phones {
            let lines: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            let got: Vec<&str> =
                all.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect();
            assert!(got == lines, "the ladder of {name} is\n{}\n", got.join("\n"));
        }
    }

    #[track_caller]
    pub fn status(&self, agent: &str, expected: AgentStatus) {
        let id = AgentId::new(TenantId::DEFAULT, agent).unwrap();
        let view = self.world.shard().agent(&id).unwrap();
        assert_eq!(view.status, expected, "{}", view.why);
    }

    pub fn agent(&self, agent: &str) -> AgentId {
        AgentId::new(TenantId::DEFAULT, agent).unwrap()
    }

    /// Runs until nothing is left, which must come within a minute.
    #[track_caller]
    pub fn quiet(&mut self) {
        let quiet = self.world.run_until_quiet(secs(120.0));
        assert_eq!(self.world.fault(), None);
        assert!(quiet, "left: {:#?}", self.world.leftovers());
    }

    /// The records, each as one line. Nothing may be left of the calls.
    #[track_caller]
    pub fn cdrs(&mut self, expected: &[&str]) {
        self.quiet();
        let opened = self.world.opened().len();
        let got: Vec<String> = self.world.cdrs().iter().map(cdr_line).collect();
        assert!(got == expected, "the records are\n{got:#?}\n");
        assert_eq!(opened, got.len(), "records of calls that were taken");
    }

    /// The trace without packets, for a scenario that fails.
    pub fn story(&self) -> String {
        let text = self.world.trace().text();
        let lines = text.lines().filter(|line| !line.contains(" media in ") && !line.contains(" media out "));
        lines.collect::<Vec<_>>().join("\n")
    }

    pub fn events(&self) -> impl Iterator<Item = &EventKind> {
        self.world.events().iter().map(|event| &event.what)
    }

    pub fn at(&self, after: f64) -> Time {
        self.world.now() + secs(after)
    }
}

/// A record as one line: who, why, what became of each leg, how long it was answered and bridged.
pub fn cdr_line(cdr: &Cdr) -> String {
    let length = |from: Option<cordboard_model::time::Wall>| match from {
        Some(from) => format!("{:.1}s", (cdr.ended.0 - from.0) as f64 / 1_000.0),
        None => "-".into(),
    };
    let mut line = format!(
        "{} to {}: {} by {:?}, up {}, talk {}",
        cdr.from.user,
        cdr.to.user,
        cdr.cause.as_str(),
        cdr.ended_by,
        length(cdr.answered),
        length(cdr.bridged),
    );
    if let Some(agent) = &cdr.agent {
        line += &format!(", agent {}", agent.name);
    }
    for flow in &cdr.flows {
        line += &format!(", flow {}", flow.name);
    }
    for visit in &cdr.queues {
        let agent = visit.agent.as_ref().map_or(String::new(), |agent| format!(" {}", agent.name));
        line += &format!(", queue {} {}{agent}", visit.queue.name, visit.outcome);
    }
    for leg in &cdr.legs {
        let status = leg.sip_status.map_or(String::new(), |status| format!(" {status}"));
        let up = if leg.answered.is_some() { "+" } else { "-" };
        line += &format!(", {:?} {}{up}{}{status}", leg.role, leg.party.user, leg.cause.as_str());
    }
    if !cdr.recordings.is_empty() {
        line += &format!(", recordings {}", cdr.recordings.len());
    }
    line
}
