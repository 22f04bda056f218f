"""One module for each rule; the registry finds them by being in this folder."""
