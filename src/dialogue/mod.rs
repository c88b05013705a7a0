//! The turn of talk: from what was meant to what is done and answered.
