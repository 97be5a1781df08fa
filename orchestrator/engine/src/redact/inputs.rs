//! What a run takes in and keeps: prose is redacted, so that no agent is told a secret either; what is executed must
//! stay as it is, so that a secret in it stops the run before it begins.

use mycelium_core::plan::Plan;
use mycelium_schemas::manifest::{Manifest, PlannedTask};

use super::Redactor;
use crate::error::Error;

/// The manifest with its prose redacted.
pub(crate) fn prose(redactor: &Redactor, manifest: Manifest) -> Manifest {
    let clean = |text: String| redactor.text(&text).into_owned();
    Manifest {
        name: clean(manifest.name),
        description: clean(manifest.description),
        spec: clean(manifest.spec),
        ..manifest
    }
}

/// The plan with its prose redacted.
pub(crate) fn plan(redactor: &Redactor, plan: &Plan) -> Plan {
    Plan::new(plan.tasks().cloned().map(|task| PlannedTask {
        manifest: prose(redactor, task.manifest),
        spec_text: redactor.text(&task.spec_text).into_owned(),
        dir: task.dir,
    }))
}

/// Refuses known values in what the run keeps unchanged, given with what it is called; warns of shapes.
pub(crate) fn check<'t>(
    redactor: &Redactor,
    kept: impl IntoIterator<Item = (String, &'t [u8])>,
) -> Result<(), Error> {
    for (what, content) in kept {
        for span in redactor.secrets.spans(content, None) {
            if span.known {
                return Err(Error::Request {
                    message: format!("{what} holds the value of {}, and a run keeps a copy of it", span.name),
                    help: format!(
                        "use the variable instead, and list {} in `worker.env` to hand it to commands",
                        span.name
                    ),
                });
            }
            tracing::warn!(
                "{what} holds what looks like a secret ({}); the run keeps it as it is",
                span.name
            );
        }
    }
    Ok(())
}
