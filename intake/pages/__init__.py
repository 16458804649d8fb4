"""The public pages: the policy, and members' secure pages behind one-time links."""

from subjectline.intake.pages.app import PREFIXES, create_pages

__all__ = ["PREFIXES", "create_pages"]
