//! What the switch has to do with the packets of a load: the voices of both ends, and the configuration that makes it do so.

use std::fs;
use std::io;
use std::path::Path;

use super::traffic::{DECODED, OPUS, RELAYED, SPOKEN, Voice, WIDE};
use crate::load::switch::{More, Switch};

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Packets are passed on as they are.
    Relay,
    /// Decoded and encoded anew: A-law and G.722.
    Transcode,
    /// The same with A-law and Opus.
    TranscodeOpus,
    /// Conferences of three who speak A-law.
    Mix,
    /// Conferences of three who speak Opus.
    MixOpus,
    /// Packets are passed on as they are, and both parties recorded.
    Record,
    /// Music for a caller who says something all the time.
    Play,
}

/// A flow that plays music until the caller is gone.
pub(super) const FLOW: &str = "call:answer()\nwhile true do\n  call:play(\"music\")\nend\n";

/// The number that leads to it.
pub(super) const MUSIC: &str = "9002";

const PLAYS: More<'static> = More {
    tenant: "prompts = \"prompts\"\n",
    sections: "[tenant.default.flow.music]\nfile = \"music.lua\"\n\
        [[tenant.default.number]]\naccess_code = \"9002\"\nto = \"flow:music\"\n",
    sip: "",
    media: "",
    limits: "",
    calls: None,
};

const TRANSCODES: More<'static> = More {
    tenant: "codecs = [\"PCMA\", \"G722\", \"opus\"]\n",
    sections: "",
    sip: "",
    media: "",
    limits: "",
    calls: None,
};

/// Recordings and third parties are asked for by the API.
const ASKS: More<'static> = More {
    tenant: "codecs = [\"PCMA\", \"opus\"]\n",
    sections: "[[api_key]]\nname = \"load\"\nkey = \"key-of-the-load-drivers\"\n",
    sip: "",
    media: "",
    limits: "",
    calls: None,
};

/// What adds a third party to a conference: the probe's number.
const THIRD: &str = "{\"to\": \"9001\"}";

impl Work {
    /// How many calls, if nobody says: a core takes more.
    pub(super) fn calls(self) -> u32 {
        match self {
            Work::Relay | Work::Record => 1_000,
            Work::Transcode => 300,
            Work::TranscodeOpus | Work::Mix => 100,
            Work::MixOpus => 40,
            Work::Play => 1_000,
        }
    }

    /// Of the caller and of who is called.
    pub(super) fn voices(self) -> [Voice; 2] {
        match self {
            Work::Relay | Work::Record => [RELAYED; 2],
            Work::Transcode => [SPOKEN, WIDE],
            Work::TranscodeOpus => [SPOKEN, OPUS],
            Work::Mix => [SPOKEN; 2],
            Work::MixOpus => [OPUS; 2],
            Work::Play => [DECODED; 2],
        }
    }

    pub(super) fn more(self) -> More<'static> {
        match self {
            Work::Relay => More::default(),
            Work::Transcode | Work::TranscodeOpus => TRANSCODES,
            Work::Play => PLAYS,
            Work::Record | Work::Mix | Work::MixOpus => ASKS,
        }
    }

    /// What is asked of the switch once its calls are up; `third` answers for another end of a call.
    pub(super) fn begin(
        self,
        switch: &Switch,
        third: impl FnMut() -> Result<(), String>,
    ) -> Result<(), String> {
        match self {
            Work::Record => switch.for_each_call("recording", "{\"do\":\"start\"}", || Ok(())),
            Work::Mix | Work::MixOpus => switch.for_each_call("conference", THIRD, third),
            _ => Ok(()),
        }
    }

    /// Whether packets come out as they went in.
    pub(super) fn is_passed_on(self) -> bool {
        matches!(self, Work::Relay | Work::Record)
    }

    /// Whether what the codecs alone cost says something about it.
    pub(super) fn is_codecs(self) -> bool {
        matches!(self, Work::Transcode | Work::TranscodeOpus | Work::Mix | Work::MixOpus)
    }

    /// What the switch reads beside its configuration.
    pub(super) fn prepare(self, root: &Path, dir: &Path) -> io::Result<()> {
        if self != Work::Play {
            return Ok(());
        }
        fs::write(dir.join("music.lua"), FLOW)?;
        fs::create_dir_all(dir.join("prompts"))?;
        let music = Path::new("prompts").join("music.wav");
        fs::copy(root.join("ivr-flows").join(&music), dir.join(&music)).map(drop)
    }
}
