//! Broken configurations with what is said about them, and the shipped ones.

use super::*;
use cordboard_model::config::Limits;
use cordboard_model::id::{AgentId, FlowId, QueueId};
use cordboard_model::media::Codec;
use cordboard_model::verb::Destination;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

mod access;
mod addresses;
mod application;
mod audio;
mod doubts;
mod gateway;
mod huawei;
mod kept;
mod plugins;
mod range;
mod schemas;
mod service;
mod sign_in;
mod table_4_2;
mod table_4_4;
mod third_party;

/// A public key.
const CRM_KEY: &str = include_str!("../../../../api/src/aliyun/jwt/crm.pem");

/// A stand-in for the Lua host: a line `if then` is what it knows to be wrong.
fn lua(source: &str, _: &str) -> Vec<LuaFault> {
    let bad = |(_, line): &(usize, &str)| line.trim() == "if then";
    let fault = |(i, _): (usize, &str)| LuaFault {
        line: i as u32 + 1,
        column: 4,
        why: "unexpected symbol near 'then'".into(),
    };
    source.lines().enumerate().filter(bad).map(fault).collect()
}

fn uses(source: &str) -> Vec<TextUse> {
    let found = cordboard_core::flow_uses(source).into_iter();
    found.map(|(kind, name, line, column)| TextUse { kind, name, line, column }).collect()
}

fn env(name: &str) -> Option<String> {
    match name {
        "AGENT_BAR_KEY" => Some("key-of-the-agent-bar".into()),
        "CRM_SECRET" | "CRM_OLD_SECRET" => Some(format!("value of {name}")),
        "PHONE_1002" => Some("secret-of-1002".into()),
        "CRM_TOKEN" => Some("t0ken-of-the-crm".into()),
        "SPEECH_KEY" => Some("key-to-the-voices".into()),
        "CARRIER_PASSWORD" => Some("secret-of-a-carrier".into()),
        "TOO_SHORT" => Some("hunter2".into()),
        _ => None,
    }
}

fn checks() -> Checks<'static> {
    Checks { lua: &lua, uses: &uses, plugins: &plugins::NAMES, env: &env }
}

/// A folder for one test, removed when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cordboard-config-{}-{n}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn load(&self, text: &str) -> Result<Loaded, Vec<ConfigError>> {
        load(&self.write("config/cordboard.toml", text), &checks())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn good(text: &str) -> Loaded {
    Scratch::new().load(text).unwrap()
}

/// The messages for a text, without the file's name.
fn faults(text: &str) -> Vec<String> {
    let errors = Scratch::new().load(text).unwrap_err();
    let said = |e: ConfigError| format!("{}:{}: {}", e.line, e.column, e.problem);
    errors.into_iter().map(said).collect()
}

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn twelve_broken_configurations_are_told_all_their_errors_at_once() {
    let dir = manifest("tests/config");
    let mut names: Vec<PathBuf> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 12);
    let mut wrong = Vec::new();
    for path in names {
        let errors = load(&path, &checks()).unwrap_err();
        let prefix = format!("{}/", dir.display());
        let said: String = errors.iter().map(|e| format!("{e}\n").replace(&prefix, "")).collect();
        assert!(!said.contains("hunter2"), "a secret is shown:\n{said}");
        let expected = path.with_extension("expected");
        if std::env::var_os("WRITE_EXPECTED").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}:\n{said}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_shipped_file_holds_the_defaults() {
    let shipped = load(&manifest("../../config/cordboard.toml"), &checks()).unwrap();
    assert_eq!(shipped.snapshot.limits, Limits::default());
    let scratch = Scratch::new();
    let path = scratch.write("config/cordboard.toml", "");
    let empty = load(&path, &checks()).unwrap();
    let config = manifest("../../config");
    let mut machine = shipped.machine.clone();
    let folder = path.parent().unwrap();
    let places = [
        &mut machine.store.path,
        &mut machine.journal.dir,
        &mut machine.recordings.dir,
        &mut machine.flows.dir,
        &mut machine.speech.cache,
    ];
    for place in places {
        *place = folder.join(place.strip_prefix(&config).unwrap());
    }
    assert_eq!(machine, empty.machine);
    // Beside the shipped file stands the library folder of the flows that ship.
    let mut snapshot = shipped.snapshot;
    for tenant in snapshot.tenants.values_mut() {
        assert!(!std::mem::take(&mut tenant.kit.libraries).is_empty());
    }
    assert_eq!(snapshot, empty.snapshot);
}

