"""What the program does, without a window. Imports no Qt."""
