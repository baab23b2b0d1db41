"""Signed delivery of data under a grant: one subject, a batch, a subscription, or in bulk."""