/// The shipped file with every example in use.
fn uncommented() -> String {
    let text = fs::read_to_string(manifest("../../config/cordboard.toml")).unwrap();
    let example = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with([' ', '#']) => rest.to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = text.lines().map(example).collect();
    lines.join("\n")
}

fn with_examples() -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    // What [media] public6 is for goes with this address alone.
    let text = uncommented().replace("address = \"127.0.0.1\"", "address = \"::\"");
    let path = scratch.write("config/cordboard.toml", &text);
    scratch.write("config/tenants/.keep", "");
    scratch.write("config/floor-passwords.csv", "1100,hunter2-of-1100\n1101,hunter2-of-1101\n");
    for year in ["2025", "2026"] {
        scratch.write(&format!("config/recording-{year}.key"), &"0123456789abcdef".repeat(4));
    }
    scratch.write("config/crm-public.pem", CRM_KEY);
    scratch.write("ivr-flows/main-menu.lua", "answer()\n");
    scratch.write("ivr-flows/lib/hours.lua", "return {}\n");
    for table in ["vip", "nuisance", "ported"] {
        scratch.write(&format!("tables/{table}.csv"), "key,number\n4930123,+4940\n");
    }
    scratch.write("ivr-flows/prompts/music.wav", "RIFF");
    scratch.write("ivr-flows/prompts/en/apology.wav", "RIFF");
    scratch.write("ivr-flows/prompts/en/recorded.wav", "RIFF");
    scratch.write("ivr-flows/prompts/en/call-back/confirm.wav", "RIFF");
    (scratch, path)
}

#[test]
fn every_example_of_the_shipped_file_is_right() {
    let (_scratch, path) = with_examples();
    let loaded = load(&path, &checks()).unwrap();
    assert_eq!(loaded.warnings, [], "what is shipped is meant");
    assert_eq!(
        loaded.summary(),
        "1 tenant, 5 users, 4 agents, 3 queues, 1 flow, 2 numbers, 2 trunks, 4 prompts"
    );
    let names: Vec<&str> = loaded.machine.api_keys.iter().map(|k| k.name.as_str()).collect();
    assert_eq!(names, ["agent-bar", "reports"]);
    assert!(loaded.machine.api_keys[0].is("key-of-the-agent-bar"));
    let hooks = &loaded.machine.webhooks;
    assert_eq!(hooks.iter().map(|hook| hook.name.as_str()).collect::<Vec<_>>(), ["crm", "wallboard"]);
    assert_eq!(hooks[0].secrets[1].0, "value of CRM_OLD_SECRET");
    assert_eq!((hooks[1].secrets.len(), hooks[1].kinds.len(), hooks[0].kinds.len()), (2, 0, 2));
}

#[test]
fn a_webhook_goes_only_where_it_may_and_has_a_secret() {
    let scratch = Scratch::new();
    let hook = |lines: &str| {
        let text = format!("[webhooks]\nallowed = [\"https://crm.example/\"]\n[[webhook]]\n{lines}\n");
        let path = scratch.write("config/cordboard.toml", &text);
        load(&path, &checks()).map_err(|errors| errors[0].to_string())
    };
    let whole = "name = \"crm\"\nurl = \"https://crm.example/a\"\nsecret = \"0123456789abcdef\"";
    assert!(hook(whole).is_ok());
    for (lines, says) in [
        (whole.replace("crm.example/a", "other.example/a"), "[webhooks] allowed"),
        (whole.replace("0123456789abcdef", "short"), "at least 16 characters"),
        (whole.replace("secret =", "secret_env ="), "environment variable"),
        (whole.replace("secret", "#"), "secret"),
        (format!("{whole}\nkinds = [\"call_endet\"]"), "call_ended"),
        (format!("{whole}\ntenant = \"nobody\""), "nobody"),
        (format!("{whole}\n[[webhook]]\n{whole}"), "crm"),
    ] {
        let why = hook(&lines).err().unwrap_or_default();
        assert!(why.contains(says), "{lines}: {why}");
    }
}

