//! Queries over collections: `$filter $search $select $orderby $top $count` and page links.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Map, Value, json};

use super::Context;
use super::errors::GraphError;
use super::filter::{self, Filter};
use super::{properties, routes};
use crate::decisions::{GRAPH_PAGE, GRAPH_PAGE_LINK_SECONDS, GRAPH_PAGE_MOST};
use crate::http_parts::{Reply, percent_encode};

/// What a collection allows.
#[derive(Debug)]
pub struct Shape {
    /// Name in `@odata.context`.
    pub name: &'static str,
    /// Properties without `$select`; empty = all.
    pub default: &'static [&'static str],
    pub filterable: &'static [&'static str],
    /// Properties that `$search` looks into; empty = no search.
    pub searchable: &'static [&'static str],
    /// The most that `$top` may say.
    pub top: usize,
}

const OPTIONS: [&str; 9] = [
    "$filter",
    "$search",
    "$select",
    "$orderby",
    "$top",
    "$count",
    "$skiptoken",
    "$format",
    "$expand",
];

/// Refuses query options that the cloud does not know; `allowed` narrows further. Names without a
/// dollar sign mean nothing to Graph and pass.
pub fn check_options(context: &Context<'_>, allowed: &[&str]) -> Result<(), GraphError> {
    for (name, _) in &context.call.query {
        if !name.starts_with('$') {
            continue;
        }
        if !OPTIONS.contains(&name.as_str()) {
            return Err(GraphError::query(format!(
                "The query option '{name}' is not supported."
            )));
        }
        if !allowed.contains(&name.as_str()) {
            return Err(GraphError::query(format!(
                "The query specified in the URI is not valid. Query option '{name}' is not allowed here."
            )));
        }
    }
    Ok(())
}

/// The relationships that `$expand` asks for, all of them among `known`. What follows one in
/// brackets is taken as read: an expanded object shows whole.
pub fn expanded(context: &Context<'_>, known: &[&str]) -> Result<Vec<String>, GraphError> {
    let Some(text) = context.call.query("$expand") else {
        return Ok(Vec::new());
    };
    let mut names: Vec<String> = vec![String::new()];
    let mut depth = 0_usize;
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => names.push(String::new()),
            other if depth == 0 => {
                if let Some(name) = names.last_mut() {
                    name.push(other);
                }
            }
            _ => {}
        }
    }
    for name in &names {
        if !known.contains(&name.as_str()) {
            return Err(GraphError::new(
                400,
                "BadRequest",
                format!(
                    "Parsing OData Select and Expand failed: '{name}' cannot be expanded here."
                ),
            ));
        }
    }
    Ok(names)
}

/// The members of a relationship that `$expand` shows: 20 at most, and no link to the rest
/// (MICROSOFT.md §7.5).
pub const EXPANDED_MOST: usize = 20;

/// A page of a collection.
pub fn list(context: &Context<'_>, rows: Vec<Value>, shape: &Shape) -> Result<Reply, GraphError> {
    list_expanding(context, rows, shape, &[])
}

