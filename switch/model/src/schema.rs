//! What the types that are written by hand look like in JSON, for the document of the API. The others derive it.

use crate::figures::Ratio;
use crate::guard::Network;
use crate::id::{ActId, CallId, IntervalId, LegId, Name, PlaybackId, RecordingId, StreamId, TenantId};
use crate::time::Wall;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! schema {
    ($($kind:ident: $schema:expr;)*) => {$(
        impl JsonSchema for $kind {
            fn schema_name() -> Cow<'static, str> {
                stringify!($kind).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

/// `tenant.start-shard-number`.
fn serial(what: &str) -> Schema {
    json_schema!({
        "type": "string",
        "description": format!("The id of {what}: the tenant, then the start of the switch, the shard and a number."),
        "pattern": "^[a-z0-9-]{1,23}\\.[0-9a-f]{1,8}-[0-9]{1,3}-[0-9a-f]{1,16}$",
        "examples": ["default.6b000000-0-2a"]
    })
}

schema! {
    TenantId: json_schema!({
        "type": "string",
        "description": "A tenant.",
        "pattern": "^[a-z0-9-]{1,23}$",
        "examples": ["default"]
    });
    Name: json_schema!({
        "type": "string",
        "description": "The name of a configured thing within its tenant: letters, digits and - _ . +, at most 64 bytes.",
        "minLength": 1,
        "maxLength": 64,
        "examples": ["sales"]
    });
    CallId: serial("a call");
    LegId: serial("a leg");
    PlaybackId: serial("a playback");
    RecordingId: serial("a recording");
    StreamId: serial("a stream");
    ActId: serial("a playback, or an entry of keys, of a program");
    IntervalId: serial("a stretch of an agent's work");
    Wall: json_schema!({
        "type": "integer",
        "format": "int64",
        "description": "A moment: milliseconds since 1970, UTC.",
        "examples": [1_795_212_000_000_i64]
    });
    Network: json_schema!({
        "type": "string",
        "description": "An address, or a network of addresses.",
        "examples": ["192.0.2.7", "192.0.2.0/24"]
    });
    Ratio: json_schema!({
        "type": ["number", "null"],
        "description": "A part of a whole with four decimals; null of nothing.",
        "minimum": 0
    });
}
