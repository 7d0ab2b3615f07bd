//! New groups on their way through Exchange (MICROSOFT.md §2.1).

use uuid::Uuid;

use super::tenant::Tenant;
use crate::clock::Time;

/// A group on its way to the servers of Exchange. The one that made it has it first.
#[derive(Debug, Clone)]
pub struct NewGroup {
    pub group: Uuid,
    pub maker: Uuid,
    /// What brings the maker to that server again. Without one it is anybody's guess.
    pub anchor: Option<String>,
    pub visible: Time,
}

impl Tenant {
    /// Shows a maker the groups that others do not see yet. Gives back when those will.
    pub fn show_new_groups(
        &mut self,
        maker: Uuid,
        anchor: Option<&str>,
        now: Time,
    ) -> Vec<(Uuid, Time)> {
        let groups = &mut self.groups;
        self.exchange.new_groups.retain(|new| {
            groups
                .get(&new.group)
                .is_some_and(|group| group.in_exchange > now)
        });
        let mut hidden = Vec::new();
        for new in &self.exchange.new_groups {
            let same = anchor.is_some() && new.maker == maker && new.anchor.as_deref() == anchor;
            if let Some(group) = groups.get_mut(&new.group)
                && same
                && new.visible <= now
            {
                hidden.push((new.group, group.in_exchange));
                group.in_exchange = now;
            }
        }
        hidden
    }

    /// Undoes [`Self::show_new_groups`].
    pub fn hide_new_groups(&mut self, hidden: Vec<(Uuid, Time)>) {
        for (id, at) in hidden {
            if let Some(group) = self.groups.get_mut(&id) {
                group.in_exchange = at;
            }
        }
    }
}
