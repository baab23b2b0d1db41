"""The foundation (底座的底): what every engine stands on; it knows nothing of any engine."""
