//! The filter graph, as a value: chains of filters with named ends, written out
//! in ffmpeg's syntax ("FFmpeg Filters Documentation", Filtergraph syntax).
//!
//! Names and paths stay in the arguments, and colours are checked where they are
//! read: no text from a record enters a graph, but for [`label`]'s, which is escaped.

pub mod label;
mod overlays;
pub mod picture;
pub mod sound;
pub mod source;

use std::fmt;

/// Filters one after the other, from the pads they read to the pads they make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    inputs: Vec<String>,
    filters: Vec<String>,
    outputs: Vec<String>,
}

impl Chain {
    /// A chain that reads the given pads.
    pub fn from<S: Into<String>>(inputs: impl IntoIterator<Item = S>) -> Self {
        Self {
            inputs: inputs.into_iter().map(Into::into).collect(),
            filters: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// A chain that begins with a source.
    pub fn source() -> Self {
        Self::from(Vec::<String>::new())
    }

    /// Adds a filter.
    #[must_use]
    pub fn then(mut self, filter: impl Into<String>) -> Self {
        self.filters.push(filter.into());
        self
    }

    /// Adds a filter if there is one.
    #[must_use]
    pub fn then_if(self, filter: Option<String>) -> Self {
        match filter {
            Some(filter) => self.then(filter),
            None => self,
        }
    }

    /// Names what comes out.
    #[must_use]
    pub fn into_pads<S: Into<String>>(mut self, outputs: impl IntoIterator<Item = S>) -> Self {
        self.outputs = outputs.into_iter().map(Into::into).collect();
        self
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inputs.iter().try_for_each(|pad| write!(f, "[{pad}]"))?;
        write!(f, "{}", self.filters.join(","))?;
        self.outputs.iter().try_for_each(|pad| write!(f, "[{pad}]"))
    }
}

/// Chains, as `-filter_complex` takes them.
pub fn join(chains: &[Chain]) -> String {
    chains.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_joined_as_ffmpeg_reads_them() {
        let chains = [
            Chain::source().then("color=c=black").into_pads(["base"]),
            Chain::from(["base", "v0"]).then("overlay").then("null").into_pads(["picture"]),
        ];
        assert_eq!(join(&chains), "color=c=black[base];[base][v0]overlay,null[picture]");
    }
}
