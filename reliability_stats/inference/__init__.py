"""Inference engines: how a model's posterior is computed."""
