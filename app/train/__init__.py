"""Training of what the program ships: recipes of data, and how a model is made from them."""
