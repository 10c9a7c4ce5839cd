"""The Berkeley Function Calling Leaderboard (BFCL v4), measured without its dependencies, for evaluation alone."""