#[test]
fn every_key_that_is_read_stands_in_the_shipped_file() {
    let (_scratch, path) = with_examples();
    let report = Report::default();
    let given = Given { stored: None, texts: None, may_leave_out: &|_| true };
    read(&report, &path, &checks(), (given, &BTreeMap::new()));
    let (entries, _) = tree::parse(&uncommented());
    let mut stands = std::collections::BTreeSet::new();
    collect("", &entries, &mut stands);
    let missing: Vec<String> = report
        .asked()
        .into_iter()
        .map(|(section, key)| match section.as_str() {
            "" => key.to_owned(),
            section => format!("{section}.{key}"),
        })
        .filter(|path| !stands.contains(path))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// Whether the keys below are names of configured objects.
fn has_names(path: &str) -> bool {
    let kinds = [
        "tenant",
        "user",
        "agent",
        "agent_range",
        "queue",
        "flow",
        "trunk",
        "pool",
        "key",
        "voice",
        "calendar",
        "secret",
        "skill",
        "prefer",
        "skill_group",
        "application",
    ];
    let last = path.rsplit('.').next().unwrap_or_default();
    // [limits.flow] is a section, not a table of names.
    kinds.contains(&last) && path != "limits.flow"
}

/// Every key of a tree, with `*` for the names of configured objects.
fn collect(path: &str, entries: &[tree::Entry], out: &mut std::collections::BTreeSet<String>) {
    for entry in entries {
        let key = if has_names(path) { "*" } else { entry.key.as_str() };
        let below = match path {
            "" => key.to_owned(),
            _ => format!("{path}.{key}"),
        };
        match &entry.node.value {
            tree::Value::Table(inner) => collect(&below, inner, out),
            tree::Value::Array(items) => {
                for item in items {
                    if let tree::Value::Table(inner) = &item.value {
                        collect(&below, inner, out);
                    }
                }
            }
            _ => {}
        }
        out.insert(below);
    }
}

#[test]
fn the_default_tenant_exists_without_configuration_and_only_then() {
    let tenants = |text: &str| -> Vec<String> {
        let loaded = good(text);
        let ids = loaded.snapshot.tenants.keys();
        ids.map(TenantId::to_string).collect()
    };
    assert_eq!(tenants(""), ["default"]);
    assert_eq!(tenants("[tenant.acme]\ndomains = [\"acme.example\"]"), ["acme"]);
}

#[test]
fn a_password_becomes_both_hashes_of_the_first_domain() {
    let loaded = good(
        r#"
        [tenant.default]
        domains = ["biloxi.com"]
        [tenant.default.user.bob]
        password = "zanzibar"
        "#,
    );
    // The example of RFC 2617 as used in RFC 3261: bob:biloxi.com:zanzibar.
    let user = &loaded.snapshot.tenants[&TenantId::DEFAULT].users["bob"];
    assert_eq!(user.ha1_md5, "12af60467a33e8518da5c68bbff12b11");
    assert_eq!(user.ha1_sha256.len(), 64);
    let shown = format!("{:?} {:?}", loaded.machine, loaded.snapshot);
    assert!(!shown.contains("zanzibar"));
}

#[test]
fn every_kind_of_destination_is_resolved() {
    let loaded = good(
        r#"
        [tenant.default.user.1001]
        password = "x"
        [tenant.default.agent.1001]
        [tenant.default.queue.sales]
        [tenant.default.trunk.out]
        gateway = "198.51.100.1:5060"
        [[tenant.default.number]]
        access_code = "1"
        to = "queue:sales"
        [[tenant.default.number]]
        access_code = "1"
        extension_code = "2"
        to = "agent:1001"
        [[tenant.default.number]]
        access_code = "echo"
        to = "user:1001"
        [[tenant.default.number]]
        access_code = "+49"
        to = "trunk:out:+4930123"
        "#,
    );
    let t = TenantId::DEFAULT;
    let tenant = &loaded.snapshot.tenants[&t];
    let to: Vec<&Destination> = tenant.numbers.iter().map(|n| &n.to).collect();
    assert_eq!(to[0], &Destination::Queue(QueueId::new(t, "sales").unwrap()));
    assert_eq!(to[1], &Destination::Agent(AgentId::new(t, "1001").unwrap()));
    assert!(matches!(to[2], Destination::User(id) if id.name.as_str() == "1001"));
    assert!(matches!(to[3], Destination::Trunk(_, number) if number == "+4930123"));
    assert_eq!(tenant.numbers[1].extension_code.as_deref(), Some("2"));
    assert_eq!(tenant.codecs, Codec::DEFAULT);
}

#[test]
fn a_flow_is_read_whole_and_prompts_are_named_by_their_path() {
    let scratch = Scratch::new();
    scratch.write("flows/main.lua", "answer()\n");
    scratch.write("prompts/en/numbers/1.wav", "RIFF");
    scratch.write("prompts/beep.WAV", "RIFF");
    scratch.write("prompts/en/hello.there.mp3", "ID3");
    scratch.write("prompts/ring.Ogg", "OggS");
    scratch.write("prompts/readme.txt", "");
    let loaded = scratch.load(
        r#"
        [tenant.default]
        prompts = "../prompts"
        [tenant.default.flow.main]
        file = "../flows/main.lua"
        apology = "en.numbers.1"
        [[tenant.default.number]]
        access_code = "500"
        to = "flow:main"
        "#,
    );
    let loaded = loaded.unwrap();
    let id = FlowId::new(TenantId::DEFAULT, "main").unwrap();
    let flow = loaded.snapshot.flow(&id).unwrap();
    assert_eq!(flow.source, "answer()\n");
    assert!(flow.file.ends_with("/flows/main.lua") && !flow.file.contains(".."));
    let names: Vec<String> = loaded.assets.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(names, ["default/beep", "default/en.hello.there", "default/en.numbers.1", "default/ring"]);
    assert!(loaded.assets.iter().all(|(_, path)| path.is_file()));
}

#[test]
fn two_prompts_with_one_name_and_a_name_with_a_blank_are_errors() {
    let scratch = Scratch::new();
    scratch.write("prompts/en/hello.wav", "RIFF");
    scratch.write("prompts/en.hello.wav", "RIFF");
    scratch.write("prompts/good bye.wav", "RIFF");
    let errors = scratch.load("[tenant.default]\nprompts = \"../prompts\"\n").unwrap_err();
    let said: Vec<String> = errors.iter().map(|e| e.problem.to_string()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().any(|s| s.contains("the prompt en.hello is ")), "{said:?}");
    assert!(said.iter().any(|s| s.contains("cannot name a prompt")), "{said:?}");
    assert!(errors.iter().all(|e| (e.line, e.column) == (2, 11)));
}

#[test]
fn included_files_bring_tenants_and_their_errors_name_them() {
    let scratch = Scratch::new();
    scratch.write("config/tenants/a.toml", "[tenant.a]\ndomains = [\"a.example\"]\n[tenant.a.queue.q]\n");
    let b = "[sip]\nlisten = []\n[tenant.a]\ndomains = [\"b.example\"]\n";
    scratch.write("config/tenants/b.toml", b);
    let text = "include = [\"tenants/*.toml\"]\n";
    let errors = scratch.load(text).unwrap_err();
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("tenants/b.toml:1:2: unknown key \"sip\""), "{said:?}");
    assert!(said[1].contains("b.toml:3:9: tenant \"a\" is already at "), "{said:?}");
    scratch.write("config/tenants/b.toml", "[tenant.b]\ndomains = [\"b.example\"]\n");
    let loaded = scratch.load(text).unwrap();
    assert_eq!(loaded.snapshot.tenants.len(), 2);
    let gone = scratch.load("include = [\"nowhere.toml\"]\n").unwrap_err();
    assert!(gone[0].to_string().contains("nowhere.toml"), "{gone:?}");
}

