"""What fits other people's programs: each in the module that is named after the program, and imported only there."""
