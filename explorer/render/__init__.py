"""Pictures and charts: pure functions of a recording and what a user has chosen."""
