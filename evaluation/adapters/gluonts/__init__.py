"""Any gluonts model as a joint model, and predictors in folders."""
