//! Why a part of a scan was not read.

use domain::reach::{Reading, Why};

use crate::error::{Error, Fault, Kind, Result, Service};

/// The facts that distinguish a missing right from a missing service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unread {
    /// The directory was read, and has no service principal of Exchange Online. Exchange refuses
    /// such a tenant in the same way as a caller without a role.
    pub(super) no_exchange: bool,
}

impl Unread {
    pub(super) fn why(&self, error: &Error) -> Why {
        let reason = reason(error);
        let refused = matches!(
            error.kind(),
            Kind::Forbidden
                | Kind::Unauthorized
                | Kind::ExchangeRoleMissing
                | Kind::ConsentMissing
                | Kind::PartnerNotAuthorised
                | Kind::NotInTenant
                | Kind::DelegationEnded
                | Kind::AppNotFound
                | Kind::AppDisabled
                | Kind::Cmdlet(Fault::DelegationNotMapped | Fault::WrongOrganization)
        );
        // Only the directory shows that there is no Exchange. A service that is off, or one that
        // Entra does not know, may hold mailboxes that are reachable again tomorrow.
        let missing = matches!(error.kind(), Kind::ServiceMissing | Kind::ServiceOff)
            || (refused && error.service() == Service::Exchange);
        if missing && self.no_exchange {
            Why::NotLicensed { reason }
        } else if refused {
            Why::NotPermitted { reason }
        } else {
            Why::Failed { reason }
        }
    }

    pub(super) fn reading<T>(&self, error: &Error) -> Reading<T> {
        match self.why(error) {
            Why::NotPermitted { reason } => Reading::NotPermitted { reason },
            Why::NotLicensed { reason } => Reading::NotLicensed { reason },
            Why::Failed { reason } => Reading::Failed { reason },
            other => Reading::Failed {
                reason: other.to_string(),
            },
        }
    }

    pub(super) fn part<T>(&self, part: Result<T>) -> Reading<T> {
        match part {
            Ok(value) => Reading::read(value),
            Err(error) => self.reading(&error),
        }
    }

    /// The reading for the roles of a resource that the tenant does not have.
    pub(super) fn no_resource<T>(&self) -> Reading<T> {
        Reading::NotLicensed {
            reason: "The tenant has no service principal of Exchange Online.".to_owned(),
        }
    }
}

/// One sentence, with Microsoft's code or Postern's observation. It holds no request ids, so that
/// the same failure gives the same reason the next time.
fn reason(error: &Error) -> String {
    let happened = error.problem().happened;
    let noticed = error
        .message()
        .filter(|message| error.trace().attempts == 0 && !happened.contains(message));
    match error.code().or(noticed) {
        Some(more) => format!("{happened} ({more})"),
        None => happened,
    }
}
