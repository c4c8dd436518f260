"""Statistical models of few numbers: equations, and rare demand."""
