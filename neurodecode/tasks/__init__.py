"""Lightning modules: what is trained, and how."""
