//! The server functions that change something, and their addresses. Pages call them through forms,
//! so that they work before the page has been hydrated.

macro_rules! addresses {
    ($($name:ident $endpoint:literal;)*) => {
        $(pub const $name: &str = concat!("/api/", $endpoint);)*

        #[cfg(all(test, feature = "ssr"))]
        const ALL: &[&str] = &[$($name),*];
    };
}

addresses! {
    CONNECT "connect";
    RECONNECT "reconnect";
    MAKE_LINK "make_link";
    REVOKE_LINK "revoke_link";
    JOIN "join";
    DISCONNECT "disconnect";
    SET_ROLE "set_role";
    END_SESSION "end_session";
    END_SESSIONS_OF "end_sessions_of";
    START_SETUP "start_setup";
    CANCEL_SETUP "cancel_setup";
    RETRY_SETUP "retry_setup";
    LOOK_NOW "look_now";
    SKIP_PROOF "skip_proof";
    ROLL_BACK "roll_back";
    GIVE_SECRET "give_secret";
    PROVE_AGAIN "prove_again";
    SCAN_ALL "scan_all";
    CANCEL_SCAN_ALL "cancel_scan_all";
    SCAN_ONE "scan_one";
}

#[cfg(feature = "ssr")]
mod connections;
#[cfg(feature = "ssr")]
mod people;
#[cfg(feature = "ssr")]
mod scans;
#[cfg(feature = "ssr")]
mod setups;

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::server_fn::axum::server_fn_paths;

    #[test]
    fn every_form_has_its_server_function() {
        let paths: Vec<&str> = server_fn_paths().map(|(path, _)| path).collect();
        for form in super::ALL {
            assert!(paths.contains(form), "{form}");
        }
    }
}
