//! Exchange cmdlets as data. The same object is shown, downloaded and sent.

mod parameters;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

pub use self::parameters::{Takes, takes};
use crate::name::is_invisible;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// The value of a switch or of a Boolean parameter: [`takes`] knows which.
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
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
    /// The parameters, in the order in which they are shown.
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

    /// The call on one line, as PowerShell reads it. Pure ASCII.
    pub fn line(&self) -> String {
        let mut line = self.name.clone();
        for (parameter, value) in &self.parameters {
            let _ = match self.shown(parameter, value) {
                Shown::Alone(text) => write!(line, " -{parameter}{text}"),
                Shown::Beside(text) => write!(line, " -{parameter} {text}"),
            };
        }
        line
    }

    /// The call with one parameter per line, aligned for reading. Pure ASCII.
    pub fn block(&self) -> String {
        let widest = self
            .parameters
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        let mut block = self.name.clone();
        for (name, value) in &self.parameters {
            let _ = match self.shown(name, value) {
                Shown::Alone(text) => write!(block, "\n  -{name}{text}"),
                Shown::Beside(text) => write!(block, "\n  -{name:widest$} {text}"),
            };
        }
        block
    }

    fn shown(&self, parameter: &str, value: &Value) -> Shown {
        let on = match value {
            Value::Bool(on) => *on,
            Value::Number(number) => return Shown::Beside(number.to_string()),
            Value::Text(text) => return Shown::Beside(quote(text)),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| quote(item)).collect();
                return Shown::Beside(format!("@({})", items.join(", ")));
            }
        };
        let word = if on { "$true" } else { "$false" };
        match takes(&self.name, parameter) {
            Some(Takes::Switch) if on => Shown::Alone(String::new()),
            Some(Takes::Boolean) => Shown::Beside(word.to_owned()),
            // After a colon, PowerShell accepts the value for a switch and for a Boolean parameter
            // alike.
            _ => Shown::Alone(format!(":{word}")),
        }
    }
}

/// What follows the name of a parameter.
enum Shown {
    /// The text follows directly, without a space.
    Alone(String),
    Beside(String),
}

/// A PowerShell string literal, in pure ASCII. Windows PowerShell reads a file without a byte order
/// mark in the code page of the machine, and there the bytes of many letters contain quotes. So no
/// other character leaves Postern.
///
/// Nothing expands between single quotes, and a quote inside is doubled. A character that is not
/// ASCII is written as its number. That needs double quotes, where each character with a meaning
/// gets a backtick.
pub fn quote(text: &str) -> String {
    // A line break would end a comment and start a command.
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.is_ascii() {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit).ok().filter(u8::is_ascii).map(char::from) {
            Some(c @ ('$' | '`' | '"')) => {
                quoted.push('`');
                quoted.push(c);
            }
            Some(c) => quoted.push(c),
            None => {
                let _ = write!(quoted, "$([char]0x{unit:04X})");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Text for a comment or a description, which need not be exact: one line of pure ASCII, without
/// invisible characters.
pub fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !is_invisible(*c) || matches!(c, '\u{2028}' | '\u{2029}'))
        .map(|c| match c {
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => ' ',
            c if c.is_ascii() => c,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_so_that_nothing_gets_out() {
        assert_eq!(quote("O'Neil"), "'O''Neil'");
        assert_eq!(quote("$(whoami)\nfoo"), "'$(whoami) foo'");
        assert_eq!(
            quote("a\u{2019}; Remove-Mailbox x"),
            "\"a$([char]0x2019); Remove-Mailbox x\""
        );
        assert_eq!(
            quote("$x`\"\u{151}$(whoami)"),
            "\"`$x```\"$([char]0x0151)`$(whoami)\""
        );
        // Two UTF-16 units, as PowerShell counts.
        assert_eq!(quote("\u{1f4e7}"), "\"$([char]0xD83D)$([char]0xDCE7)\"");
    }

    #[test]
    fn security_f17_a_comment_reads_as_it_is() {
        assert_eq!(plain("Recep\u{200b}tion\u{202e} Bot"), "Reception Bot");
        assert_eq!(plain("one\u{2028}two\nthree é"), "one two three ?");
    }

    #[test]
    fn ux_u04_booleans_and_switches_are_written_as_powershell_reads_them() {
        let hide = crate::plan::Plan::hide_group("g");
        assert_eq!(
            hide.line(),
            "Set-DistributionGroup -Identity 'g' -HiddenFromAddressListsEnabled $true -BypassSecurityGroupManagerCheck"
        );
        assert!(
            hide.block().contains(
                "-HiddenFromAddressListsEnabled   $true\n  -BypassSecurityGroupManagerCheck"
            ),
            "{}",
            hide.block()
        );
        let off = Cmdlet::new("Set-DistributionGroup")
            .with("HiddenFromAddressListsEnabled", false)
            .with("BypassSecurityGroupManagerCheck", false);
        assert_eq!(
            off.line(),
            "Set-DistributionGroup -HiddenFromAddressListsEnabled $false -BypassSecurityGroupManagerCheck:$false"
        );
        // The type of an unknown parameter is not known, and the colon is understood for every
        // type.
        let unknown = Cmdlet::new("Set-Something").with("Perhaps", true);
        assert_eq!(unknown.line(), "Set-Something -Perhaps:$true");
    }

    #[test]
    fn no_parameter_is_of_two_kinds_and_no_cmdlet_stands_twice() {
        for pair in parameters::CMDLETS.windows(2) {
            let [one, next] = pair else { continue };
            assert!(one.cmdlet < next.cmdlet, "{}", next.cmdlet);
        }
        assert_eq!(
            takes("set-distributiongroup", "hiddenfromaddresslistsenabled"),
            Some(Takes::Boolean)
        );
        assert_eq!(
            takes("New-ApplicationAccessPolicy", "AppId"),
            Some(Takes::List)
        );
        assert_eq!(
            takes("Remove-DistributionGroup", "Confirm"),
            Some(Takes::Switch)
        );
        assert_eq!(
            takes("New-DistributionGroup", "HiddenFromAddressListsEnabled"),
            None
        );
    }

    #[test]
    fn shows_lines_and_blocks() {
        let cmdlet = Cmdlet::new("New-DistributionGroup")
            .with("Name", "postern-mailer")
            .with("Type", "Security")
            .with("RoomList", true)
            .with("Confirm", false)
            .with(
                "Members",
                vec!["a@b.example".to_owned(), "c@d.example".to_owned()],
            );
        assert_eq!(
            cmdlet.line(),
            "New-DistributionGroup -Name 'postern-mailer' -Type 'Security' -RoomList -Confirm:$false -Members @('a@b.example', 'c@d.example')"
        );
        assert!(cmdlet.block().contains("\n  -Type "));
    }
}
