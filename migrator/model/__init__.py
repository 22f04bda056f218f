"""Plain data: findings, their outcomes, and the results of a run on a repository."""
