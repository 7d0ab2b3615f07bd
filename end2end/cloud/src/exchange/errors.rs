//! Exchange's errors: three detail shapes, varying statuses, and bodies of NUL bytes
//! (MICROSOFT.md §1.4).

use serde_json::{Value, json};

use crate::clock::Dice;
use crate::decisions::{NOT_FOUND_STATUSES, NUL_BODY};
use crate::http_parts::Reply;

/// What too many requests at once get, as plain text (§1.4).
pub const BUSY_TEXT: &str = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again in a few minutes.";

/// What went wrong with a cmdlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmdletError {
    /// None: by what is said, as for objects that are not found.
    pub status: Option<u16>,
    /// Full name of the exception's type.
    pub exception: String,
    pub text: String,
    pub style: Style,
}

/// Which parts of the body carry the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `internalexception` alone, as for values that cannot be converted.
    Inner,
    /// `internalexception` and a detail, as for unknown parameters.
    Both,
    /// A detail in one of three shapes, as for what the cmdlet itself says.
    Detail,
}

impl CmdletError {
    /// A failure of the cmdlet itself.
    pub fn failed(exception: &str, text: impl Into<String>) -> Self {
        Self {
            status: Some(400),
            exception: exception.to_owned(),
            text: text.into(),
            style: Style::Detail,
        }
    }

    /// What Exchange has and this cloud has not: an answer of its own, that nobody takes for a
    /// right that is missing or a name that is wrong.
    pub fn not_simulated(what: &str) -> Self {
        Self::failed(
            "Cloud.NotSimulatedException",
            format!("The simulated cloud does not know {what}."),
        )
    }

    /// An object that cannot be found; the text names a random domain controller.
    pub fn not_found(dice: &mut Dice, forest: &str, object: &str) -> Self {
        let number = dice.draw([1, 99]);
        let server = format!(
            "{}A{:02}DC{number:03}.{forest}.PROD.OUTLOOK.COM",
            forest.get(..5).unwrap_or("EURPR"),
            dice.draw([1, 20])
        );
        Self {
            status: Some(not_found_status(&format!("{forest}/{object}"))),
            exception: "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
                .to_owned(),
            text: format!(
                "The operation couldn't be performed because object '{object}' couldn't be found on '{server}'."
            ),
            style: Style::Detail,
        }
    }

    /// Whether it says that an object was not found.
    pub fn is_not_found(&self) -> bool {
        self.exception
            .ends_with("ManagementObjectNotFoundException")
    }

    pub fn already_exists(dice: &mut Dice, forest: &str, distinguished_name: &str) -> Self {
        let server = format!(
            "{}A{:02}DC{:03}.{forest}.PROD.OUTLOOK.COM",
            forest.get(..5).unwrap_or("EURPR"),
            dice.draw([1, 20]),
            dice.draw([1, 99])
        );
        Self::failed(
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            format!(
                "Active directory operation failed on {server}. The object '{distinguished_name}' already exists."
            ),
        )
    }

    /// A parameter that the cmdlet does not have.
    pub fn unknown_parameter(name: &str) -> Self {
        Self {
            status: Some(400),
            exception:
                "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException"
                    .to_owned(),
            text: format!(
                "Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. {name}"
            ),
            style: Style::Both,
        }
    }

    /// Mandatory parameters that are not there.
    pub fn missing_parameters(names: &str) -> Self {
        Self {
            status: Some(400),
            exception: "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterBindingException"
                .to_owned(),
            text: format!(
                "Cannot process command because of one or more missing mandatory parameters: {names}."
            ),
            style: Style::Both,
        }
    }

    /// A value that does not fit its parameter.
    pub fn transformation(parameter: &str, value: &str, kind: &str, why: &str) -> Self {
        Self {
            status: Some(400),
            exception:
                "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException"
                    .to_owned(),
            text: format!(
                "Cannot process argument transformation on parameter '{parameter}'. Cannot convert value \"{value}\" to type \"{kind}\". Error: \"{why}\""
            ),
            style: Style::Inner,
        }
    }

