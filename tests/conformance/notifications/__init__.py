"""Shapes of notifications as servers send them, and a service that takes them."""
