//! The model interfaces that are passed on, and what of them costs.

/// A model interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// OpenAI Responses.
    Responses,
    /// OpenAI chat completions, as many others speak it.
    Chat,
    /// Anthropic Messages.
    Messages,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A response of a model: it is counted.
    Model(Protocol),
    /// Something about models that costs nothing: it is passed on.
    Free(Vendor),
}

/// Whose interface it is: each has its own address and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// And everybody who speaks alike.
    OpenAi,
    /// Anthropic.
    Anthropic,
}

impl Protocol {
    /// Its name in ledgers and cassettes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Chat => "chat",
            Self::Messages => "messages",
        }
    }

    /// Whose it is.
    pub fn vendor(self) -> Vendor {
        match self {
            Self::Responses | Self::Chat => Vendor::OpenAi,
            Self::Messages => Vendor::Anthropic,
        }
    }
}

impl Route {
    /// What a request is for, by its method and its path without the query; none where it is nothing that is passed on:
    /// what is not known cannot be counted.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        match (method, path) {
            ("POST", "/v1/responses") => Some(Self::Model(Protocol::Responses)),
            ("POST", "/v1/chat/completions") => Some(Self::Model(Protocol::Chat)),
            ("POST", "/v1/messages") => Some(Self::Model(Protocol::Messages)),
            ("POST", "/v1/messages/count_tokens") | ("HEAD" | "GET", "/api/hello") => {
                Some(Self::Free(Vendor::Anthropic))
            }
            ("GET", "/v1/models") => Some(Self::Free(Vendor::OpenAi)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_counted_is_not_passed_on() {
        assert_eq!(Route::of("POST", "/v1/responses"), Some(Route::Model(Protocol::Responses)));
        for (method, path) in [
            ("GET", "/v1/responses"),
            ("POST", "/v1/responses/"),
            ("POST", "/v1/embeddings"),
            ("POST", "/v1/images/generations"),
            ("POST", "/v1/messages/batches"),
            ("DELETE", "/v1/models"),
            ("POST", "/v1/../v1/embeddings"),
            ("GET", ""),
        ] {
            assert_eq!(Route::of(method, path), None, "{method} {path}");
        }
    }
}
