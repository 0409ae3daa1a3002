//! Whole-switch tests: SIPp, baresip and a browser against the running binary.

mod administering;
mod agent_bar;
mod agent_hour;
mod aliyun;
mod asking;
mod bar_cookies;
mod bar_hands;
mod bar_languages;
mod bar_roaming;
mod bar_telephones;
mod baresip;
mod browser_calls;
mod campaigns;
mod chats;
mod click_calls;
mod common;
mod conformance;
mod console;
mod console_flows;
mod console_records;
mod consulting;
mod controlling;
mod crash;
mod defence;
mod demo;
mod desks;
mod dialling;
mod enumeration;
mod events;
mod figures;
mod first_minutes;
mod flows;
mod gateway;
mod holding;
mod hostile;
mod ipv6;
mod jssip;
mod keeping;
mod keys;
mod lamps;
mod large;
mod locked;
mod many;
mod media;
mod nat;
mod newcomer;
mod objects;
mod offers;
mod operator;
mod opus_recordings;
mod overflowing;
mod phones;
mod publishing;
mod queue_audio;
mod records;
mod refreshing;
mod refusing;
mod registering;
mod reload;
mod resuming;
mod ringing;
mod roaming;
mod routing;
mod secure;
mod security;
mod shapes;
mod sight;
mod signin;
mod stopping;
mod streams;
mod supervision;
mod telephone;
mod tenants;
mod third_party;
mod tls;
mod torture;
mod torture_tcp;
mod transfers;
mod trunks;
mod two_way;
mod video;
mod voices;
mod waiting;
mod walk;
mod webhooks;
mod webrtc_peer;
mod websocket;
mod workbench;

use cordboard_tests::runner::{self, Test, alone, asked, beside, test};
use std::process::ExitCode;

