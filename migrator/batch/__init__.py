"""Many repositories: passes, workers, the journal, stored plans."""