/// A page of a collection whose rows hold these relationships.
pub fn list_expanding(
    context: &Context<'_>,
    mut rows: Vec<Value>,
    shape: &Shape,
    expanded: &[String],
) -> Result<Reply, GraphError> {
    let mut allowed = vec![
        "$filter",
        "$search",
        "$select",
        "$orderby",
        "$top",
        "$count",
        "$skiptoken",
        "$format",
    ];
    if !expanded.is_empty() {
        allowed.push("$expand");
    }
    check_options(context, &allowed)?;
    let call = context.call;
    let ending = routes::ending(call);
    let kind = match &ending.cast {
        Some(cast) => cast.as_str(),
        None => properties::type_of(shape.name),
    };
    if let Some(cast) = &ending.cast {
        let name = format!("#microsoft.graph.{cast}");
        rows.retain(|row| row.get("@odata.type").and_then(Value::as_str) == Some(&name));
    }
    let eventual = call
        .header("consistencylevel")
        .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
    let count = call.query("$count") == Some("true");
    if let Some(text) = call.query("$filter") {
        let filter = filter::parse(text).map_err(|refused| match refused {
            filter::Refused::Broken(why) => {
                GraphError::new(400, "BadRequest", format!("Invalid filter clause: {why}"))
            }
            filter::Refused::Unsupported(why) => GraphError::query(why),
        })?;
        check_filter(&filter, shape, kind, eventual && count)?;
        rows.retain(|row| filter.matches(row));
    }
    if let Some(text) = call.query("$search") {
        if shape.searchable.is_empty() {
            return Err(GraphError::query(
                "Query option '$search' is not allowed here.",
            ));
        }
        if !eventual {
            return Err(GraphError::query(
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        let terms = search_terms(text, shape)?;
        rows.retain(|row| terms.iter().all(|(name, term)| found(row, name, term)));
    }
    if let Some(order) = call.query("$orderby") {
        let of_directory = properties::is_of_directory(kind);
        if of_directory && call.query("$filter").is_some() && !(eventual && count) {
            return Err(GraphError::query(
                "Sorting not supported for current query.",
            ));
        }
        sort(&mut rows, order, shape)?;
    }
    let total = rows.len();
    if ending.count {
        return if eventual {
            Ok(Reply::text(200, &total.to_string()))
        } else {
            Err(GraphError::bad("$count is not currently supported."))
        };
    }
    let top = match call.query("$top") {
        None => GRAPH_PAGE.min(shape.top),
        Some(text) => match text.parse::<usize>() {
            Ok(top) if (1..=shape.top).contains(&top) => top,
            _ => {
                return Err(GraphError::query(format!(
                    "Invalid page size specified: '{text}'. Must be between 1 and {} inclusive.",
                    shape.top
                )));
            }
        },
    };
    let offset = match call.query("$skiptoken") {
        None => 0,
        Some(token) => read_token(context, token)?,
    };
    let select = select_of(context, shape)?;
    check_select(context, shape, kind, &select, &rows)?;
    let mut page: Vec<Value> = rows.into_iter().skip(offset).take(top).collect();
    for row in &mut page {
        finish(context, row, kind, &select, expanded);
    }
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        odata_context(context, shape.name, &select).into(),
    );
    if count && eventual {
        body.insert("@odata.count".to_owned(), total.into());
    }
    if offset + page.len() < total {
        body.insert(
            "@odata.nextLink".to_owned(),
            next_link(context, offset + page.len()).into(),
        );
    }
    body.insert("value".to_owned(), Value::Array(page));
    Ok(Reply::json(200, &Value::Object(body)))
}

/// One entity.
pub fn entity(context: &Context<'_>, row: Value, shape: &Shape) -> Result<Reply, GraphError> {
    entity_expanding(context, row, shape, &[])
}

/// One entity that holds these relationships.
pub fn entity_expanding(
    context: &Context<'_>,
    mut row: Value,
    shape: &Shape,
    expanded: &[String],
) -> Result<Reply, GraphError> {
    let mut allowed = vec!["$select", "$format"];
    if !expanded.is_empty() {
        allowed.push("$expand");
    }
    check_options(context, &allowed)?;
    let select = select_of(context, shape)?;
    let kind = properties::type_of(shape.name);
    check_select(context, shape, kind, &select, std::slice::from_ref(&row))?;
    finish(context, &mut row, kind, &select, expanded);
    if let Some(map) = row.as_object_mut() {
        map.insert(
            "@odata.context".to_owned(),
            format!("{}/$entity", odata_context(context, shape.name, &select)).into(),
        );
    }
    Ok(Reply::json(200, &row))
}

/// A type's name as the directory's own errors write it: `user` is `User`.
fn resource(kind: &str) -> String {
    let mut letters = kind.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn check_filter(
    filter: &Filter,
    shape: &Shape,
    kind: &str,
    advanced: bool,
) -> Result<(), GraphError> {
    for name in filter.properties() {
        if shape.filterable.contains(&name) {
            continue;
        }
        let head = name.split('/').next().unwrap_or(name);
        if properties::is_known(kind) && !properties::has(kind, head) {
            return Err(GraphError::new(
                400,
                "BadRequest",
                format!(
                    "Invalid filter clause: Could not find a property named '{head}' on type 'microsoft.graph.{kind}'."
                ),
            ));
        }
        return Err(GraphError::query(format!(
            "Unsupported or invalid query filter clause specified for property '{name}' of resource '{}'.",
            resource(kind)
        )));
    }
    if filter.is_advanced() && !advanced {
        return Err(GraphError::query(
            "Operator 'NotEqualsMatch', 'Not' or 'endsWith' is not supported because the required parameters might be missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header.",
        ));
    }
    Ok(())
}

fn search_terms(text: &str, shape: &Shape) -> Result<Vec<(String, String)>, GraphError> {
    let mut terms = Vec::new();
    for part in text.split(" AND ") {
        let bare = part.trim().trim_matches('"');
        let (name, term) = bare.split_once(':').ok_or_else(|| {
            GraphError::query("Syntax error in $search: write \"property:value\".")
        })?;
        if !shape.searchable.contains(&name) {
            return Err(GraphError::query(format!(
                "$search on the property '{name}' is not supported."
            )));
        }
        terms.push((name.to_owned(), term.to_lowercase()));
    }
    Ok(terms)
}

/// Names are searched by the beginnings of their words, other properties by their beginning.
fn found(row: &Value, name: &str, term: &str) -> bool {
    let text = row
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_lowercase();
    text.starts_with(term)
        || (name == "displayName"
            && text
                .split(|character: char| !character.is_alphanumeric())
                .any(|word| word.starts_with(term)))
}

fn sort(rows: &mut [Value], order: &str, shape: &Shape) -> Result<(), GraphError> {
    let (name, direction) = order
        .trim()
        .split_once(' ')
        .unwrap_or((order.trim(), "asc"));
    if !shape.filterable.contains(&name) || !["asc", "desc"].contains(&direction) {
        return Err(GraphError::query(format!(
            "Sorting by '{order}' is not supported for this resource."
        )));
    }
    let key = |row: &Value| {
        row.get(name)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_lowercase()
    };
    rows.sort_by_key(key);
    if direction == "desc" {
        rows.reverse();
    }
    Ok(())
}

/// The properties to keep; empty = all.
fn select_of(context: &Context<'_>, shape: &Shape) -> Result<Vec<String>, GraphError> {
    match context.call.query("$select") {
        None => Ok(shape
            .default
            .iter()
            .map(|name| (*name).to_owned())
            .collect()),
        Some(text) => {
            let names: Vec<String> = text
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect();
            if names.is_empty() {
                return Err(GraphError::query("The $select option is empty."));
            }
            Ok(names)
        }
    }
}

/// Properties that are neither documented nor in any row do not exist: better a refusal than
/// silence. Of a type whose properties are not known, nobody can tell where there is no row.
fn check_select(
    context: &Context<'_>,
    shape: &Shape,
    kind: &str,
    select: &[String],
    rows: &[Value],
) -> Result<(), GraphError> {
    let known = properties::is_known(kind);
    if context.call.query("$select").is_none() || (rows.is_empty() && !known) {
        return Ok(());
    }
    let unknown = select.iter().find(|name| {
        let listed = shape.default.contains(&name.as_str());
        !listed
            && *name != "*"
            && !properties::has(kind, name)
            && !rows.iter().any(|row| row.get(name.as_str()).is_some())
    });
    match unknown {
        None => Ok(()),
        Some(name) => Err(GraphError::new(
            400,
            "BadRequest",
            format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            ),
        )),
    }
}

/// Gives a row the properties that it shows, and takes the others away but those expanded.
fn finish(
    context: &Context<'_>,
    row: &mut Value,
    kind: &str,
    select: &[String],
    expanded: &[String],
) {
    let selected = context.call.query("$select").is_some();
    properties::complete(row, kind, selected.then_some(select));
    if select.is_empty() {
        return;
    }
    // The directory gives no id that was not asked for.
    let with_id = !properties::is_of_directory(kind);
    if let Some(map) = row.as_object_mut() {
        map.retain(|key, _| {
            key.starts_with('@')
                || (key == "id" && with_id)
                || select.iter().any(|name| name == key || name == "*")
                || expanded.contains(key)
        });
    }
}

fn odata_context(context: &Context<'_>, name: &str, select: &[String]) -> String {
    let base = &context.world.base;
    let version = context.version;
    // These stand below the service principal that they are of.
    let below = match name {
        "appRoleAssignments" | "appRoleAssignedTo" => match context.key(0) {
            key if key.contains('=') => format!("servicePrincipals({key})/{name}"),
            key => format!("servicePrincipals('{key}')/{name}"),
        },
        name => name.to_owned(),
    };
    let name = below.as_str();
    if context.call.query("$select").is_some() {
        format!("{base}/{version}/$metadata#{name}({})", select.join(","))
    } else {
        format!("{base}/{version}/$metadata#{name}")
    }
}

/// The rest of the query goes along, so that following the link repeats it.
fn next_link(context: &Context<'_>, offset: usize) -> String {
    let token = json!({
        "offset": offset,
        "made": context.world.dice.now().timestamp(),
        "path": context.call.path,
    });
    let mut link = format!("{}{}?", context.world.base, context.call.path);
    for (name, value) in &context.call.query {
        if name != "$skiptoken" {
            link.push_str(&format!("{name}={}&", percent_encode(value)));
        }
    }
    format!("{link}$skiptoken={}", BASE64.encode(token.to_string()))
}

fn read_token(context: &Context<'_>, token: &str) -> Result<usize, GraphError> {
    let refuse = || {
        GraphError::new(
            400,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired or is invalid, so it can no longer be included in your request.",
        )
    };
    let value: Value = BASE64
        .decode(token)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(refuse)?;
    let made = value
        .get("made")
        .and_then(Value::as_i64)
        .ok_or_else(refuse)?;
    let path = value.get("path").and_then(Value::as_str).unwrap_or("");
    let age = context.world.dice.now().timestamp() - made;
    if age
        > context
            .world
            .dice
            .clock
            .at_least_on_wall(GRAPH_PAGE_LINK_SECONDS)
        || path != context.call.path
    {
        return Err(refuse());
    }
    value
        .get("offset")
        .and_then(Value::as_u64)
        .and_then(|offset| usize::try_from(offset).ok())
        .ok_or_else(refuse)
}

/// The usual most of `$top`.
pub const TOP: usize = GRAPH_PAGE_MOST;
