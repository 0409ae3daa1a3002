//! Campaigns in virtual time: hours, pace, what is in hand, and what comes of it.

use super::*;
use cordboard_model::calendar::{Calendar, Holiday, Hours, read, zone};
use cordboard_model::campaign::{CampaignGoal, CampaignKind, CampaignSpec};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::CallTimes;
use cordboard_model::id::{IdMaker, Name, TenantId};
use cordboard_model::leg::PartyId;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

const T: i64 = 1_795_000_000_000;
const MINUTE: i64 = 60_000;

fn spec(kind: CampaignKind) -> CampaignSpec {
    let name = Name::new("sales").unwrap();
    let goal = if kind.is_by_flow() { CampaignGoal::Flow(name) } else { CampaignGoal::Queue(name) };
    CampaignSpec {
        name: "autumn".into(),
        description: String::new(),
        kind,
        goal,
        begins: Wall(T),
        ends: Wall(T + 600 * MINUTE),
        workdays: vec![Hours { from: 540, to: 1_080 }],
        holidays: Vec::new(),
        shown: Vec::new(),
        ring_s: 30,
        priority: 3,
        rate: 100,
        lines: 10,
        attempts: 2,
        every_s: 600,
        url: None,
        said: serde_json::Value::Null,
    }
}

fn campaign(spec: CampaignSpec) -> Campaign {
    let tenant = TenantId::DEFAULT;
    Campaign { id: 1, tenant, spec, paused: false, made: Wall(T), by: "key crm".into() }
}

fn number(id: u64) -> CampaignNumber {
    CampaignNumber {
        id,
        tenant: TenantId::DEFAULT,
        campaign: 1,
        session: String::new(),
        called: format!("1{id:04}"),
        data: BTreeMap::new(),
        state: NumberState::Pending,
        attempts: 0,
        due: Wall(T),
        call: None,
        place: None,
        result: None,
        business: None,
        owed: None,
        posts: 0,
    }
}

fn cdr(call: CallId, cause: Cause) -> Cdr {
    Cdr {
        call,
        from: PartyId::new("10001"),
        to: PartyId::new("queue:sales"),
        started: Wall(T),
        answered: None,
        bridged: None,
        times: CallTimes::default(),
        ended: Wall(T + MINUTE),
        cause,
        ended_by: Party::Switch,
        agent: None,
        flows: Vec::new(),
        queues: Vec::new(),
        legs: Vec::new(),
        recordings: Vec::new(),
        data: BTreeMap::new(),
        transfers: Vec::new(),
        supervisions: Vec::new(),
        wrap_ups: Vec::new(),
        joined: None,
        dialled: None,
    }
}

#[test]
fn a_campaign_calls_within_its_hours_by_the_tenants_clocks_and_on_other_days_within_those_of_such() {
    let mut spec = spec(CampaignKind::Predictive);
    spec.holidays = vec![Hours { from: 600, to: 660 }];
    let open = |days: Option<&Calendar>, at: &str| {
        let hours = campaign_hours(&spec, "Asia/Shanghai", days);
        hours.state(read(at).unwrap(), &zone("Asia/Shanghai").unwrap()).open
    };
    // 2026-11-20 is a Friday
    assert!(!open(None, "2026-11-20T08:59:59+08:00"));
    assert!(open(None, "2026-11-20T09:00:00+08:00"));
    assert!(!open(None, "2026-11-20T18:00:00+08:00"));
    assert!(!open(None, "2026-11-21T09:30:00+08:00"), "Saturday has other hours");
    assert!(open(None, "2026-11-21T10:30:00+08:00"));
    let day = |name: &str| Holiday { year: None, month: 11, day: 20, name: name.into(), hours: Vec::new() };
    let office = Calendar {
        zone: "Asia/Shanghai".into(),
        week: core::array::from_fn(|day| if day == 6 { vec![] } else { vec![Hours { from: 0, to: 1_440 }] }),
        holidays: vec![day("founding day")],
    };
    assert!(!open(Some(&office), "2026-11-20T09:30:00+08:00"), "a holiday of the calendar's");
    assert!(open(Some(&office), "2026-11-20T10:30:00+08:00"));
    assert!(open(Some(&office), "2026-11-21T09:30:00+08:00"), "where Saturday is a working day");
    assert!(!open(Some(&office), "2026-11-22T09:30:00+08:00"));
}

