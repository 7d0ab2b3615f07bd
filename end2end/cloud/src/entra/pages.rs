//! The pages that a person sees. They work without scripts, and say that they are simulated.

/// Escapes text for HTML, attributes included.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

const STYLE: &str = "
:root{color-scheme:light dark;--fg:#1b1b1b;--bg:#f2f4f6;--card:#fff;--mute:#5b5b5b;--line:#8a8886;--accent:#0f5ea8;--on:#fff;--bad:#a4262c}
@media(prefers-color-scheme:dark){:root{--fg:#f3f2f1;--bg:#17191c;--card:#23262a;--mute:#b3b0ad;--line:#8a8886;--accent:#62abf5;--on:#10131a;--bad:#f1707b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:1rem;padding:1rem;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
main{width:100%;max-width:27.5rem;background:var(--card);padding:2.5rem;box-shadow:0 2px 8px rgba(0,0,0,.18)}
.brand{color:var(--mute);font-weight:600;margin:0 0 1rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem;font-weight:600}
p{margin:0 0 .75rem;overflow-wrap:anywhere}
label{display:block;margin:.75rem 0 .25rem}
input{width:100%;padding:.5rem;border:1px solid var(--line);background:transparent;color:inherit;font:inherit}
.row{display:flex;gap:.5rem;justify-content:flex-end;margin-top:1.5rem;flex-wrap:wrap}
button{font:inherit;padding:.4rem 1.25rem;min-width:6.5rem;border:1px solid var(--line);background:transparent;color:inherit;cursor:pointer}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--on)}
button.wide{display:block;width:100%;text-align:left;margin:.4rem 0;padding:.7rem}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.bad{color:var(--bad)}
ul{padding-left:1.2rem;margin:0 0 .75rem}
small,footer{color:var(--mute);font-size:.8rem}
dl{font-size:.85rem;color:var(--mute);margin:1rem 0 0;overflow-wrap:anywhere}
dd{margin:0 0 .4rem}
";

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\"><title>{}</title><style>{STYLE}</style></head><body><main><p class=\"brand\">Work or school account</p>{body}</main><footer>Simulated cloud: not Microsoft</footer></body></html>",
        escape(title)
    )
}

/// E-mail and password.
pub fn sign_in(
    segment: &str,
    flow: &str,
    app: &str,
    login: &str,
    complaint: Option<&str>,
) -> String {
    let complaint = complaint.map_or_else(String::new, |text| {
        format!("<p class=\"bad\" role=\"alert\">{}</p>", escape(text))
    });
    page(
        "Sign in to your account",
        &format!(
            "<h1>Sign in</h1><p>to continue to {}</p>{complaint}<form method=\"post\" action=\"/{}/login\"><input type=\"hidden\" name=\"flow\" value=\"{}\"><label for=\"login\">E-mail</label><input id=\"login\" name=\"login\" type=\"email\" autocomplete=\"username\" required value=\"{}\"><label for=\"password\">Password</label><input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required><div class=\"row\"><button class=\"primary\" type=\"submit\">Sign in</button></div></form>",
            escape(app),
            escape(segment),
            escape(flow),
            escape(login)
        ),
    )
}

/// Which of the signed-in accounts: pairs of key and name.
pub fn picker(segment: &str, flow: &str, app: &str, accounts: &[(String, String)]) -> String {
    let buttons: String = accounts
        .iter()
        .map(|(key, upn)| {
            format!(
                "<button class=\"wide\" type=\"submit\" name=\"account\" value=\"{}\">{}</button>",
                escape(key),
                escape(upn)
            )
        })
        .collect();
    page(
        "Pick an account",
        &format!(
            "<h1>Pick an account</h1><p>to continue to {}</p><form method=\"post\" action=\"/{}/pick\"><input type=\"hidden\" name=\"flow\" value=\"{}\">{buttons}<button class=\"wide\" type=\"submit\" name=\"account\" value=\"other\">Use another account</button></form>",
            escape(app),
            escape(segment),
            escape(flow)
        ),
    )
}

/// What the consent page shows.
#[derive(Debug)]
pub struct Consent<'a> {
    pub segment: &'a str,
    pub flow: &'a str,
    pub app: &'a str,
    pub publisher: &'a str,
    pub tenant: &'a str,
    pub user: &'a str,
    /// On behalf of the organisation.
    pub for_everybody: bool,
    /// Resource and permission.
    pub lines: &'a [(String, String)],
}

