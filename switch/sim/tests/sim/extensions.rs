//! Extension to extension, and the ends before an answer.

use crate::stage::{AGENT_HZ, CALLER_HZ, OTHER_HZ, Stage, ms, secs, setup};
use cordboard_sim::phone::{Act, End, Moment, PhoneConfig, Plan, Reply, Voice};
use cordboard_sim::world::Way;

/// What a registered caller says here.
const FROM_HZ: u16 = CALLER_HZ;

fn two(incoming: Plan) -> Stage {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    s.phone("3001", FROM_HZ, Plan::answer(secs(1.0)));
    s.phone("3002", OTHER_HZ, incoming);
    s
}

#[test]
fn an_extension_calls_another() {
    let mut s = two(Plan::answer(secs(2.0)));
    s.call("3001", "3002", Plan::call());
    s.run(1.0);
    s.hears_not("3001", OTHER_HZ);
    s.run(2.0);
    s.hears("3001", OTHER_HZ);
    s.hears("3002", FROM_HZ);
    s.act("3002", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        3002 < INVITE
        3002 > 180
        3001 < 180
        3002 > 200
        3002 < ACK
        3001 < 200
        3001 > ACK
        3002 > BYE
        3002 < 200 BYE
        3001 < BYE
        3001 > 200 BYE
    ",
    );
    s.cdrs(&["3001 to 3002: normal by Callee, up 1.0s, talk 1.0s, Caller 3001+normal, Callee 3002+normal"]);
}

#[test]
fn a_caller_cancels_while_it_rings() {
    let mut s = two(Plan::ring_on());
    s.call("3001", "3002", Plan::call().then(Moment::Ringing, secs(2.0), Act::HangUp));
    s.run(4.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        3002 < INVITE
        3002 > 180
        3001 < 180
        3001 > CANCEL
        3001 < 200 CANCEL
        3001 < 487
        3001 > ACK
        3002 < CANCEL
        3002 > 200 CANCEL
        3002 > 487
        3002 < ACK
    ",
    );
    s.cdrs(&[
        "3001 to 3002: cancelled by Caller, up -, talk -, Caller 3001-cancelled 487, Callee 3002-cancelled",
    ]);
}

#[test]
fn the_called_phones_200_crosses_our_cancel() {
    // The caller's CANCEL leaves 15 ms before the answer, so ours crosses the 200 on its way.
    let mut s = two(Plan::answer(secs(2.0)));
    s.call("3001", "3002", Plan::call().then(Moment::Ringing, ms(1_970), Act::HangUp));
    s.run(4.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        3002 < INVITE
        3002 > 180
        3001 < 180
        3001 > CANCEL
        3002 > 200
        3001 < 200 CANCEL
        3001 < 487
        3001 > ACK
        3002 < CANCEL
        3002 > 200 CANCEL
        3002 < ACK
        3002 < BYE
        3002 > 200 BYE
    ",
    );
    s.cdrs(&[
        "3001 to 3002: cancelled by Caller, up -, talk -, Caller 3001-cancelled 487, Callee 3002-cancelled",
    ]);
}

#[test]
fn the_callers_cancel_crosses_our_200() {
    let mut s = two(Plan::answer(secs(2.0)));
    s.call("3001", "3002", Plan::call().then(Moment::Ringing, ms(1_995), Act::HangUp));
    s.run(4.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        3002 < INVITE
        3002 > 180
        3001 < 180
        3002 > 200
        3001 > CANCEL
        3002 < ACK
        3001 < 200
        3001 > ACK
        3001 > BYE
        3001 < 200 CANCEL
        3001 < 200 BYE
        3002 < BYE
        3002 > 200 BYE
    ",
    );
    s.cdrs(&["3001 to 3002: normal by Caller, up 0.0s, talk 0.0s, Caller 3001+normal, Callee 3002+normal"]);
}

