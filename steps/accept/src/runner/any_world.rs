//! Worlds of every type behind one face, so that whatever runs scenarios is compiled once, and not again with each step.

use std::{pin::Pin, sync::Arc};

use cucumber::{World, step::Context};

/// A future that stays on its thread.
pub(super) type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The world of one scenario.
pub(super) trait AnyWorld {
    /// Carries out the step whose function has this index.
    fn carry_out(&mut self, step: usize, context: Context) -> Local<'_, ()>;
}

/// Makes worlds of one type.
pub(super) trait Worlds: Send + Sync {
    /// A new one; else its error with its causes.
    fn make(&self) -> Local<'static, Result<Box<dyn AnyWorld>, String>>;

    /// The type's name without its path.
    fn name(&self) -> &'static str;
}

/// The functions of the steps of a world, in the order of their definitions.
pub(super) struct Functions<W>(pub(super) Arc<[cucumber::Step<W>]>);

impl<W: World> Worlds for Functions<W> {
    fn make(&self) -> Local<'static, Result<Box<dyn AnyWorld>, String>> {
        let functions = self.0.clone();
        Box::pin(async move {
            // `{:#}` prints an error with its causes.
            let world = W::new().await.map_err(|error| format!("{error:#}"))?;
            Ok(Box::new(Alive { world, functions }) as Box<dyn AnyWorld>)
        })
    }

    fn name(&self) -> &'static str {
        let path = std::any::type_name::<W>();
        path.rsplit("::").next().unwrap_or(path)
    }
}

struct Alive<W> {
    world: W,
    functions: Arc<[cucumber::Step<W>]>,
}

impl<W: World> AnyWorld for Alive<W> {
    fn carry_out(&mut self, step: usize, context: Context) -> Local<'_, ()> {
        self.functions[step](&mut self.world, context)
    }
}
