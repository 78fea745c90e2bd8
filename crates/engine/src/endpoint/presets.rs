//! Endpoints that are known by name. Each is what its provider's documentation gives for Claude Code.

/// A provider.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// What it is called by.
    pub name: &'static str,
    /// Where it is.
    pub base_url: &'static str,
    /// Who it is, for people.
    pub title: &'static str,
}

/// The providers. A region has a host of its own, and a key works in one region only.
pub const PRESETS: &[Preset] = &[
    Preset { name: "deepseek", base_url: "https://api.deepseek.com/anthropic", title: "DeepSeek" },
    Preset { name: "zai", base_url: "https://api.z.ai/api/anthropic", title: "Z.ai" },
    Preset { name: "zai-cn", base_url: "https://open.bigmodel.cn/api/anthropic", title: "Z.ai in China" },
    Preset { name: "openrouter", base_url: "https://openrouter.ai/api", title: "OpenRouter" },
    Preset { name: "moonshot", base_url: "https://api.moonshot.ai/anthropic", title: "Moonshot" },
    Preset { name: "moonshot-cn", base_url: "https://api.moonshot.cn/anthropic", title: "Moonshot in China" },
    Preset { name: "minimax", base_url: "https://api.minimax.io/anthropic", title: "MiniMax" },
];

/// The provider called so.
#[must_use]
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_an_address_that_would_be_taken() {
        for preset in PRESETS {
            assert_eq!(crate::check_url(preset.base_url).as_deref(), Ok(preset.base_url), "{}", preset.name);
        }
        assert!(preset("DeepSeek").is_some() && preset("nobody").is_none());
    }
}
