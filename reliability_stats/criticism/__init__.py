"""Criticism of a fitted model: left-out prediction, predictive checks, priors, accuracy.

Each module turns the arrays of an engine into a labelled result; `Posterior` offers them as
methods.
"""
