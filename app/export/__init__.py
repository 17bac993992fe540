"""One module per exported format; everything is verified before it gets its name."""
