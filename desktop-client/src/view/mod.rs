//! What the person sees and touches.
