"""The guest: C sources, the boundary table and the build. Not part of the installed package."""
