//! Whether a campaign can be what it is asked to be.

use cordboard_model::campaign::{
    ATTEMPTS_MAX, CALLED_MAX, CAMPAIGN_ABOUT_MAX, CAMPAIGN_NAME_MAX, CampaignGoal, CampaignKind,
    CampaignSpec, LINES_MAX,
};
use cordboard_model::config::Tenant;
use cordboard_model::plan;
use cordboard_model::service::Work;
use cordboard_model::time::Wall;

/// Most times of calling in one kind of day.
const HOURS_MAX: usize = 10;
/// Most numbers that are shown.
const SHOWN_MAX: usize = 20;
/// Longest pause between two calls to one number, seconds: a week.
const EVERY_MAX: u32 = 604_800;

/// What is wrong with it, each fault with its field before it; nothing if it is right.
pub fn faults(spec: &CampaignSpec, now: Wall, tenant: &Tenant) -> Vec<String> {
    let mut faults = Vec::new();
    let mut say = |wrong: bool, text: &str| {
        if wrong {
            faults.push(text.to_owned());
        }
    };
    let letters = spec.name.trim().chars().count();
    say(letters == 0, "name: it is empty");
    say(letters > CAMPAIGN_NAME_MAX, "name: it is longer than 100 characters");
    say(
        spec.description.chars().count() > CAMPAIGN_ABOUT_MAX,
        "description: it is longer than 200 characters",
    );
    say(spec.ends <= spec.begins, "ends: it is not after begins");
    say(spec.ends <= now, "ends: that is over");
    let least = if spec.kind == CampaignKind::Preview { 9 } else { 5 };
    say(!(least..=120).contains(&spec.ring_s), &format!("ring_s: {least} to 120"));
    say(!(1..=5).contains(&spec.priority), "priority: 1 to 5");
    say(!(10..=500).contains(&spec.rate), "rate: 10 to 500, calls for a hundred free agents");
    say(!(1..=LINES_MAX).contains(&spec.lines), "lines: 1 to 1000");
    say(!(1..=ATTEMPTS_MAX).contains(&spec.attempts), "attempts: 1 to 10");
    say(spec.every_s > EVERY_MAX, "every_s: at most 604800, a week");
    say(
        spec.workdays.is_empty() && spec.holidays.is_empty(),
        "workdays: there is no time at which it may call",
    );
    let of_day =
        |hours: &cordboard_model::calendar::Hours| hours.from < 1_440 && (1..=1_440).contains(&hours.to);
    for (field, hours) in [("workdays", &spec.workdays), ("holidays", &spec.holidays)] {
        say(
            !hours.iter().all(of_day),
            &format!("{field}: minutes of the day, from below 1440 and to 1 to 1440"),
        );
        say(hours.len() > HOURS_MAX, &format!("{field}: at most {HOURS_MAX}"));
    }
    say(spec.shown.len() > SHOWN_MAX, "shown: at most 20 numbers");
    for shown in &spec.shown {
        let known = shown.number.len() <= CALLED_MAX && is_house_number(tenant, &shown.number);
        say(!known, &format!("shown: {:?} is no number of the tenant's", shown.number));
    }
    match &spec.goal {
        CampaignGoal::Flow(_) if !spec.kind.is_by_flow() => {
            say(true, "goal: campaigns of this kind have a queue")
        }
        CampaignGoal::Queue(_) if spec.kind.is_by_flow() => {
            say(true, "goal: campaigns of this kind have a flow")
        }
        CampaignGoal::Flow(name) => {
            say(!tenant.flows.keys().any(|flow| flow == name), &format!("goal: there is no flow {name}"));
        }
        CampaignGoal::Queue(name) => match tenant.queues.get(name) {
            None => say(true, &format!("goal: there is no queue {name}")),
            Some(queue) => {
                let takes = queue.service.kind.work() == Work::Call;
                say(!takes, &format!("goal: queue {name} takes no calls"));
            }
        },
    }
    faults
}

/// Whether a number is one of the tenant's own, that may be shown.
fn is_house_number(tenant: &Tenant, number: &str) -> bool {
    let number = plan::read(tenant.plan.as_ref(), number);
    let pooled = tenant.pools.values().flat_map(|pool| &pool.numbers);
    let own = tenant.desk.agents.values().filter_map(|desk| desk.caller_number.as_ref());
    pooled.chain(own).any(|known| *known == number)
}
