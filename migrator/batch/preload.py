"""The modules that a run on a repository may need, loaded with python-hcl2's parser before worker processes start."""

import gc

from migrator.migrate import delivery, pipeline, planning
from migrator.rules.registry import all_rules
from migrator.span import Span
from migrator.syntax.hcl import parse as hcl

__all__ = ["delivery", "pipeline", "planning"]

all_rules()
hcl.check("a {}", Span(0, 4))
gc.freeze()  # permanent: no worker needs to search these objects for garbage, or to copy them
