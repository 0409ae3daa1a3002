//! When a campaign may call.

use cordboard_model::calendar::{Calendar, Holiday};
use cordboard_model::campaign::CampaignSpec;

/// The weekdays that are no working days where no calendar says: Saturday and Sunday, from Monday.
const WEEKEND: [usize; 2] = [5, 6];

/// The hours of a campaign in a zone. A day is no working day if the tenant's calendar has no hours on its weekday, or has it as
/// a holiday; without a calendar, at weekends.
pub fn campaign_hours(spec: &CampaignSpec, zone: &str, days: Option<&Calendar>) -> Calendar {
    let is_off = |weekday: usize| match days {
        Some(days) => days.week.get(weekday).is_none_or(Vec::is_empty),
        None => WEEKEND.contains(&weekday),
    };
    let of = |off: bool| if off { spec.holidays.clone() } else { spec.workdays.clone() };
    let holidays = days.map_or(&[][..], |days| &days.holidays);
    Calendar {
        zone: zone.to_owned(),
        week: core::array::from_fn(|weekday| of(is_off(weekday))),
        holidays: holidays
            .iter()
            .map(|day| Holiday { hours: spec.holidays.clone(), ..day.clone() })
            .collect(),
    }
}
