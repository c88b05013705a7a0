//! What was meant: sentence templates and the match of an utterance against them.