    /// The answer; which detail shape, the dice say.
    pub fn reply(&self, dice: &mut Dice) -> Reply {
        let status = self.status.unwrap_or_else(|| not_found_status(&self.text));
        let code = match status {
            404 => "NotFound",
            500 => "InternalServerError",
            403 => "Forbidden",
            _ => "BadRequest",
        };
        let message = match self.style {
            Style::Detail => "Error executing cmdlet",
            Style::Inner | Style::Both => "Invalid Operation",
        };
        let mut inner = json!({
            "message": message,
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
            "stacktrace": "",
        });
        if self.style != Style::Detail
            && let Some(map) = inner.as_object_mut()
        {
            map.insert(
                "internalexception".to_owned(),
                json!({"message": self.text, "type": self.exception, "stacktrace": ""}),
            );
        }
        let mut error = json!({"code": code, "message": message, "innererror": inner});
        if let Some(map) = error.as_object_mut() {
            match self.style {
                Style::Inner => {
                    map.insert(
                        "adminapi.warnings@odata.type".to_owned(),
                        "#Collection(String)".into(),
                    );
                    map.insert("@adminapi.warnings".to_owned(), json!([]));
                }
                Style::Both => {
                    let text = format!("|{}|{}", self.exception, self.text);
                    map.insert("details".to_owned(), detail(&text, dice));
                }
                Style::Detail => {
                    let text = self.shaped(dice);
                    map.insert("details".to_owned(), detail(&text, dice));
                }
            }
        }
        let bare = self.exception.rsplit('.').next().unwrap_or("");
        Reply::json(status, &json!({ "error": error }))
            .header("X-ExceptionType", bare)
            .header(
                "X-CalculatedBETarget",
                "eurpr01mb0001.eurprd01.prod.exchangelabs.com",
            )
    }

    fn shaped(&self, dice: &mut Dice) -> String {
        let id = format!("Ex{}", dice.word(6).to_uppercase());
        match dice.draw([0, 2]) {
            0 => format!("{id}|{}|{}", self.exception, self.text),
            1 => format!("|{}|{}", self.exception, self.text),
            _ => json!({
                "ClassName": self.exception,
                "Message": self.text,
                "Data": null,
                "InnerException": null,
                "localizedString": {"stringId": id},
            })
            .to_string(),
        }
    }
}

/// The status with which an object is not found: always the same for the same object.
fn not_found_status(object: &str) -> u16 {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::nil(), object.to_lowercase().as_bytes());
    let index = usize::from(id.as_bytes().first().copied().unwrap_or(0)) % NOT_FOUND_STATUSES.len();
    NOT_FOUND_STATUSES.get(index).copied().unwrap_or(404)
}

/// `code` is "Client", or PowerShell's category of the error, by name or by number.
fn detail(text: &str, dice: &mut Dice) -> Value {
    let code = match dice.draw([0, 5]) {
        0 => "InvalidArgument",
        1 => "5",
        _ => "Client",
    };
    json!([{"code": code, "target": "", "message": text}])
}

/// 403 with a body of NUL bytes, which is what "no right here" looks like.
pub fn nul_reply(length: Option<usize>, gzip_lie: bool) -> Reply {
    let reply = Reply::typed(
        403,
        "application/json; odata.metadata=minimal",
        vec![0; length.unwrap_or(NUL_BODY)],
    )
    .header("x-ms-diagnostics", "2000003;reason=\"role required\"");
    if gzip_lie {
        reply.header("Content-Encoding", "gzip")
    } else {
        reply
    }
}

/// 401: the token is not for this, or allows nothing here.
pub fn unauthorized() -> Reply {
    Reply::empty(401).header(
        "WWW-Authenticate",
        "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", token_types=\"app_asserted_user_v1 service_asserted_app_v1\", error=\"invalid_token\"",
    )
}
