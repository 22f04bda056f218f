"""The settings that override the sign-in of the stacks of other repositories."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from migrator.model.findings import Place


class KnownSetting(Struct, frozen=True):
    """A setting that overrides the sign-in of the stacks of other repositories with one of ``slugs`` or ``labels``."""

    repo: str
    place: Place
    title: str
    slugs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The sentence against a hook of a stack that surely gets the setting."""
        return f"{self.title} at {self.repo}: {self.place} reaches the stack."

    @property
    def doubt(self) -> str:
        """The sentence for a stack that may get the setting."""
        return f"{self.title} at {self.repo}: {self.place} may reach the stack, and override the credentials of a hook."

    def reaches(self, repo: str, slug: str | None, labels: Iterable[str] | None) -> bool | None:
        """Whether a stack of ``repo`` gets the setting; None if that depends on spaces or unknown labels."""
        if repo == self.repo or (slug is not None and slug in self.slugs):
            return repo != self.repo
        is_possible = self.labels and (labels is None or "*" in self.labels or not set(self.labels).isdisjoint(labels))
        return None if is_possible else False


class KnownSettings:
    """The settings of several repositories by the slugs and labels that they name, so that no pair is compared."""

    def __init__(self, settings: Iterable[KnownSetting]) -> None:
        self._by_slug: dict[str, list[KnownSetting]] = {}
        self._by_label: dict[str, list[KnownSetting]] = {}
        for setting in settings:
            for slug in setting.slugs:
                self._by_slug.setdefault(slug, []).append(setting)
            for label in setting.labels:
                self._by_label.setdefault(label, []).append(setting)

    def of(self, repo: str, slug: str | None, labels: Iterable[str] | None) -> tuple[KnownSetting, ...]:
        """The settings of other repositories that a stack of ``repo`` gets, or may get; None if not known."""
        by_slug = self._by_slug.get(slug, ()) if slug is not None else ()
        names = self._by_label if labels is None else ("*", *labels)
        by_label = (setting for name in names for setting in self._by_label.get(name, ()))
        return tuple(dict.fromkeys(setting for setting in (*by_slug, *by_label) if setting.repo != repo))
