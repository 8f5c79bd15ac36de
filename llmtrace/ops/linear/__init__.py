"""Sums of products with weights, tables of rows, and their gradients."""
