//! Configurations in a few words: one tenant, accounts whose password is their name, tones as prompts.

use crate::phone::Digest;
use cordboard_media::Audio;
use cordboard_media::tone::Sine;
use cordboard_model::audio::{NumberAudio, QueueAudio, RecordRule, RecordWhen};
use cordboard_model::config::{
    Agent, CalledNumber, Flow, FlowKit, Gateway, Limits, Queue, Snapshot, Tenant, Trunk, TrunkHealth, User,
};
use cordboard_model::id::{AgentId, AssetId, FlowId, IdError, Name, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::media::{Codec, DtmfKind};
use cordboard_model::service::{Duty, Service};
use cordboard_model::signin::TenantSignIn;
use cordboard_model::time::Duration;
use cordboard_model::tone::TonePlan;
use cordboard_model::verb::Destination;
use core::net::SocketAddr;

/// The domain and digest realm of every setup.
pub const DOMAIN: &str = "cordboard.test";

/// What the menu prompt sounds like, hertz.
pub const MENU_HZ: u16 = 600;
/// What speech is in the simulator, hertz.
pub const SPEECH_HZ: u16 = 770;
/// What the music sounds like.
pub const MUSIC_HZ: u16 = 350;
/// What the apology of a failed flow sounds like.
pub const APOLOGY_HZ: u16 = 700;
/// What every word of a position announcement sounds like.
pub const WORD_HZ: u16 = 1_050;

/// A configuration that is being written. A name that is none is an error of the test that wrote it; the
/// first is kept and told by [`Setup::snapshot`].
#[derive(Clone, Debug)]
pub struct Setup {
    snapshot: Snapshot,
    tenant: Tenant,
    wrong: Option<IdError>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// One tenant, nothing in it; called numbers are asked before extensions.
    pub fn new() -> Self {
        let mut snapshot = Snapshot::empty();
        snapshot.version = 1;
        Self {
            snapshot,
            tenant: Tenant {
                id: TenantId::DEFAULT,
                display: "Default".into(),
                domains: vec![DOMAIN.into()],
                codecs: Codec::DEFAULT.to_vec(),
                routing: vec!["called-number".into(), "registered-extension".into()],
                ..Tenant::new(TenantId::DEFAULT)
            },
            wrong: None,
        }
    }

    /// The tenant's codecs, in the order of preference.
    #[must_use]
    pub fn codecs(mut self, codecs: &[Codec]) -> Self {
        self.tenant.codecs = codecs.to_vec();
        self
    }

    /// The country whose tones are played; China if it has none.
    #[must_use]
    pub fn tones(mut self, country: &str) -> Self {
        self.tenant.tones = TonePlan::of_country(country).unwrap_or_default();
        self
    }

    fn add(mut self, change: impl FnOnce(&mut Tenant) -> Result<(), IdError>) -> Self {
        if let Err(wrong) = change(&mut self.tenant) {
            self.wrong.get_or_insert(wrong);
        }
        self
    }

    /// Changes limits.
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.snapshot.limits);
        self
    }

    /// An account, its password its name.
    #[must_use]
    pub fn user(self, name: &str) -> Self {
        self.add(|tenant| {
            let user = User {
                id: UserId::new(tenant.id, name)?,
                display: String::new(),
                ha1_md5: Digest::Md5.ha1(name, DOMAIN, name),
                ha1_sha256: Digest::Sha256.ha1(name, DOMAIN, name),
                srtp: Default::default(),
                dtmf: DtmfKind::default(),
            };
            tenant.users.insert(user.id.name.clone(), user);
            Ok(())
        })
    }

    /// An agent of these queues at an account of the same name, signed in and ready from the start.
    #[must_use]
    pub fn agent(self, name: &str, queues: &[&str]) -> Self {
        self.user(name).add(|tenant| {
            let queues = queues.iter().map(|queue| QueueId::new(tenant.id, queue));
            let agent = Agent {
                id: AgentId::new(tenant.id, name)?,
                display: format!("Agent {name}"),
                user: UserId::new(tenant.id, name)?,
                queues: queues.collect::<Result<_, _>>()?,
                auto_sign_in: true,
                duty: Duty::default(),
                record: None,
            };
            tenant.agents.insert(agent.id.name.clone(), agent);
            Ok(())
        })
    }

    /// The last agent comes to work only when told.
    #[must_use]
    pub fn signed_out(mut self, name: &str) -> Self {
        if let Some(agent) = self.tenant.agents.get_mut(name) {
            agent.auto_sign_in = false;
        }
        self
    }

    /// A queue with music: 10 s of ringing, 3 s of wrap-up, 5 min of waiting, recorded.
    #[must_use]
    pub fn queue(self, name: &str, change: impl FnOnce(&mut Queue)) -> Self {
        self.add(|tenant| {
            let mut queue = Queue {
                id: QueueId::new(tenant.id, name)?,
                display: name.into(),
                music: Some(AssetId::new(tenant.id, "music")?),
                announce_every: None,
                announce_wait: true,
                language: "en".into(),
                ring: Duration::from_secs(10),
                wrap_up: Duration::from_secs(3),
                max_wait: Duration::from_secs(300),
                max_length: 100,
                audio: QueueAudio {
                    number: NumberAudio::None,
                    record: Some(RecordRule::new(RecordWhen::Always)),
                    ..QueueAudio::default()
                },
                service: Service::default(),
                caller_pool: None,
                figures: Default::default(),
                callback: Default::default(),
            };
            change(&mut queue);
            tenant.queues.insert(queue.id.name.clone(), queue);
            Ok(())
        })
    }

    /// A flow with the apology prompt and this fallback.
    #[must_use]
    pub fn flow(self, name: &str, source: &str, fallback: Option<Destination>) -> Self {
        self.add(|tenant| {
            let flow = Flow {
                id: FlowId::new(tenant.id, name)?,
                file: format!("{name}.lua"),
                source: source.into(),
                apology: Some(AssetId::new(tenant.id, "apology")?),
                fallback,
            };
            tenant.flows.insert(flow.id.name.clone(), flow);
            Ok(())
        })
    }

    /// What its flows may use.
    #[must_use]
    pub fn kit(mut self, change: impl FnOnce(&mut FlowKit)) -> Self {
        change(&mut self.tenant.kit);
        self
    }

    /// The telephone of an agent, which is rung only where he chooses it.
    #[must_use]
    pub fn telephone(mut self, agent: &str, number: &str) -> Self {
        if let Some(agent) = self.tenant.agents.get_mut(agent) {
            agent.duty.phone.number = Some(number.to_owned());
        }
        self
    }

    /// How its agents sign in.
    #[must_use]
    pub fn sign_in(mut self, change: impl FnOnce(&mut TenantSignIn)) -> Self {
        change(&mut self.tenant.sign_in);
        self
    }

    /// A number that leads to a flow.
    #[must_use]
    pub fn number_to_flow(self, number: &str, flow: &str) -> Self {
        self.number(number, |tenant| Ok(Destination::Flow(FlowId::new(tenant, flow)?)))
    }

    /// A number that leads to a queue.
    #[must_use]
    pub fn number_to_queue(self, number: &str, queue: &str) -> Self {
        self.number(number, |tenant| Ok(Destination::Queue(QueueId::new(tenant, queue)?)))
    }

    /// A number that leads to an agent.
    #[must_use]
    pub fn number_to_agent(self, number: &str, agent: &str) -> Self {
        self.number(number, |tenant| Ok(Destination::Agent(AgentId::new(tenant, agent)?)))
    }

    /// A number that leads to another one by the trunk.
    #[must_use]
    pub fn number_to_trunk(self, number: &str, trunk: &str, dialled: &str) -> Self {
        self.number(number, |tenant| Ok(Destination::Trunk(TrunkId::new(tenant, trunk)?, dialled.into())))
    }

    fn number(self, number: &str, to: impl FnOnce(TenantId) -> Result<Destination, IdError>) -> Self {
        self.add(|tenant| {
            let to = to(tenant.id)?;
            tenant.numbers.push(CalledNumber { access_code: number.into(), extension_code: None, to });
            Ok(())
        })
    }

    /// A trunk whose peer and gateway is this address.
    #[must_use]
    pub fn trunk(self, name: &str, peer: SocketAddr) -> Self {
        self.add(|tenant| {
            let trunk = Trunk {
                peers: vec![peer],
                gateways: vec![Gateway::at(peer)],
                max_calls: 1_000,
                // A world ends when nothing is under way; a probe always would be.
                health: TrunkHealth { every: None, ..TrunkHealth::default() },
                ..Trunk::new(TrunkId::new(tenant.id, name)?)
            };
            tenant.trunks.insert(trunk.id.name.clone(), trunk);
            Ok(())
        })
    }

    /// Changes the trunk that was added under this name.
    #[must_use]
    pub fn change_trunk(mut self, name: &str, change: impl FnOnce(&mut Trunk)) -> Self {
        if let Some(trunk) = self.tenant.trunks.get_mut(name) {
            change(trunk);
        }
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// A name in it is none.
    pub fn snapshot(mut self) -> Result<Snapshot, IdError> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => {
                self.snapshot.tenants.insert(self.tenant.id, self.tenant);
                Ok(self.snapshot)
            }
        }
    }
}

/// The prompts of every setup: tones, so that a phone can tell what it hears.
pub fn prompts() -> Vec<(AssetId, Audio)> {
    let tone = |hertz, ms: usize| {
        let mut pcm = vec![0; ms * 8];
        Sine::new(hertz, 8_000).fill(&mut pcm);
        Audio::from_pcm(&pcm)
    };
    let mut prompts = vec![
        ("menu".to_owned(), tone(MENU_HZ, 3_000)),
        ("music".to_owned(), tone(MUSIC_HZ, 2_000)),
        ("apology".to_owned(), tone(APOLOGY_HZ, 1_000)),
        ("en.queue.you-are-number".to_owned(), tone(WORD_HZ, 300)),
        ("en.queue.in-line".to_owned(), tone(WORD_HZ, 300)),
    ];
    prompts.extend((0..20).map(|n| (format!("en.digits.{n}"), tone(WORD_HZ, 200))));
    let asset = |(name, audio): (String, Audio)| {
        let name = Name::new(&name).ok()?;
        Some((AssetId { tenant: TenantId::DEFAULT, name }, audio))
    };
    prompts.into_iter().filter_map(asset).collect()
}
