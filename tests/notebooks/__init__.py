"""The research notebooks: how they are kept, that they run, and that they still show what is stored in them."""
