//! Says powers and delegated grants in words (MICROSOFT.md §10).

use domain::{
    exposure::{ActsAs, WhyPower},
    reach::{ApplicationReach, DelegatedGrant, Power, PowerKind, PowerSource},
};

use super::words::Words;

/// What a power lets an application do. The text follows “it can”.
pub(crate) const fn can(kind: PowerKind) -> &'static str {
    match kind {
        PowerKind::AdministersExchange => {
            "administer Exchange: take policies away, open mailboxes to itself, forward mail"
        }
        PowerKind::GrantsItself => "give itself more: permissions, or a role that has them",
        PowerKind::ActsAsOthers => "act as others: sign in as another application or as a user",
        PowerKind::MovesBoundary => {
            "move the boundary: change who is inside of what confines it or others"
        }
        PowerKind::ReachesElsewhere => {
            "reach mail through another service: download what eDiscovery exported"
        }
    }
}

impl Words<'_> {
    /// All powers of an application, the worst first. Powers that cannot be ruled out are marked
    /// (`perhaps`).
    pub fn powers(&self, application: &ApplicationReach) -> Vec<WhyPower> {
        application
            .powers
            .held
            .iter()
            .map(|power| WhyPower {
                can: can(power.kind).to_owned(),
                from: self.source(&power.from),
                perhaps: power.perhaps,
            })
            .collect()
    }

    /// Says where a power comes from.
    fn source(&self, source: &PowerSource) -> String {
        match source {
            PowerSource::Grant { resource, value } => {
                format!("granted {value} of {} in Entra", resource.name())
            }
            PowerSource::DirectoryRole {
                name,
                scope,
                through,
            } => {
                let through = through
                    .map(|group| format!(", through the group {}", self.called(group)))
                    .unwrap_or_default();
                let scope = scope
                    .as_ref()
                    .map(|scope| format!(", for {scope} only"))
                    .unwrap_or_default();
                format!("holds the directory role {name}{through}{scope}")
            }
            PowerSource::RoleGroup { name } => {
                format!("is a member of the role group {name} in Exchange")
            }
            PowerSource::ManagementRole { role } => {
                format!("was given the role {role} in Exchange")
            }
            PowerSource::Owner { name, .. } => format!("owns the application {name}"),
            PowerSource::OtherGrant { resource, value } => {
                format!("was granted {value} of {} in Entra", resource.name())
            }
            PowerSource::Keys { count } => format!(
                "is Exchange itself, and has {count} keys of its own in this tenant: whoever holds one signs in as Exchange (an Exchange on premises leaves one)"
            ),
            PowerSource::Inherited {
                blueprint,
                resource,
                value,
            } => format!(
                "inherits {value} of {} from its blueprint {}",
                resource.name(),
                self.called(*blueprint)
            ),
        }
    }

    /// What a plan cannot take away from the application. A person should read it before the start.
    pub fn beside_policy(&self, application: &ApplicationReach) -> Vec<String> {
        self.powers(application)
            .into_iter()
            .map(|power| {
                let can = if power.perhaps {
                    "It may be able to"
                } else {
                    "It can"
                };
                format!("{can} {}: it {}.", power.can, power.from)
            })
            .collect()
    }

    /// The sentence about the application's powers, which goes before all other sentences. None: it
    /// has no power, and everything about powers was read.
    pub(super) fn power_sentence(&self, application: &ApplicationReach) -> Option<String> {
        let held = &application.powers.held;
        let sure = held.iter().find(|power| !power.perhaps);
        let say = |power: &Power| {
            let from = self.source(&power.from);
            let more = match held.len() {
                1 => String::new(),
                many => format!(" It has {} powers.", many),
            };
            format!("it can {} ({from}).{more}", can(power.kind))
        };
        if let Some(power) = sure {
            return Some(format!("No policy holds it: {}", say(power)));
        }
        if let Some(power) = held.first() {
            return Some(format!(
                "It cannot be ruled out that it goes around every policy: perhaps {}",
                say(power)
            ));
        }
        (!application.powers.gaps.is_empty()).then(|| {
            "Whether it goes around every policy is not known: what would tell could not be read."
                .to_owned()
        })
    }
}

/// What an application may do for people who sign in to it, one entry per delegated grant.
pub(crate) fn acts_as(grants: &[DelegatedGrant]) -> Vec<ActsAs> {
    grants
        .iter()
        .map(|grant| ActsAs {
            who: match (grant.for_all, grant.people) {
                (true, _) => "everybody who signs in to it".to_owned(),
                (false, 1) => "one person, when signed in to it".to_owned(),
                (false, people) => format!("{people} people, when signed in to it"),
            },
            resource: grant.resource.name().to_owned(),
            scopes: grant.scopes.clone(),
        })
        .collect()
}