#[test]
fn so_many_are_called_as_agents_are_free_for_and_by_a_flow_as_many_as_there_are_lines() {
    let floor = |ready, waiting| Floor { ready, waiting };
    let mut predictive = spec(CampaignKind::Predictive);
    assert_eq!(wanted(&predictive, floor(4, 0), (0, 0)), 4);
    assert_eq!(wanted(&predictive, floor(4, 1), (2, 2)), 1, "who waits comes first, who is rung counts");
    assert_eq!(wanted(&predictive, floor(4, 0), (8, 0)), 2, "eight talk: two lines are left");
    predictive.rate = 150;
    assert_eq!(wanted(&predictive, floor(3, 0), (0, 0)), 5);
    let preview = CampaignSpec { rate: 300, ..spec(CampaignKind::Preview) };
    assert_eq!(wanted(&preview, floor(3, 0), (1, 1)), 2, "never more than agents: one of them is called for");
    assert_eq!(wanted(&spec(CampaignKind::AutomaticIvr), floor(0, 9), (4, 4)), 6);
}

#[test]
fn nothing_is_taken_before_or_after_its_time_while_it_is_paused_or_out_of_hours() {
    let mut dialler = Dialler::new(campaign(spec(CampaignKind::AutomaticIvr)));
    let takes = |dialler: &Dialler, at, open| dialler.takes(Wall(at), open, Floor::default(), 100);
    assert_eq!(takes(&dialler, T, true), 10);
    assert_eq!(takes(&dialler, T - 1, true), 0);
    assert_eq!(takes(&dialler, T + 600 * MINUTE, true), 0);
    assert_eq!(takes(&dialler, T, false), 0);
    assert_eq!(dialler.takes(Wall(T), true, Floor::default(), 3), 3, "what the tenant has left");
    dialler.change(Campaign { paused: true, ..dialler.campaign().clone() });
    assert_eq!(takes(&dialler, T, true), 0);
}

#[test]
fn a_number_is_called_again_until_it_was_called_often_enough_or_nothing_is_to_be_hoped_for() {
    let mut ids = IdMaker::new(1, 0);
    let mut dialler = Dialler::new(campaign(spec(CampaignKind::Predictive)));
    let mut call = |dialler: &mut Dialler, number: CampaignNumber, cause, at| {
        let call = ids.call(TenantId::DEFAULT);
        let id = number.id;
        assert_eq!(dialler.taken(vec![number], 1, None, Wall(at)).len(), 1);
        assert_eq!(dialler.called(id, call).unwrap().call, Some(call));
        assert_eq!(dialler.by_call(call), Some(id));
        dialler.ended(id, &cdr(call, cause), Wall(at)).unwrap()
    };
    let busy = call(&mut dialler, number(1), Cause::Busy, T);
    assert_eq!((busy.state, busy.attempts, busy.due), (NumberState::Pending, 1, Wall(T + 10 * MINUTE)));
    let again = call(&mut dialler, busy, Cause::NoAnswer, T + 10 * MINUTE);
    assert_eq!((again.state, again.attempts), (NumberState::Done, 2));
    assert_eq!(again.result.unwrap().outcome, Outcome::NoAnswer);
    let vacant = call(&mut dialler, number(2), Cause::NotFound, T);
    assert_eq!((vacant.state, vacant.attempts), (NumberState::Done, 1), "there is no such number, ever");
    let late = call(&mut dialler, number(3), Cause::Busy, T + 595 * MINUTE);
    assert_eq!(late.state, NumberState::Done, "its turn would come when all is over");
    assert!(dialler.is_idle());
}

#[test]
fn a_number_taken_twice_is_called_once_and_a_try_that_was_none_does_not_count() {
    let mut dialler = Dialler::new(campaign(spec(CampaignKind::Predictive)));
    assert_eq!(dialler.taken(vec![number(1), number(2)], 2, None, Wall(T)).len(), 2);
    assert_eq!(dialler.taken(vec![number(1)], 1, None, Wall(T)), []);
    assert_eq!((dialler.in_hand(), dialler.unserved()), (2, 2));
    let back = dialler.given_back(1, Wall(T + MINUTE)).unwrap();
    assert_eq!((back.state, back.attempts, back.due), (NumberState::Pending, 0, Wall(T + MINUTE)));
    let call = IdMaker::new(1, 0).call(TenantId::DEFAULT);
    dialler.called(2, call);
    dialler.served(2);
    assert_eq!((dialler.in_hand(), dialler.unserved()), (1, 0), "he talks: no agent is sought for him");
}

