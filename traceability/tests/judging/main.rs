//! From files and messages to verdicts.

#[cfg(test)]
mod broken_streams;
#[cfg(test)]
mod denominator;
#[cfg(test)]
mod green_lies;
#[cfg(test)]
mod lies;
#[cfg(test)]
mod own_files;
#[cfg(test)]
mod sabotage;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod support;
