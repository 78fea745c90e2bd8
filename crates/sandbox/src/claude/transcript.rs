//! Transcript lines, in the shape of facts §8.4.

use serde_json::{Value, json};

use super::VERSION;
use super::process::Claude;
use crate::{disk, entropy, time};

impl Claude {
    /// Where the session's lines go: the working directory with every other character than a letter or digit as `-`.
    fn transcript(&self) -> std::path::PathBuf {
        let cwd = self.cwd.to_string_lossy();
        let name: String = cwd.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(200).collect();
        self.dirs.config.join("projects").join(name).join(format!("{}.jsonl", self.session))
    }

    /// Appends the prompt and its answer. A transcript that cannot be written never fails a turn.
    pub(super) fn note_turn(&self, prompt: &str, answer: &str) {
        let (asked, answered) = (entropy::uuid(), entropy::uuid());
        let line = |own: &str, parent: Value, kind: &str, message: Value| {
            json!({
                "parentUuid": parent, "isSidechain": false, "userType": "external", "cwd": self.cwd.to_string_lossy(),
                "sessionId": self.session, "version": VERSION, "type": kind, "message": message, "uuid": own,
                "requestId": format!("req_FAKE{}", &own[..8]), "timestamp": time::iso(time::now_ms()),
            })
        };
        let user = line(&asked, Value::Null, "user", json!({ "role": "user", "content": prompt }));
        let reply = json!({
            "id": format!("msg_FAKE{}", &answered[..8]), "type": "message", "role": "assistant", "model": "claude-opus-5",
            "content": [{ "type": "text", "text": answer }], "stop_reason": "end_turn",
            "usage": { "input_tokens": 5, "output_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0 },
        });
        let assistant = line(&answered, json!(asked), "assistant", reply);
        let path = self.transcript();
        if let Some(directory) = path.parent() {
            let _ = disk::ensure_private_dir(directory);
        }
        let _ = disk::append(&path, format!("{user}\n{assistant}\n").as_bytes());
    }
}
