//! Many calls that wait in flows, some of which go on.

use cordboard_flow::{FlowCommand, FlowEngine, FlowInput, FlowOutput};
use cordboard_model::config::{Flow, FlowLimits, Snapshot, Tenant};
use cordboard_model::id::{CallId, FlowId, Name, TenantId};
use cordboard_model::time::Time;
use cordboard_model::verb::{CollectEnd, Verb, VerbAnswer};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// A flow as flows are: it asks, looks at what it got, makes texts and tables of it, and asks again, for as long as its
/// caller stays.
const SOURCE: &str = r##"
local names = {}
local function remember(name, value)
  names[#names + 1] = name .. "=" .. tostring(value)
  if #names > 8 then table.remove(names, 1) end
end
call:answer()
for turn = 1, 100000 do
  local digits, how = call:collect{prompt = {"en.menu", {silence = 0.5}}, max = 4, first = 5}
  if digits then
    remember("digits", digits)
    call.data.last = table.concat(names, ",", math.max(1, #names - 2))
  else
    remember("how", how)
  end
  if call.data.last == "over" then call:hang_up() end
  call:wait(5)
end
"##;

/// Calls in one engine.
pub struct Flows {
    engine: FlowEngine,
    /// What waits, and what it gets, oldest first.
    waiting: VecDeque<(CallId, u64, VerbAnswer)>,
    next: u64,
    now: u64,
}

impl Flows {
    /// So many calls that wait, of which so many share a machine.
    pub fn waiting(calls: u64, together: u32) -> Self {
        let mut engine = FlowEngine::new([7; 32]);
        let snapshot = snapshot(together);
        // The text is ours.
        let configured = engine.handle_command(FlowCommand::Configure(&snapshot), Time::ZERO);
        assert!(configured.is_ok(), "{configured:?}");
        let mut flows = Self { engine, waiting: VecDeque::new(), next: 0, now: 0 };
        for _ in 0..calls {
            flows.begin();
        }
        flows
    }

    fn begin(&mut self) -> CallId {
        self.next += 1;
        let call = CallId { tenant: TenantId::DEFAULT, start: 1, shard: 0, number: self.next };
        let start = FlowCommand::Start {
            call,
            flow: id(),
            from: "1001".into(),
            to: "600".into(),
            data: BTreeMap::new(),
        };
        let started = self.engine.handle_command(start, Time::from_millis(self.now));
        assert!(started.is_ok(), "{started:?}");
        self.take();
        call
    }

    /// Takes what flows ask for; what they say is nobody's.
    fn take(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            if let FlowOutput::Verb { call, ticket, verb } = output {
                self.waiting.push_back((call, ticket, answer(verb, ticket)));
            }
        }
    }

    /// The call that has waited longest gets its answer, and asks for the next thing.
    pub fn answer_next(&mut self) {
        self.now += 1;
        let Some((call, ticket, answer)) = self.waiting.pop_front() else { return };
        self.answer(call, ticket, answer);
    }

    fn answer(&mut self, call: CallId, ticket: u64, answer: VerbAnswer) {
        self.engine.handle_input(FlowInput::Answer { call, ticket, answer }, Time::from_millis(self.now));
        self.take();
    }

    /// Calls that are up, and how many machines they share.
    pub fn up(&self) -> (usize, usize) {
        (self.engine.len(), self.engine.machines())
    }

    /// A call comes, answers, collects, waits, and is stopped as one whose caller hangs up.
    pub fn whole_call(&mut self) {
        let call = self.begin();
        for _ in 0..3 {
            self.now += 1;
            let Some((call, ticket, answer)) = self.waiting.pop_back() else { return };
            self.answer(call, ticket, answer);
        }
        self.waiting.pop_back();
        let stopped = self.engine.handle_command(FlowCommand::Stop { call }, Time::from_millis(self.now));
        assert!(stopped.is_ok(), "{stopped:?}");
    }
}

/// What the world says to a verb: every third time nothing was keyed in.
fn answer(verb: Verb, ticket: u64) -> VerbAnswer {
    match verb {
        Verb::Collect { .. } if ticket.is_multiple_of(3) => {
            VerbAnswer::Digits { digits: String::new(), end: CollectEnd::Timeout }
        }
        Verb::Collect { .. } => {
            VerbAnswer::Digits { digits: format!("{:04}", ticket % 10_000), end: CollectEnd::Max }
        }
        Verb::GetData { .. } => VerbAnswer::Data(Some("digits=1234".into())),
        _ => VerbAnswer::Done,
    }
}

fn id() -> FlowId {
    FlowId { tenant: TenantId::DEFAULT, name: Name::new("menu").unwrap_or_else(|_| unreachable!()) }
}

fn snapshot(together: u32) -> Snapshot {
    let flow = Flow {
        id: id(),
        file: "flows/menu.lua".into(),
        source: SOURCE.into(),
        apology: None,
        fallback: None,
    };
    let mut tenant = Tenant::new(TenantId::DEFAULT);
    tenant.flows.insert(id().name, flow);
    let mut snapshot = Snapshot::empty();
    // As many steps as a bench takes.
    snapshot.limits.flow = FlowLimits { together, verbs: u32::MAX, ..FlowLimits::default() };
    snapshot.tenants.insert(TenantId::DEFAULT, tenant);
    snapshot
}

/// What answers took.
pub struct Pauses {
    /// The median, the 99th of a hundred, the 999th of a thousand, the longest.
    pub times: [Duration; 4],
    /// Memory of a call, with its part of the machine.
    pub kilobytes: f64,
}

/// Gives so many answers to so many calls, of which so many share a machine.
pub fn pauses(calls: u64, together: u32, answers: u64) -> Pauses {
    let before = resident();
    let mut flows = Flows::waiting(calls, together);
    // Each has been through its loop some times.
    for _ in 0..calls * 8 {
        flows.answer_next();
    }
    let kilobytes = (resident() - before) / calls as f64;
    let mut times: Vec<Duration> = (0..answers)
        .map(|_| {
            let begun = Instant::now();
            flows.answer_next();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    Pauses { times: [0.5, 0.99, 0.999, 1.0].map(at), kilobytes }
}

/// Memory of this process, KB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_wait_go_on_and_wait_again_and_a_whole_call_leaves_nothing() {
        let mut flows = Flows::waiting(10, 4);
        assert_eq!((flows.up(), flows.waiting.len()), ((10, 3), 10));
        for _ in 0..100 {
            flows.answer_next();
        }
        assert_eq!(flows.waiting.len(), 10, "each asks for the next thing");
        assert!(flows.waiting.iter().all(|(_, ticket, _)| *ticket >= 10), "each was answered in its turn");
        flows.whole_call();
        assert_eq!((flows.up().0, flows.waiting.len()), (10, 10));
    }
}
