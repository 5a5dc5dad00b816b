"""Models of where people look next, behind one interface."""
