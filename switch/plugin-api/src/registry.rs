//! Which plugins there are. Filled once at the start; a name that is not in it is an error of the
//! configuration, found before the configuration is taken.

use crate::routing::RoutingPlugin;
use core::fmt;

/// The plugins of this switch, by name.
pub struct Registry {
    plugins: Vec<Box<dyn RoutingPlugin>>,
}

impl Registry {
    /// A registry of these plugins.
    pub fn new(plugins: Vec<Box<dyn RoutingPlugin>>) -> Result<Self, DuplicatePlugin> {
        for (i, plugin) in plugins.iter().enumerate() {
            if plugins[..i].iter().any(|p| p.name() == plugin.name()) {
                return Err(DuplicatePlugin(plugin.name()));
            }
        }
        Ok(Self { plugins })
    }

    /// The names, in the order of registration.
    pub fn names(&self) -> Vec<&'static str> {
        self.plugins.iter().map(|p| p.name()).collect()
    }

    /// Resolves a tenant's `routing` list.
    pub fn order<N: AsRef<str>>(&self, names: &[N]) -> Result<Order, UnknownPlugin> {
        let place = |name: &N| {
            let name = name.as_ref();
            let found = self.plugins.iter().position(|p| p.name() == name);
            found.ok_or_else(|| UnknownPlugin { name: name.into(), known: self.names() })
        };
        Ok(Order(names.iter().map(place).collect::<Result<_, _>>()?))
    }

    /// The plugin at a place of an order.
    pub(crate) fn plugin(&self, order: &Order, place: usize) -> Option<&dyn RoutingPlugin> {
        self.plugins.get(*order.0.get(place)?).map(Box::as_ref)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}

/// A resolved list of plugins; valid for the registry that made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order(Vec<usize>);

impl Order {
    /// How many plugins are asked.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The configuration names a plugin that is not in this switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPlugin {
    /// As it was written.
    pub name: String,
    /// Those there are.
    pub known: Vec<&'static str>,
}

impl fmt::Display for UnknownPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no routing plugin is called {:?}; there are: {}", self.name, self.known.join(", "))
    }
}

impl std::error::Error for UnknownPlugin {}

/// Two plugins of one name: a mistake of whoever built this switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicatePlugin(
    /// The name.
    pub &'static str,
);

impl fmt::Display for DuplicatePlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "two routing plugins are called {:?}", self.0)
    }
}

impl std::error::Error for DuplicatePlugin {}
