"""Networks of scanpath models: objects, foveated views, eccentricity, densities."""
