//! Sends changes to open pages: one listener per process, one stream per page.

use std::time::Duration;

use domain::{
    Problem,
    id::{CustomerId, SetupId},
    person::Operator,
    view::SetupView,
};
use futures::{Stream, StreamExt as _};
use store::Notice;
use tokio::sync::{broadcast, watch};

use crate::{Answer, Engine, shutdown::stopped};

/// Number of notices that a page can fall behind. A page that falls behind further reads everything
/// again.
const BACKLOG: usize = 256;
/// The minimum time between two notices about scans to a page. A scan of all customers makes many
/// changes.
const SCANS_TOLD: Duration = Duration::from_millis(400);

/// The event bus of this process. The listener sends to it what it receives.
#[derive(Debug)]
pub(crate) struct Hub {
    sender: broadcast::Sender<Notice>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            sender: broadcast::channel(BACKLOG).0,
        }
    }
}

impl Hub {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.sender.subscribe()
    }
}

impl Engine {
    /// Listens to the database's notices, and sends them to the pages until `shutdown` turns true.
    pub async fn listen(&self, mut shutdown: watch::Receiver<bool>) {
        let mut notices = std::pin::pin!(self.store().listen());
        loop {
            tokio::select! {
                () = stopped(&mut shutdown) => return,
                notice = notices.next() => match notice {
                    Some(Notice::Account { customer, .. }) => {
                        self.microsoft().forget(customer.0).await;
                    }
                    // `send` fails when no page is open. Ignore that.
                    Some(notice) => { let _ = self.inner.hub.sender.send(notice); }
                    None => tokio::time::sleep(Duration::from_secs(1)).await,
                },
            }
        }
    }

    /// A setup now, and again after each change. Ends when the receiver goes away, or when the
    /// operator may no longer see the setup. Never sends an older version after a newer one.
    pub async fn watch_setup(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
    ) -> Answer<impl Stream<Item = SetupView> + Send + use<>> {
        // Subscribe before the first read, so that a change in between is noticed.
        let receiver = self.inner.hub.subscribe();
        let first = self.setup(operator, customer, setup).await?;
        let state = Watch {
            engine: self.clone(),
            operator: operator.clone(),
            customer,
            setup,
            shown: first.version,
            receiver,
        };
        let changes = futures::stream::unfold(state, |mut watch| async move {
            let view = watch.next().await?;
            Some((view, watch))
        });
        Ok(futures::stream::once(std::future::ready(first)).chain(changes))
    }

    /// Notices that a scan of one of the partner's customers was requested, began or ended. Many at
    /// the same time are sent as one.
    pub fn watch_scans(&self, operator: &Operator) -> impl Stream<Item = ()> + Send + use<> {
        let partner = operator.partner;
        let receiver = self.inner.hub.subscribe();
        futures::stream::unfold(receiver, move |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(Notice::Scans { partner: of }) if of == partner => {}
                    Ok(Notice::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Ok(_) => continue,
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
                tokio::time::sleep(SCANS_TOLD).await;
                while receiver.try_recv().is_ok() {}
                return Some(((), receiver));
            }
        })
    }

    /// Notices that a session of this operator ended, or that the operator's role changed.
    pub fn watch_authority(&self, operator: &Operator) -> impl Stream<Item = ()> + Send + use<> {
        let (partner, me) = (operator.partner, operator.id);
        let receiver = self.inner.hub.subscribe();
        futures::stream::unfold(receiver, move |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(Notice::Authority {
                        partner: of,
                        operator,
                    }) if of == partner && operator == me => {}
                    Ok(Notice::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Ok(_) => continue,
                    // The process ends, and with it every stream.
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
                return Some(((), receiver));
            }
        })
    }

    /// Notices that one of the partner's setups changed.
    pub fn watch_partner(&self, operator: &Operator) -> impl Stream<Item = ()> + Send + use<> {
        let partner = operator.partner;
        let receiver = self.inner.hub.subscribe();
        futures::stream::unfold(receiver, move |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(Notice::Setup { partner: of, .. }) if of != partner => {}
                    Ok(
                        Notice::Scans { .. } | Notice::Authority { .. } | Notice::Account { .. },
                    ) => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        return Some(((), receiver));
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        })
    }
}

struct Watch {
    engine: Engine,
    operator: Operator,
    customer: CustomerId,
    setup: SetupId,
    shown: i64,
    receiver: broadcast::Receiver<Notice>,
}

impl Watch {
    async fn next(&mut self) -> Option<SetupView> {
        loop {
            match self.receiver.recv().await {
                Ok(Notice::Setup { setup, version, .. })
                    if setup != self.setup || version <= self.shown =>
                {
                    continue;
                }
                Ok(Notice::Scans { .. } | Notice::Authority { .. } | Notice::Account { .. }) => {
                    continue;
                }
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
            match self
                .engine
                .setup(&self.operator, self.customer, self.setup)
                .await
            {
                Ok(view) if view.version > self.shown => {
                    self.shown = view.version;
                    return Some(view);
                }
                Ok(_) => {}
                Err(Problem { key, .. }) if key == "database.unavailable" || key == "internal" => {}
                Err(_) => return None,
            }
        }
    }
}
