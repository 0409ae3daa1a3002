//! What an operation takes and gives, for the document of the API.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Writes down what a type looks like in JSON.
pub type Shape = fn(&mut SchemaGenerator) -> Schema;

pub(crate) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A body that is taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// What it looks like.
    pub shape: Shape,
    /// One, as JSON.
    pub example: &'static str,
    /// There must be one.
    pub needed: bool,
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// The status.
    pub status: u16,
    /// Of its body; empty if it has none.
    pub media_type: &'static str,
    /// What a body in JSON looks like.
    pub shape: Option<Shape>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// The parameters of the query that it knows.
    pub query: &'static [&'static str],
    /// It gives all there is where `limit` is not said.
    pub whole: bool,
    /// Its body.
    pub body: Option<Taken>,
    /// What it answers when it does what is asked.
    pub answers: Vec<Given>,
    /// Statuses of refusals beside those that all operations of its kind have.
    pub refusals: &'static [u16],
}

impl Contract {
    /// Its answer is this, as JSON.
    pub(crate) fn gives<T: JsonSchema>(&mut self, status: u16) {
        self.answers.push(Given { status, media_type: "application/json", shape: Some(shape::<T>) });
    }

    /// Its answer is of this type, which is no JSON.
    pub(crate) fn gives_media(&mut self, status: u16, media_type: &'static str) {
        self.answers.push(Given { status, media_type, shape: None });
    }
}
