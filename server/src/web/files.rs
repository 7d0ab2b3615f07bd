//! The files that browsers load: scripts, WebAssembly, style.

use std::path::Path;

use app::SiteFiles;
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use leptos::config::LeptosOptions;
use tower_http::services::ServeDir;

use super::Web;

const NAME: &str = "postern";
const FOLDER: &str = "pkg";
/// The build writes this file when file names carry a hash of their content.
const HASHES: &str = "hash.txt";
const SHORTEST_HASH: usize = 8;

/// The Leptos options for the files in `site`.
pub(super) fn options(site: &Path) -> LeptosOptions {
    if !site.join(FOLDER).is_dir() {
        tracing::warn!(
            site = %site.display(),
            "there is no folder {FOLDER}: pages come without style and script"
        );
    }
    LeptosOptions::builder()
        .output_name(NAME)
        .site_root(site.to_string_lossy().into_owned())
        .site_pkg_dir(FOLDER)
        .build()
}

/// The files that documents link to, as the build in `site` left them.
pub(super) fn of_site(site: &Path) -> SiteFiles {
    let hashes = std::fs::read_to_string(site.join(HASHES)).unwrap_or_default();
    let stylesheet = address(&hashes, "css");
    let style = std::fs::read_to_string(site.join(stylesheet.trim_start_matches('/')));
    SiteFiles {
        script: address(&hashes, "js").into(),
        wasm: address(&hashes, "wasm").into(),
        stylesheet: stylesheet.into(),
        style: style
            .ok()
            .filter(|text| stands_in_a_document(text))
            .map(Into::into),
    }
}

/// The address of a file. `hashes` has lines of `kind: hash`.
fn address(hashes: &str, kind: &str) -> String {
    let hash = hashes
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == kind)
        .map(|(_, hash)| hash.trim())
        .filter(|hash| is_hash(hash));
    match hash {
        Some(hash) => format!("/{FOLDER}/{NAME}.{hash}.{kind}"),
        None => format!("/{FOLDER}/{NAME}.{kind}"),
    }
}

/// Whether the style sheet can stand inside a `style` element: nothing in it closes the element.
fn stands_in_a_document(style: &str) -> bool {
    !style.contains("</")
}

pub(super) fn routes(options: &LeptosOptions) -> Router<Web> {
    let folder = Path::new(options.site_root.as_ref()).join(FOLDER);
    let files = ServeDir::new(folder)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    Router::new()
        .nest_service("/pkg", files)
        .layer(middleware::from_fn(say_how_long))
        .route("/favicon.svg", get(favicon))
}

/// Sets the cache headers. A file whose name has a hash never changes. Every other file is
/// revalidated each time, and answered with “not modified”.
async fn say_how_long(request: Request, next: Next) -> Response {
    let hashed = is_hashed(request.uri().path());
    let mut response = next.run(request).await;
    let good = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let value = match (good, hashed) {
        (true, true) => "public, max-age=31536000, immutable",
        (true, false) => "no-cache",
        (false, _) => "no-store",
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}

/// Whether the name has a hash, as in `postern.3f9a51c07be2.js`.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut parts = name.split('.').skip(1);
    let hash = parts.next().unwrap_or_default();
    parts.next().is_some() && is_hash(hash)
}

fn is_hash(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.len() >= SHORTEST_HASH && text.chars().all(fits)
}

async fn favicon() -> Response {
    (
        [
            (header::CONTENT_TYPE, "image/svg+xml"),
            (header::CACHE_CONTROL, "public, max-age=86400"),
        ],
        include_str!("favicon.svg"),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::{address, is_hashed, stands_in_a_document};

    #[test]
    fn names_files_as_the_build_did() {
        let hashes = "js: 0123abcd\nwasm: 4567ef01\n";
        assert_eq!(address(hashes, "js"), "/pkg/postern.0123abcd.js");
        assert_eq!(address(hashes, "wasm"), "/pkg/postern.4567ef01.wasm");
        assert_eq!(address(hashes, "css"), "/pkg/postern.css");
        assert_eq!(address("", "js"), "/pkg/postern.js");
        assert_eq!(address("js: 01\";alert(1)//", "js"), "/pkg/postern.js");
    }

    #[test]
    fn a_style_that_ends_its_element_stays_outside() {
        assert!(stands_in_a_document("a > b { content: '<' }"));
        assert!(!stands_in_a_document("a { content: '</style><script>' }"));
    }

    #[test]
    fn knows_names_that_never_change() {
        for name in ["/pkg/postern.3f9a51c07be2.js", "/pkg/postern.aB-_0123.wasm"] {
            assert!(is_hashed(name), "{name}");
        }
        for name in [
            "/pkg/postern.js",
            "/pkg/postern.css",
            "/pkg/postern.min.js",
            "/pkg/3f9a51c07be2.js",
            "/pkg/",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
