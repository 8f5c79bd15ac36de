"""From explanations, steps and traces to documents."""