#[test]
fn the_environment_adds_a_key_for_the_default_tenant() {
    let with = |value: &'static str, text: &str| {
        let scratch = Scratch::new();
        let path = scratch.write("c.toml", text);
        let env = move |name: &str| (name == API_KEY_VARIABLE).then(|| value.to_owned());
        load(&path, &Checks { env: &env, ..checks() })
    };
    let loaded = with("0123456789abcdef", "").unwrap();
    assert!(loaded.machine.api_keys[0].is("0123456789abcdef"));
    assert_eq!(loaded.machine.api_keys[0].tenant, TenantId::DEFAULT);
    let short = with("", "").unwrap_err();
    assert!(matches!(short[0].problem, Problem::Environment { .. }));
    let nobody = with("0123456789abcdef", "[tenant.a]\ndomains = [\"a\"]").unwrap_err();
    assert!(nobody[0].to_string().contains("\"default\""), "{nobody:?}");
}

#[test]
fn one_wrong_value_does_not_raise_errors_elsewhere() {
    // The queue is wrong, but it is there: what refers to it is right.
    let said = faults(
        r#"[tenant.default.queue.sales]
ring = "soon"
[[tenant.default.number]]
access_code = "500"
to = "queue:sales"
"#,
    );
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("2:8: \"ring\" in [tenant.default.queue.sales]"), "{said:?}");
}

