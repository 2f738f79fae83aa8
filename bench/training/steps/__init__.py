"""Steps: gradients to weights, what is logged, what is saved, when a stage must stop."""
