"""The jobs of this process, for all browser sessions, each done in the name of the visitor who asked for it."""

from __future__ import annotations

from explorer.jobs.manager import JobManager
from explorer.ui.work.visitors import in_their_name, visitor

JOBS = JobManager(whose=visitor, in_their_name=in_their_name)
