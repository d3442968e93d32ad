"""Recordings, graphs and results in files, without pickle."""
