"""Runs that still go on: the state of each at a glance, and a page that follows them."""
