"""Messages to people: Slack, e-mail, PagerDuty, webhooks and whatever else apprise knows."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ml_assets.core.operations.notifications.message import Message
from ml_assets.core.operations.notifications.redaction import redact, secrets_of_url

if TYPE_CHECKING:
    from apprise import NotifyBase

LOGGED = {
    "apprise": logging.WARNING,
    "urllib3": logging.INFO,
    "requests_oauthlib": logging.INFO,
    "oauthlib": logging.INFO,
}
# A comma may also stand within a URL.
BETWEEN_URLS = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)|\s+")


class Notifier:
    """Sends messages to targets, which are named by their service and a number, because their URLs are secrets: `Slack
    1`, `Slack 2`, `E-Mail 1`.

    Args:
        urls: of the targets as apprise has them, separated by blanks, line ends or commas; none when empty.
        secrets: further values that must not be in a message.
    """

    def __init__(self, urls: str, secrets: Sequence[str] = ()):
        self._urls = [url for part in BETWEEN_URLS.split(urls.strip()) if (url := part.strip(" ,"))]
        self.secrets = [*secrets, *sorted({secret for url in self._urls for secret in secrets_of_url(url)})]

    @property
    def targets(self) -> list[str]:
        """The names of the targets.

        Raises:
            ValueError: when apprise cannot make anything of a URL; it says which by its place.
        """
        return list(self._services)

    def send(self, target: str, message: Message) -> str | None:
        """Send a message to one target; why that failed, without secrets, or None when the target took it."""
        from apprise import Apprise, LogCapture, NotifyFormat, NotifyType

        sender = Apprise()
        sender.add(self._services[target])
        title, body = redact(message.title, self.secrets), redact(message.body, self.secrets)
        with LogCapture(level=logging.WARNING, fmt="%(message)s") as said:
            try:
                taken = sender.notify(
                    body=body, title=title, notify_type=NotifyType(message.urgency), body_format=NotifyFormat.TEXT
                )
            except Exception as error:
                return redact(f"{type(error).__name__}: {error}", self.secrets)
            reason = " ".join(said.getvalue().split())  # type: ignore[attr-defined]
        return None if taken else redact(reason or "the target did not take it, and gave no reason", self.secrets)

    @cached_property
    def _services(self) -> "dict[str, NotifyBase]":
        if not self._urls:
            return {}
        from apprise import Apprise, AppriseAsset

        # What they log below these levels holds the targets' URLs.
        for name, level in LOGGED.items():
            logging.getLogger(name).setLevel(level)
        asset = AppriseAsset(app_id="ml_assets", app_desc="ml_assets", async_mode=False, secure_logging=True)
        found: dict[str, NotifyBase] = {}
        counts: Counter[str] = Counter()
        for number, url in enumerate(self._urls, start=1):
            service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
            if service is None:
                raise ValueError(
                    f"ML_ASSETS_NOTIFY: apprise does not know what URL number {number} of {len(self._urls)} means"
                )
            name = str(service.service_name)
            counts[name] += 1
            found[f"{name} {counts[name]}"] = service
        return found
