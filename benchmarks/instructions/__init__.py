"""How many instructions a row's work takes: figures that no other load on the machine moves."""
