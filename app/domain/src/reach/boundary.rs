//! What the scopes of this tenant are built of: attributes, groups or units. An application that
//! may change these moves the boundary of a scope without changing a policy or a role (MICROSOFT.md
//! §10.1, class B).

use std::collections::BTreeSet;

use super::{
    assignments::Assignments,
    members::find_scope,
    roles::Confers,
    seen::{AssignmentScope, Group, Seen},
    set::Truth,
};
use crate::{id::ObjectId, permission::power::Counts};

/// Whether some scope is built of attributes, groups or units.
#[derive(Debug)]
pub(super) struct Boundary {
    attributes: Truth,
    groups: Truth,
    units: Truth,
}

impl Boundary {
    pub fn new(seen: &Seen, assignments: &Assignments<'_>) -> Self {
        let unread = if assignments.may_be_more() {
            Truth::Perhaps
        } else {
            Truth::No
        };
        let mut built = Self {
            attributes: unread,
            groups: unread,
            units: unread,
        };
        let scopes: BTreeSet<&AssignmentScope> = assignments
            .list
            .iter()
            .filter(|ready| ready.confers != Confers::Permissions(Vec::new()))
            .map(|ready| &ready.assignment.scope)
            .collect();
        for scope in scopes {
            built.count(seen, scope);
        }
        built.count_policies(seen);
        built
    }

    fn count(&mut self, seen: &Seen, scope: &AssignmentScope) {
        match scope {
            AssignmentScope::Organisation => {}
            AssignmentScope::Custom { name } => {
                let found = seen.scopes.get().map(|scopes| find_scope(scopes, name));
                match found {
                    Ok(Some(scope)) if scope.exclusive => {}
                    Ok(Some(scope)) => self.count_filter(&scope.filter),
                    Ok(None) | Err(_) => {
                        self.attributes = self.attributes.max(Truth::Perhaps);
                        self.groups = self.groups.max(Truth::Perhaps);
                    }
                }
            }
            AssignmentScope::Group { object, .. } => {
                let group = object.and_then(|object| find(seen, object));
                self.count_group(group, Truth::Perhaps);
            }
            AssignmentScope::Unit { object } => {
                self.units = Truth::Yes;
                let unit = seen.units.iter().find(|unit| unit.object == *object);
                match unit {
                    Some(unit) if unit.rule.is_some() => self.attributes = Truth::Yes,
                    Some(_) => {}
                    None => self.attributes = self.attributes.max(Truth::Perhaps),
                }
            }
            AssignmentScope::Other { .. } => {
                self.attributes = self.attributes.max(Truth::Perhaps);
                self.groups = self.groups.max(Truth::Perhaps);
                self.units = self.units.max(Truth::Perhaps);
            }
        }
    }

    fn count_filter(&mut self, filter: &str) {
        let properties = properties(filter);
        if properties.is_empty() {
            self.attributes = self.attributes.max(Truth::Perhaps);
            self.groups = self.groups.max(Truth::Perhaps);
        }
        for property in properties {
            match property.as_str() {
                // The filter does not say which kind of group that is.
                "memberofgroup" => self.groups = self.groups.max(Truth::Perhaps),
                // Nobody can change these properties.
                "guid"
                | "exchangeguid"
                | "externaldirectoryobjectid"
                | "recipienttype"
                | "recipienttypedetails" => {}
                _ => self.attributes = Truth::Yes,
            }
        }
    }

    /// `unknown`: the result for a group of which it is not known whether Graph can change its
    /// members.
    fn count_group(&mut self, group: Option<&Group>, unknown: Truth) {
        let (writable, grows) =
            group.map_or((None, false), |one| (one.writable, one.rule.is_some()));
        self.groups = self.groups.max(match writable {
            Some(true) => Truth::Yes,
            Some(false) => Truth::No,
            None => unknown,
        });
        if grows {
            self.attributes = Truth::Yes;
        } else if group.is_none() {
            self.attributes = self.attributes.max(Truth::Perhaps);
        }
    }

    /// Policies take mail-enabled security groups, whose members Graph cannot change (MICROSOFT.md
    /// §2.4). A group inside such a group may be of another kind.
    fn count_policies(&mut self, seen: &Seen) {
        let Ok(policies) = seen.policies.get() else {
            if !seen.has_no_exchange() {
                self.groups = self.groups.max(Truth::Perhaps);
                self.attributes = self.attributes.max(Truth::Perhaps);
            }
            return;
        };
        let mut been = BTreeSet::new();
        let mut ahead: Vec<ObjectId> = Vec::new();
        for policy in policies {
            match policy.scope_object {
                Some(object) => ahead.push(object),
                None => {
                    self.groups = self.groups.max(Truth::Perhaps);
                    self.attributes = self.attributes.max(Truth::Perhaps);
                }
            }
        }
        let is_mailbox = |object| {
            seen.mailboxes
                .get()
                .is_ok_and(|list| list.contains(&object))
        };
        while let Some(object) = ahead.pop() {
            if !been.insert(object) {
                continue;
            }
            let Some(group) = find(seen, object) else {
                if !is_mailbox(object) {
                    self.groups = self.groups.max(Truth::Perhaps);
                    self.attributes = self.attributes.max(Truth::Perhaps);
                }
                continue;
            };
            self.count_group(Some(group), Truth::No);
            match group.direct.get() {
                Ok(members) => ahead.extend(&members.groups),
                Err(_) => {
                    self.groups = self.groups.max(Truth::Perhaps);
                    self.attributes = self.attributes.max(Truth::Perhaps);
                }
            }
        }
    }

    /// Whether a permission over this kind of object moves a boundary in this tenant.
    pub fn moved_by(&self, counts: Counts) -> Truth {
        match counts {
            Counts::OverAttributes => self.attributes,
            Counts::OverGroups => self.groups,
            Counts::OverUnits => self.units,
            // Microsoft does not document how far it goes.
            Counts::OverSync => self.attributes.max(self.groups).min(Truth::Perhaps),
            _ => Truth::No,
        }
    }

    pub const fn groups(&self) -> Truth {
        self.groups
    }
}

fn find(seen: &Seen, object: ObjectId) -> Option<&Group> {
    seen.groups.iter().find(|group| group.object == object)
}

/// The properties that a recipient filter compares, in lower case.
pub(super) fn properties(filter: &str) -> Vec<String> {
    const COMPARES: [&str; 8] = [
        "-eq", "-ne", "-like", "-notlike", "-gt", "-ge", "-lt", "-le",
    ];
    let lower = filter.to_lowercase();
    let mut found = Vec::new();
    let mut before = "";
    for word in lower.split_whitespace() {
        if COMPARES.contains(&word) {
            found.push(before.trim_matches(['(', ')']).to_owned());
        }
        before = word;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_filter_compares() {
        assert_eq!(
            properties("((Title -eq 'x') -and (CustomAttribute1 -ne 'a b'))"),
            ["title", "customattribute1"]
        );
        assert_eq!(
            properties("MemberOfGroup -eq 'CN=x,OU=y z'"),
            ["memberofgroup"]
        );
        assert!(properties("whatever").is_empty());
    }
}
