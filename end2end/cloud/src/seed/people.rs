//! Made-up people.

/// Given names.
pub const GIVEN: [&str; 40] = [
    "Ada", "Amir", "Anouk", "Bastian", "Björn", "Camille", "Chidi", "Clara", "Darya", "Elif",
    "Emil", "Fatima", "Finn", "Freja", "Georg", "Hana", "Henrik", "Ines", "Ivar", "Jana", "Jonas",
    "Karin", "Lars", "Leila", "Luca", "Maja", "Malik", "Mette", "Milan", "Nadia", "Nils", "Oskar",
    "Petra", "Rafael", "Saga", "Signe", "Tariq", "Tilda", "Viktor", "Zoë",
];

/// Family names.
pub const FAMILY: [&str; 40] = [
    "Aalto",
    "Ahmadi",
    "Andersen",
    "Bakker",
    "Bauer",
    "Bergström",
    "Castillo",
    "Dahl",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Forsberg",
    "García",
    "Haddad",
    "Hansen",
    "Holmberg",
    "Ivanova",
    "Jensen",
    "Johansson",
    "Kaya",
    "Keller",
    "Kowalski",
    "Larsen",
    "Lindgren",
    "Marino",
    "Møller",
    "Moreau",
    "Nielsen",
    "Novak",
    "Okafor",
    "Olsen",
    "Petrov",
    "Rossi",
    "Schneider",
    "Silva",
    "Sørensen",
    "Tanaka",
    "Virtanen",
    "Weber",
    "Østergaard",
];

/// What people do.
pub const TITLES: [&str; 12] = [
    "Accountant",
    "Buyer",
    "Chief Executive",
    "Customer Advisor",
    "Designer",
    "Driver",
    "Engineer",
    "Finance Manager",
    "Planner",
    "Project Manager",
    "Sales Representative",
    "Technician",
];

/// Shared mailboxes, the most usual first.
pub const SHARED: [&str; 16] = [
    "Reception",
    "Info",
    "Invoices",
    "Support",
    "Orders",
    "HR",
    "Careers",
    "Press",
    "Warehouse",
    "Returns",
    "Newsletter",
    "Facilities",
    "Purchasing",
    "Service Desk",
    "Scanner",
    "Alerts",
];

/// Rooms.
pub const ROOMS: [&str; 6] = [
    "Fjord", "Summit", "Harbour", "Library", "Atrium", "Workshop",
];

/// Applications of Microsoft's own that every tenant has service principals of.
pub const FIRST_PARTY: [&str; 12] = [
    "Microsoft Teams Services",
    "Office 365 SharePoint Online",
    "Windows Azure Active Directory",
    "Microsoft Intune",
    "Azure Portal",
    "Microsoft Forms",
    "Microsoft Planner",
    "Power BI Service",
    "Office 365 Management APIs",
    "Microsoft To-Do",
    "Microsoft Stream Service",
    "OneDrive",
];

/// The local part of an address made of a name: ASCII only.
pub fn local_part(name: &str) -> String {
    let mut out = String::new();
    for character in name.to_lowercase().chars() {
        match character {
            'ä' | 'å' | 'á' | 'à' => out.push('a'),
            'æ' => out.push_str("ae"),
            'ö' | 'ø' | 'ó' => out.push('o'),
            'ü' | 'ú' => out.push('u'),
            'ë' | 'é' | 'è' => out.push('e'),
            'í' => out.push('i'),
            'ñ' => out.push('n'),
            'ß' => out.push_str("ss"),
            ' ' => out.push('.'),
            other if other.is_ascii_alphanumeric() || other == '.' || other == '-' => {
                out.push(other);
            }
            _ => {}
        }
    }
    out
}
