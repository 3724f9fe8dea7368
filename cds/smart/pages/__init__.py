"""The pages of the app: each adds its routes, and decides nothing clinical."""
