//! Signed-in browsers of an operator.

use domain::{
    id::{OperatorId, PartnerId, SessionRef},
    person::Operator,
    view::SessionRow,
};

use crate::{Answer, Engine, Failure};

impl Engine {
    /// Records a browser that just signed in. `session_hash` is the hash under which the session
    /// store keeps the session.
    pub async fn open_session(
        &self,
        operator: &Operator,
        session_hash: &[u8],
        device: &str,
    ) -> Answer<SessionRef> {
        let now = self.now();
        let open = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let session = tx
                .session_opened(operator.id, session_hash, device, now)
                .await?;
            tx.commit().await?;
            Ok::<_, store::Error>(session)
        };
        Ok(open.await.map_err(Failure::from)?)
    }

    /// The operator behind a session as the database knows it now, or none when the session was
    /// ended or the person is gone. Notes that the session was used.
    pub async fn operator_of_session(
        &self,
        partner: PartnerId,
        operator: OperatorId,
        session: SessionRef,
    ) -> Answer<Option<Operator>> {
        let now = self.now();
        let load = async {
            let mut tx = self.store().begin(partner).await?;
            if !tx.session_used(operator, session, now).await? {
                return Ok(None);
            }
            let operator = tx.operator(operator).await?;
            tx.commit().await?;
            Ok::<_, store::Error>(operator)
        };
        Ok(load.await.map_err(Failure::from)?)
    }

    /// The operator's signed-in browsers, the last used first.
    pub async fn sessions(
        &self,
        operator: &Operator,
        current: Option<SessionRef>,
    ) -> Answer<Vec<SessionRow>> {
        let list = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.sessions_of(operator.id, current).await
        };
        Ok(list.await.map_err(Failure::from)?)
    }

    /// Ends one of the operator's own sessions.
    pub async fn end_session(&self, operator: &Operator, session: SessionRef) -> Answer<()> {
        let end = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.end_session(operator.id, session).await?;
            tx.commit().await
        };
        Ok(end.await.map_err(Failure::from)?)
    }

    /// Ends every session of the operator, this one included.
    pub async fn sign_out_everywhere(&self, operator: &Operator) -> Answer<()> {
        let end = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.end_all_sessions(operator.id).await?;
            tx.commit().await
        };
        Ok(end.await.map_err(Failure::from)?)
    }
}
