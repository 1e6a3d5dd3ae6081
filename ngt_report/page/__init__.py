"""dashboard.html and coords_NAME.html: what they are made of, and how they open offline."""
