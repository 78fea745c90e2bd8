//! Which proxy a request goes through, by the environment snapshot and not by the library's own look at it.

use clauth_host::Env;
use ureq::Proxy;

/// The proxy for `url`; none for loopback, for hosts of `NO_PROXY`, and where none is named.
pub(crate) fn for_url(env: &Env, url: &str) -> Option<Proxy> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host_of(authority);
    if is_loopback(host) || exempt(env, host) {
        return None;
    }
    let names: [&str; 4] = if scheme == "https" {
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        // `HTTP_PROXY` in capitals may come from a request to a CGI program; curl ignores it for that reason too.
        ["http_proxy", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    names.iter().find_map(|name| env.text(name)).and_then(|address| Proxy::new(address).ok())
}

/// Whether requests could go through a proxy at this address; one that cannot be understood is not used.
#[must_use]
pub fn is_proxy(address: &str) -> bool {
    Proxy::new(address).is_ok()
}

fn host_of(authority: &str) -> &str {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn exempt(env: &Env, host: &str) -> bool {
    let Some(list) = env.text("NO_PROXY").or_else(|| env.text("no_proxy")) else { return false };
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == "*"
            || host.eq_ignore_ascii_case(domain)
            || host.to_lowercase().ends_with(&format!(".{}", domain.to_lowercase()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_the_environments() {
        let url = "https://api.anthropic.com/api/oauth/profile";
        for (name, env, url, proxied) in [
            ("none", vec![], url, false),
            ("https", vec![("HTTPS_PROXY", "http://proxy.example:3128")], url, true),
            ("all", vec![("ALL_PROXY", "http://proxy.example:3128")], url, true),
            (
                "exempt",
                vec![("HTTPS_PROXY", "http://proxy.example:3128"), ("NO_PROXY", "other, .anthropic.com")],
                url,
                false,
            ),
            (
                "not exempt",
                vec![("HTTPS_PROXY", "http://proxy.example:3128"), ("NO_PROXY", "notanthropic.com")],
                url,
                true,
            ),
            ("loopback", vec![("ALL_PROXY", "http://proxy.example:3128")], "http://127.0.0.1:80/x", false),
            ("loopback 6", vec![("ALL_PROXY", "http://proxy.example:3128")], "http://[::1]:80/x", false),
        ] {
            let env: Env = env.into_iter().collect();
            assert_eq!(for_url(&env, url).is_some(), proxied, "{name}");
        }
    }
}