/// Accept or cancel.
pub fn consent(consent: &Consent<'_>) -> String {
    let lines: String = consent
        .lines
        .iter()
        .map(|(resource, value)| {
            format!(
                "<li>{} <small>{}</small></li>",
                escape(value),
                escape(resource)
            )
        })
        .collect();
    let whom = if consent.for_everybody {
        format!(
            "If you accept, this app gets access for all users of {}: consent on behalf of your organization.",
            escape(consent.tenant)
        )
    } else {
        "If you accept, this app gets access on your behalf.".to_owned()
    };
    page(
        "Permissions requested",
        &format!(
            "<p>{}</p><h1>Permissions requested</h1><p><strong>{}</strong><br><small>Publisher: {}</small></p><p>Organization: {}</p><p>This app would like to:</p><ul>{lines}</ul><p>{whom}</p><form method=\"post\" action=\"/{}/consent\"><input type=\"hidden\" name=\"flow\" value=\"{}\"><div class=\"row\"><button type=\"submit\" name=\"decision\" value=\"cancel\">Cancel</button><button class=\"primary\" type=\"submit\" name=\"decision\" value=\"accept\">Accept</button></div></form>",
            escape(consent.user),
            escape(consent.app),
            escape(consent.publisher),
            escape(consent.tenant),
            escape(consent.segment),
            escape(consent.flow)
        ),
    )
}

/// An error that must not travel to the client. `retry` is path segment and flow, when another
/// account could help.
pub fn error(
    code: u32,
    text: &str,
    trace: &str,
    correlation: &str,
    stamp: &str,
    retry: Option<(&str, &str)>,
) -> String {
    let retry = retry.map_or_else(String::new, |(segment, flow)| {
        format!(
            "<form method=\"post\" action=\"/{}/pick\"><input type=\"hidden\" name=\"flow\" value=\"{}\"><div class=\"row\"><button class=\"primary\" type=\"submit\" name=\"account\" value=\"other\">Use another account</button></div></form>",
            escape(segment),
            escape(flow)
        )
    });
    let title = match code {
        90094 => "Need admin approval",
        _ => "Sorry, but we’re having trouble signing you in.",
    };
    page(
        title,
        &format!(
            "<h1>{title}</h1><p>{}{}</p><dl><dt>Request Id</dt><dd>{}</dd><dt>Correlation Id</dt><dd>{}</dd><dt>Timestamp</dt><dd>{}</dd></dl>{retry}",
            match code {
                super::errors::NOT_SIMULATED => String::new(),
                code => format!("AADSTS{code}: "),
            },
            escape(text),
            escape(trace),
            escape(correlation),
            escape(stamp)
        ),
    )
}

/// After signing out.
pub fn signed_out() -> String {
    page(
        "Signed out",
        "<h1>You signed out of your account</h1><p>It’s a good idea to close all browser windows.</p>",
    )
}

/// `response_mode=form_post`: a form that sends itself, or is sent by hand.
pub fn form_post(action: &str, pairs: &[(&str, &str)]) -> String {
    let fields: String = pairs
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(name),
                escape(value)
            )
        })
        .collect();
    page(
        "Working…",
        &format!(
            "<h1>One moment</h1><form method=\"post\" action=\"{}\">{fields}<div class=\"row\"><button class=\"primary\" type=\"submit\">Continue</button></div></form><script>document.forms[0].submit()</script>",
            escape(action)
        ),
    )
}

/// The page at `/`: what this is.
pub fn front(base: &str) -> String {
    page(
        "Simulated cloud",
        &format!(
            "<h1>Simulated cloud</h1><p>Entra, Microsoft Graph and Exchange’s admin API, played by one small program at {}. Nothing here is Microsoft, and nothing here is real.</p><ul><li><a href=\"/_cloud/accounts\">Accounts to sign in with</a></li><li><a href=\"/_cloud/state\">State</a></li><li><a href=\"/_cloud/outbox\">Outbox</a></li><li><a href=\"/_cloud/log\">Log</a></li></ul>",
            escape(base)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        let html = sign_in(
            "organizations",
            "f",
            "<script>alert('x')</script>",
            "\"><b>",
            None,
        );
        assert!(!html.contains("<script>"));
        assert!(!html.contains("\"><b>"));
        assert!(html.contains("Simulated cloud: not Microsoft"));
    }
}