#[test]
fn a_file_that_is_not_there_is_one_error() {
    let errors = load(Path::new("/nowhere/cordboard.toml"), &checks()).unwrap_err();
    let said = errors[0].to_string();
    assert!(said.starts_with("/nowhere/cordboard.toml:1:1: cannot read the configuration"));
    assert_eq!(errors.len(), 1);
}

const BEFORE: &str = r#"
[tenant.default.user.1001]
password = "one"
[tenant.default.agent.1001]
queues = ["sales"]
[tenant.default.queue.sales]
[tenant.default.queue.support]
[tenant.default.flow.main]
file = "main.lua"
[[tenant.default.number]]
access_code = "500"
to = "flow:main"
"#;

#[test]
fn a_reload_says_in_words_what_it_changes_and_shows_no_secret() {
    let scratch = Scratch::new();
    scratch.write("config/main.lua", "answer()");
    let old = scratch.load(BEFORE).unwrap();
    assert_eq!(diff(&old, &scratch.load(BEFORE).unwrap()), Vec::<String>::new());
    scratch.write("config/main.lua", "answer() hangup()");
    let changed = BEFORE
        .replace("\"one\"", "\"two\"")
        .replace("queues = [\"sales\"]", "queues = [\"sales\", \"support\"]")
        .replace("queue.sales]", "queue.sales]\nring = \"25s\"\non_timeout = \"flow:main\"")
        .replace("to = \"flow:main\"", "to = \"queue:sales\"");
    let head = "[http]\nlisten = \"127.0.0.1:9090\"\n[log]\nlevel = \"debug\"\n\
                [limits]\ncalls = 10\nmedia_silence = \"5s\"\n[[api_key]]\nname = \"bar\"\nkey = \"0123456789abcdef\"\n";
    let tail = "[tenant.default.queue.night]\n";
    let new = scratch.load(&format!("{head}{changed}{tail}")).unwrap();
    let expected = [
        "http, listen: 127.0.0.1:8080 -> 127.0.0.1:9090 (takes effect at the next start)",
        "log, level: info -> debug (takes effect at the next start)",
        "limits, calls: 4000 -> 10",
        "limits, media_silence: 1m -> 5s (takes effect at the next start)",
        "tenant default, agent 1001, queues: [sales] -> [sales, support]",
        "tenant default, flow main: the text changed",
        "tenant default, numbers: [500 to flow:main] -> [500 to queue:sales]",
        "tenant default, queue night: added",
        "tenant default, queue sales, on_timeout: none -> flow:main",
        "tenant default, queue sales, ring: 30s -> 25s",
        "tenant default, user 1001: the password changed",
        "api_key bar: added",
    ];
    assert_eq!(diff(&old, &new), expected);
}

#[test]
fn the_demo_is_right_with_the_flows_and_prompts_that_ship() {
    let loaded = load(&manifest("../../config/demo.toml"), &checks()).unwrap();
    let tenant = &loaded.snapshot.tenants[&TenantId::DEFAULT];
    let of = |name: &str| tenant.agents[name].queues.len();
    assert_eq!((of("1001"), of("1002"), tenant.queues.len()), (2, 2, 2));
    assert!(tenant.queues.values().all(|queue| queue.music.is_some()));
    assert!(tenant.flows.contains_key("main-menu"));
}

#[test]
fn digest_algorithms_are_taken_in_the_order_written_and_once_each() {
    let said = faults("[sip]\ndigest = [\"MD5\", \"SHA-1\", \"MD5\"]\n");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("2:18: ") && said[1].ends_with("listed twice"), "{said:?}");
    let loaded = good("[sip]\ndigest = [\"MD5\", \"SHA-256\"]\n");
    let mut expected = Limits::default().digest;
    expected.reverse();
    assert_eq!(loaded.snapshot.limits.digest, expected);
}

#[test]
fn a_text_cut_anywhere_gives_errors_that_lie_in_it_and_never_a_panic() {
    let (_scratch, path) = with_examples();
    let text = uncommented();
    let ends = text.char_indices().map(|(i, _)| i).step_by(23);
    let mut broken = 0;
    for end in ends {
        fs::write(&path, &text[..end]).unwrap();
        let Err(errors) = load(&path, &checks()) else {
            continue;
        };
        broken += 1;
        let lines = text[..end].lines().count().max(1) as u32 + 1;
        for error in errors {
            let inside = (1..=lines).contains(&error.line) && error.column > 0;
            assert!(inside, "cut at {end}: {error}");
        }
    }
    assert!(broken > 50, "{broken}");
}

