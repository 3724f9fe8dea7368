"""The demonstration: synthetic patients and an order-entry workbench that calls the real service.

Loopback only. It knows no clinical rule: everything it shows comes back from the hook call.
"""
