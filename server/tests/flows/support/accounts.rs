//! The accounts that can sign in to the simulated cloud, as the cloud lists them.

use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Accounts {
    pub client_id: String,
    pub client_secret: String,
    pub partner_tenant: String,
    whole: Value,
}

/// An application of a customer.
#[derive(Clone, Debug)]
pub struct Application {
    pub secret: String,
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

impl Accounts {
    pub fn of(whole: Value) -> Self {
        Self {
            client_id: text(&whole["postern"]["client_id"]),
            client_secret: text(&whole["postern"]["client_secret"]),
            partner_tenant: text(&whole["partner_tenant"]),
            whole,
        }
    }

    fn accounts(&self) -> &[Value] {
        self.whole["accounts"].as_array().expect("accounts")
    }

    /// The names of all accounts of a tenant.
    pub fn people_of(&self, tenant: &str) -> Vec<String> {
        self.accounts()
            .iter()
            .filter(|account| account["tenant_id"] == tenant)
            .map(|account| text(&account["upn"]))
            .collect()
    }

    /// The partner's people: owner, engineer, auditor.
    fn of_partner(&self, name: &str) -> String {
        let upn = self
            .accounts()
            .iter()
            .filter(|account| account["tenant_id"] == self.partner_tenant.as_str())
            .map(|account| text(&account["upn"]))
            .find(|upn| upn.starts_with(name));
        upn.unwrap_or_else(|| panic!("{name} is not among {:?}", self.accounts()))
    }

    pub fn owner(&self) -> String {
        self.of_partner("olivia")
    }

    pub fn engineer(&self) -> String {
        self.of_partner("nora")
    }

    pub fn auditor(&self) -> String {
        self.of_partner("aksel")
    }

    pub fn tenant_of(&self, domain: &str) -> String {
        let end = format!("@{domain}");
        self.accounts()
            .iter()
            .find(|account| {
                account["upn"]
                    .as_str()
                    .is_some_and(|upn| upn.ends_with(&end))
            })
            .map(|account| text(&account["tenant_id"]))
            .unwrap_or_else(|| panic!("{domain} is not among {:?}", self.accounts()))
    }

    /// The client id of an application.
    pub fn application_id(&self, domain: &str, name: &str) -> String {
        text(&self.found(domain, name)["app_id"])
    }

    pub fn application(&self, domain: &str, name: &str) -> Application {
        Application {
            secret: text(&self.found(domain, name)["secret"]),
        }
    }

    fn found(&self, domain: &str, name: &str) -> &Value {
        let tenant = self.tenant_of(domain);
        self.whole["applications"]
            .as_array()
            .expect("applications")
            .iter()
            .find(|application| {
                application["tenant_id"] == tenant.as_str() && application["name"] == name
            })
            .unwrap_or_else(|| panic!("{name} is not among {}", self.whole["applications"]))
    }
}