#[test]
fn where_agents_come_first_a_number_waits_for_the_next_agent_and_its_result_is_that_of_the_call_to_it() {
    let mut ids = IdMaker::new(1, 0);
    let entry = |name: &str| CallbackId { tenant: TenantId::DEFAULT, name: Name::new(name).unwrap() };
    let mut dialler = Dialler::new(campaign(spec(CampaignKind::PreOccupied)));
    dialler.taken(vec![number(1), number(2), number(3)], 3, None, Wall(T));
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        assert!(dialler.placed(id, entry(name)).unwrap().place.is_some());
    }
    assert_eq!((dialler.unserved(), dialler.by_place(&entry("b"))), (3, Some(2)));
    let (first, second) = (ids.call(TenantId::DEFAULT), ids.call(TenantId::DEFAULT));
    dialler.rung(1, first).unwrap();
    assert_eq!(dialler.unserved(), 2, "his agent is no longer among the free");
    // that agent's phone was not answered: the entry waits again
    assert_eq!(dialler.ended(1, &cdr(first, Cause::NoAnswer), Wall(T)), None);
    dialler.waits_again(1);
    assert_eq!(dialler.unserved(), 3);
    dialler.rung(1, second).unwrap();
    let talked = Cdr { bridged: Some(Wall(T)), ..cdr(second, Cause::Normal) };
    // in either order
    assert_eq!(dialler.place_over(1, Wall(T)), None);
    assert_eq!(dialler.ended(1, &talked, Wall(T)).unwrap().result.unwrap().outcome, Outcome::Reached);
    let third = ids.call(TenantId::DEFAULT);
    dialler.rung(2, third).unwrap();
    assert_eq!(dialler.ended(2, &cdr(third, Cause::Busy), Wall(T)), None);
    let busy = dialler.place_over(2, Wall(T)).unwrap();
    assert_eq!((busy.state, busy.attempts, busy.place), (NumberState::Pending, 1, None));
    let none = dialler.place_over(3, Wall(T + 599 * MINUTE)).unwrap();
    assert_eq!(none.result.unwrap().outcome, Outcome::NoAgent);
}

#[test]
fn a_database_with_nothing_due_is_left_alone_until_something_is_or_numbers_come() {
    let mut dialler = Dialler::new(campaign(spec(CampaignKind::AutomaticIvr)));
    let takes = |dialler: &Dialler, at| dialler.takes(Wall(at), true, Floor::default(), 100);
    dialler.taken(Vec::new(), 10, None, Wall(T));
    assert_eq!(takes(&dialler, T + 4_999), 0);
    assert_eq!(takes(&dialler, T + 5_000), 10);
    dialler.taken(Vec::new(), 10, Some(Wall(T + 6_000)), Wall(T + 5_000));
    assert_eq!((takes(&dialler, T + 5_999), takes(&dialler, T + 6_000)), (0, 10));
    dialler.taken(Vec::new(), 10, None, Wall(T + 6_000));
    dialler.filled();
    assert_eq!(takes(&dialler, T + 6_001), 10);
}

#[test]
fn a_fault_of_a_carrier_holds_the_campaign_for_a_while() {
    let mut dialler = Dialler::new(campaign(spec(CampaignKind::AutomaticIvr)));
    dialler.taken(vec![number(1)], 1, None, Wall(T));
    let failed = dialler.failed(1, Outcome::NoLine, Wall(T)).unwrap();
    assert_eq!((failed.state, failed.due), (NumberState::Pending, Wall(T + 10 * MINUTE)));
    assert_eq!(dialler.takes(Wall(T + 29_999), true, Floor::default(), 9), 0);
    assert_eq!(dialler.takes(Wall(T + 30_000), true, Floor::default(), 9), 9);
}

