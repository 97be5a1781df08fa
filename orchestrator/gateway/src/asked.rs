//! What of a request matters here, read without taking in the rest of it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

/// Each by itself and the last that is told, as providers read it: what is odd about the one must not hide the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Whose price counts.
    pub(crate) model: String,
    /// Whether the answer is to be a stream.
    pub(crate) stream: bool,
    /// Whether the answer is to be fetched by another request.
    pub(crate) in_the_background: bool,
}

impl Asked {
    pub(crate) fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(request: D) -> Result<Self, D::Error> {
        request.deserialize_map(Reads)
    }
}

struct Reads;

impl<'de> Visitor<'de> for Reads {
    type Value = Asked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut request: A) -> Result<Asked, A::Error> {
        let mut asked = Asked::default();
        while let Some(key) = request.next_key::<String>()? {
            match key.as_str() {
                "model" => {
                    let model = request.next_value::<Value>()?;
                    model.as_str().unwrap_or_default().clone_into(&mut asked.model);
                }
                "stream" => asked.stream = request.next_value::<Value>()? == true,
                "background" => asked.in_the_background = request.next_value::<Value>()? == true,
                _ => drop(request.next_value::<IgnoredAny>()?),
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_about_one_thing_hides_no_other() {
        let dear = |stream, in_the_background| Asked { model: "dear".to_owned(), stream, in_the_background };
        for (body, asked) in [
            (r#"{"model":"dear","input":[{"model":"x"}],"stream":true}"#, dear(true, false)),
            (r#"{"stream":null,"model":"dear","background":true}"#, dear(false, true)),
            (r#"{"model":"cheap","stream":"yes","model":"dear"}"#, dear(false, false)),
            (r#"{"model":["dear"]}"#, Asked::default()),
            ("[]", Asked::default()),
            ("nonsense", Asked::default()),
        ] {
            assert_eq!(Asked::of(body.as_bytes()), asked, "{body}");
        }
    }
}