static TESTS: &[Test] = &[
    test("sipp_registers_with_md5_digest_and_unregisters", registering::registers_and_unregisters),
    test("sipp_registration_with_a_wrong_password_is_refused", registering::wrong_password),
    test("a_registration_expires", registering::expires),
    test("registrations_survive_a_kill_and_a_restart", registering::survive),
    test(
        "chats_go_on_after_a_kill_and_nothing_that_was_accepted_is_lost_or_said_twice",
        chats::killed_in_the_middle,
    ),
    test("a_chat_that_nobody_takes_is_sent_on_talked_in_and_counted", chats::through_the_queues),
    test("sipp_call_menu_queue_agent_hung_up_by_the_caller", walk::hung_up_by_the_caller),
    test("sipp_call_menu_queue_agent_hung_up_by_the_agent", walk::hung_up_by_the_agent),
    test("sipp_extension_calls_extension_with_digest", ringing::extension_to_extension),
    test("sipp_invite_with_a_wrong_password_reaches_nobody", refusing::wrong_password),
    test("sipp_cancels_while_an_extension_rings", ringing::cancelled),
    test("sipp_caller_hangs_up_while_the_agent_rings", ringing::abandoned),
    test("sipp_agents_busy_declined_silent_then_the_next", ringing::next_agent),
    test(
        "all_phones_of_a_queue_ring_and_two_of_three_are_told_that_another_answered",
        ringing::all_of_a_queue,
    ),
    test("sipp_an_agent_without_a_desk_works_again_after_a_restart", ringing::unattended),
    test("sipp_fork_first_answer_wins_the_other_is_cancelled", ringing::fork),
    test("sipp_fork_late_answer_is_acknowledged_and_ended", ringing::late_answer),
    test("sipp_caller_holds_and_resumes", holding::by_the_caller),
    test("sipp_agent_holds_and_resumes", holding::by_the_agent),
    test("sipp_caller_holds_with_both_ways_stopped_and_resumes", holding::both_ways_stopped),
    test("sipp_caller_holds_by_an_address_that_is_nowhere_and_resumes", holding::sent_to_nowhere),
    test("sipp_caller_who_requires_100rel_acknowledges_the_ring", offers::reliable_ring),
    test("sipp_called_phone_announces_reliably_and_is_heard_before_it_answers", offers::reliable_progress),
    test("sipp_caller_without_an_offer_answers_ours", offers::offerless),
    test("sipp_fax_offer_is_refused_and_the_call_goes_on", offers::fax),
    beside("sipp_sessions_are_refreshed_by_either_side_and_end_when_nobody_does", refreshing::by_either_side),
    test("sipp_calls_and_is_called_over_tcp", streams::called_and_calling),
    test("a_bot_hears_a_caller_and_is_heard_and_gives_the_call_back", voices::media_stream),
    test("a_bot_is_told_to_stop_when_its_caller_hangs_up", voices::media_stream_hung_up),
    test("a_bot_gets_nothing_of_a_secret", voices::media_stream_secret),
    test("a_program_listens_to_a_talk_when_the_api_asks_for_it", voices::listening),
    test("a_word_of_a_grammar_is_recognised_behind_the_same_socket", voices::recognition),
    test("a_flow_collects_digits_by_speech_or_keys_whichever_comes_first", voices::collected),
    test("a_flow_says_texts_and_plays_mp3_and_ogg", voices::speech_and_prompts),
    test("a_flow_dials_several_who_are_asked_and_goes_on_after_the_talk", dialling::several),
    test(
        "a_flow_puts_three_in_one_talk_who_hear_each_other_and_hears_what_became_of_each",
        dialling::conference,
    ),
    test(
        "the_first_administrator_comes_by_command_and_what_he_does_survives_a_kill",
        security::first_administrator,
    ),
    test("no_tenant_sees_anothers_things_by_any_route_of_the_running_switch", security::tenants_apart),
    test("heads_and_bodies_of_requests_are_bounded", security::bounded),
    test("rows_put_by_the_api_and_what_flows_count_survive_a_restart", asking::rows_and_counts),
    test("a_flow_asks_a_server_a_table_a_library_and_another_flow", asking::everything),
    test("a_client_of_the_agent_gateway_has_a_whole_day_by_polling", gateway::polled),
    test("a_client_of_the_agent_gateway_has_a_whole_day_by_push", gateway::pushed),
    test("a_client_of_the_agent_gateway_answers_web_chats", gateway::texted),
    test("who_signs_in_by_force_at_the_agent_gateway_throws_the_other_out", gateway::thrown_out),
    test("a_client_with_an_app_key_calls_back_monitors_and_fetches_the_recording", shapes::walk),
    test("a_campaign_of_a_program_calls_and_posts_what_came_of_each_number", campaigns::by_signed_requests),
    test("a_campaign_rings_its_agents_first_and_lets_go_who_waits_when_paused", campaigns::agents_first),
    test("a_number_of_a_campaign_is_called_once_over_a_kill", campaigns::over_a_kill),
    test("a_client_with_an_app_key_has_its_customers_chat_over_a_kill_too", shapes::talks),
    test("sipp_options_is_answered", refusing::options),
    test("sipp_unknown_number_is_not_found", refusing::not_found),
    test("sipp_extension_without_a_device_is_unavailable", refusing::no_device),
    test("sipp_offer_without_a_common_codec_is_refused", refusing::no_codec),
    test("sipp_calls_between_ipv4_and_ipv6_and_within_ipv6", ipv6::calls_across_families),
    test("baresip_registers_and_answers_a_queue_call", baresip::answers_a_queue_call),
    test("baresip_answers_a_queue_call_over_tcp", baresip::answers_over_tcp),
    test("baresip_answers_a_queue_call_over_tls", baresip::answers_over_tls),
    test("a_baresip_with_opus_and_a_g711_caller_talk", baresip::opus_and_g711),
    test("what_we_send_and_a_phone_misses_is_in_the_record", baresip::our_loss),
    test("two_baresips_with_opus_talk_in_full_band", baresip::opus_relayed),
    test("a_baresip_with_opus_hears_a_menu", baresip::opus_menu),
    test("a_baresip_with_opus_hears_a_menus_6_khz", baresip::wide_menu_opus),
    test("a_baresip_with_g722_hears_a_menus_6_khz", baresip::wide_menu_g722),
    test("two_baresips_with_g722_are_recorded_at_16_khz", baresip::wide_wav),
    test("the_same_sealed_and_as_opus", baresip::wide_sealed_opus),
    test("two_baresips_are_supervised_in_wideband", baresip::wide_mix),
    test("a_recording_as_opus_is_played_by_the_tools_of_its_makers", opus_recordings::in_the_clear),
    test("a_sealed_recording_as_opus_is_opened_as_one", opus_recordings::sealed),
    test("a_recording_as_opus_survives_a_kill", opus_recordings::killed),
    test("linphone_calls_linphone_over_udp", phones::linphone_over_udp),
    test("linphone_calls_linphone_over_tcp", phones::linphone_over_tcp),
    test("linphone_over_tls_calls_linphone_over_udp", phones::linphone_over_tls),
    test("linphone_sends_its_caller_on_without_asking", transfers::blind),
    test("linphone_joins_its_two_calls", transfers::attended),
    test("two_calls_of_two_media_threads_are_joined", transfers::attended_over_threads),
    test("two_calls_of_two_media_threads_by_io_uring_are_joined", transfers::attended_by_io_uring),
    test("the_api_consults_and_sends_a_party_on", transfers::consultation),
    test("three_talk_by_the_api_one_is_held_and_muted_and_two_go_on", supervision::conference),
    test("a_supervisor_in_every_mode_is_heard_by_whom_he_may_be", supervision::every_mode),
    test("a_supervisor_is_let_go_with_the_call", supervision::let_go),
    test("an_agent_holds_mutes_sends_keys_and_releases_by_his_name_and_each_ear_is_right", desks::in_a_call),
    test("an_agent_consults_another_by_name_and_all_three_talk", desks::three_party),
    test("an_agent_consults_a_queue_and_its_agent_gets_the_party", consulting::completes),
    test("a_consultation_with_a_queue_goes_to_the_next_agent_and_becomes_a_conference", consulting::confers),
    test("a_consulted_queue_that_has_nobody_or_lasts_too_long_gives_the_party_back", consulting::comes_back),
    test("a_party_whose_agent_leaves_while_he_consults_a_queue_waits_there", consulting::party_waits),
    test("a_caller_who_hangs_up_while_a_queue_is_consulted_ends_it_for_all", consulting::caller_leaves),
    test("a_switch_killed_in_a_consultation_with_a_queue_ends_all_three_legs", consulting::killed),
    test("a_party_sent_after_a_consultation_brings_its_call_data_to_the_other_desk", desks::attended),
    test("a_party_sent_after_success_comes_back_and_one_sent_blindly_does_not_wait", desks::sent_elsewhere),
    test("a_caller_is_sent_outside_blindly_and_after_success_and_both_hear_each_other", desks::sent_outside),
    test("an_agent_calls_out_his_phone_first_and_shows_the_number_by_rule", desks::calls_out),
    test("an_agent_calls_another_agent", desks::calls_an_agent),
    test("what_an_agent_says_of_a_call_is_in_its_record_also_after_a_kill", desks::wraps_up),
    test("a_phone_answers_by_order_or_is_asked_to_answer_by_itself", desks::answers),
    test("who_is_to_be_called_back_is_taken_called_and_done_and_a_kill_changes_nothing", desks::called_back),
    test(
        "who_leaves_a_queue_keeps_his_place_and_is_called_back_the_agents_phone_first",
        keeping::agent_first,
    ),
    test(
        "who_is_called_back_first_says_by_a_key_that_it_is_he_and_then_the_agents_phone_rings",
        keeping::customer_first,
    ),
    test("who_is_busy_is_called_again_and_his_place_is_as_it_was_after_a_kill", keeping::again),
    test(
        "a_program_has_a_number_called_then_an_agent_who_hear_each_other_and_ends_the_call",
        two_way::number_then_agent,
    ),
    test("a_program_plays_to_parties_of_a_talk_and_collects_keys_from_one", controlling::play_and_collect),
    test("a_program_joins_a_caller_of_a_flow_and_one_of_a_queue", controlling::bridged),
    test("what_the_integrators_guide_says_to_type_works_as_it_is_written", first_minutes::as_written),
    test("a_program_transfers_a_talk_to_a_queue_and_then_to_a_flow", controlling::transferred),
    test("a_program_takes_a_caller_from_his_flow_and_sends_him_to_a_queue", controlling::sent_on),
    test("a_program_has_an_account_called_then_a_number_a_flow_or_a_queue", two_way::account_then_anything),
    test("a_program_has_two_numbers_called_by_the_rules_of_an_account", two_way::two_numbers),
    test("a_supervisor_in_every_mode_by_the_agents_name", desks::supervised),
    test("a_supervisor_makes_an_agent_what_he_is_to_be_and_who_is_none_may_not", desks::forced_states),
    test("a_supervisor_puts_who_waits_first_in_another_queue_and_to_an_agent", desks::placed),
    test("an_agent_signs_in_with_a_password_once_and_is_there_again_after_a_kill", signin::by_page),
    test("an_agent_signs_in_by_keys_and_a_caller_reaches_him", signin::by_keys),
    test("a_client_of_the_other_vendor_exchanges_tokens_and_manages_its_agents", aliyun::whole),
    test("what_opened_once_before_a_kill_does_not_open_after_it", aliyun::once),
    test("an_enterprise_speaks_for_its_agent_and_only_its_yes_signs_him_in", third_party::asked),
    test("three_wrong_passwords_by_keys_lock_and_no_key_of_them_is_seen", signin::locked_by_keys),
    test("a_carriers_keys_by_info_and_a_phones_events_reach_each_other", keys::info_and_events),
    test("a_carriers_keys_as_tones_and_a_phones_events_reach_each_other", keys::tones_and_events),
    test("an_account_gets_the_keys_of_others_by_info", keys::account_by_info),
    test(
        "figures_of_three_calls_come_as_json_table_and_wall_and_are_the_same_after_kill_9",
        figures::of_three_calls,
    ),
    test("a_full_queue_sends_its_caller_to_another_whose_baresip_answers", overflowing::full),
    test("a_wait_that_lasts_too_long_leads_to_a_flow_and_on_to_another_queue", overflowing::too_long),
    test("a_caller_leaves_a_queue_by_a_key_and_the_flow_has_him_again", waiting::by_key),
    test("the_running_switch_explains_its_queues_and_agents", waiting::explained),
    test("agents_of_a_range_are_ordered_about_together", many::range_and_orders),
    test("an_agents_mobile_rings_over_a_trunk_and_is_joined_by_its_key", telephone::joined_by_its_key),
    test("an_agents_leg_stays_up_between_calls", telephone::stays_up),
    test("a_line_is_ended_by_a_kill_and_made_again", telephone::ended_by_a_kill),
    test("a_mailbox_at_an_agents_number_is_no_answer", telephone::a_mailbox_is_no_answer),
    test("an_agent_chooses_his_mobile_and_has_it_after_a_kill", telephone::chosen_and_kept),
    test("a_caller_leaves_a_queue_with_its_last_agent_if_he_asked_for_that", waiting::staffed),
    test("a_flow_asks_for_one_agent_who_is_waited_for_while_another_is_free", waiting::one_agent),
    test(
        "a_queue_is_heard_in_a_reliable_183_and_answers_with_its_agent",
        queue_audio::answered_with_the_agent,
    ),
    test(
        "the_agents_number_and_a_notice_are_heard_before_the_two_are_joined",
        queue_audio::number_and_notice,
    ),
    test("who_waits_hears_a_flow_and_its_own_flow_has_him_after_the_talk", queue_audio::wait_flow),
    test("a_queues_longest_call_ends_it", queue_audio::longest_talk),
    test("a_card_is_keyed_in_aside_while_the_agent_hears_a_tone_and_nothing_else", queue_audio::aside),
    test("an_agents_caller_is_asked_when_the_agent_has_hung_up", queue_audio::survey),
    test("nat_none_call_hold_and_transfer", nat::none),
    test("nat_before_the_caller_call_hold_and_transfer", nat::caller_behind),
    test("nat_before_the_agent_call_hold_and_transfer", nat::agent_behind),
    test("nat_before_both_the_same_call_hold_and_transfer", nat::both_behind_one),
    test("nat_before_each_call_hold_and_transfer", nat::both_behind_two),
    test("nat_symmetric_before_each_call_hold_and_transfer", nat::symmetric),
    test("nat_one_to_one_before_the_switch_call_hold_and_transfer", nat::switch_behind_one_to_one),
    test("nat_before_an_ipv4_caller_and_an_ipv6_agent_call_hold_and_transfer", nat::ipv4_to_ipv6),
    test("a_line_that_lets_no_audio_through_is_named_in_the_record", nat::no_audio),
    test("a_line_that_loses_one_packet_in_ten_is_named_in_the_record", nat::loss),
    test("a_line_that_loses_packets_side_by_side_is_named_in_the_record", nat::loss_in_bursts),
    test("audio_from_another_source_is_not_heard", media::injection),
    test("a_law_caller_and_mu_law_agent_hear_each_other_and_their_keys", media::transcoding),
    test("a_linphone_with_srtp_over_tls_and_a_plain_one_call_each_other", secure::linphone),
    test("a_baresip_with_srtp_over_tls_answers_a_plain_caller", secure::baresip),
    test("where_srtp_is_required_plain_callers_and_phones_in_the_clear_are_refused", secure::required),
    test("video_and_its_feedback_go_both_ways_between_two_phones", video::both_ways),
    test("video_that_is_not_shared_is_refused_and_the_call_goes_on", video::not_shared),
    test("a_baresip_sees_another_in_vp8", video::baresip),
    test("a_browser_and_a_baresip_see_each_other", browser_calls::sees_a_phone),
    test("comfort_noise_is_offered_and_taken_where_it_is_configured", media::comfort_noise),
    test("a_call_ends_at_its_longest", media::longest_call),
    test("who_is_not_heard_or_late_is_told_of_while_the_call_is_up_and_in_its_record", media::unheard),
    test("a_silent_party_ends_the_call_unless_held", media::silence),
    test(
        "an_emergency_call_is_heard_while_the_switch_is_full_and_the_first_trunk_dead",
        routing::help_comes_first,
    ),
    test("a_server_and_a_flow_decide_and_a_call_leaves_by_the_trunk_that_takes_it", routing::asked_outside),
    test("a_call_goes_on_by_the_next_gateway_when_one_is_dead_or_cannot", trunks::fails_over),
    test("a_long_invite_goes_by_tcp_or_after_all_by_udp", large::by_tcp_or_after_all_by_udp),
    test("a_busy_party_is_no_reason_to_ask_the_next_gateway", trunks::busy_is_no_failover),
    test("a_gateway_that_answers_no_options_gets_no_calls_until_it_does", trunks::health),
    test("numbers_are_written_the_carriers_way_on_its_side_alone", trunks::numbers),
    test("a_country_plan_reads_and_writes_numbers_and_a_pool_names_the_caller", trunks::plan_and_pool),
    test("a_carrier_known_by_its_domain_is_called_at_its_second_host", trunks::by_domain),
    test("diversion_and_user_to_user_reach_the_far_carrier", trunks::identity),
    test("a_trunk_registers_with_its_carrier_by_digest", trunks::registers),
    test("a_carrier_behind_another_network_is_told_its_own_addresses", trunks::own_addresses),
    test("the_same_extension_in_two_domains_is_two_with_a_realm_each", tenants::two_of_one_name),
    test("nobody_dials_or_signs_in_across_two_tenants", tenants::nobody_crosses),
    test("a_trunk_that_two_tenants_share_finds_whose_number_is_called", tenants::a_shared_trunk),
    test("a_trunk_is_blocked_by_an_operator_and_limited_in_rate", trunks::blocked_and_limited),
    test(
        "sipvicious_finds_neither_the_switch_nor_an_account_and_calls_go_on",
        defence::scanners_find_nothing,
    ),
    test("who_guesses_passwords_is_answered_alike_and_then_not_at_all", defence::guessers_are_banned),
    test(
        "who_is_banned_by_hand_is_not_heard_until_it_is_taken_back_over_a_kill_too",
        defence::banned_by_hand,
    ),
    test("a_device_is_called_over_its_other_flow_when_one_dies", flows::failover),
    test("stun_on_the_sip_port_is_for_registered_flows", flows::stun),
    test("lamps_show_calls_and_waiting_messages", lamps::lamps),
    test("a_message_goes_from_phone_to_phone", lamps::messages),
    test("certificates_are_exchanged_while_a_call_is_up", tls::reloaded_under_a_call),
    test("a_carrier_is_called_over_tls_only_with_a_certificate_that_is_its_own", tls::carriers_are_verified),
    test("a_listener_may_ask_its_peers_for_certificates", tls::asked_of_peers),
    test("a_partner_is_called_by_his_own_connection_over_mutual_tls", tls::reused),
    test("jssip_registers_over_wss_and_is_called_by_its_own_connection", jssip::registers_and_is_called),
    test("a_browser_is_back_in_its_call_in_another_network_within_three_seconds", roaming::cable_to_radio),
    test(
        "a_browser_whose_network_goes_dead_is_heard_by_its_other_one_within_three_seconds",
        roaming::network_goes_dead,
    ),
    test("a_webrtc_peer_that_is_no_browser_calls_a_phone_with_tones_both_ways", webrtc_peer::calls_a_phone),
    test(
        "a_phone_calls_a_webrtc_peer_that_is_no_browser_with_tones_both_ways",
        webrtc_peer::is_called_by_a_phone,
    ),
    test(
        "a_browser_calls_a_phone_holds_and_changes_its_network_with_tones_both_ways",
        browser_calls::calls_a_phone,
    ),
    test("a_phone_calls_a_browser_with_tones_both_ways", browser_calls::is_called_by_a_phone),
    test("a_visitor_of_a_page_calls_a_queue_once_and_talks_with_its_agent", click_calls::is_answered),
    test("a_visitor_is_given_no_call_to_a_queue_that_takes_none", click_calls::is_refused),
    test("a_browser_that_reloads_its_page_is_back_in_its_call_within_three_seconds", browser_calls::reloads),
    test("an_agent_has_a_day_at_the_workbench_with_calls_recordings_call_backs_and_chats", workbench::a_day),
    test("an_agent_takes_a_call_in_the_bar_holds_consults_confers_and_wraps_up", agent_bar::takes_a_call),
    test("an_agent_transfers_and_calls_out_from_the_bar", agent_bar::transfers_and_calls_out),
    test("the_bar_is_back_in_its_call_after_a_reload_and_in_another_network", agent_bar::is_back_in_its_call),
    test("an_agent_whose_cable_is_pulled_out_in_mid_call_is_back_by_the_radio", bar_roaming::cable_to_radio),
    test(
        "an_agent_whose_network_goes_dead_in_mid_call_is_back_by_his_other_one",
        bar_roaming::network_goes_dead,
    ),
    test(
        "the_bar_works_on_when_the_page_around_has_its_session_renewed",
        bar_cookies::renewed_by_the_page_around,
    ),
    test("the_phone_of_a_page_proves_itself_by_sha_256", bar_telephones::by_sha256),
    test("an_agent_reads_in_the_bar_how_a_desk_phone_is_set_up", bar_telephones::beside),
    test("an_agent_works_in_the_bar_without_a_mouse", bar_hands::by_keys_alone),
    test("an_agent_calls_out_from_the_bar_with_the_number_he_chooses", bar_hands::shows_a_number),
    test("the_bar_speaks_each_of_its_languages_and_is_laid_out_in_it", bar_languages::each),
    beside("the_bar_keeps_nothing_of_the_calls_that_an_agent_has_had", agent_hour::one_after_the_other),
    asked("an_hour_of_one_agents_work_at_sixty_calls", agent_hour::an_hour),
    test("an_agents_place_is_checked_over_a_call_of_its_own", agent_bar::checks_a_place),
    test("the_bar_works_in_a_page_of_another_origin", agent_bar::in_a_foreign_page),
    test("the_documents_own_sample_has_the_bar", agent_bar::with_the_documents_sample),
    test("a_switch_is_made_to_take_calls_from_the_console_alone", console::from_nothing),
    test(
        "a_tenant_a_tables_rows_a_ban_and_a_chat_are_seen_to_from_the_console",
        administering::from_the_console,
    ),
    test("axe_finds_nothing_serious_on_any_page_of_the_console", administering::every_page),
    test("a_second_factor_is_begun_with_a_code_to_scan_and_its_key", administering::second_factor),
    test("a_supervisor_listens_whispers_barges_in_and_takes_over_from_the_console", console::supervises),
    test(
        "a_flow_is_written_mended_tested_drawn_published_and_rolled_back_on_its_page",
        console_flows::from_error_to_roll_back,
    ),
    test(
        "a_webhook_is_made_on_its_page_and_what_it_gave_up_is_delivered_again",
        console_records::a_webhook_and_its_dead_letter,
    ),
    test(
        "keys_the_log_of_changes_figures_and_routes_are_seen_to_from_the_console",
        console_records::keys_changes_figures_and_routes,
    ),
    test("reload_by_signal_and_api_under_fifty_calls", reload::under_calls),
    test("a_broken_file_is_not_reloaded_and_says_why", reload::broken),
    test("what_is_made_over_the_api_carries_calls_and_outlives_a_kill", objects::carry_calls),
    test("a_change_over_the_api_is_checked_whole_and_names_its_key", objects::are_checked_whole),
    test("schemathesis_finds_every_answer_in_the_document", conformance::answers_as_the_document_says),
    beside("a_flow_is_published_and_rolled_back_under_500_calls", publishing::under_calls),
    test(
        "a_draft_is_judged_what_is_wrong_is_not_published_and_all_survives_a_kill",
        publishing::drafts_and_refusals,
    ),
    test("a_flow_that_was_never_published_leads_to_its_fallback", publishing::unpublished),
    test("a_published_flow_that_cannot_run_any_more_costs_its_own_callers_alone", publishing::broken_later),
    test("flows_are_published_and_rolled_back_by_command", publishing::by_command),
    test("the_newcomers_path_from_an_empty_file_to_a_published_flow_is_walked", newcomer::path),
    test("a_finished_call_becomes_a_test_that_passes_without_its_secrets", newcomer::recorded),
    test("events_since_a_cut_are_neither_missing_nor_doubled", events::since_a_cut),
    test(
        "a_reader_who_is_cut_after_any_event_has_what_the_switch_has_by_either_way",
        resuming::at_every_boundary,
    ),
    test("a_webhook_is_delivered_signed_and_again_after_a_kill", webhooks::delivered),
    test("events_since_another_start_are_a_gap_and_a_snapshot", events::since_another_start),
    test("call_data_of_every_type_is_in_events_views_and_the_record_as_the_flow_set_it", events::typed_data),
    test("api_shows_calls_queues_and_agents_and_hangs_up", events::shown_and_hung_up),
    test("kill_among_fifty_calls_loses_no_record_and_ends_every_call", crash::kill),
    test("an_order_that_was_answered_stands_after_a_kill_at_that_moment", crash::kill_after_answers),
    test("a_panic_ends_one_of_a_hundred_calls", crash::panic),
    test("twenty_hostile_flows_each_end_their_own_call_by_a_named_budget", hostile::flows),
    test("a_page_of_a_foreign_origin_opens_no_websocket", websocket::origins),
    test("svwar_tells_no_account_from_none", enumeration::svwar),
    alone("accounts_that_exist_and_do_not_take_the_same_time", enumeration::same_time),
    test("rfc_4475_messages_are_answered_and_a_call_works_after", torture::rfc4475),
    test("rfc_5118_messages_are_answered_and_a_call_works_after", torture::rfc5118),
    test("rfc_4475_messages_over_tcp_in_any_pieces_and_a_call_works_after", torture_tcp::rfc4475),
    test("rfc_5118_messages_over_tcp_in_any_pieces_and_a_call_works_after", torture_tcp::rfc5118),
    test("a_call_is_seen_on_one_ladder_by_api_and_command_line", sight::ladder),
    test("a_capture_of_a_call_is_opened_by_tshark", sight::capture),
    test("secrets_and_secret_keys_are_in_no_trace_and_no_log", sight::canaries),
    test("a_collector_gets_every_message_of_a_call_by_hep", sight::hep),
    test("the_ladder_of_a_call_is_drawn_in_the_browser_and_its_messages_read", sight::page),
    test("a_refused_call_is_seen_by_its_call_id", sight::refused),
    test("a_broken_configuration_is_refused_by_run_and_check_with_its_place", operator::broken_configuration),
    test("an_address_in_use_is_named", operator::address_in_use),
    test("route_explain_prints_what_every_plugin_said", operator::route_explain),
    test("a_switch_told_to_stop_serves_what_is_up_and_refuses_what_is_new", stopping::serves_what_is_up),
    test("a_switch_told_to_stop_ends_what_is_left_after_its_time", stopping::ends_the_rest),
    test("a_second_sigterm_ends_calls_at_once_and_the_switch_cleanly", stopping::second_sigterm),
    test("calls_go_on_while_the_database_is_locked_and_it_gets_every_record_once", locked::loses_nothing),
    test("calls_go_on_when_the_disk_of_the_recordings_is_full", operator::recordings_disk_full),
    test("the_oldest_recording_makes_room_when_the_disk_is_full", operator::oldest_recording_makes_room),
    test("calls_are_refused_while_they_cannot_be_recorded", operator::refused_while_unrecordable),
    test(
        "a_sealed_recording_with_a_pause_is_given_in_the_clear_and_lies_sealed",
        records::sealed_with_a_pause,
    ),
    test("calls_go_on_when_the_disk_of_the_journal_is_full", operator::journal_disk_full),
    alone("make_demo_is_started_called_watched_and_stopped", demo::started_called_watched_and_stopped),
];

fn main() -> ExitCode {
    runner::main(TESTS)
}
