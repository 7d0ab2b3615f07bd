//! One problem as a whole page, without the app. This page must work when nothing else does.

use axum::http::StatusCode;
use leptos::prelude::*;

use super::refusal::Refusal;

/// The document. It escapes everything, because Microsoft's texts come from outside.
pub(super) fn of(stylesheet: &str, refusal: &Refusal) -> String {
    let problem = (*refusal.problem).clone();
    let title = title(refusal.status);
    let action = refusal.action.map(|(href, label)| {
        view! { <p class="actions"><a class="btn primary large" href=href>{label}</a></p> }
    });
    let answer = problem.microsoft.map(|answer| {
        let rows: Vec<(&str, String)> = [
            ("Code", answer.code),
            ("Message", answer.message),
            ("Request id", answer.request_id),
            ("Our request id", answer.client_request_id),
            ("In Postern", Some(problem.key.clone())),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
        let rows = rows
            .into_iter()
            .map(|(name, value)| view! { <div><dt>{name}</dt><dd class="mono">{value}</dd></div> })
            .collect_view();
        view! {
            <details class="fold">
                <summary>"What Microsoft answered"</summary>
                <div class="sunken"><dl class="pairs">{rows}</dl></div>
            </details>
        }
    });
    let class = if refusal.status.is_success() {
        "problem good"
    } else {
        "problem bad"
    };
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                <title>{format!("{title} · Postern")}</title>
                <link rel="stylesheet" href=stylesheet.to_owned()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            </head>
            <body>
                <div class="start">
                    <header><a class="brand" href="/">"Postern"</a></header>
                    <main id="main">
                        <h1>{title}</h1>
                        <div class=class data-problem=problem.key>
                            <div class="lines">
                                <p class="happened">{problem.happened}</p>
                                <p>{problem.means}</p>
                                <p class="todo">{problem.todo}</p>
                                {answer}
                            </div>
                        </div>
                        {action}
                    </main>
                </div>
            </body>
        </html>
    }
    .to_html()
    // Removes hydration markers, which this page does not need. In outside texts `<` is escaped.
    .replace("<!>", "")
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::OK => "Thank you",
        StatusCode::UNAUTHORIZED => "Signed out",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::BAD_GATEWAY => "Microsoft could not be asked",
        status if status.is_server_error() => "Postern could not do this",
        _ => "This did not work",
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        Problem,
        problem::{Answer, Remedy},
    };

    use super::*;

    #[test]
    fn tells_everything_and_escapes_it() {
        let problem = Problem::new(
            "entra.consent_missing",
            Remedy::Act,
            "<script>alert(1)</script>",
            "What it means.",
            "What to do.",
        )
        .with_answer(Answer {
            code: Some("AADSTS65001".into()),
            message: Some("\"quoted\" <b>".into()),
            ..Answer::default()
        });
        let refusal = Refusal::new(StatusCode::BAD_REQUEST, problem).with_action("/a", "Again");
        let page = of("/pkg/postern.css", &refusal);
        for part in [
            "<!DOCTYPE html>",
            "This did not work",
            "What it means.",
            "What to do.",
            "AADSTS65001",
            "href=\"/a\"",
            "/pkg/postern.css",
            "</html>",
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        for part in ["<script", "<b>", "style="] {
            assert!(!page.contains(part), "{part} is in {page}");
        }
        assert!(page.ends_with("</html>"), "{page}");
    }
}