#[test]
fn tones_are_those_of_the_country_unless_others_are_named() {
    let tones = |text: &str| {
        let loaded = good(text);
        loaded.snapshot.tenants[&TenantId::DEFAULT].tones.country()
    };
    assert_eq!(tones(""), "CN");
    assert_eq!(tones("[tenant.default]\ncountry = \"DE\"\n"), "DE");
    assert_eq!(tones("[tenant.default]\ncountry = \"DE\"\ntones = \"fr\"\n"), "FR");
}

#[test]
fn a_country_plan_reads_access_codes_and_pools_and_what_it_lacks_is_told() {
    let text = "[tenant.default]\ncountry = \"DE\"\narea_code = \"30\"\n\
        [tenant.default.queue.sales]\ncaller_pool = \"sales\"\n\
        [tenant.default.pool.sales]\nnumbers = [\"03055500\", \"+498955500\"]\n\
        [[tenant.default.number]]\naccess_code = \"03012345\"\nto = \"queue:sales\"\n\
        [[tenant.default.number]]\naccess_code = \"500\"\nto = \"queue:sales\"\n";
    let loaded = good(text);
    let tenant = &loaded.snapshot.tenants[&TenantId::DEFAULT];
    let codes: Vec<&str> = tenant.numbers.iter().map(|n| n.access_code.as_str()).collect();
    assert_eq!(codes, ["+493012345", "500"]);
    assert_eq!(tenant.pools["sales"].numbers, ["+493055500", "+498955500"]);
    for (wrong, says) in [
        ("country = \"XX\"", "one of CN, HK, DE, US, GB"),
        ("area_code = \"30\"", "expected country or country_code beside it"),
        ("[tenant.default.trunk.out]\npeers = [\"192.0.2.1\"]\ncaller_pool = \"sails\"", "pool"),
        ("[tenant.default.pool.none]\nnumbers = []", "at least one number"),
    ] {
        let faults = faults(&format!("[tenant.default]\n{wrong}")).join("\n");
        assert!(faults.contains(says), "{wrong}: {faults}");
    }
}

#[test]
fn rules_that_do_not_do_what_their_test_says_are_refused() {
    let text = |to: &str| {
        format!(
            "[tenant.default.trunk.carrier]\npeers = [\"198.51.100.1\"]\n\
             [[tenant.default.trunk.carrier.rewrite]]\ndirection = \"in\"\nnumber = \"caller\"\nprefix = \"00\"\nstrip = 2\n\
             prepend = \"+\"\n[[tenant.default.trunk.carrier.rewrite_test]]\ndirection = \"in\"\nnumber = \"caller\"\n\
             from = \"0049301\"\nto = \"{to}\"\n"
        )
    };
    let scratch = Scratch::new();
    let right = scratch.write("right.toml", &text("+49301"));
    assert!(load(&right, &checks()).is_ok());
    let wrong = scratch.write("wrong.toml", &text("49301"));
    let errors = load(&wrong, &checks()).unwrap_err();
    assert_eq!(errors.len(), 1);
    let told = errors[0].to_string();
    assert!(told.contains("wrong.toml:13:") && told.contains("\"+49301\""), "{told}");
}

#[test]
fn the_kind_of_keys_is_read_for_users_and_trunks() {
    use cordboard_model::media::DtmfKind;
    let text = "[tenant.default.user.1001]\npassword = \"x\"\ndtmf = \"info\"\n\
                [tenant.default.user.1002]\npassword = \"x\"\n\
                [tenant.default.trunk.t]\npeers = [\"192.0.2.1\"]\ndtmf = \"info\"";
    let loaded = good(text);
    let tenant = loaded.snapshot.tenant(TenantId::DEFAULT).unwrap();
    let kinds: Vec<DtmfKind> = tenant.users.values().map(|user| user.dtmf).collect();
    assert_eq!(kinds, [DtmfKind::Info, DtmfKind::Rfc4733]);
    assert!(tenant.trunks.values().all(|trunk| trunk.dtmf == DtmfKind::Info));
    let wrong = faults(&text.replace("dtmf = \"info\"", "dtmf = \"pulse\""));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}

