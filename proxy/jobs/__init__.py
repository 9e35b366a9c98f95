"""Jobs: statements that run by themselves, when their schedule says so."""
