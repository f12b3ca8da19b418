//! Input that contradicts itself, goes round in circles or is too much: a clear answer, never a crash.
