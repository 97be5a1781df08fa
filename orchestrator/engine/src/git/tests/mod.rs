//! Behaviour of the git module on real temporary repositories. Where git itself is the judge, its program is asked.

mod checkout;
mod filters;
mod hostile;
mod index_lock;
mod landing;
mod merging;
mod repository;
mod rig;
mod stopping;
mod upstream;
mod workspaces;
