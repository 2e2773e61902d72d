"""Thin tasks: one id in, one service call out."""
