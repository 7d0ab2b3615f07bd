//! Reading the fields of an edit.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Refusal;
use crate::permissions::{DirectoryRole, Resource};
use crate::world::World;

/// An edit's fields; unknown ones are refused, so that a misspelt test fails.
pub struct Fields<'a>(pub &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub fn read(body: &'a Value, known: &[&str]) -> Result<Self, Refusal> {
        let map = body.as_object().ok_or("the body must be an object")?;
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(other) => Err(format!("\"{other}\" is unknown: {}", known.join(", "))),
            None => Ok(Self(map)),
        }
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub fn must(&self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)
            .ok_or_else(|| format!("\"{name}\" is missing"))
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    pub fn id(&self, name: &str) -> Result<Uuid, Refusal> {
        Uuid::parse_str(self.must(name)?).map_err(|_| format!("\"{name}\" is no GUID"))
    }

    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.0.get(name)?.as_array()?;
        Some(
            list.iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        )
    }

    pub fn object(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| value.is_object())
    }
}

pub fn directory_roles(names: &[String]) -> Result<Vec<DirectoryRole>, Refusal> {
    names
        .iter()
        .map(|name| {
            DirectoryRole::from_name(name).ok_or_else(|| format!("there is no role \"{name}\""))
        })
        .collect()
}

pub fn resolve(world: &World, text: &str) -> Result<Uuid, Refusal> {
    world
        .tenants
        .resolve(text)
        .ok_or_else(|| format!("there is no tenant \"{text}\""))
}

pub fn resource(text: Option<&str>) -> Result<Resource, Refusal> {
    match text.unwrap_or("graph") {
        "graph" => Ok(Resource::Graph),
        "exchange" => Ok(Resource::Exchange),
        other => Err(format!("\"{other}\" is no resource: graph or exchange")),
    }
}
