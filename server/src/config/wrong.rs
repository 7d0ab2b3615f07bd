//! Mistakes in the settings.

use std::fmt;

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The setting's name in the environment.
    pub name: String,
    /// What is wrong. The text never holds a secret.
    pub what: String,
    /// What to write instead.
    pub example: String,
}

/// All mistakes in the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Wrong {
    pub mistakes: Vec<Mistake>,
}

impl Wrong {
    /// A single mistake that shows only when the setting is used.
    pub(crate) fn one(name: &str, what: String, example: String) -> Self {
        Self {
            mistakes: vec![Mistake {
                name: name.to_owned(),
                what,
                example,
            }],
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => writeln!(f, "a setting is not right.")?,
            many => writeln!(f, "{many} settings are not right.")?,
        }
        for mistake in &self.mistakes {
            write!(
                f,
                "\n{}: {}\n    For example: {}\n",
                mistake.name, mistake.what, mistake.example
            )?;
        }
        Ok(())
    }
}

/// Collects mistakes while values are read.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, name: &str, what: impl Into<String>, example: impl Into<String>) {
        self.0.push(Mistake {
            name: name.to_owned(),
            what: what.into(),
            example: example.into(),
        });
    }

    /// Returns the value, or records a mistake with the error's text.
    pub(super) fn take<T, E: fmt::Display>(
        &mut self,
        name: &str,
        example: &str,
        value: Result<T, E>,
    ) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(name, error.to_string(), format!("{name}={example}"));
                None
            }
        }
    }

    pub(super) fn into_wrong(self) -> Wrong {
        Wrong { mistakes: self.0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
