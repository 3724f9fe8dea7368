"""The store on real databases: what was acknowledged is there, once, and nowhere else."""
