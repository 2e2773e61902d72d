"""The JSON edges."""
