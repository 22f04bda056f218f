"""The origins of repositories, and the targets of branches."""
