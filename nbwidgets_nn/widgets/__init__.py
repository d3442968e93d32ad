"""Traits that show results. A widget here never computes and knows no model."""
