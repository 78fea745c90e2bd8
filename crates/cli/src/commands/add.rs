//! `clauth add`.

use clauth_engine::{Kind, PRESETS, preset};
use serde_json::json;

use super::{Call, Done, config};
use crate::failure::Failure;

/// Make a profile of an endpoint: an address and a key instead of a login.
#[derive(clap::Args)]
#[command(after_help = "The key comes from standard input or a prompt. It is kept in the profile's config.toml\n\
    and reaches Claude Code through a helper; only a request to that host gets it.\n\n\
    Presets: deepseek, zai, zai-cn, openrouter, moonshot, moonshot-cn, minimax.\n\n\
    Example: clauth add deep --preset deepseek")]
pub(crate) struct Args {
    /// The new profile
    name: String,
    /// Where the endpoint is
    #[arg(long, value_name = "URL", conflicts_with = "preset")]
    base_url: Option<String>,
    /// A provider that is known by name
    #[arg(long, value_name = "PROVIDER")]
    preset: Option<String>,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let url = address(args)?;
    let url = call.engine.addable(&args.name, url)?;
    let key = config::secret(&format!("Key for {url} (not shown): "), "the key", call)?;
    let added = call.engine.add(&args.name, &url, &key)?;
    let done = Done { command: "add", profile: Some(&added.name), changed: true, warnings: &added.warnings };
    let sentence = format!("'{0}' is the endpoint {1}; to use it: clauth switch {0}", added.name, added.base_url);
    call.answer(&done, &sentence, &json!({"base_url": added.base_url}))
}

fn address(args: &Args) -> Result<&str, Failure> {
    match (&args.base_url, &args.preset) {
        (Some(url), _) => Ok(url),
        (None, Some(name)) => {
            let known = || PRESETS.iter().map(|preset| preset.name);
            let Some(preset) = preset(name) else {
                let meant = clauth_engine::nearest(name, known()).map(|near| format!("did you mean: {near}"));
                let all = format!("presets: {}", known().collect::<Vec<_>>().join(", "));
                let next: Vec<&str> = meant.as_deref().into_iter().chain([all.as_str()]).collect();
                let shown = clauth_engine::shown(name);
                return Err(Failure::new(Kind::Usage, format!("there is no preset '{shown}'"), shown, &next));
            };
            Ok(preset.base_url)
        }
        (None, None) => {
            let next = ["clauth add NAME --base-url URL", "clauth add NAME --preset PROVIDER"];
            Err(Failure::new(Kind::Usage, "it is not said where the endpoint is", args.name.as_str(), &next))
        }
    }
}
