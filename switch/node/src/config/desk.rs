//! What agents' desks may do: keys of tenants, queues and agents that the engines of calls and queues need not know.

use super::machine::flag;
use super::number;
use super::section::{Section, Wrong};
use super::smart;
use super::tree::Node;
use super::value::{text, wrong};
use cordboard_model::desk::{AgentDesk, TenantDesk};
use cordboard_model::id::Name;
use cordboard_model::plan::NumberPlan;
use core::cell::RefCell;

/// Most codes of a tenant, and of a queue.
const CODES_MAX: usize = 256;

/// What is read of it while agents and queues are.
#[derive(Default)]
pub(super) struct Desk(RefCell<TenantDesk>);

impl Desk {
    /// Reads what stands in the tenant's own section.
    pub(super) fn tenant(section: &Section<'_>) -> Self {
        let (codes, smart) = (codes(section), smart::read(section));
        Self(RefCell::new(TenantDesk { codes, smart, ..TenantDesk::default() }))
    }

    /// Whether a program is named that listens to smart agents.
    pub(super) fn has_smart(&self) -> bool {
        self.0.borrow().smart.is_some()
    }

    /// The same of an agent.
    pub(super) fn agent(&self, name: &Name, section: &Section<'_>, plan: Option<&NumberPlan>) {
        self.put(name, &self.read(section, plan));
    }

    /// What an agent's section says, or a range's.
    pub(super) fn read(&self, section: &Section<'_>, plan: Option<&NumberPlan>) -> AgentDesk {
        let auto_answer = flag(section, "auto_answer", false);
        AgentDesk { auto_answer, caller_number: number::own(section, plan) }
    }

    /// That is what an agent has.
    pub(super) fn put(&self, name: &Name, desk: &AgentDesk) {
        if *desk != AgentDesk::default() {
            self.0.borrow_mut().agents.insert(name.clone(), desk.clone());
        }
    }

    /// The same of a queue.
    pub(super) fn queue(&self, name: &Name, section: &Section<'_>) {
        let codes = codes(section);
        if !codes.is_empty() {
            self.0.borrow_mut().queue_codes.insert(name.clone(), codes);
        }
    }

    /// All of it.
    pub(super) fn take(&self) -> TenantDesk {
        self.0.take()
    }
}

fn codes(section: &Section<'_>) -> Vec<Name> {
    let Some(list) = section.list("wrap_up_codes", code) else {
        return Vec::new();
    };
    let mut codes: Vec<Name> = Vec::new();
    for at in list.value {
        if codes.contains(&at.value) {
            section.conflict("wrap_up_codes", at.pos, format!("{:?} is listed twice", at.value.as_str()));
        } else if codes.len() >= CODES_MAX {
            section.conflict("wrap_up_codes", at.pos, format!("at most {CODES_MAX} codes are taken"));
            break;
        } else {
            codes.push(at.value);
        }
    }
    codes
}

fn code(node: &Node) -> Result<Name, Wrong> {
    let code = text(node)?;
    Name::new(&code).map_err(|why| wrong(node, format!("a code that can be a name ({why})")))
}
