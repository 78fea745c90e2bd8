//! Which proxy a request goes through, by the environment snapshot and not by the library's own look at it.

use clauth_host::Env;
use ureq::Proxy;

/// The proxy for `url`: `Some(None)` for loopback, for hosts of `NO_PROXY`, and where none is named; `None` where the one that
/// is named cannot be used. Going without it would be what nobody asked for.
pub(crate) fn for_url(env: &Env, url: &str) -> Option<Option<Proxy>> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host_of(authority);
    if is_loopback(host) || exempt(env, host) {
        return Some(None);
    }
    let names: [&str; 4] = if scheme == "https" {
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        // `HTTP_PROXY` in capitals may come from a request to a CGI program; curl ignores it for that reason too.
        ["http_proxy", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    let Some(named) = names.iter().find_map(|name| env.get(name)) else { return Some(None) };
    proxy(named.to_str()?).map(Some)
}

/// Whether requests could go through a proxy at this address.
#[must_use]
pub fn is_proxy(address: &str) -> bool {
    proxy(address).is_some()
}

fn proxy(address: &str) -> Option<Proxy> {
    Proxy::new(address.trim()).ok()
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
        let name =
            entry.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(entry, |(name, _)| name);
        let domain = name.trim_start_matches("*.").trim_start_matches('.');
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
            assert_eq!(for_url(&env, url).expect("one that can be used").is_some(), proxied, "{name}");
        }
    }
}