#[test]
fn a_refusal_reaches_the_caller() {
    for (code, text) in [(486, "486"), (603, "603"), (404, "404")] {
        let mut s = two(Plan::reject(code, secs(1.0)));
        s.call("3001", "3002", Plan::call());
        s.run(3.0);
        let log = s.world.phone("3001").unwrap().log();
        assert_eq!(log[0].ended.unwrap().1, End::Refused(code), "{text}");
        s.quiet();
    }
}

#[test]
fn nobody_answers() {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002").limits(|l| l.ring = secs(20.0)));
    s.phone("3001", FROM_HZ, Plan::answer(secs(1.0)));
    s.phone("3002", OTHER_HZ, Plan::ring_on());
    s.call("3001", "3002", Plan::call());
    s.run(25.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        3002 < INVITE
        3002 > 180
        3001 < 180
        3002 < CANCEL
        3002 > 200 CANCEL
        3002 > 487
        3001 < 480
        3001 > ACK
        3002 < ACK
    ",
    );
    s.cdrs(&[
        "3001 to 3002: no_answer by Switch, up -, talk -, Caller 3001-no_answer 480, Callee 3002-no_answer",
    ]);
}

#[test]
fn a_phone_that_is_silent_is_unreachable() {
    let mut s = two(Plan::reply(Reply::Nothing));
    s.call("3001", "3002", Plan::call());
    s.run(70.0);
    s.ladder_of(
        "3001",
        "
        > INVITE
        < 100
        < 480
        > ACK
    ",
    );
    s.cdrs(&[
        "3001 to 3002: unreachable by Callee, up -, talk -, Caller 3001-unreachable 480, Callee 3002-unreachable 408",
    ]);
}

#[test]
fn audio_before_the_answer_is_heard() {
    let mut s = two(Plan::reply(Reply::EarlyMedia(secs(3.0))));
    s.call("3001", "3002", Plan::call());
    s.run(2.0);
    s.hears("3001", OTHER_HZ);
    s.run(2.0);
    s.hears("3001", OTHER_HZ);
    s.hears("3002", FROM_HZ);
    s.act("3001", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        3002 < INVITE
        3002 > 183
        3001 < 183
        3002 > 200
        3002 < ACK
        3001 < 200
        3001 > ACK
        3001 > BYE
        3001 < 200 BYE
        3002 < BYE
        3002 > 200 BYE
    ",
    );
    s.cdrs(&["3001 to 3002: normal by Caller, up 1.0s, talk 1.0s, Caller 3001+normal, Callee 3002+normal"]);
}

#[test]
fn who_is_not_registered_and_what_is_no_number_is_refused() {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    s.phone("3001", FROM_HZ, Plan::answer(secs(1.0)));
    s.call("3001", "3002", Plan::call());
    s.run(1.0);
    s.call("3001", "7777", Plan::call());
    s.run(1.0);
    let ends = s.world.phone("3001").unwrap().log();
    let ends: Vec<End> = ends.iter().map(|log| log.ended.unwrap().1).collect();
    assert_eq!(ends, [End::Refused(480), End::Refused(404)]);
    s.cdrs(&[
        "3001 to 3002: not_registered by Switch, up -, talk -, Caller 3001-not_registered 480",
        "3001 to 7777: no_route by Switch, up -, talk -, Caller 3001-no_route 404",
    ]);
}

#[test]
fn a_call_with_a_wrong_password_is_not_taken() {
    let mut s = Stage::new(setup(&[]).user("3001"));
    s.carrier("carrier");
    let mut config: PhoneConfig = s.world.phone_config("3001", FROM_HZ);
    config.password = "wrong".into();
    s.world.add_phone("thief", config);
    s.call("thief", "2000", Plan::call());
    s.run(1.0);
    s.ladder(
        "
        thief > INVITE
        thief < 401
        thief > ACK
        thief > INVITE
        thief < 401
        thief > ACK
    ",
    );
    s.cdrs(&[]);
}

