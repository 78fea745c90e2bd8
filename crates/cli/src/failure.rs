//! What went wrong, as it is told: what happened, to what, and what to do next.

use clauth_engine::{Error, Kind};
use clauth_host::HostError;
use serde_json::{Value, json};

/// A failed command.
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    place: Option<String>,
    hints: Vec<String>,
    causes: Vec<String>,
    /// Another exit code than its kind's.
    code: Option<u8>,
    /// The command's own report tells of it already; only the exit code is left to say.
    pub(crate) reported: bool,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>, place: impl Into<String>, hints: &[&str]) -> Self {
        let hints = hints.iter().map(|hint| (*hint).to_owned()).collect();
        Self {
            kind,
            message: message.into(),
            place: Some(place.into()),
            hints,
            causes: Vec::new(),
            code: None,
            reported: false,
        }
    }

    /// What the parser of the command line refuses.
    pub(crate) fn of_words(error: &clap::Error, command: Option<&str>) -> Self {
        let text = error.render().to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or("the words cannot be understood").trim_start_matches("error: ");
        let mut message = first.to_owned();
        let mut hints = Vec::new();
        for line in lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more")) {
            match line.strip_prefix("tip: ") {
                // Of no use here: no value begins with a dash.
                Some(tip) if tip.starts_with("to pass") => {}
                Some(tip) => hints.push(tip.to_owned()),
                None => message = format!("{message} {line}"),
            }
        }
        let place = command.map_or_else(|| "clauth".to_owned(), |name| format!("clauth {name}"));
        hints.push(format!("{place} --help"));
        Self { kind: Kind::Usage, message, place: Some(place), hints, causes: Vec::new(), code: None, reported: false }
    }

    /// Standard output could not be written, though the work is done.
    pub(crate) fn of_stdout(error: &std::io::Error) -> Self {
        let message = format!("the result could not be written: {error}");
        Self::new(
            Kind::Io,
            message,
            "standard output",
            &["make room where the output goes; the command itself was carried out"],
        )
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether it is about what was typed, not about what was found.
    pub(crate) fn is_about_words(&self) -> bool {
        matches!(self.kind, Kind::NotFound | Kind::Usage)
    }

    /// The failure of a command that has told of it in its report.
    pub(crate) fn reported(self) -> Self {
        Self { reported: true, ..self }
    }

    /// Puts a hint before all others.
    pub(crate) fn hint_first(mut self, hint: String) -> Self {
        self.hints.insert(0, hint);
        self
    }

    /// Ends the program with a code of its own, where the contract has one.
    pub(crate) fn exits(mut self, code: u8) -> Self {
        self.code = Some(code);
        self
    }

    /// Ends the program with its kind's code, whatever another command has for it.
    pub(crate) fn by_kind(self) -> Self {
        Self { code: None, ..self }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.code.unwrap_or_else(|| u8::try_from(self.kind.exit_code()).unwrap_or(1))
    }

    /// The document of `contract.md`.
    pub(crate) fn document(&self) -> Value {
        json!({"schema": 1, "error": {
            "kind": self.kind.word(), "message": self.message, "where": self.place, "hints": self.hints,
        }})
    }

    /// The label and text of each line; the causes come last.
    pub(crate) fn lines(&self, causes: bool) -> Vec<(&'static str, &str)> {
        let mut lines = vec![("error", self.message.as_str())];
        lines.extend(self.place.as_deref().map(|place| ("  where", place)));
        lines.extend(self.hints.iter().map(|hint| ("  next", hint.as_str())));
        lines.extend(self.causes.iter().filter(|_| causes).map(|cause| ("  cause", cause.as_str())));
        lines
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut causes = Vec::new();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self {
            kind: error.kind(),
            message: error.to_string(),
            place: error.place(),
            hints: error.hints(),
            causes,
            code: None,
            reported: false,
        }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::new(Kind::Usage, error.to_string(), "the environment", &["set the variable right, or unset it"])
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Io, error.to_string(), "the sandbox", &["clauth demo"])
    }
}