#[test]
fn secure_rtp_is_read_for_tenants_users_and_trunks_and_a_trunk_that_could_never_call_is_named() {
    use cordboard_model::srtp::{SrtpPolicy, SrtpRule};
    let text = "[tenant.default]\nsrtp = \"required\"\n[tenant.default.user.1001]\npassword = \"x\"\n\
                [tenant.default.user.1002]\npassword = \"x\"\nsrtp = \"off\"\nsrtp_without_tls = true\n\
                [tenant.default.trunk.in]\npeers = [\"192.0.2.1\"]\n\
                [tenant.default.trunk.tls]\n[[tenant.default.trunk.tls.gateways]]\naddress = \"192.0.2.2:5061\"\n\
                transport = \"tls\"\n\
                [tenant.default.trunk.vpn]\ngateway = \"192.0.2.3:5060\"\nsrtp_without_tls = true\n";
    let rule = |policy, without_tls| SrtpRule { policy, without_tls };
    let loaded = good(text);
    let tenant = loaded.snapshot.tenant(TenantId::DEFAULT).unwrap();
    let users: Vec<SrtpRule> = tenant.users.values().map(|user| user.srtp).collect();
    assert_eq!(users, [rule(SrtpPolicy::Required, false), rule(SrtpPolicy::Off, true)]);
    let trunks: Vec<SrtpRule> = tenant.trunks.values().map(|trunk| trunk.srtp).collect();
    let required = |without_tls| rule(SrtpPolicy::Required, without_tls);
    assert_eq!(trunks, [required(false), required(false), required(true)]);
    let wrong = faults(&text.replace("srtp_without_tls = true\n\"", "\"").replace("transport = \"tls\"", ""));
    assert!(wrong.iter().any(|why| why.contains("transport = \"tls\"")), "{wrong:?}");
    assert_eq!(faults(&text.replace("\"required\"", "\"maybe\"")).len(), 1);
    let plain = good("[tenant.default.user.1001]\npassword = \"x\"");
    let tenant = plain.snapshot.tenant(TenantId::DEFAULT).unwrap();
    assert_eq!(tenant.users.values().next().unwrap().srtp, rule(SrtpPolicy::Optional, false));
}

#[test]
fn a_trunk_has_addresses_of_its_own_of_which_the_listener_is_one_of_ours() {
    let text = "[sip]\nlisten = [\"127.0.0.1:5060\", \"tcp:127.0.0.9:5070\"]\n[tenant.default.trunk.t]\n\
                peers = [\"192.0.2.1\"]\naddress = \"127.0.0.9:5070\"\npublic = \"203.0.113.1\"\n\
                media_address = \"203.0.113.2\"";
    let loaded = good(text);
    let trunk = loaded.snapshot.tenant(TenantId::DEFAULT).unwrap().trunks.values().next().unwrap().clone();
    assert_eq!(trunk.local, Some("127.0.0.9:5070".parse().unwrap()));
    let told = [trunk.told, trunk.told_media].map(|told| told.unwrap().to_string());
    assert_eq!(told, ["203.0.113.1", "203.0.113.2"]);
    let wrong = faults(&text.replace("address = \"127.0.0.9:5070\"", "address = \"127.0.0.9:5071\""));
    assert!(wrong.len() == 1 && wrong[0].contains("none of [sip] listen"), "{wrong:?}");
    let wrong = faults(&text.replace("203.0.113.1", "0.0.0.0"));
    assert_eq!(wrong.len(), 1, "{wrong:?}");
}

#[test]
fn libraries_are_read_by_name_and_what_flows_name_must_be_there() {
    let scratch = Scratch::new();
    scratch.write("texts/audio/names.lua", "return {}");
    scratch.write("texts/note.txt", "no library");
    scratch.write("main.lua", "local names = require(\"audio.names\")\n");
    let text =
        "[tenant.default]\nlibraries = \"../texts\"\n[tenant.default.flow.main]\nfile = \"../main.lua\"\n";
    let loaded = scratch.load(text).unwrap();
    let tenant = loaded.snapshot.tenant(TenantId::DEFAULT).unwrap();
    let named: Vec<&str> = tenant.kit.libraries.keys().map(|name| name.as_str()).collect();
    assert_eq!(named, ["audio.names"]);
    scratch.write("main.lua", "\nlocal names = require \"names\" call:run('night')\n");
    let said: Vec<String> = scratch.load(text).unwrap_err().iter().map(|e| e.to_string()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].ends_with("main.lua:2:23: Lua: there is no library 'names'"), "{said:?}");
    assert!(said[1].ends_with("main.lua:2:40: Lua: there is no flow 'night'"), "{said:?}");
    scratch.write("main.lua", "call:calendar('office')\ncall:lookup(\"vip\", call.from)\n");
    let said: Vec<String> = scratch.load(text).unwrap_err().iter().map(|e| e.to_string()).collect();
    assert!(said[0].ends_with("main.lua:1:15: Lua: there is no calendar 'office'"), "{said:?}");
    assert!(said[1].ends_with("main.lua:2:13: Lua: there is no table 'vip'"), "{said:?}");
    let gone = scratch.load("[tenant.default]\nlibraries = \"../nowhere\"\n").unwrap_err();
    assert!(gone[0].to_string().contains("nowhere"), "{gone:?}");
}

