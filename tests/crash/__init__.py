"""Processes that are killed at the worst moments: nothing acknowledged is lost or done twice."""
