//! A response as a person sees it.

use reqwest::header::HeaderMap;
use scraper::{ElementRef, Html, Selector};

#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    /// The current address of the browser.
    pub url: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// A form with its current values.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// Names and values of the form's buttons, and of the fields to fill in.
    pub offers: Vec<(String, String)>,
}

impl Form {
    pub fn offers(&self, name: &str) -> bool {
        self.offers.iter().any(|(offered, _)| offered == name)
    }
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).expect("a selector");
    html.select(&selector).collect()
}

fn attribute(element: ElementRef<'_>, name: &str) -> String {
    element.value().attr(name).unwrap_or_default().to_owned()
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The visible text of the page.
    pub fn text(&self) -> String {
        let html = Html::parse_document(&self.body);
        let body = all(&html, "body");
        let words: Vec<&str> = body
            .iter()
            .flat_map(|body| body.text())
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect();
        if words.is_empty() {
            self.body.clone()
        } else {
            words.join(" ")
        }
    }

    /// The key of the first problem on the page.
    pub fn problem(&self) -> Option<String> {
        let html = Html::parse_document(&self.body);
        all(&html, "[data-problem]")
            .first()
            .map(|problem| attribute(*problem, "data-problem"))
    }

    pub fn count(&self, selector: &str) -> usize {
        all(&Html::parse_document(&self.body), selector).len()
    }

    pub fn forms(&self) -> Vec<Form> {
        let html = Html::parse_document(&self.body);
        let input = Selector::parse("input[name]").expect("a selector");
        let button = Selector::parse("button[name]").expect("a selector");
        all(&html, "form")
            .into_iter()
            .map(|form| {
                let mut fields = Vec::new();
                let mut offers = Vec::new();
                for element in form.select(&input) {
                    let pair = (attribute(element, "name"), attribute(element, "value"));
                    if attribute(element, "type") == "hidden" {
                        fields.push(pair);
                    } else {
                        offers.push(pair);
                    }
                }
                for element in form.select(&button) {
                    offers.push((attribute(element, "name"), attribute(element, "value")));
                }
                Form {
                    action: attribute(form, "action"),
                    fields,
                    offers,
                }
            })
            .collect()
    }

    /// The id in `/customers/{id}`.
    pub fn customer_id(&self) -> String {
        let (_, rest) = self
            .url
            .split_once("/customers/")
            .unwrap_or_else(|| panic!("{} is not a customer's page: {}", self.url, self.text()));
        rest.chars()
            .take_while(|c| c.is_ascii_hexdigit() || *c == '-')
            .collect()
    }
}
