"""All that a run on a repository may need, loaded, and python-hcl2's parser made: what worker processes begin with."""

import gc

from migrator.migrate import delivery, pipeline, planning
from migrator.rules.registry import all_rules
from migrator.span import Span
from migrator.syntax.hcl import parse as hcl

__all__ = ["delivery", "pipeline", "planning"]

all_rules()
hcl.check("a {}", Span(0, 4))
gc.freeze()  # it stays: no worker need search it for garbage, nor have a copy of its own
