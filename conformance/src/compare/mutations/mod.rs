//! A verifier that cannot fail is worthless: mutants of topics, and what is no fault.

mod aborted;
mod beginnings;
mod compacted;
mod growth;
mod lane;
mod places;
mod records;