#[test]
fn opening_hours_are_read_with_their_zone_breaks_and_holidays() {
    let text = "[tenant.default]\nzone = \"Europe/Berlin\"\n[tenant.default.calendar.office]\n\
        weekdays = [\"08:00-12:00\", \"13:00-17:30\"]\nfriday = []\nsaturday = [\"22:00-06:00\"]\n\
        [[tenant.default.calendar.office.holiday]]\ndate = \"12-25\"\nname = \"Christmas Day\"\n\
        [[tenant.default.calendar.office.holiday]]\ndate = \"2028-02-29\"\nhours = [\"10:00-24:00\"]\n";
    let loaded = Scratch::new().load(text).unwrap();
    let calendars = &loaded.snapshot.tenant(TenantId::DEFAULT).unwrap().kit.calendars;
    let office = calendars.values().next().unwrap();
    assert_eq!(office.zone, "Europe/Berlin");
    assert_eq!(office.week.each_ref().map(Vec::len), [2, 2, 2, 2, 0, 1, 0]);
    assert_eq!((office.week[0][1].from, office.week[0][1].to), (780, 1_050));
    let days: Vec<_> =
        office.holidays.iter().map(|day| (day.year, day.month, day.day, day.name.as_str())).collect();
    assert_eq!(days, [(None, 12, 25, "Christmas Day"), (Some(2028), 2, 29, "02-29")]);
    for (key, says) in [
        ("monday = [\"8-12\"]", "hours as"),
        ("monday = [\"08:00-25:00\"]", "hours as"),
        ("monday = [\"24:00-25:00\"]", "hours as"),
        ("mondy = []", "unknown key \"mondy\""),
        ("zone = \"Mars/Olympus\"", "IANA time zone"),
    ] {
        let wrong = format!("[tenant.default.calendar.office]\n{key}\n");
        let said = Scratch::new().load(&wrong).unwrap_err();
        assert!(said[0].to_string().contains(says), "{key}: {said:?}");
        assert_eq!(said[0].line, 2);
    }
    let wrong = "[[tenant.default.calendar.office.holiday]]\ndate = \"2026-02-30\"\n";
    assert!(Scratch::new().load(wrong).unwrap_err()[0].to_string().contains("a date as"));
}

#[test]
fn a_secret_of_flows_comes_from_the_environment_says_where_it_may_go_and_is_shown_nowhere() {
    let text = r#"[tenant.default]
http_allowed = ["https://crm.example/api"]
[tenant.default.secret.crm]
env = "CRM_TOKEN"
prefix = "Bearer "
to = ["https://crm.example/"]
"#;
    let loaded = Scratch::new().load(text).unwrap();
    let kit = &loaded.snapshot.tenant(TenantId::DEFAULT).unwrap().kit;
    assert_eq!(kit.http_allowed, ["https://crm.example/api"]);
    let secret = kit.secrets.values().next().unwrap();
    assert_eq!((secret.value.0.as_str(), secret.to.len()), ("Bearer t0ken-of-the-crm", 1));
    assert!(!format!("{loaded:?}{}", serde_json::to_string(&loaded.snapshot).unwrap()).contains("t0ken"));
    for (section, says) in [
        ("env = \"NOWHERE\"\nto = [\"https://x/\"]", "NOWHERE"),
        ("env = \"CRM_TOKEN\"", "how the URLs begin that it may be sent to"),
        ("to = [\"https://x/\"]", "the environment variable that has it"),
        ("env = \"CRM_TOKEN\"\nto = [\"ftp://x/\"]", "http://"),
    ] {
        let wrong = format!("[tenant.default.secret.crm]\n{section}\n");
        let said = Scratch::new().load(&wrong).unwrap_err();
        assert!(said[0].to_string().contains(says), "{section}: {said:?}");
    }
}
