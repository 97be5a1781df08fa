//! From files and messages to verdicts.

#[cfg(test)]
mod broken_streams;
mod ci_lies;
#[cfg(test)]
mod denominator;
#[cfg(test)]
mod flakes;
#[cfg(test)]
mod green_lies;
#[cfg(test)]
mod history;
mod impact;
#[cfg(test)]
mod lies;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod own_files;
#[cfg(test)]
mod performance;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod sabotage;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod support;
