//! Exchange cmdlets as data: what is shown, what is downloaded and what is sent are one object.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Switch(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Switch(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<String>> for Value {
    fn from(value: Vec<String>) -> Self {
        Self::List(value)
    }
}

/// One call of one cmdlet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cmdlet {
    pub name: String,
    /// In the order in which they are shown.
    pub parameters: Vec<(String, Value)>,
}

impl Cmdlet {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            parameters: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        self.parameters.push((parameter.to_owned(), value.into()));
        self
    }

    /// On one line, as PowerShell reads it.
    pub fn line(&self) -> String {
        let mut line = self.name.clone();
        for (parameter, value) in &self.parameters {
            line.push(' ');
            line.push_str(&argument(parameter, value));
        }
        line
    }

    /// One parameter a line, aligned, for reading.
    pub fn block(&self) -> String {
        let widest = self
            .parameters
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        let mut block = self.name.clone();
        for (name, value) in &self.parameters {
            let _ = match value {
                Value::Switch(true) => write!(block, "\n  -{name}"),
                Value::Switch(false) => write!(block, "\n  -{name}:$false"),
                other => write!(block, "\n  -{name:widest$} {}", literal(other)),
            };
        }
        block
    }
}

fn argument(name: &str, value: &Value) -> String {
    match value {
        Value::Switch(true) => format!("-{name}"),
        Value::Switch(false) => format!("-{name}:$false"),
        other => format!("-{name} {}", literal(other)),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Switch(on) => if *on { "$true" } else { "$false" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quote(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| quote(item)).collect();
            format!("@({})", items.join(", "))
        }
    }
}

/// A PowerShell literal string. Nothing expands between single quotes; a quote is doubled, and
/// PowerShell takes the typographic ones for quotes too.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => {
                quoted.push(c);
                quoted.push(c);
            }
            // A line break would end a comment and start a command.
            '\r' | '\n' | '\0' => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_so_that_nothing_gets_out() {
        assert_eq!(quote("O'Neil"), "'O''Neil'");
        assert_eq!(quote("a’; Remove-Mailbox x"), "'a’’; Remove-Mailbox x'");
        assert_eq!(quote("$(whoami)\nfoo"), "'$(whoami) foo'");
    }

    #[test]
    fn shows_lines_and_blocks() {
        let cmdlet = Cmdlet::new("New-DistributionGroup")
            .with("Name", "postern-mailer")
            .with("Type", "Security")
            .with("BypassSecurityGroupManagerCheck", true)
            .with("Confirm", false)
            .with(
                "Members",
                vec!["a@b.example".to_owned(), "c@d.example".to_owned()],
            );
        assert_eq!(
            cmdlet.line(),
            "New-DistributionGroup -Name 'postern-mailer' -Type 'Security' -BypassSecurityGroupManagerCheck -Confirm:$false -Members @('a@b.example', 'c@d.example')"
        );
        assert!(cmdlet.block().contains("\n  -Type "));
    }
}