#[test]
fn what_came_of_a_call_is_told_by_its_record() {
    let call = IdMaker::new(1, 0).call(TenantId::DEFAULT);
    let of = |kind, cause, change: fn(&mut Cdr)| {
        let mut record = cdr(call, cause);
        change(&mut record);
        outcome_of(&spec(kind), &record)
    };
    let answered = |cdr: &mut Cdr| cdr.answered = Some(Wall(T));
    let talked = |cdr: &mut Cdr| (cdr.answered, cdr.bridged) = (Some(Wall(T)), Some(Wall(T)));
    let none = |_: &mut Cdr| ();
    use CampaignKind::{AutomaticIvr, Predictive, Preview};
    for (kind, cause, change, outcome) in [
        (Predictive, Cause::Busy, none as fn(&mut Cdr), Outcome::Busy),
        (Predictive, Cause::Declined, none, Outcome::Declined),
        (Predictive, Cause::Unreachable, none, Outcome::Unreachable),
        (Predictive, Cause::Forbidden, none, Outcome::BadNumber),
        (Predictive, Cause::Congestion, none, Outcome::NoLine),
        (Predictive, Cause::LostByRestart, none, Outcome::Unknown),
        (AutomaticIvr, Cause::LostByRestart, answered, Outcome::Unknown),
        (Predictive, Cause::Normal, answered, Outcome::LeftWaiting),
        (Predictive, Cause::QueueTimeout, answered, Outcome::WaitTimeout),
        (Predictive, Cause::Normal, talked, Outcome::Reached),
        (AutomaticIvr, Cause::Normal, answered, Outcome::Failed),
        (Preview, Cause::Busy, answered, Outcome::Busy),
        (Preview, Cause::Normal, talked, Outcome::Reached),
    ] {
        assert_eq!(of(kind, cause, change), outcome, "{kind:?} {cause:?}");
    }
}

#[test]
fn a_result_that_is_not_taken_is_posted_at_once_again_and_after_ten_minutes() {
    assert_eq!(posted_again(1, Wall(T)), Some(Wall(T)));
    assert_eq!(posted_again(2, Wall(T)), Some(Wall(T + 10 * MINUTE)));
    assert_eq!(posted_again(3, Wall(T)), None);
}

/// Whatever comes in whatever order: no more are in hand than there are lines, none twice, and none is called more often than
/// it may be.
#[test]
fn no_number_is_lost_called_twice_at_a_time_or_too_often() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..2_000 {
        let mut run = Run::new();
        for _ in 0..100 {
            run.step(random.next_u32() % 6);
            run.check();
        }
    }
}

struct Run {
    ids: IdMaker,
    dialler: Dialler,
    rows: BTreeMap<u64, CampaignNumber>,
    now: i64,
}

impl Run {
    fn new() -> Self {
        let rows = (1..=30).map(|id| (id, number(id))).collect();
        let dialler = Dialler::new(campaign(spec(CampaignKind::Predictive)));
        Self { ids: IdMaker::new(1, 0), dialler, rows, now: T }
    }

    fn step(&mut self, step: u32) {
        let now = Wall(self.now);
        let (first, last) = (self.dialler.calls().first().copied(), self.dialler.calls().last().copied());
        let row = match (step, first, last) {
            (0, ..) => {
                self.now += MINUTE;
                None
            }
            (1, ..) => {
                self.take();
                None
            }
            (2, Some((id, _)), _) => {
                self.dialler.served(id);
                None
            }
            (3, Some((id, call)), _) => self.dialler.ended(id, &cdr(call, Cause::Busy), now),
            (4, _, Some((id, _))) => self.dialler.given_back(id, now),
            (5, Some((id, _)), _) => self.dialler.failed(id, Outcome::Unknown, now),
            _ => None,
        };
        self.rows.extend(row.map(|row| (row.id, row)));
    }

    fn take(&mut self) {
        let now = Wall(self.now);
        let count = self.dialler.takes(now, true, Floor { ready: 4, waiting: 0 }, 100);
        let due = self.rows.values().filter(|row| row.state == NumberState::Pending && row.due <= now);
        let due = due.take(count as usize).cloned().collect();
        for row in self.dialler.taken(due, count, None, now) {
            let call = self.ids.call(TenantId::DEFAULT);
            self.rows.insert(row.id, self.dialler.called(row.id, call).unwrap());
        }
    }

    fn check(&self) {
        let calling = self.rows.values().filter(|row| row.state == NumberState::Calling).count();
        assert_eq!(calling, self.dialler.in_hand() as usize);
        assert!(calling <= 10 && self.dialler.unserved() <= 4);
        assert!(self.rows.values().all(|row| row.attempts <= 2));
    }
}
