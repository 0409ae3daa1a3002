//! Campaigns and their numbers: kept over a restart, found by their turn, counted, apart by tenant.

use super::*;
use crate::scratch::Scratch;
use cordboard_model::calendar::Hours;
use cordboard_model::campaign::{
    Campaign, CampaignGoal, CampaignKind, CampaignNumber, CampaignSpec, CampaignWrite, NumberCounts,
    NumberState, NumbersAsked,
};
use cordboard_model::id::Name;
use std::collections::BTreeMap;

const T: TenantId = TenantId::DEFAULT;

fn campaign(tenant: TenantId, id: u64) -> Campaign {
    let spec = CampaignSpec {
        name: "autumn".into(),
        description: String::new(),
        kind: CampaignKind::Predictive,
        goal: CampaignGoal::Queue(Name::new("sales").unwrap()),
        begins: Wall(1),
        ends: Wall(1_000),
        workdays: vec![Hours { from: 0, to: 1_440 }],
        holidays: Vec::new(),
        shown: Vec::new(),
        ring_s: 30,
        priority: 3,
        rate: 100,
        lines: 10,
        attempts: 1,
        every_s: 60,
        url: None,
        said: serde_json::json!({ "name": "autumn" }),
    };
    Campaign { id, tenant, spec, paused: false, made: Wall(1), by: "crm".into() }
}

fn number(tenant: TenantId, id: u64, campaign: u64, due: i64) -> CampaignNumber {
    CampaignNumber {
        id,
        tenant,
        campaign,
        session: format!("row {id}"),
        called: "900".into(),
        data: BTreeMap::new(),
        state: NumberState::Pending,
        attempts: 0,
        due: Wall(due),
        call: None,
        place: None,
        result: None,
        business: None,
        owed: None,
        posts: 0,
    }
}

fn rows(numbers: Vec<CampaignNumber>) -> Vec<CampaignWrite> {
    numbers.into_iter().map(|number| CampaignWrite::Number(Box::new(number))).collect()
}

fn ids(numbers: &[CampaignNumber]) -> Vec<u64> {
    numbers.iter().map(|number| number.id).collect()
}

#[tokio::test]
async fn numbers_are_found_by_their_turn_counted_and_forgotten_a_few_at_a_time_each_tenants_apart() {
    let scratch = Scratch::new();
    let path = scratch.path().join("campaigns.db");
    let acme = TenantId::new("acme").unwrap();
    let store = Store::open(&path).await.unwrap();
    let made = |tenant| CampaignWrite::Campaign(Box::new(campaign(tenant, 1)));
    store.keep_campaigns(vec![made(T), made(acme)]).await.unwrap();
    let mut numbers: Vec<CampaignNumber> = (1..=5).map(|id| number(T, id, 1, 100 - id as i64)).collect();
    numbers.push(number(T, 6, 2, 1));
    numbers.push(number(acme, 1, 1, 1));
    store.keep_campaigns(rows(numbers)).await.unwrap();
    store.close().await;

    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.campaigns().await.unwrap(), [campaign(acme, 1), campaign(T, 1)]);
    let (due, next) = store.campaign_due((T, 1), Wall(97), 10).await.unwrap();
    assert_eq!((ids(&due), next), (vec![5, 4, 3], Some(Wall(98))), "who waits longest first");
    assert_eq!(store.campaign_due((T, 1), Wall(97), 2).await.unwrap().1, None, "there may be more now");
    let called = CampaignNumber { state: NumberState::Calling, ..number(T, 5, 1, 95) };
    let over = CampaignNumber { state: NumberState::Done, owed: Some(Wall(50)), ..number(T, 4, 1, 96) };
    store.keep_campaigns(rows(vec![called.clone(), over.clone()])).await.unwrap();
    assert_eq!(ids(&store.campaign_due((T, 1), Wall(97), 10).await.unwrap().0), [3]);
    let (counts, last) = store.campaign_counts(T).await.unwrap();
    assert_eq!(counts.get(&1), Some(&NumberCounts { pending: 3, calling: 1, done: 1 }));
    assert_eq!((counts.get(&2).map(|of| of.pending), last), (Some(1), 6));
    assert_eq!(store.campaign_owed((T, 1), Wall(49), 10).await.unwrap(), []);
    assert_eq!(store.campaign_owed((T, 1), Wall(50), 10).await.unwrap(), [over]);
    let asked = |state, after, limit| NumbersAsked { campaign: 1, state, after, limit };
    let page = store.campaign_numbers(T, asked(None, 2, 2)).await.unwrap();
    assert_eq!(ids(&page), [3, 4]);
    let calling = asked(Some(NumberState::Calling), 0, 10);
    assert_eq!(store.campaign_numbers(T, calling).await.unwrap(), [called]);
    assert_eq!(store.campaign_number(acme, 6).await.unwrap(), None);
    store.keep_campaigns(vec![CampaignWrite::NoNumbers(T, 1, 3)]).await.unwrap();
    assert_eq!(store.campaign_numbers(T, asked(None, 0, 10)).await.unwrap().len(), 2);
    store.keep_campaigns(vec![CampaignWrite::NoCampaign(T, 1)]).await.unwrap();
    assert_eq!(store.campaigns().await.unwrap(), [campaign(acme, 1)]);
    assert_eq!(store.campaign_number(acme, 1).await.unwrap().unwrap().session, "row 1");
    store.close().await;
}
