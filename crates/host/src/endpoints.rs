//! Where requests go.

use crate::Env;

/// Base addresses and whole addresses of the services that clauth may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Base of `/api/oauth/*`.
    pub api: String,
    /// Base of the status page.
    pub status: String,
    /// Whole address of the token endpoint.
    pub token: String,
    /// Whole address of the list of prices; `None` for the one that comes with the program.
    pub prices: Option<String>,
    /// Base of every provider behind an endpoint profile; `None` for each one's own host.
    pub providers: Option<String>,
    /// Names of the variables that replaced a default, for `doctor`.
    pub replaced: Vec<&'static str>,
}

/// An endpoint variable that names something else than loopback http.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable} may only name a loopback http address such as http://127.0.0.1:8080")]
pub struct EndpointError {
    /// The variable's name.
    pub variable: &'static str,
}

impl Endpoints {
    /// The real services, each replaceable by a loopback address (`contract.md`).
    ///
    /// # Errors
    /// A variable that names anything but loopback http.
    pub fn from_env(env: &Env) -> Result<Self, EndpointError> {
        let mut replaced = Vec::new();
        let given = |variable: &'static str| env.raw(variable).is_some();
        let mut pick = |variable: &'static str, default: &str| match env.raw(variable) {
            None => Ok(default.to_owned()),
            Some(value) => {
                let value = value.to_str().filter(|text| is_loopback(text)).ok_or(EndpointError { variable })?;
                replaced.push(variable);
                Ok(value.trim_end_matches('/').to_owned())
            }
        };
        Ok(Self {
            api: pick("CLAUTH_API_URL", "https://api.anthropic.com")?,
            status: pick("CLAUTH_STATUS_URL", "https://status.claude.com")?,
            prices: if given("CLAUTH_PRICES_URL") { Some(pick("CLAUTH_PRICES_URL", "")?) } else { None },
            providers: if given("CLAUTH_PROVIDERS_URL") { Some(pick("CLAUTH_PROVIDERS_URL", "")?) } else { None },
            token: pick("CLAUTH_TOKEN_URL", "https://platform.claude.com/v1/oauth/token")?,
            replaced,
        })
    }
}

/// Whether `url` is `http://` to this machine itself.
fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
            None => return false,
        },
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback && (port.is_empty() || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_http_replaces_an_endpoint() {
        for (value, allowed) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:1/base/", true),
            ("http://[::1]:99", true),
            ("http://127.0.0.1", true),
            ("https://127.0.0.1:8080", false),
            ("http://127.0.0.1.example.com", false),
            ("http://127.0.0.1@example.com", false),
            ("http://127.0.0.1:80@example.com", false),
            ("http://example.com", false),
            ("ftp://127.0.0.1", false),
            ("", false),
        ] {
            let env: Env = [("CLAUTH_API_URL", value)].into_iter().collect();
            assert_eq!(Endpoints::from_env(&env).is_ok(), allowed, "{value}");
        }
    }

    #[test]
    fn a_replaced_endpoint_is_remembered() {
        let env: Env = [("CLAUTH_TOKEN_URL", "http://127.0.0.1:1/t/")].into_iter().collect();
        let endpoints = Endpoints::from_env(&env).expect("loopback");
        assert_eq!(endpoints.token, "http://127.0.0.1:1/t");
        assert_eq!(endpoints.api, "https://api.anthropic.com");
        assert_eq!(endpoints.replaced, ["CLAUTH_TOKEN_URL"]);
    }

    #[test]
    fn each_endpoint_variable_is_checked() {
        for variable in
            ["CLAUTH_API_URL", "CLAUTH_STATUS_URL", "CLAUTH_TOKEN_URL", "CLAUTH_PRICES_URL", "CLAUTH_PROVIDERS_URL"]
        {
            let env: Env = [(variable, "http://x")].into_iter().collect();
            assert_eq!(Endpoints::from_env(&env), Err(EndpointError { variable }));
            let env: Env = [(variable, "http://127.0.0.1:1")].into_iter().collect();
            assert_eq!(Endpoints::from_env(&env).expect("loopback").replaced, [variable]);
        }
    }
}
