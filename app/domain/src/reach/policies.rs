//! What access policies leave of a grant in Entra (MICROSOFT.md §2.4).

use std::rc::Rc;

use super::{
    members::Membership,
    reading::Why,
    reasons::{Gap, Part},
    seen::Seen,
    set::{Set, Span, Truth},
    subjects::Subject,
};
use crate::application::{AccessPolicy, AccessRight};

/// A policy with the mailboxes in its scope.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    pub policy: &'a AccessPolicy,
    pub covers: Span,
    /// Why the policy may not be in force.
    invalid: Option<Rc<Gap>>,
}

/// All policies of the tenant, ordered by identity; or why they are not known.
#[derive(Debug)]
pub(super) struct Policies<'a>(pub Result<Vec<Ready<'a>>, Rc<Gap>>);

/// What policies leave of an application's grants that they govern.
#[derive(Debug)]
pub(super) struct Narrowed {
    /// Positions in [`Policies`].
    pub deny: Vec<u32>,
    pub restrict: Vec<u32>,
    pub leaves: Span,
}

impl<'a> Policies<'a> {
    pub fn new(seen: &'a Seen, membership: &mut Membership<'_>) -> Self {
        let mut list: Vec<&AccessPolicy> = match seen.policies.get() {
            Ok(policies) => policies.iter().collect(),
            Err(_) if seen.has_no_exchange() => Vec::new(),
            Err(why) => {
                let part = Part::Policies;
                return Self(Err(Rc::new(Gap { part, why })));
            }
        };
        list.sort_by(|one, other| {
            (&one.identity, one.app_id, one.right.as_str()).cmp(&(
                &other.identity,
                other.app_id,
                other.right.as_str(),
            ))
        });
        Self(Ok(list
            .into_iter()
            .map(|policy| Ready {
                policy,
                covers: membership.of_policy(&policy.identity, policy.scope_object),
                invalid: (!policy.valid).then(|| {
                    Rc::new(Gap {
                        part: Part::Policy {
                            identity: policy.identity.clone(),
                        },
                        why: Why::NotUnderstood,
                    })
                }),
            })
            .collect()))
    }

    /// The bounds of what is left. It is all mailboxes, or those of the RestrictAccess policies
    /// where there are any, without those of the DenyAccess policies.
    pub fn narrow(&self, subject: &Subject<'_>) -> Narrowed {
        let policies = match &self.0 {
            Ok(policies) => policies,
            Err(gap) => {
                return Narrowed {
                    deny: Vec::new(),
                    restrict: Vec::new(),
                    leaves: Span::unknown(gap),
                };
            }
        };
        let (mut deny, mut restrict) = (Vec::new(), Vec::new());
        let (mut denied_lo, mut denied_hi) = (Set::nothing(), Set::nothing());
        let (mut allowed_lo, mut allowed_hi) = (Set::nothing(), Set::nothing());
        // The mailboxes that every RestrictAccess policy allows. They are allowed even if only one
        // of these policies is in force.
        let mut in_each = Set::everything();
        let mut surely_restricted = false;
        let mut gaps = Vec::new();
        for (ready, position) in policies.iter().zip(0_u32..) {
            let applies = ready.applies(subject);
            if applies == Truth::No {
                continue;
            }
            if applies == Truth::Perhaps {
                gaps.extend(ready.doubts(subject));
            }
            gaps.extend(ready.covers.gaps.iter().cloned());
            let Span { lo, hi, .. } = &ready.covers;
            match ready.policy.right {
                AccessRight::DenyAccess => {
                    deny.push(position);
                    denied_hi = denied_hi.union(hi);
                    if applies == Truth::Yes {
                        denied_lo = denied_lo.union(lo);
                    }
                }
                AccessRight::RestrictAccess => {
                    restrict.push(position);
                    allowed_hi = allowed_hi.union(hi);
                    in_each = in_each.intersection(lo);
                    if applies == Truth::Yes {
                        surely_restricted = true;
                        allowed_lo = allowed_lo.union(lo);
                    }
                }
            }
        }
        let ceiling = if surely_restricted {
            allowed_hi
        } else {
            Set::everything()
        };
        let leaves = Span {
            lo: allowed_lo.union(&in_each).minus(&denied_hi),
            hi: ceiling.minus(&denied_lo),
            gaps,
        };
        Narrowed {
            deny,
            restrict,
            leaves,
        }
    }
}

impl Ready<'_> {
    /// Whether the policy is about this application, and in force.
    pub fn applies(&self, subject: &Subject<'_>) -> Truth {
        let named = match (self.policy.app_id, subject.app_id()) {
            (None, _) => Truth::Yes,
            (Some(_), None) => Truth::Perhaps,
            (Some(policy), Some(own)) if policy == own => Truth::Yes,
            _ if self.is_for_blueprint(subject) => Truth::Perhaps,
            _ => Truth::No,
        };
        if self.invalid.is_some() {
            named.min(Truth::Perhaps)
        } else {
            named
        }
    }

    /// Whether the policy is about the blueprint of an agent identity. The token of an agent
    /// identity has a client id of its own, and it is not documented whether such a policy narrows
    /// the agent identity (MICROSOFT.md §10.8).
    fn is_for_blueprint(&self, subject: &Subject<'_>) -> bool {
        self.policy.app_id.is_some_and(|policy| {
            subject
                .blueprints
                .iter()
                .any(|blueprint| blueprint.is_none_or(|blueprint| blueprint == policy))
        })
    }

    /// Why [`Ready::applies`] is not certain.
    pub fn doubts(&self, subject: &Subject<'_>) -> Vec<Rc<Gap>> {
        let unnamed = (self.policy.app_id.is_some() && subject.app_id().is_none())
            .then(|| subject.doubt.clone())
            .flatten();
        let own = self.policy.app_id.is_none() || self.policy.app_id == subject.app_id();
        let of_blueprint = (!own && self.is_for_blueprint(subject)).then(|| {
            Rc::new(Gap {
                part: Part::BlueprintPolicy {
                    identity: self.policy.identity.clone(),
                },
                why: Why::NotUnderstood,
            })
        });
        self.invalid
            .iter()
            .cloned()
            .chain(unnamed)
            .chain(of_blueprint)
            .collect()
    }
}
