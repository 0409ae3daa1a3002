//! The rooms of the house and the arrows between them, as ARCHITECTURE.md draws them. A change here
//! is a change of the design.

/// What is true of a crate by where it stands.
pub(crate) struct Room {
    /// As other crates name it in code: `cordboard_sip`.
    pub(crate) code_name: String,
    /// Decides and touches nothing: no socket, file, clock, thread or random number of its own.
    pub(crate) pure: bool,
    /// The crates of ours that it may import, by their names in manifests.
    pub(crate) imports: Imports,
}

pub(crate) enum Imports {
    /// These, and no others.
    Only(&'static [&'static str]),
    /// These, and every crate of `plugins/`.
    OnlyAndPlugins(&'static [&'static str]),
    /// Any of ours but the crates that only check: tests, benches and xtask.
    AllRooms,
    /// Any of ours.
    Anything,
}

const PLUGIN: &str = "cordboard-plugin-";
/// `plugin-api` begins like a plugin's name and is none.
const PLUGIN_API: &str = "cordboard-plugin-api";
const CHECKERS: &[&str] = &["cordboard-tests", "cordboard-benches", "cordboard-fuzz", "xtask"];

impl Imports {
    pub(crate) fn allow(&self, package: &str) -> bool {
        match self {
            Self::Only(these) => these.contains(&package),
            Self::OnlyAndPlugins(these) => {
                these.contains(&package) || (package.starts_with(PLUGIN) && package != PLUGIN_API)
            }
            Self::AllRooms => !CHECKERS.contains(&package),
            Self::Anything => true,
        }
    }
}

const MODEL: Imports = Imports::Only(&["cordboard-model"]);

/// The room at a folder: `switch/sip`, `plugins/called-number`, `api`. `None`: the design has no such
/// room.
pub(crate) fn room(folder: &str) -> Option<Room> {
    let (pure, imports) = match folder {
        "switch/model" => (true, Imports::Only(&[])),
        "switch/sip" | "switch/media" | "switch/call" | "switch/acd" | "switch/chat" | "switch/flow"
        | "switch/plugin-api" => (true, MODEL),
        "switch/core" => (
            true,
            Imports::Only(&[
                "cordboard-model",
                "cordboard-sip",
                "cordboard-call",
                "cordboard-acd",
                "cordboard-chat",
                "cordboard-flow",
                PLUGIN_API,
            ]),
        ),
        // Of sip the simulator uses the messages alone, for its scripted phones: see `arrows`.
        "switch/sim" => (
            true,
            Imports::OnlyAndPlugins(&[
                "cordboard-model",
                "cordboard-core",
                "cordboard-media",
                "cordboard-sip",
                PLUGIN_API,
            ]),
        ),
        "switch/lane" => (false, Imports::Only(&[])),
        "switch/store" | "api" => (false, MODEL),
        "switch/node" => (false, Imports::AllRooms),
        "tests" | "benches" | "fuzz" | "fuzz/libfuzzer" | "xtask" => (false, Imports::Anything),
        plugin if plugin.starts_with("plugins/") => (true, Imports::Only(&["cordboard-model", PLUGIN_API])),
        _ => return None,
    };
    let code_name = package_name(folder).replace('-', "_");
    Some(Room { code_name, pure, imports })
}

fn package_name(folder: &str) -> String {
    match folder.rsplit_once('/') {
        Some(("plugins", name)) => format!("{PLUGIN}{name}"),
        Some((_, name)) => format!("cordboard-{name}"),
        None if folder == "xtask" => folder.to_owned(),
        None => format!("cordboard-{folder}"),
    }
}

/// The folder of the crate that a file belongs to.
pub(crate) fn folder_of(path: &str) -> Option<&str> {
    let depth = match path.split('/').next()? {
        "switch" | "plugins" => 2,
        "api" | "benches" | "fuzz" | "tests" | "xtask" => 1,
        _ => return None,
    };
    let end = path.match_indices('/').nth(depth - 1)?.0;
    path.get(..end)
}