#[test]
fn a_call_goes_out_by_the_trunk() {
    let mut s = Stage::new(setup(&[]).user("3001").number_to_trunk("900", "carrier", "+49301"));
    s.carrier_with("carrier", |config| config.incoming = Plan::answer(secs(2.0)));
    s.phone("3001", AGENT_HZ, Plan::answer(secs(1.0)));
    s.call("3001", "900", Plan::call());
    s.run(4.0);
    s.hears("3001", CALLER_HZ);
    s.hears("carrier", AGENT_HZ);
    s.act("3001", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 401
        3001 > ACK
        3001 > INVITE
        3001 < 100
        carrier < INVITE
        carrier > 180
        3001 < 180
        carrier > 200
        carrier < ACK
        3001 < 200
        3001 > ACK
        3001 > BYE
        3001 < 200 BYE
        carrier < BYE
        carrier > 200 BYE
    ",
    );
    s.cdrs(&["3001 to 900: normal by Caller, up 2.0s, talk 2.0s, Caller 3001+normal, Callee +49301+normal"]);
}

#[test]
fn a_lost_message_is_sent_again() {
    use cordboard_sim::world::Way;
    for (way, begins, holds) in [
        (Way::In, "INVITE", ""),
        (Way::Out, "SIP/2.0 401", ""),
        (Way::Out, "SIP/2.0 180", ""),
        (Way::Out, "SIP/2.0 200", "INVITE"),
        (Way::In, "ACK", ""),
        (Way::In, "BYE", ""),
        (Way::Out, "SIP/2.0 200", "BYE"),
    ] {
        let mut s = two(Plan::answer(secs(2.0)));
        s.world.lose("3001", way, begins, holds, 1);
        s.call("3001", "3002", Plan::call());
        s.run(5.0);
        s.hears("3001", OTHER_HZ);
        s.hears("3002", FROM_HZ);
        s.act("3001", Act::HangUp);
        s.run(2.0);
        s.quiet();
        assert_eq!(s.world.cdrs().len(), 1, "{begins}");
    }
}

/// The call engine gave a caller 5 seconds to be answered. Without an offer he is answered when his ACK comes,
/// which SIP waits for 32 seconds for: four lost ACKs ended a good call as an internal error.
#[test]
fn a_caller_without_an_offer_may_lose_his_ack_for_a_while() {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    s.phone_with("3001", "3001", FROM_HZ, |config| config.quirks.no_offer = true);
    s.phone("3002", OTHER_HZ, Plan::answer(secs(1.0)));
    s.world.lose("3001", cordboard_sim::world::Way::In, "ACK", "m=audio", 4);
    s.call("3001", "3002", Plan::call());
    s.run(5.0);
    s.hears_not("3002", FROM_HZ);
    s.run(6.0);
    s.hears("3001", OTHER_HZ);
    s.hears("3002", FROM_HZ);
    s.act("3001", Act::HangUp);
    s.cdrs(&["3001 to 3002: normal by Caller, up 2.5s, talk 2.5s, Caller 3001+normal, Callee 3002+normal"]);
}

#[test]
fn a_phone_behind_a_nat_hears_and_is_heard() {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    let private = Some("10.1.1.1".parse().unwrap());
    s.phone_with("3001", "3001", FROM_HZ, |config| config.said_ip = private);
    s.phone_with("3002", "3002", OTHER_HZ, |config| config.said_ip = private);
    s.call("3001", "3002", Plan::call());
    s.run(2.0);
    s.hears("3001", OTHER_HZ);
    s.hears("3002", FROM_HZ);
}

#[test]
fn a_law_and_mu_law_understand_each_other() {
    use cordboard_model::media::Codec;
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    s.phone_with("3001", "3001", FROM_HZ, |config| config.codecs = vec![Codec::Pcma]);
    s.phone_with("3002", "3002", OTHER_HZ, |config| config.codecs = vec![Codec::Pcmu]);
    s.call("3001", "3002", Plan::call());
    s.run(2.0);
    s.hears("3001", OTHER_HZ);
    s.hears("3002", FROM_HZ);
}

