//! The files that browsers load: scripts, WebAssembly, style.

use std::{path::Path, sync::Arc};

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
/// Written by the build when file names carry a hash of what is in them.
const HASHES: &str = "hash.txt";
const SHORTEST_HASH: usize = 8;

/// How pages name the files in `site`.
pub(super) fn options(site: &Path) -> LeptosOptions {
    let hashes = site.join(HASHES);
    let hashed = hashes.is_file();
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
        .hash_files(hashed)
        // Absolute, because leptos looks beside the binary otherwise.
        .hash_file(Arc::from(hashes.to_string_lossy()))
        .build()
}

/// The address of the style sheet, for pages that are not the app's.
pub(super) fn stylesheet(options: &LeptosOptions) -> String {
    let hash = if options.hash_files {
        std::fs::read_to_string(options.hash_file.as_ref())
            .ok()
            .and_then(|text| {
                text.lines()
                    .filter_map(|line| line.split_once(':'))
                    .find(|(kind, _)| kind.trim() == "css")
                    .map(|(_, hash)| format!(".{}", hash.trim()))
            })
    } else {
        None
    };
    format!("/{FOLDER}/{NAME}{}.css", hash.unwrap_or_default())
}

/// What is in the style sheet, as it can stand within a document.
pub(super) fn style(options: &LeptosOptions) -> Option<Arc<str>> {
    let address = stylesheet(options);
    let path = Path::new(options.site_root.as_ref()).join(address.trim_start_matches('/'));
    let text = std::fs::read_to_string(path).ok()?;
    (!text.contains("</")).then(|| text.into())
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

/// A name with a hash never changes what it names; everything else is asked for again each time,
/// and answered with “not modified”.
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

/// `postern.3f9a51c07be2.js`
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut parts = name.split('.').skip(1);
    let hash = parts.next().unwrap_or_default();
    parts.next().is_some()
        && hash.len() >= SHORTEST_HASH
        && hash
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
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
    use super::is_hashed;

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
