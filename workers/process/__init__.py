"""A worker as a process: how it consumes, shows signs of life, stops, and appears in Flower."""
