//! One conversation: the wiring of the stages.
