"""The receiver of notifications, part by part."""
