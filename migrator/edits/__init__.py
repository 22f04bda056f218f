"""The changes that more than one rule makes; a rule decides, these know how."""
