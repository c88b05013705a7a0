//! The catalogue of models, how they come here, and the runtime that executes them.