/// The caller offers G.722 before A-law, the tenant prefers A-law: what the called phone speaks decides.
#[test]
fn both_parties_have_one_codec_wherever_they_can_and_understand_each_other_where_not() {
    use cordboard_model::media::Codec::{G722, Pcma, Pcmu};
    let tenant = setup(&[]).user("3001").user("3002").codecs(&[Pcma, Pcmu, G722]);
    for (callee, agreed) in [
        (vec![Pcma, G722], (G722, G722)),
        (vec![G722], (G722, G722)),
        (vec![Pcma], (Pcma, Pcma)),
        (vec![Pcmu], (G722, Pcmu)),
    ] {
        let mut s = Stage::new(tenant.clone());
        s.phone_with("3001", "3001", FROM_HZ, |config| config.codecs = vec![G722, Pcma]);
        s.phone_with("3002", "3002", OTHER_HZ, |config| config.codecs = callee);
        s.call("3001", "3002", Plan::call());
        s.run(2.0);
        s.hears("3001", OTHER_HZ);
        s.hears("3002", FROM_HZ);
        let codec = |name: &str| s.world.phone(name)?.codec(s.world.latest(name)?);
        assert_eq!((codec("3001"), codec("3002")), (Some(agreed.0), Some(agreed.1)));
    }
}

#[test]
fn a_wideband_caller_hears_the_menu_and_presses_through_it_to_an_agent_with_g711() {
    use cordboard_model::media::Codec::{G722, Pcma};
    let tenant = setup(&["3001"]).user("3002").codecs(&[G722, Pcma]);
    let mut s = Stage::new(tenant);
    s.phone_with("3001", "3001", AGENT_HZ, |config| config.codecs = vec![Pcma]);
    s.phone_with("3002", "3002", FROM_HZ, |config| config.codecs = vec![G722]);
    s.call("3002", "1000", Plan::call());
    s.run(1.0);
    s.hears("3002", cordboard_sim::setup::MENU_HZ);
    s.act("3002", Act::Press("1".into()));
    s.run(6.0);
    s.hears("3002", AGENT_HZ);
    s.hears("3001", FROM_HZ);
}

/// Loss on one party's way in and on the other's way out: each leg's line in the record blames the right direction.
#[test]
fn the_record_says_in_words_whose_path_was_bad() {
    let mut s = two(Plan::answer(secs(1.0)));
    s.world.path("3001", Way::In).unwrap().loss = 80;
    s.call("3001", "3002", Plan::call());
    s.run(30.0);
    s.act("3001", Act::HangUp);
    s.run(40.0);
    let cdr = &s.world.cdrs()[0];
    let verdicts: Vec<&str> = cdr.legs.iter().filter_map(|leg| leg.verdict.as_deref()).collect();
    let [caller, called] = verdicts[..] else { panic!("{verdicts:?}") };
    assert!(
        caller.starts_with("the caller's uplink loses 8 %")
            || caller.starts_with("the caller's uplink loses 7 %"),
        "{caller}"
    );
    assert!(caller.ends_with("; ours is clean"), "{caller}");
    assert!(called.starts_with("the called party's uplink is clean; ours loses"), "{called}");
    let scores: Vec<_> =
        cdr.legs.iter().map(|leg| (leg.stats.mos, leg.stats.far.and_then(|far| far.mos))).collect();
    assert!(scores[0].0 < Some(380) && scores[0].1 > Some(430), "{scores:?}");
    assert!(scores[1].0 > Some(430) && scores[1].1 < Some(380), "{scores:?}");
}

#[test]
fn the_record_says_that_nothing_came_and_that_an_address_was_private() {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    s.phone_with("3001", "3001", FROM_HZ, |config| {
        config.said_ip = Some("10.1.1.1".parse().unwrap());
        config.voice = Voice::Probe;
    });
    s.phone("3002", OTHER_HZ, Plan::answer(secs(1.0)));
    s.call("3001", "3002", Plan::call());
    s.run(10.0);
    s.act("3002", Act::HangUp);
    s.run(40.0);
    let verdict = s.world.cdrs()[0].legs[0].verdict.clone();
    assert_eq!(verdict.as_deref(), Some("no audio from the caller: its SDP names a private address"));
}
