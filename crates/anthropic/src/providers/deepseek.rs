//! DeepSeek: a prepaid balance, in one or two currencies, with amounts as texts.

use serde_json::Value;

use super::{Kind, ProviderAnswer, balance, object, part};
use crate::LookupError;
use crate::text::currency;

pub(super) const KIND: Kind =
    Kind { title: "DeepSeek", hosts: &["api.deepseek.com"], paths: &["/user/balance"], bare: false, parse };

fn parse(_: &str, bodies: &[Option<Value>]) -> Result<ProviderAnswer, LookupError> {
    let infos = object(bodies)?.get("balance_infos").and_then(Value::as_array).ok_or(LookupError::Unparsable)?;
    let of = |info: &Value| {
        let currency = info.get("currency").and_then(Value::as_str).and_then(currency);
        let currency = currency.as_deref();
        let all = balance("balance", info.get("total_balance"), currency)?;
        Some(
            std::iter::once(all)
                .chain(part("of it granted", info.get("granted_balance"), currency))
                .collect::<Vec<_>>(),
        )
    };
    let balances: Vec<_> = infos.iter().filter_map(of).flatten().collect();
    if balances.is_empty() && !infos.is_empty() {
        return Err(LookupError::Unparsable);
    }
    Ok(ProviderAnswer { balances, ..ProviderAnswer::default() })
}
