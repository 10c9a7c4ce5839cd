"""Will a recipe fit, on which layout, and how fast: counted before anything is rented."""
