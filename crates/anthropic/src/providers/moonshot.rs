//! Moonshot: a balance of vouchers and cash, of which the cash may be a debt. The region tells the currency.

use serde_json::Value;

use super::{Kind, ProviderAnswer, balance, code, object, part, refused};
use crate::LookupError;

pub(super) const KIND: Kind = Kind {
    title: "Moonshot",
    hosts: &["api.moonshot.ai", CHINA],
    paths: &["/v1/users/me/balance"],
    bare: false,
    parse,
};

const CHINA: &str = "api.moonshot.cn";

fn parse(host: &str, bodies: &[Option<Value>]) -> Result<ProviderAnswer, LookupError> {
    let body = object(bodies)?;
    let code = code(body.get("code"));
    if body.get("status").and_then(Value::as_bool) == Some(false) || code.is_some_and(|code| code != 0) {
        return Err(refused(code, &[401, 403], &[429]));
    }
    let currency = Some(if host == CHINA { "CNY" } else { "USD" });
    let amount = |key: &str| body.get("data")?.get(key);
    let all = balance("balance", amount("available_balance"), currency).ok_or(LookupError::Unparsable)?;
    let parts = [
        part("of it vouchers", amount("voucher_balance"), currency),
        part("of it cash", amount("cash_balance"), currency),
    ];
    let balances = std::iter::once(all).chain(parts.into_iter().flatten()).collect();
    Ok(ProviderAnswer { balances, ..ProviderAnswer::default() })
}
