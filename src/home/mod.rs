//! Areas, devices, states: the home that is acted on.
