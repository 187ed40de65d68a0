"""Messages to Slack, e-mail, PagerDuty, webhooks and every other service that apprise supports."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ml_assets.core.extras import needs_extra
from ml_assets.core.operations.notifications.message import Message
from ml_assets.core.operations.notifications.redaction import redact, secrets_of_url

if TYPE_CHECKING:
    from apprise import NotifyBase

# Below these levels the loggers would write the URLs of targets, which are secrets.
LOG_LEVELS = {
    "apprise": logging.WARNING,
    "urllib3": logging.INFO,
    "requests_oauthlib": logging.INFO,
    "oauthlib": logging.INFO,
}
# A comma may also be part of a URL.
URL_SEPARATOR = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)|\s+")


class Notifier:
    """Sends messages to targets.

    Targets are named by their service and a number, such as `Slack 1`, `Slack 2`, `E-Mail 1`, because their URLs are
    secrets.

    Args:
        urls: apprise URLs of the targets, separated by whitespace or commas; empty for none.
        secrets: further values that no message may contain.
    """

    def __init__(self, urls: str, secrets: Sequence[str] = ()):
        self._urls = [url for part in URL_SEPARATOR.split(urls.strip()) if (url := part.strip(" ,"))]
        self.secrets = [*secrets, *sorted({secret for url in self._urls for secret in secrets_of_url(url)})]

    @property
    def targets(self) -> list[str]:
        """Names of the targets.

        Raises:
            ValueError: when apprise does not recognize a URL; the message contains its position.
        """
        return list(self._services)

    def send(self, target: str, message: Message) -> str | None:
        """Send a message to one target. Return None if the target accepted it, otherwise the reason without secrets."""
        from apprise import Apprise, LogCapture, NotifyFormat, NotifyType

        sender = Apprise()
        sender.add(self._services[target])
        title, body = redact(message.title, self.secrets), redact(message.body, self.secrets)
        with LogCapture(level=logging.WARNING, fmt="%(message)s") as captured:
            try:
                is_accepted = sender.notify(
                    body=body, title=title, notify_type=NotifyType(message.urgency), body_format=NotifyFormat.TEXT
                )
            except Exception as error:
                return redact(f"{type(error).__name__}: {error}", self.secrets)
            reason = " ".join(captured.getvalue().split())  # type: ignore[attr-defined]
        return (
            None if is_accepted else redact(reason or "the target did not accept it, and gave no reason", self.secrets)
        )

    @cached_property
    def _services(self) -> "dict[str, NotifyBase]":
        if not self._urls:
            return {}
        with needs_extra("notify", "ML_ASSETS_NOTIFY"):
            from apprise import Apprise, AppriseAsset

        for name, level in LOG_LEVELS.items():
            logging.getLogger(name).setLevel(level)
        asset = AppriseAsset(app_id="ml_assets", app_desc="ml_assets", async_mode=False, secure_logging=True)
        services: dict[str, NotifyBase] = {}
        counts: Counter[str] = Counter()
        for number, url in enumerate(self._urls, start=1):
            service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
            if service is None:
                raise ValueError(
                    f"ML_ASSETS_NOTIFY: apprise does not recognize URL number {number} of {len(self._urls)}"
                )
            name = str(service.service_name)
            counts[name] += 1
            services[f"{name} {counts[name]}"] = service
        return services
