"""Pure functions from recorded activations to results: no printing, no plotting, no widgets."""
